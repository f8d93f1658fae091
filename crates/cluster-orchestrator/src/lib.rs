//! Who is in the cluster: membership, peers, stability.
//!
//! A *member* is a node this node knows of; a *peer* is a member it is connected to and has
//! subscribed at. Reading order: [`OrchestratorConfig`], [`KeepaliveDocuments`] (the table of
//! nodes in the shared store), [`Roster`] (the decisions, as a pure state machine) and
//! [`Orchestrator`] (timers and links around it).
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use cluster_orchestrator::{Effect, Input, OrchestratorConfig, Roster, Timing};
//! use happn_core::Beat;
//!
//! let config = OrchestratorConfig {
//!     cluster_name: "happn-cluster".to_owned(),
//!     service_name: "node".to_owned(),
//!     deployment: "Test-Deploy".to_owned(),
//!     cluster: OrchestratorConfig::minimum_peers("node", 1),
//!     replicate: vec!["*".into()],
//!     stabilise_timeout: None,
//!     timing: Timing::DEFAULT,
//!     name: "node-1".to_owned(),
//!     endpoint: "10.0.0.1:57000".to_owned(),
//!     instance: "0001".to_owned(),
//! };
//! let beat = |endpoint: &str| Beat {
//!     endpoint: endpoint.to_owned(),
//!     service: "node".to_owned(),
//!     cluster: None,
//!     name: None,
//!     instance: (endpoint == "10.0.0.1:57000").then(|| "0001".to_owned()),
//!     mark: 1,
//! };
//! let mut roster = Roster::new(Arc::new(config), 1, Duration::ZERO);
//! let beats = vec![beat("10.0.0.1:57000"), beat("10.0.0.2:57000")];
//! let effects = roster.handle(Duration::from_millis(5), Input::Beats(beats));
//! let endpoint = "10.0.0.2:57000".to_owned();
//! assert!(effects.contains(&Effect::Dial { endpoint }));
//! ```
//!
//! This crate opens no socket, knows no database and reads no clock of its own: nodes are
//! reached through [`happn_core::PeerConnector`], the table through [`happn_core::Membership`],
//! time through [`happn_core::Clock`]. It does not look into the events it passes on.

mod config;
mod driver;
mod interest;
mod keepalive;
mod roster;
mod skew;

pub use config::{ConfigError, OrchestratorConfig, Timing};
pub use driver::{
    AskedOf, InterestSource, KeepaliveReading, Orchestrator, PeerChange, PeerChanges,
    StabiliseError, View,
};
pub use interest::Wanted;
pub use keepalive::{KeepaliveDocuments, NodeRecord};
pub use roster::{
    Counts, DropReason, Effect, HealthReport, Input, MemberSnapshot, Refusal, Roster,
    ServiceCounts, ServiceHealth, State,
};
pub use skew::ClockSkew;
