//! Credentials that somebody else checks.

use std::sync::Arc;

use happn_core::{BoxFuture, Connection, Refusal};
use happn_protocol::Json;

/// Checks the credentials of logins in another way than by the directory's passwords and keys.
pub trait AuthProvider: Send + Sync + 'static {
    /// Answers whose login this is: the name of a user of the directory. `data` is what the client
    /// sent, an object. Failures count towards the lock-out of the `username` in it, as others do.
    fn authenticate(
        &self,
        data: &Json,
        connection: &Connection,
    ) -> BoxFuture<'static, Result<Arc<str>, Refusal>>;
}
