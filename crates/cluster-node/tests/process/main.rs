//! The `cluster-node` binary as a person or a service manager meets it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "the helpers of tests may panic, and say what they leave out"
)]

mod admin;
mod certificates;
mod failures;
mod harness;
mod health;
mod running;
mod secure;
mod sessions;
mod status;
mod stopping;
mod transfers;
