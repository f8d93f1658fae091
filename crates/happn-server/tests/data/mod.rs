//! Replays recorded client cases.

mod case;
mod deviations;
mod engine;
mod player;
mod requests;

pub use engine::Engine;
pub use player::play;
