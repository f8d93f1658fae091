//! Replays recorded traffic of the JavaScript server against a node of ours.

mod compare;
mod deviations;
mod identity;
mod player;
mod script;
mod secure;
mod volatile;

pub use player::{Setup, play};
pub use secure::Scenario;
