//! Nodes in this process, on ephemeral ports, as clients see them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "the helpers of tests may panic, and say what they leave out"
)]

mod admin;
mod administration;
mod front_door;
mod harness;
mod interest;
mod leaving;
mod links;
mod locked;
mod missed;
mod mutual_tls;
mod replication;
mod secure;
mod security_changes;
mod security_options;
mod sessions;
mod sizes;
mod starting;
mod stores;
mod surviving;
mod telling;
mod tls;
mod trust;
