//! What of a request for many paths is allowed.

use std::sync::Arc;

use super::rule_set::{Decision, decide};
use super::table::{Granted, with_slash};

/// Which of the paths that a mask names are within someone's rights.
///
/// It is asked about every item of an answer, and about every event.
#[derive(Clone, Debug)]
pub struct Filter {
    granted: [Arc<Granted>; 2],
    /// Every path has to be allowed, too, not only not prohibited.
    each_allowed: bool,
    /// A path and the same one with or without its leading `/` are one topic.
    topics: bool,
}

impl Filter {
    /// For a request that is allowed as a whole.
    pub(super) fn of_allowed(
        granted: [&Arc<Granted>; 2],
        action: &str,
        mask: &str,
    ) -> Option<Self> {
        if !mask.contains('*') {
            return None;
        }
        // A rule with a `*` in the middle may cover the text of a mask but not all it names.
        let each_allowed = !granted.iter().any(|part| part.allowed.covers_all_of(mask));
        let hides = each_allowed || granted.iter().any(|part| part.prohibits_near(mask));
        hides.then(|| Self::new(granted, action, each_allowed))
    }

    /// For a request that something else than a rule allows.
    pub(super) fn of_prohibited(
        granted: [&Arc<Granted>; 2],
        action: &str,
        mask: &str,
    ) -> Option<Self> {
        let hides = mask.contains('*') && granted.iter().any(|part| part.prohibits_near(mask));
        hides.then(|| Self::new(granted, action, false))
    }

    /// For a request of which only parts are allowed.
    pub(super) fn of_nested(granted: [&Arc<Granted>; 2], action: &str, mask: &str) -> Option<Self> {
        let nested = matches!(action, "get" | "on")
            && mask.contains("**")
            && decide(granted, mask) != Decision::Prohibited
            && granted.iter().any(|part| part.allowed.is_near(mask));
        nested.then(|| Self::new(granted, action, true))
    }

    fn new(granted: [&Arc<Granted>; 2], action: &str, each_allowed: bool) -> Self {
        Self {
            granted: granted.map(Arc::clone),
            each_allowed,
            topics: action == "on",
        }
    }

    /// Whether `path`, which the mask names, may be seen.
    #[must_use]
    pub fn allows(&self, path: &str) -> bool {
        !self.granted.iter().any(|part| part.prohibits(path))
            && (!self.each_allowed || self.is_granted(path))
    }

    fn is_granted(&self, path: &str) -> bool {
        let other = || match path.strip_prefix('/') {
            None => Some(with_slash(path)),
            Some(rest) if !rest.starts_with('/') => Some(rest.into()),
            Some(_) => None,
        };
        let covers = |path: &str| self.granted.iter().any(|part| part.allowed.covers(path));
        covers(path) || self.topics && other().is_some_and(|other| covers(&other))
    }
}
