//! How long, how often and for what a session may be used. Pure: time and counters come in.
//!
//! | type | answers |
//! |---|---|
//! | [`Profiles`] | which policies a session gets at login |
//! | [`Policy`], [`Policies`] | what the limits are, for each [`SessionType`] |
//! | [`Usage`] | whether one more request is within them |

mod duration;
mod profiles;
mod terms;
mod usage;

pub use duration::{DurationError, parse_duration};
pub use profiles::{ProfileError, Profiles};
pub use terms::{Policies, Policy, PolicyError, SessionType};
pub use usage::{PolicyRefusal, Usage};
