//! Replays the recorded behaviour of the JavaScript system.
//!
//! Every case of every file runs. Where this crate differs on purpose, the test
//! states both answers and why, and pins how often it happens.

#![allow(
    clippy::print_stdout,
    reason = "each file reports how many cases it ran"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a malformed vector fails the test"
)]

mod checkpath;
mod churn;
mod data_service;
mod load;
mod loose;
mod reduce;
mod routes;
mod sets;
mod store;
mod subscription;
