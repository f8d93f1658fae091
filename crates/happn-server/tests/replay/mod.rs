//! Replays recorded traffic of the JavaScript server against a node of ours.

mod compare;
mod deviations;
mod identity;
mod judge;
mod newer;
#[allow(dead_code, reason = "not every test file plays links")]
mod peer;
mod player;
mod script;
mod secure;
mod setup;
mod volatile;

#[allow(unused_imports, reason = "each test file uses its own part")]
pub use peer::{Recorded, play_link};
#[allow(unused_imports, reason = "each test file uses its own part")]
pub use player::play;
#[allow(unused_imports, reason = "each test file uses its own part")]
pub use secure::Scenario;
#[allow(unused_imports, reason = "each test file uses its own part")]
pub use setup::Setup;
