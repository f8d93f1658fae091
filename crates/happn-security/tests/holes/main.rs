//! The holes of the JavaScript server that concern what somebody may see and do, each closed.
//!
//! Every test describes what got through there, and would fail with its answers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests may panic"
)]

mod house;
mod own_paths;
mod requests;
