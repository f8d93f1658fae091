//! Whether a person is who he says he is. No store, no clock, no socket: time is an argument.
//!
//! | part | question |
//! |---|---|
//! | [`Passwords`], [`VerifiedPasswords`] | does this password belong to that stored hash |
//! | [`SessionToken`] | is this token ours, and what does it say |
//! | [`PublicKey`], [`Nonces`] | was a nonce of ours signed by the owner of that key |
//! | [`Lockout`] | has somebody guessed too often |
//! | [`Generations`] | what is remembered of strangers, within bounds |

mod base64;
mod der;
mod digest;
mod generations;
pub mod jsonpack;
mod lockout;
mod nonces;
mod password;
mod source;
mod token;
mod verified;

pub use digest::{PublicKey, UnusableKey};
pub use generations::Generations;
pub use lockout::{LockedOut, Lockout, LockoutConfig};
pub use nonces::{DigestError, NoRandomness, Nonces};
pub use password::{Passwords, UnusableHash, UnusablePassword};
pub use source::Source;
pub use token::{SessionToken, TokenError, TokenSecret};
pub use verified::VerifiedPasswords;

/// A text of any length as 32 bytes that nobody can make two texts for.
fn fingerprint(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    bytes.copy_from_slice(digest.as_ref());
    bytes
}
