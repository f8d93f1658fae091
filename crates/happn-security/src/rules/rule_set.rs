//! All rules of one user, compiled for decisions.

use std::sync::Arc;

use serde_json::Value;

use super::filter::Filter;
use super::pattern::Matching;
use super::rule::Rule;
use super::standing::Standing;
use super::table::{Gathered, Granted, Table};
use super::template::{Template, Unfilled};

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
    /// What the rules without templates say; other sessions share it.
    common: Arc<Table>,
    /// What the rules with templates say.
    own: Arc<Table>,
    skipped: Vec<Skipped>,
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
    /// Unites `rules` and fills in their templates from `facts`, the session as JSON. Where there
    /// are many sessions, [`RuleCache`](super::RuleCache) does it with less memory.
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
        let (common, own) = partition(rules);
        Self::of(
            Arc::new(common_table(&common, settings)),
            &own,
            facts,
            settings,
        )
    }

    pub(super) fn of(common: Arc<Table>, own: &[&Rule], facts: &Value, settings: Settings) -> Self {
        let (own, skipped) = gather(own, facts).finish(settings.matching);
        Self {
            common,
            own: Arc::new(own),
            skipped,
        }
    }

    /// What the rules say about `action` on `path`, which is compared as text: a `*` in it is a
    /// letter like any other. So a request for a mask is allowed where a rule covers the mask;
    /// [`RuleSet::filter`] says what of it must be left out.
    #[must_use]
    pub fn decide(&self, action: &str, path: &str) -> Decision {
        decide(self.about(action), path)
    }

    /// What must be left out of the answer to an allowed request for `mask`; `None` when nothing
    /// must. The mask of `on` is one of subscriptions, all others are those of stores.
    #[must_use]
    pub fn filter(&self, action: &str, mask: &str) -> Option<Filter> {
        Filter::of_allowed(self.about(action), action, mask)
    }

    /// What must be left out of the answer to a request for `mask` that a table allows.
    #[must_use]
    pub fn prohibited_within(&self, action: &str, mask: &str) -> Option<Filter> {
        Filter::of_prohibited(self.about(action), action, mask)
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

    #[cfg(test)]
    pub(super) fn shares_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.common, &other.common)
    }

    fn about(&self, action: &str) -> [&Arc<Granted>; 2] {
        [self.common.about(action), self.own.about(action)]
    }
}

pub(super) fn decide(granted: [&Arc<Granted>; 2], path: &str) -> Decision {
    match () {
        () if granted.iter().any(|part| part.prohibits(path)) => Decision::Prohibited,
        () if granted.iter().any(|part| part.allowed.covers(path)) => Decision::Allowed,
        () => Decision::NotGranted,
    }
}

/// The rules without templates, and those with.
pub(super) fn partition<'a>(
    rules: impl IntoIterator<Item = &'a Rule>,
) -> (Vec<&'a Rule>, Vec<&'a Rule>) {
    let is_text = |path: &str| !path.contains("{{") || Template::parse(path).is_text();
    let is_common = |rule: &&Rule| is_text(&rule.path);
    rules.into_iter().partition(is_common)
}

/// What `rules` without templates say, and what closes the node's own paths.
pub(super) fn common_table(rules: &[&Rule], settings: Settings) -> Table {
    let own_paths: Vec<_> = settings.standing.own_paths().collect();
    let all: Vec<_> = rules.iter().copied().chain(&own_paths).collect();
    gather(&all, &Value::Null).finish(settings.matching).0
}

fn gather(rules: &[&Rule], facts: &Value) -> Gathered {
    let mut gathered = Gathered::default();
    for rule in rules {
        gathered.add(rule, facts);
    }
    gathered
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
