//! `cluster-node admin` against a server that answers what a test says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers of tests may panic"
)]

mod answers;
mod harness;
mod https;
mod secrets;
