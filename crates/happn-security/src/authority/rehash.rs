//! A weak hash is replaced when its password is at hand: at a login.

use std::sync::Arc;

use super::Shared;
use crate::directory::{Password, UserName};

impl Shared {
    /// Replaces `stored`, which `password` has just matched, by a stronger hash where new ones are
    /// stronger. Nobody waits for it. One at a time: a change of the configured work must not
    /// double the work of all logins. Those left out have their turn at another login.
    pub(super) fn rehash(self: &Arc<Self>, user: &UserName, password: &str, stored: &Arc<str>) {
        if !self.config.rehash_passwords || !self.directory.hashing().is_outdated(stored) {
            return;
        }
        let Ok(turn) = self.rehashing.clone().try_acquire_owned() else {
            return;
        };
        let (shared, user, stored) = (self.clone(), user.clone(), stored.clone());
        let password = Password::new(password);
        tokio::spawn(async move {
            let _turn = turn;
            let rehashed = shared.directory.rehash(&user, password.clone(), stored);
            match rehashed.await {
                // Whoever comes back needs not be hashed again.
                Ok(Some(new)) => shared.verified.insert(password.reveal(), &new),
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, %user, "a weak password hash stays"),
            }
        });
    }
}
