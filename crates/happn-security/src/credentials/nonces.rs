//! Nonces for logins with a key: each can be used once, by the key it was asked for.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use super::{PublicKey, Source, UnusableKey, base64, fingerprint};

/// Nonces that wait to be used, of all keys.
const WAITING_MAX: usize = 10_000;
/// Of one key. Public keys are public: others may ask for nonces, and must not push out all.
const PER_KEY_MAX: usize = 16;
/// Of one key from one source.
const PER_KEY_AND_SOURCE_MAX: usize = 4;
/// From one source, which may be a proxy with many clients behind it.
const PER_SOURCE_MAX: usize = 1000;

/// Hands out nonces and takes them back signed. Time is monotonic time.
#[derive(Debug)]
pub struct Nonces {
    ttl: Duration,
    /// The oldest first; all live equally long.
    waiting: Mutex<VecDeque<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    key: [u8; 32],
    source: Source,
    nonce: String,
    until: Duration,
}

impl Nonces {
    /// How long a nonce may be used unless configured otherwise.
    pub const TTL_DEFAULT: Duration = Duration::from_secs(60);

    /// Nonces that live for `ttl`.
    #[must_use]
    pub fn new(ttl: Duration) -> Self {
        Self {
            ttl,
            waiting: Mutex::default(),
        }
    }

    /// A fresh nonce for the owner of `public_key`, as base64 text of 44 characters.
    ///
    /// Where too many wait, the oldest of the same kind is forgotten.
    ///
    /// # Errors
    /// When the machine gives no random numbers.
    pub fn issue(
        &self,
        public_key: &str,
        source: Source,
        now: Duration,
    ) -> Result<String, NoRandomness> {
        let mut bytes = [0; 32];
        let filled = SystemRandom::new().fill(&mut bytes);
        filled.map_err(|_| NoRandomness)?;
        let nonce = base64::encode(&bytes);
        let key = fingerprint(public_key);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        drop_expired(&mut waiting, now);
        let own = |one: &Waiting| one.key == key && one.source == source;
        make_room(&mut waiting, PER_KEY_AND_SOURCE_MAX, own);
        make_room(&mut waiting, PER_KEY_MAX, |one| one.key == key);
        make_room(&mut waiting, PER_SOURCE_MAX, |one| one.source == source);
        if waiting.len() >= WAITING_MAX {
            waiting.pop_front();
        }
        waiting.push_back(Waiting {
            key,
            source,
            nonce: nonce.clone(),
            until: now.saturating_add(self.ttl),
        });
        Ok(nonce)
    }

    /// Checks that `digest` is the signature by `public_key` of one of its nonces, and uses that
    /// nonce up. Costs up to 16 verifications, below a millisecond each.
    ///
    /// # Errors
    /// When it is not, or no nonce waits.
    pub fn redeem(&self, public_key: &str, digest: &str, now: Duration) -> Result<(), DigestError> {
        let nonces = self.nonces_of(public_key, now);
        if nonces.is_empty() {
            return Err(DigestError::NoNonce);
        }
        let key = PublicKey::parse(public_key)?;
        let signed = nonces.iter().find(|nonce| key.verify(nonce, digest));
        let signed = signed.ok_or(DigestError::Wrong)?;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Of two logins with one digest at the same time, one finds it gone.
        let place = waiting.iter().position(|one| one.nonce == *signed);
        let used = place.and_then(|place| waiting.remove(place));
        used.map(|_| ()).ok_or(DigestError::NoNonce)
    }

    fn nonces_of(&self, public_key: &str, now: Duration) -> Vec<String> {
        let key = fingerprint(public_key);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        drop_expired(&mut waiting, now);
        let own = waiting.iter().filter(|one| one.key == key);
        own.map(|one| one.nonce.clone()).collect()
    }
}

/// Why a digest is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// No nonce of this key waits: none was asked for, it was used, or its time is over.
    #[error("nonce expired or public key invalid")]
    NoNonce,
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] UnusableKey),
    /// No nonce of this key was signed.
    #[error("the digest is not a signature of a nonce of this key")]
    Wrong,
}

/// The machine gives no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no random numbers are to be had from this machine")]
pub struct NoRandomness;

fn drop_expired(waiting: &mut VecDeque<Waiting>, now: Duration) {
    while waiting.front().is_some_and(|oldest| oldest.until <= now) {
        waiting.pop_front();
    }
}

/// Forgets the oldest of those that `counts`, if there are `max` of them.
fn make_room(waiting: &mut VecDeque<Waiting>, max: usize, counts: impl Fn(&Waiting) -> bool) {
    if waiting.iter().filter(|one| counts(one)).count() < max {
        return;
    }
    if let Some(oldest) = waiting.iter().position(&counts) {
        waiting.remove(oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::super::digest::tests::recorded_key;
    use super::*;
    use ring::rand::SystemRandom;
    use ring::rsa::KeyPair;
    use ring::signature::RSA_PKCS1_SHA256;
    use std::net::{IpAddr, Ipv4Addr};

    const TTL: Duration = Nonces::TTL_DEFAULT;

    struct Owner {
        pem: String,
        pair: KeyPair,
    }

    impl Owner {
        fn new() -> Self {
            let keys = &crate::vectors::file("digests")["keys"];
            let private = keys["k1"]["privateKey"].as_str().unwrap();
            let (_, der) = super::super::der::block(private).unwrap();
            Self {
                pem: recorded_key("k1"),
                pair: KeyPair::from_der(&der).unwrap(),
            }
        }

        fn sign(&self, nonce: &str) -> String {
            let mut signature = vec![0; self.pair.public().modulus_len()];
            let message = base64::decode(nonce).unwrap();
            let random = SystemRandom::new();
            self.pair
                .sign(&RSA_PKCS1_SHA256, &random, &message, &mut signature)
                .unwrap();
            base64::encode(&signature)
        }
    }

    fn nth(nth: u32) -> Source {
        IpAddr::from(Ipv4Addr::from(nth)).into()
    }

    #[test]
    fn a_signed_nonce_logs_in_once() {
        let (owner, nonces) = (Owner::new(), Nonces::new(TTL));
        let nonce = nonces
            .issue(&owner.pem, Source::LOCAL, Duration::ZERO)
            .unwrap();
        assert_eq!((nonce.len(), nonce.ends_with('=')), (44, true));
        let digest = owner.sign(&nonce);
        let redeem = || nonces.redeem(&owner.pem, &digest, Duration::ZERO);
        assert_eq!(redeem(), Ok(()));
        assert_eq!(redeem(), Err(DigestError::NoNonce));
    }

    #[test]
    fn several_nonces_of_one_key_wait_at_a_time() {
        let (owner, nonces) = (Owner::new(), Nonces::new(TTL));
        let issue = || nonces.issue(&owner.pem, nth(1), Duration::ZERO).unwrap();
        let (one, other) = (issue(), issue());
        for nonce in [other, one] {
            assert_eq!(
                nonces.redeem(&owner.pem, &owner.sign(&nonce), Duration::ZERO),
                Ok(())
            );
        }
    }

    #[test]
    fn a_nonce_ends_with_its_time() {
        let (owner, nonces) = (Owner::new(), Nonces::new(TTL));
        let nonce = nonces.issue(&owner.pem, nth(1), Duration::ZERO).unwrap();
        let verdict = nonces.redeem(&owner.pem, &owner.sign(&nonce), TTL);
        assert_eq!(verdict, Err(DigestError::NoNonce));
        let text = "nonce expired or public key invalid";
        assert_eq!(DigestError::NoNonce.to_string(), text);
    }

    #[test]
    fn a_wrong_digest_or_key_does_not_use_a_nonce_up() {
        let (owner, nonces) = (Owner::new(), Nonces::new(TTL));
        let nonce = nonces.issue(&owner.pem, nth(1), Duration::ZERO).unwrap();
        let digest = owner.sign(&nonce);
        let redeem = |pem: &str, digest: &str| nonces.redeem(pem, digest, Duration::ZERO);
        assert_eq!(redeem(&owner.pem, "AAAA"), Err(DigestError::Wrong));
        assert_eq!(
            redeem(&recorded_key("k2"), &digest),
            Err(DigestError::NoNonce)
        );
        assert_eq!(redeem(&owner.pem, &digest), Ok(()));
    }

    #[test]
    fn a_nonce_for_rubbish_is_worthless() {
        let nonces = Nonces::new(TTL);
        nonces.issue("rubbish", nth(1), Duration::ZERO).unwrap();
        let verdict = nonces.redeem("rubbish", "AAAA", Duration::ZERO);
        assert_eq!(verdict, Err(DigestError::Key(UnusableKey)));
    }

    #[test]
    fn somebody_else_cannot_push_out_the_owners_nonce_from_his_own_address() {
        let (owner, nonces) = (Owner::new(), Nonces::new(TTL));
        let nonce = nonces.issue(&owner.pem, nth(1), Duration::ZERO).unwrap();
        for _ in 0..100 {
            nonces.issue(&owner.pem, nth(2), Duration::ZERO).unwrap();
        }
        for key in 0..2000 {
            nonces
                .issue(&key.to_string(), nth(2), Duration::ZERO)
                .unwrap();
        }
        assert_eq!(
            nonces.redeem(&owner.pem, &owner.sign(&nonce), Duration::ZERO),
            Ok(())
        );
    }

    #[test]
    fn any_number_of_requests_leaves_a_bounded_number_waiting() {
        let nonces = Nonces::new(TTL);
        for number in 0..WAITING_MAX {
            nonces.waiting.lock().unwrap().push_back(Waiting {
                key: fingerprint(&number.to_string()),
                source: nth(u32::try_from(number).unwrap()),
                nonce: String::new(),
                until: TTL,
            });
        }
        for request in 0..100 {
            nonces.issue("key", nth(request), Duration::ZERO).unwrap();
        }
        let waiting = nonces.waiting.lock().unwrap();
        assert_eq!(waiting.len(), WAITING_MAX);
    }
}
