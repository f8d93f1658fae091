//! Deviations, counted by reason.

use std::collections::BTreeMap;
use std::fmt::Debug;

/// How many cases differ for which reason.
#[derive(Debug)]
pub(crate) struct Tally<R>(BTreeMap<R, usize>);

impl<R: Ord + Debug + Clone> Tally<R> {
    pub(crate) fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(crate) fn add(&mut self, reason: R) {
        *self.0.entry(reason).or_default() += 1;
    }

    pub(crate) fn extend(&mut self, reason: Option<R>) {
        if let Some(reason) = reason {
            self.add(reason);
        }
    }

    /// All reasons, each with its number of cases; no other case differs.
    #[track_caller]
    pub(crate) fn is(&self, expected: &[(R, usize)]) {
        assert_eq!(self.0, expected.iter().cloned().collect());
    }
}
