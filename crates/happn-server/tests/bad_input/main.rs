//! Nothing a client sends hurts the node or anybody else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests may panic"
)]

mod clients;
mod frames;
mod harness;
mod http;
mod logins;
mod requests;

#[allow(dead_code, reason = "shared with other tests")]
#[path = "../raw/mod.rs"]
mod raw;
