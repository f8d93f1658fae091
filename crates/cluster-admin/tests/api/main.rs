//! The API over HTTP, on a listener of a node with real users.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers of tests may panic"
)]

mod document;
mod flooding;
mod logging_in;
mod lookups;
mod permissions;
mod provisioning;
mod recording;
mod refusing;
mod sessions;
mod support;
mod tokens;
mod transport;
mod users;
