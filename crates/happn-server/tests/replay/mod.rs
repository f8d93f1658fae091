//! Replays recorded traffic of the JavaScript server against a node of ours.

mod compare;
mod deviations;
mod identity;
mod newer;
#[allow(dead_code, reason = "not every test file plays links")]
mod peer;
mod player;
mod script;
mod secure;
mod volatile;

#[allow(unused_imports, reason = "each test file uses its own part")]
pub use peer::{Recorded, play_link};
#[allow(unused_imports, reason = "each test file uses its own part")]
pub use player::{Setup, play};
#[allow(unused_imports, reason = "each test file uses its own part")]
pub use secure::Scenario;
