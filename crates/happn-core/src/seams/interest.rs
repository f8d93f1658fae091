//! What this node's own clients want to hear of other nodes.

use happn_paths::Mask;
use tokio::sync::watch;

/// Keeps count of what the clients of this node, other nodes excepted, have subscribed to.
///
/// Every change has a number; numbers only rise. A subscription to something that nobody here had
/// subscribed to before is answered once its number is confirmed, or after a deadline.
pub trait LocalInterest: Send + Sync + 'static {
    /// The number of the latest change.
    fn watch(&self) -> watch::Receiver<u64>;

    /// What is wanted now.
    fn masks(&self, max: usize) -> LocalMasks;

    /// All other nodes know what was wanted at change `number`. A lower number than before means
    /// that one more node has to be told; [`u64::MAX`] that there is nobody to tell.
    fn confirm(&self, number: u64);

    /// The latest change whose subscription was answered although it was not confirmed.
    fn overdue(&self) -> u64;
}

/// What the clients of a node want at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalMasks {
    /// The latest change that is in it.
    pub number: u64,
    /// The masks, each once, in no order; `None` when there are more than was asked for.
    pub masks: Option<Vec<Mask>>,
}
