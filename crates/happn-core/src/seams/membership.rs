//! Who is in the cluster.

use crate::{BoxFuture, Changes};

/// The table of nodes, kept in the shared store.
pub trait Membership: Send + Sync + 'static {
    /// Writes this node's own beat.
    fn beat(&self) -> BoxFuture<'static, Result<(), MembershipError>>;

    /// Every beat of the deployment, however old, this node's own included. Whether one is alive
    /// is the caller's decision: it watches `mark` change by its own monotonic clock.
    fn beats(&self) -> BoxFuture<'static, Result<Vec<Beat>, MembershipError>>;

    /// Hints at beats of nodes that were not in the table before, where it can tell; `None` where it
    /// cannot, and reading it again and again is the only way.
    fn watch(&self) -> BoxFuture<'static, Result<Option<Changes>, MembershipError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Removes this node's own beat, so that others need not wait for it to go stale.
    fn leave(&self) -> BoxFuture<'static, Result<(), MembershipError>>;

    /// Removes the beat of another node that has not moved for a long while.
    fn sweep(&self, beat: &Beat) -> BoxFuture<'static, Result<(), MembershipError>>;
}

/// One node's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// `host:port` of the node's inner listener.
    pub endpoint: String,
    /// The group the node belongs to.
    pub service: String,
    /// The cluster it says it belongs to; older nodes do not say.
    pub cluster: Option<String>,
    /// The node's name; older nodes do not say.
    pub name: Option<String>,
    /// Differs with every start of its process; older nodes do not say.
    pub instance: Option<String>,
    /// Changes with every beat; its absolute value means nothing (it is another clock's time).
    pub mark: i64,
}

/// The table could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("membership: {0}")]
pub struct MembershipError(pub String);
