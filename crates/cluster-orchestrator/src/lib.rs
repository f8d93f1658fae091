//! Who is in the cluster: membership, peers, stability.
//!
//! A *member* is a node this node knows of; a *peer* is a member it is connected to and has
//! subscribed at. Reading order: [`OrchestratorConfig`], [`KeepaliveDocuments`] (the table of
//! nodes in the shared store), [`Roster`] (the decisions, as a pure state machine) and
//! [`Orchestrator`] (timers and links around it).
//!
//! This crate opens no socket, knows no database and reads no clock of its own: nodes are
//! reached through [`happn_core::PeerConnector`], the table through [`happn_core::Membership`],
//! time through [`happn_core::Clock`]. It does not look into the events it passes on.

mod config;
mod driver;
mod keepalive;
mod roster;

pub use config::{ConfigError, OrchestratorConfig, Timing};
pub use driver::{Orchestrator, StabiliseError, View};
pub use keepalive::{KeepaliveDocuments, NodeRecord};
pub use roster::{
    Counts, DropReason, Effect, HealthReport, Input, MemberSnapshot, Roster, ServiceCounts,
    ServiceHealth, State,
};
