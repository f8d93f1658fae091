//! Nodes with users: who may log in, what he may do then, and what ends it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails panics"
)]

mod activity;
mod changing;
mod deciding;
mod digests;
mod flooding;
mod holes;
mod logging_in;
mod providers;
mod rehashing;
mod support;
mod tokens;
