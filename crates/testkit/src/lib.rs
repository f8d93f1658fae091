//! What the tests of several crates, and `cargo xtask test-cluster`, play with. No part of a node.
//!
//! [`Relay`] stands between two sides of a connection and does to it what networks do;
//! [`ScriptedServer`] is a server that says what the test says, frame by frame, or to one HTTP
//! request after the other ([`Exchange`]).

mod exchange;
mod relay;
mod scripted;

pub use exchange::Exchange;
pub use relay::{Line, Relay};
pub use scripted::{DEADLINE, ScriptedServer, ScriptedSession, within};
