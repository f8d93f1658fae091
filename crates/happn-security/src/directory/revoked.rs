//! Which tokens are revoked, in memory: every request with a token asks.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::change::{Change, ChangeKind, Concern};

/// Revoked tokens that are remembered; each takes some 40 bytes.
const TOKENS_MAX: usize = 1_000_000;

/// A set of tokens that forgets them when their time has passed.
///
/// Tokens are long, so 128 bits of keyed hash stand for each. Two of a million share them with a
/// probability below 10⁻²⁵, and then one too many is refused.
#[derive(Default)]
pub(super) struct RevokedTokens {
    keys: (RandomState, RandomState),
    /// Until when each is of interest, ms since 1970; `None` for ever.
    until: Mutex<HashMap<(u64, u64), Option<i64>>>,
    /// When the newest document that was read was written, ms since 1970; 0 for none yet.
    newest: AtomicI64,
}

impl RevokedTokens {
    /// Whether `token` is revoked.
    pub(super) fn contains(&self, token: &str) -> bool {
        self.until().contains_key(&self.print(token))
    }

    /// Remembers a token that was revoked at `revoked_at` for `ttl` ms, 0 for ever. Answers false
    /// when too many are remembered already.
    pub(super) fn add(&self, token: &str, revoked_at: i64, ttl: u64, now: i64) -> bool {
        let print = self.print(token);
        let mut until = self.until();
        if until.len() >= TOKENS_MAX && !until.contains_key(&print) {
            until.retain(|_, until| until.is_none_or(|until| until > now));
            if until.len() >= TOKENS_MAX {
                return false;
            }
        }
        until.insert(print, expiry(revoked_at, ttl));
        true
    }

    /// A document was read that was written then.
    pub(super) fn seen(&self, modified: i64) {
        self.newest.fetch_max(modified, Ordering::Relaxed);
    }

    /// When the newest document that was read was written.
    pub(super) fn newest(&self) -> Option<i64> {
        let newest = self.newest.load(Ordering::Relaxed);
        (newest > 0).then_some(newest)
    }

    pub(super) fn remove(&self, token: &str) {
        let print = self.print(token);
        self.until().remove(&print);
    }

    /// Forgets the tokens whose time has passed; they are refused for their age now.
    pub(super) fn sweep(&self, now: i64) {
        self.until()
            .retain(|_, until| until.is_none_or(|until| until > now));
    }

    /// Takes in what another node did.
    pub(super) fn apply(&self, change: &Change, now: i64) {
        let Concern::Token { token, .. } = &change.concern else {
            return;
        };
        match change.kind {
            ChangeKind::TokenRevoked => {
                let said: serde_json::Value = change.told.data.decode().unwrap_or_default();
                let number = |name: &str| said[name].as_f64();
                let at = number("timestamp").map_or(now, |at| at as i64);
                let ttl = number("ttl").map_or(0, |ttl| ttl as u64);
                if !self.add(token, at, ttl, now) {
                    tracing::error!("too many tokens are revoked: one more is still accepted");
                }
            }
            ChangeKind::TokenRestored => self.remove(token),
            _ => {}
        }
    }

    fn print(&self, token: &str) -> (u64, u64) {
        (self.keys.0.hash_one(token), self.keys.1.hash_one(token))
    }

    fn until(&self) -> MutexGuard<'_, HashMap<(u64, u64), Option<i64>>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a token of that ttl, revoked then, has ended by itself; `None` for never.
pub(super) fn expiry(revoked_at: i64, ttl: u64) -> Option<i64> {
    let ttl = i64::try_from(ttl).ok().filter(|ttl| *ttl > 0)?;
    revoked_at.checked_add(ttl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revoked_token_is_remembered_as_long_as_it_would_have_lived() {
        let tokens = RevokedTokens::default();
        assert!(tokens.add("for-ever", 1000, 0, 1000) && tokens.add("short", 1000, 50, 1000));
        assert!(tokens.contains("for-ever") && tokens.contains("short"));
        tokens.sweep(1050);
        assert!(tokens.contains("for-ever") && !tokens.contains("short"));
        tokens.remove("for-ever");
        assert!(!tokens.contains("for-ever"));
    }
}
