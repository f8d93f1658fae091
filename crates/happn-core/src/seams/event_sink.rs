//! Publishing to local sessions only.

use std::sync::Arc;

use happn_paths::EventKind;
use happn_protocol::Json;

/// Takes events that happened elsewhere and hands them to this node's clients.
pub trait EventSink: Send + Sync + 'static {
    /// Publishes to matching local sessions, never to cluster links, so that nothing loops.
    /// Does not wait: frames are in the outboxes when this returns.
    fn publish(&self, event: &ReplicatedEvent) -> Delivery;

    /// Publishes an event of this node itself, on `path`, to local sessions and to other nodes.
    /// Nothing is stored. Does not wait.
    fn originate(&self, path: &str, data: &Json) -> Delivery;

    /// Tells this node's clients that events of node `origin` are missing: `lost` of them, or
    /// nobody knows how many.
    fn announce_gap(&self, origin: &str, lost: Option<u64>);
}

/// An event as it crossed the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicatedEvent {
    /// Set or remove.
    pub kind: EventKind,
    /// The published path; for a wildcard removal the mask's text.
    pub path: Arc<str>,
    /// What subscribers get as data.
    pub data: Json,
    /// The session on the origin node that published.
    pub session_id: Arc<str>,
    /// `<session id>-<event id>`; the same on every node.
    pub publication_id: Arc<str>,
    /// Ms since 1970; absent for what was not stored.
    pub created: Option<i64>,
    /// Ms since 1970; absent for what was not stored.
    pub modified: Option<i64>,
    /// `{username, id}` on a secure cluster.
    pub event_origin: Option<Json>,
    /// What was merged, for subscribers that want that instead of the whole document; `None` when
    /// it was no merge or the peer does not say.
    pub merge_data: Option<Json>,
    /// The consistency the publisher asked for; `None` when the peer does not say, then 2.
    pub consistency: Option<Json>,
    /// Its number on a numbered link: it arrived once.
    pub sequence: Option<u64>,
    /// Custom meta of the publisher, in order.
    pub custom: Vec<(String, Json)>,
}

/// What became of a publication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Matching subscriptions.
    pub matched: u32,
    /// Frames handed to outboxes.
    pub delivered: u32,
    /// Frames that an outbox refused; counted, logged, and the session is ended.
    pub refused: u32,
}
