//! Replays recorded client cases.

mod case;
mod deviations;
mod engine;
mod player;
mod requests;
mod untouched;

pub use engine::Engine;
pub use player::play;
pub use untouched::values_pass_through;
