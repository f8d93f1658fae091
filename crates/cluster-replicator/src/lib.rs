//! What crosses the cluster: events of peers, re-published to local clients exactly once.
//!
//! - [`Replicator`]: takes each peer's events and hands them to the node's own clients.
//! - [`Recent`]: the decision behind it, pure: was this publication of this peer seen just now?
//! - [`Counters`]: what came in and what became of it.
//!
//! ```text
//! peer link ──► Replicator::deliver ──► Recent (drop duplicates) ──► EventSink ──► local sessions
//! ```
//!
//! Nothing loops: an [`EventSink`](happn_core::EventSink) never publishes to cluster links, so an
//! event travels one hop. This crate opens no socket, reads no clock and spawns no task.

mod counters;
mod recent;
mod replicator;

pub use counters::Counters;
pub use recent::{PEERS_MAX, Recent, WINDOW_PER_PEER};
pub use replicator::Replicator;
