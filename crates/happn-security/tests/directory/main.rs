//! The directory on real stores: what it stores, tells and forgets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails panics"
)]

mod caching;
mod documents;
mod effects;
mod provisioning;
mod replication;
mod starting;
mod support;
