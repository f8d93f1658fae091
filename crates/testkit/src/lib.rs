//! What the tests of several crates, and `cargo xtask test-cluster`, play with. No part of a node.
//!
//! [`Relay`] stands between two sides of a connection and does to it what networks do;
//! [`ScriptedServer`] is a server that says what the test says, frame by frame.

mod relay;
mod scripted;

pub use relay::{Line, Relay};
pub use scripted::{DEADLINE, ScriptedServer, ScriptedSession, within};
