//! Async Rust client for happn, also used by nodes to reach their peers.
//!
//! Reading order: [`PeerDialer`], what a node uses to reach other nodes.
//!
//! One task owns one websocket. Every queue is bounded, every wait has a deadline, and dropping
//! the last handle closes the socket.

#![allow(
    dead_code,
    reason = "the client that uses the rest follows in the next change"
)]

mod address;
mod backoff;
mod connection;
mod dial;
mod envelope;
mod error;
mod login;
mod members;
mod peer;
mod replicated;

pub use error::{ClientError, ServerError};
pub use login::Credentials;
pub use peer::{PeerDialer, PeerDialerConfig};
