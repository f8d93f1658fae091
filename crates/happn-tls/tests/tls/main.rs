//! What two ends of a TLS connection see, and what is said about bad certificates.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic")]

mod complaints;
mod handshakes;
mod mutual;
mod stage;
