//! Changes of users and groups that concern all nodes.

use happn_protocol::Json;

use crate::BoxFuture;

/// One change of the security directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityChange {
    /// What happened, such as `upsert-user`; JavaScript nodes call it `whatHappnd`.
    pub kind: String,
    /// What it happened to (`changedData`): an object. On its way to other nodes passwords are
    /// taken out; on arrival it has the member `replicated`.
    pub data: Json,
    /// What the service was told beyond that (`additionalInfo`).
    pub additional: Option<Json>,
}

/// Applies changes that other nodes made: forgets what was remembered of the directory, tells
/// the sessions concerned. The security service implements it, the replicator calls it.
pub trait SecurityChanges: Send + Sync + 'static {
    /// Applies one change; the next one follows when this is done. An error is logged and
    /// concerns this change only. Must be idempotent: a change may come twice.
    fn apply(&self, change: SecurityChange) -> BoxFuture<'_, Result<(), String>>;

    /// Changes were missed: everything that is remembered of the directory may be out of date.
    fn reload(&self) -> BoxFuture<'_, ()>;
}

/// For a node without security: it remembers nothing that a change could concern.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDirectory;

impl SecurityChanges for NoDirectory {
    fn apply(&self, _change: SecurityChange) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn reload(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Takes changes that were made here, to tell the other nodes. The replicator implements it.
pub trait ChangeReplication: Send + Sync + 'static {
    /// Tells the others within the configured interval, in the order of the calls. Does not wait.
    fn replicate(&self, change: SecurityChange);
}
