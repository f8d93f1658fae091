//! What crosses the cluster: events of peers, re-published to local clients exactly once.
//!
//! - [`Replicator`]: takes each peer's events and hands them to the node's own clients.
//! - [`Recent`]: the decision behind it, pure: was this publication of this peer seen just now?
//! - [`Replicator::send`] and [`Replicator::subscribe`]: messages from node to node by topic.
//! - [`SecurityReplication`]: changes of users and groups, in batches.
//! - [`Counters`]: what came in and what became of it.
//!
//! ```text
//! peer link ──► Replicator::deliver ──► Recent (drop duplicates) ──► EventSink ──► local sessions
//! ```
//!
//! Nothing loops: an [`EventSink`](happn_core::EventSink) never publishes to cluster links, so an
//! event travels one hop. This crate opens no socket and reads no clock.

mod counters;
mod envelope;
mod recent;
mod replicator;
mod security;
mod topics;

pub use counters::Counters;
pub use recent::{PEERS_MAX, Recent, WINDOW_PER_PEER};
pub use replicator::Replicator;
pub use security::{SECURITY_TOPIC, SecurityReplication, Unpacked, take_apart};
pub use topics::TopicMessage;
