//! All rules of one user, compiled for decisions.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::filter::Filter;
use super::path_set::PathSet;
use super::pattern::Matching;
use super::rule::Rule;
use super::standing::Standing;
use super::template::{EXPANSIONS_TOTAL_MAX, Template, Unfilled};

/// What the rules say about an action on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A rule allows it and none prohibits it.
    Allowed,
    /// A rule prohibits it; nothing can allow it any more.
    Prohibited,
    /// No rule is about it. A table permission may still allow it.
    NotGranted,
}

/// How rules are compiled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// How masks compare with paths.
    pub matching: Matching,
    /// Whose rules they are.
    pub standing: Standing,
}

/// The rules of one user in one session: those of all groups and his own, united, with the
/// templates filled in.
///
/// Order and specificity do not matter, and no rule hides another: what one rule allows is allowed
/// unless one prohibits it. A prohibit is about a path with and without a leading `/`, because
/// subscriptions do not tell them apart. The node's own paths are prohibited besides, see
/// [`Standing`].
///
/// ```
/// use happn_security::rules::{Decision, Rule, RuleSet, Settings};
/// use serde_json::json;
///
/// let rules = Rule::read_all(&json!({
///     "/rooms/{{user.room}}/*": {"actions": ["get", "on"]},
///     "/rooms/7/secret": {"prohibit": ["*"]},
/// }))?;
/// let set = RuleSet::compile(&rules, &json!({"user": {"room": 7}}), Settings::default());
/// assert_eq!(set.decide("get", "/rooms/7/light"), Decision::Allowed);
/// assert_eq!(set.decide("get", "/rooms/7/secret"), Decision::Prohibited);
/// assert_eq!(set.decide("get", "/rooms/8/light"), Decision::NotGranted);
///
/// let filter = set.filter("get", "/rooms/7/*").expect("there is something to hide");
/// assert!(filter.allows("/rooms/7/light") && !filter.allows("/rooms/7/secret"));
/// # Ok::<(), happn_security::rules::RuleError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// Rules about `*` are in each of them.
    named: Vec<(Box<str>, Arc<Granted>)>,
    /// For actions that no rule names.
    other: Arc<Granted>,
    skipped: Vec<Skipped>,
}

/// What is said about one action.
#[derive(Debug, Default)]
pub(super) struct Granted {
    pub(super) allowed: PathSet,
    /// With a leading `/`.
    pub(super) prohibited: PathSet,
}

/// A rule that could not be used as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The rule's path.
    pub path: String,
    /// Why.
    pub reason: Unfilled,
}

impl RuleSet {
    /// Unites `rules` and fills in their templates from `facts`, the session as JSON.
    ///
    /// A rule with a value that is missing is left out. One with a value that cannot be used, or
    /// with too many of them, allows nothing, and prohibits whatever any value would name; it is
    /// listed in [`RuleSet::skipped`].
    #[must_use]
    pub fn compile<'a>(
        rules: impl IntoIterator<Item = &'a Rule>,
        facts: &Value,
        settings: Settings,
    ) -> Self {
        let mut gathered = Gathered::default();
        for rule in rules {
            gathered.add(rule, facts);
        }
        for rule in settings.standing.own_paths() {
            gathered.add(&rule, facts);
        }
        gathered.finish(settings.matching)
    }

    /// What the rules say about `action` on `path`, which is compared as text: a `*` in it is a
    /// letter like any other. So a request for a mask is allowed where a rule covers the mask;
    /// [`RuleSet::filter`] says what of it must be left out.
    #[must_use]
    pub fn decide(&self, action: &str, path: &str) -> Decision {
        self.about(action).decide(path)
    }

    /// What must be left out of the answer to an allowed request for `mask`; `None` when nothing
    /// must. The mask of `on` is one of subscriptions, all others are those of stores.
    #[must_use]
    pub fn filter(&self, action: &str, mask: &str) -> Option<Filter> {
        Filter::of_allowed(self.about(action), action, mask)
    }

    /// For nested permissions: what of a `**` request that no rule covers as a whole is allowed.
    /// `None` when nothing is, or when the request is prohibited as such.
    #[must_use]
    pub fn nested(&self, action: &str, mask: &str) -> Option<Filter> {
        Filter::of_nested(self.about(action), action, mask)
    }

    /// The rules that could not be used as they are.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    fn about(&self, action: &str) -> &Arc<Granted> {
        let named = self.named.iter().find(|(name, _)| **name == *action);
        named.map_or(&self.other, |(_, granted)| granted)
    }
}

impl Granted {
    pub(super) fn decide(&self, path: &str) -> Decision {
        if self.prohibits(path) {
            return Decision::Prohibited;
        }
        match self.allowed.covers(path) {
            true => Decision::Allowed,
            false => Decision::NotGranted,
        }
    }

    pub(super) fn prohibits(&self, path: &str) -> bool {
        self.prohibited.covers(&with_slash(path))
    }
}

/// A path or mask as prohibits compare it.
pub(super) fn with_slash(path: &str) -> Cow<'_, str> {
    match path.starts_with('/') {
        true => Cow::Borrowed(path),
        false => Cow::Owned(format!("/{path}")),
    }
}

/// Paths by action.
#[derive(Default)]
struct Gathered {
    allowed: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    prohibited: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    skipped: Vec<Skipped>,
    /// How many paths templates have become.
    filled: usize,
}

impl Gathered {
    fn add(&mut self, rule: &Rule, facts: &Value) {
        let template = Template::parse(&rule.path);
        let (allowed, prohibited) = match self.fill(&template, facts) {
            Ok(mut paths) => {
                // No request is about nothing.
                paths.retain(|path| !path.is_empty());
                (paths.clone(), paths)
            }
            Err(Unfilled::Missing) => return,
            Err(reason) => {
                self.skipped.push(Skipped {
                    path: rule.path.clone(),
                    reason,
                });
                (Vec::new(), vec![template.widened()])
            }
        };
        for action in &rule.actions {
            let paths = self.allowed.entry(action.as_str().into()).or_default();
            paths.extend(allowed.iter().map(|path| path.as_str().into()));
        }
        for action in &rule.prohibit {
            let paths = self.prohibited.entry(action.as_str().into()).or_default();
            paths.extend(prohibited.iter().map(|path| with_slash(path).into()));
        }
    }

    /// As [`Template::fill`], counting what all templates become.
    fn fill(&mut self, template: &Template, facts: &Value) -> Result<Vec<String>, Unfilled> {
        let paths = template.fill(facts)?;
        if template.is_text() {
            return Ok(paths);
        }
        self.filled += paths.len();
        match self.filled > EXPANSIONS_TOTAL_MAX {
            true => Err(Unfilled::TooMany),
            false => Ok(paths),
        }
    }

    fn finish(mut self, matching: Matching) -> RuleSet {
        let allowed_always = self.allowed.remove("*").unwrap_or_default();
        let prohibited_always = self.prohibited.remove("*").unwrap_or_default();
        let names: BTreeSet<Box<str>> = self
            .allowed
            .keys()
            .chain(self.prohibited.keys())
            .cloned()
            .collect();
        let united = |always: &BTreeSet<Box<str>>, named: Option<BTreeSet<Box<str>>>| {
            let mut paths = named.unwrap_or_default();
            paths.extend(always.iter().cloned());
            PathSet::new(paths, matching)
        };
        let mut about = |name: &str| {
            Arc::new(Granted {
                allowed: united(&allowed_always, self.allowed.remove(name)),
                prohibited: united(&prohibited_always, self.prohibited.remove(name)),
            })
        };
        RuleSet {
            named: names
                .iter()
                .map(|name| (name.clone(), about(name)))
                .collect(),
            other: about("*"),
            skipped: self.skipped,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(path: &str, prohibits: bool) -> Rule {
        let actions = vec!["get".to_owned()];
        let (actions, prohibit) = match prohibits {
            true => (Vec::new(), actions),
            false => (actions, Vec::new()),
        };
        Rule {
            path: path.to_owned(),
            actions,
            prohibit,
        }
    }

    #[test]
    fn a_prohibit_whose_value_cannot_be_used_is_about_every_value() {
        let facts = json!({"star": "*", "many": vec!["x"; 2000]});
        for name in ["star", "many"] {
            let path = format!("/p/{{{{{name}}}}}/q");
            let rules = [
                rule("*", false),
                rule(&path, true),
                rule(&format!("/a{path}"), false),
            ];
            let set = RuleSet::compile(&rules, &facts, Settings::default());
            assert_eq!(
                set.decide("get", "/p/anything/q"),
                Decision::Prohibited,
                "{name}"
            );
            assert_eq!(
                set.decide("get", "/p/anything"),
                Decision::Allowed,
                "{name}"
            );
            assert_eq!(set.skipped().len(), 2, "{name}");
        }
    }

    #[test]
    fn all_templates_together_become_only_so_many_paths() {
        let values: Vec<_> = (0..1000).collect();
        let rules: Vec<_> = (0..60)
            .map(|n| rule(&format!("/{n}/{{{{a}}}}"), false))
            .collect();
        let set = RuleSet::compile(&rules, &json!({"a": values}), Settings::default());
        assert_eq!(set.skipped().len(), 10);
        assert_eq!(set.decide("get", "/0/999"), Decision::Allowed);
        assert_eq!(set.decide("get", "/59/0"), Decision::NotGranted);
    }
}
