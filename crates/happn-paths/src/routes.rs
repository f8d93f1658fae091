//! Which of several stores a path belongs to.

use crate::glob::StoreGlob;
use crate::loose::{LooseGlob, Tail};

/// How the patterns of a route table are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RouteRule {
    /// As [`StoreGlob`]: what the stores themselves do with masks.
    Strict,
    /// As [`LooseGlob`] with [`Tail::Plain`]: what the JavaScript server does.
    /// `/ONE/x` goes where `/one/*` points, and doubled letters are wildcards.
    Loose,
}

/// Patterns with a value each, say a store; the longest matching pattern wins.
///
/// Among patterns of one length the one added first wins. Adding a pattern again
/// replaces its value and keeps its place. What is matched is the text of a
/// request, wildcards and all: a get of `*` matches only patterns that match
/// the text `*`, and is not sent to every store.
///
/// ```
/// use happn_paths::{RouteRule, Routes};
///
/// let mut routes = Routes::new(RouteRule::Strict);
/// routes.insert("/one/*", "first");
/// routes.insert("/one/two/*", "second");
/// assert_eq!(routes.find("/one/two/x"), Some(&"second"));
/// assert_eq!(routes.find("/one"), None);
/// ```
#[derive(Clone, Debug)]
pub struct Routes<T> {
    rule: RouteRule,
    /// Longest first, then in the order of insertion.
    routes: Vec<Route<T>>,
}

#[derive(Clone, Debug)]
struct Route<T> {
    pattern: String,
    /// In UTF-16 units, the measure of length in the original.
    length: usize,
    matcher: Matcher,
    value: T,
}

#[derive(Clone, Debug)]
enum Matcher {
    Strict(StoreGlob),
    Loose(LooseGlob),
}

impl<T> Routes<T> {
    /// An empty table.
    #[must_use]
    pub fn new(rule: RouteRule) -> Self {
        Self {
            rule,
            routes: Vec::new(),
        }
    }

    /// Adds a pattern, or gives a known one another value.
    pub fn insert(&mut self, pattern: &str, value: T) {
        if let Some(route) = self
            .routes
            .iter_mut()
            .find(|route| route.pattern == pattern)
        {
            route.value = value;
            return;
        }
        let length = pattern.encode_utf16().count();
        let at = self.routes.partition_point(|route| route.length >= length);
        let matcher = match self.rule {
            RouteRule::Strict => Matcher::Strict(StoreGlob::new(pattern)),
            RouteRule::Loose => Matcher::Loose(LooseGlob::new(pattern, Tail::Plain)),
        };
        self.routes.insert(
            at,
            Route {
                pattern: pattern.to_owned(),
                length,
                matcher,
                value,
            },
        );
    }

    /// Takes a pattern away; one that is not there changes nothing.
    pub fn remove(&mut self, pattern: &str) {
        self.routes.retain(|route| route.pattern != pattern);
    }

    /// Takes away every pattern whose value `keep` refuses.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.routes.retain(|route| keep(&route.value));
    }

    /// The value for `path`; none means the default store.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&T> {
        self.routes
            .iter()
            .find(|route| route.matcher.matches(path))
            .map(|route| &route.value)
    }
}

impl Matcher {
    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Strict(glob) => glob.matches(path),
            Self::Loose(glob) => glob.matches(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rule: RouteRule) -> Routes<u8> {
        let mut routes = Routes::new(rule);
        for (value, pattern) in (0..).zip(["/one/*", "/two/*", "*/x", "/one/more/*", "/two/*"]) {
            routes.insert(pattern, value);
        }
        routes
    }

    #[test]
    fn the_longest_pattern_wins_then_the_first() {
        let routes = table(RouteRule::Strict);
        assert_eq!(routes.find("/one/more/x"), Some(&3));
        assert_eq!(routes.find("/one/x"), Some(&0));
        assert_eq!(routes.find("/two/x"), Some(&4));
        assert_eq!(routes.find("/three/x"), Some(&2));
        assert_eq!(routes.find("/three"), None);
        assert_eq!(routes.find("*"), None);
    }

    #[test]
    fn what_is_taken_away_matches_no_more() {
        let mut routes = table(RouteRule::Strict);
        routes.remove("/one/more/*");
        routes.remove("/unknown");
        assert_eq!(routes.find("/one/more/x"), Some(&0));
        routes.retain(|value| *value == 2);
        assert_eq!(routes.find("/one/more/x"), Some(&2));
        assert_eq!(routes.find("/one/z"), None);
    }

    #[test]
    fn length_is_counted_in_utf16_units() {
        let mut routes = Routes::new(RouteRule::Strict);
        routes.insert("/*/", 0);
        routes.insert("/é*", 1);
        assert_eq!(routes.find("/é/"), Some(&0));
    }

    #[test]
    fn only_the_loose_rule_ignores_case() {
        assert_eq!(table(RouteRule::Loose).find("/ONE/x"), Some(&0));
        assert_eq!(table(RouteRule::Strict).find("/ONE/z"), None);
    }
}
