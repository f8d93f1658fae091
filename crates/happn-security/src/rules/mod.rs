//! What a set of rules allows on a path.
//!
//! | type | answers |
//! |---|---|
//! | [`Rule`] | what one permission says |
//! | [`RuleSet`] | what all permissions of a user say, compiled once |
//! | [`RuleCache`] | the same for many sessions, sharing what they have in common |
//! | [`Filter`] | which of the paths that a mask names are meant by an allowed request |
//! | [`Lookup`] | which entry of a table would allow what the rules do not |
//!
//! Everything here is pure: it reads no store and no clock, and knows a session only as JSON.

mod cache;
mod filter;
mod glob;
mod lookup;
mod mask_tree;
mod path_set;
mod pattern;
mod rule;
mod rule_set;
mod standing;
mod stems;
mod table;
mod template;
mod trunk;

pub use cache::RuleCache;
pub use filter::Filter;
pub use lookup::{EntryPattern, Lookup, LookupError, LookupPermission, TableQuestion};
pub use pattern::Matching;
pub use rule::{ACTIONS, Rule, RuleError};
pub use rule_set::{Decision, RuleSet, Settings, Skipped};
pub use standing::Standing;
pub use template::{EXPANSIONS_MAX, EXPANSIONS_TOTAL_MAX, Unfilled};
