//! The `cluster-node` binary as a person or a service manager meets it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers of tests may panic"
)]

mod failures;
mod harness;
mod running;
mod sessions;
mod transfers;
