//! Public keys, signatures and nonces.

use std::time::Duration;

use happn_security::credentials::{Nonces, PublicKey, Source};

use crate::text;

/// `data` as nonce, signature and public key: the first line, the second, and the rest.
///
/// # Panics
/// When a signature fits a nonce that was made after it, or is judged in two ways.
pub fn digests(data: &[u8]) {
    let text = text(data);
    let (nonce, rest) = crate::first_line(&text);
    let (digest, pem) = crate::first_line(rest);
    if let Ok(key) = PublicKey::parse(pem) {
        let verified = key.verify(nonce, digest);
        assert_eq!(verified, key.verify(nonce, digest));
    }
    let nonces = Nonces::new(Duration::from_secs(1));
    // Without random numbers there is no nonce to try.
    if nonces.issue(pem, Source::LOCAL, Duration::ZERO).is_ok() {
        let redeemed = nonces.redeem(pem, digest, Duration::ZERO);
        assert!(redeemed.is_err(), "it was signed before it was there");
    }
}
