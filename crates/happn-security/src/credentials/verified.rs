//! Passwords that have matched before.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use ring::hmac;
use ring::rand::SystemRandom;

use super::generations::Generations;

/// How many are remembered at least.
const REMEMBERED: usize = 10_000;

/// Remembers which password has matched which stored hash, so that thousands of clients that
/// reconnect at once are not hashed again. Neither is kept: only a keyed digest of both, under a
/// key that this process forgets when it ends. A new hash for a user makes the old entry useless.
pub struct VerifiedPasswords {
    key: Option<hmac::Key>,
    known: Mutex<Generations<[u8; 32], ()>>,
}

impl VerifiedPasswords {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok(),
            known: Mutex::new(Generations::new(REMEMBERED)),
        }
    }

    /// Whether `password` is known to match `stored`. `false` means that it has to be checked.
    #[must_use]
    pub fn contains(&self, password: &str, stored: &str) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = self.digest(password, stored);
        digest.is_some_and(|digest| known.get(&digest).is_some())
    }

    /// Remembers that `password` has just matched `stored`.
    pub fn insert(&self, password: &str, stored: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(digest) = self.digest(password, stored) {
            known.touch(digest);
        }
    }

    fn digest(&self, password: &str, stored: &str) -> Option<[u8; 32]> {
        let mut context = hmac::Context::with_key(self.key.as_ref()?);
        context.update(&(password.len() as u64).to_le_bytes());
        context.update(password.as_bytes());
        context.update(stored.as_bytes());
        context.sign().as_ref().try_into().ok()
    }
}

impl Default for VerifiedPasswords {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for VerifiedPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedPasswords(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_that_matched_that_hash_is_known() {
        let verified = VerifiedPasswords::new();
        assert!(!verified.contains("secret", "hash"));
        verified.insert("secret", "hash");
        assert!(verified.contains("secret", "hash"));
        for (password, stored) in [("secret", "other"), ("Secret", "hash"), ("secreth", "ash")] {
            assert!(!verified.contains(password, stored), "{password} {stored}");
        }
    }
}
