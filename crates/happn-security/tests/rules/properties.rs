//! What holds for all rules.

use std::collections::BTreeSet;

use happn_paths::{Depth, Mask, StoreGlob};
use happn_security::rules::{
    Decision, Lookup, LookupPermission, Matching, Rule, RuleSet, Settings, Standing,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::model::{Deviation, Model, PlainRule};

const ACTIONS: [&str; 4] = ["get", "on", "set", "*"];

/// Few letters, so that things meet; both cases, line breaks and odd names among them.
fn text(segments: &'static [&'static str]) -> impl Strategy<Value = String> {
    let segment = proptest::sample::select(segments);
    (any::<bool>(), vec(segment, 1..5))
        .prop_map(|(slash, segments)| {
            let path = segments.join("/");
            match slash {
                true => format!("/{path}"),
                false => path,
            }
        })
        .prop_filter("no request is about nothing", |path| !path.is_empty())
}

fn mask() -> impl Strategy<Value = String> {
    text(&[
        "a",
        "b",
        "A",
        "aa",
        "",
        "*",
        "*",
        "**",
        "a*",
        "*b",
        "a*b*",
        "\n*",
        "constructor",
    ])
}

fn path() -> impl Strategy<Value = String> {
    text(&[
        "a",
        "b",
        "A",
        "aa",
        "",
        "ab",
        "aab",
        "aba",
        "\n",
        "x",
        "constructor",
    ])
}

fn actions() -> impl Strategy<Value = Vec<String>> {
    let action = proptest::sample::select(&ACTIONS[..]).prop_map(str::to_owned);
    vec(action, 0..3)
}

fn rule() -> impl Strategy<Value = Rule> {
    let prohibit = prop_oneof![3 => Just(Vec::new()), 1 => actions()];
    (mask(), actions(), prohibit).prop_map(|(path, actions, prohibit)| Rule {
        path,
        actions,
        prohibit,
    })
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    vec(rule(), 0..8)
}

fn compile(rules: &[Rule], matching: Matching) -> RuleSet {
    let standing = Standing::Ordinary;
    RuleSet::compile(rules, &json!({}), Settings { matching, standing })
}

fn strict(rules: &[Rule]) -> RuleSet {
    compile(rules, Matching::Strict)
}

fn allows(set: &RuleSet, action: &str, path: &str) -> bool {
    set.decide(action, path) == Decision::Allowed
}

fn model(rules: &[Rule], with: &BTreeSet<Deviation>) -> Model {
    let plain = rules.iter().map(|rule| PlainRule {
        path: rule.path.clone(),
        actions: rule.actions.clone(),
        prohibit: rule.prohibit.clone(),
    });
    Model::new(&plain.collect::<Vec<_>>(), with)
}

/// The same path with, or without, its leading slash. One that starts with two is only itself.
fn respelled(path: &str) -> String {
    match path.strip_prefix('/') {
        None => format!("/{path}"),
        Some(rest) if rest.starts_with('/') => path.to_owned(),
        Some(rest) => rest.to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn decisions_are_those_of_an_obvious_matcher(rules in rules(), path in prop_oneof![path(), mask()]) {
        for action in ACTIONS {
            prop_assert_eq!(
                allows(&strict(&rules), action, &path),
                model(&rules, &BTreeSet::new()).allows(action, &path)
            );
            prop_assert_eq!(
                allows(&compile(&rules, Matching::Loose), action, &path),
                model(&rules, &BTreeSet::from([Deviation::CaseIgnored, Deviation::DoubledCharacters])).allows(action, &path)
            );
        }
    }

    #[test]
    fn a_prohibit_always_wins(rules in rules(), path in path(), at in any::<proptest::sample::Index>()) {
        let mut rules = rules;
        let closed = Rule { path: path.clone(), actions: Vec::new(), prohibit: vec!["get".to_owned()] };
        rules.insert(at.index(rules.len() + 1), closed);
        let set = strict(&rules);
        prop_assert_eq!(set.decide("get", &path), Decision::Prohibited);
        prop_assert_eq!(set.decide("get", &respelled(&path)), Decision::Prohibited);
    }

    #[test]
    fn adding_a_rule_takes_nothing_away_but_by_a_prohibit(rules in rules(), more in rule(), path in path()) {
        let more = Rule { prohibit: Vec::new(), ..more };
        let with_more: Vec<_> = rules.iter().cloned().chain([more]).collect();
        for action in ACTIONS {
            prop_assert!(!allows(&strict(&rules), action, &path) || allows(&strict(&with_more), action, &path));
        }
    }

    #[test]
    fn the_order_of_rules_does_not_matter(rules in rules(), path in path()) {
        let reversed: Vec<_> = rules.iter().rev().cloned().collect();
        for action in ACTIONS {
            prop_assert_eq!(strict(&rules).decide(action, &path), strict(&reversed).decide(action, &path));
        }
    }

    #[test]
    fn a_wildcard_request_shows_exactly_what_single_requests_would(
        rules in rules(), mask in mask(), paths in vec(path(), 20), loose in any::<bool>(),
    ) {
        let set = compile(&rules, if loose { Matching::Loose } else { Matching::Strict });
        let named = StoreGlob::new(&mask);
        let filter = match set.decide("get", &mask) {
            Decision::Allowed => set.filter("get", &mask),
            _ => match set.nested("get", &mask) {
                Some(filter) => Some(filter),
                None => return Ok(()),
            },
        };
        for path in paths.iter().filter(|path| named.matches(path)) {
            let shown = filter.as_ref().is_none_or(|filter| filter.allows(path));
            prop_assert_eq!(shown, allows(&set, "get", path), "{} under {}", path, mask);
        }
    }

    #[test]
    fn a_subscription_delivers_only_what_may_be_subscribed_singly(
        rules in rules(), mask in mask(), paths in vec(path(), 20),
    ) {
        let set = strict(&rules);
        let topics = Mask::parse(&mask);
        let filter = match set.decide("on", &mask) {
            Decision::Allowed => set.filter("on", &mask),
            _ => match set.nested("on", &mask) {
                Some(filter) => Some(filter),
                None => return Ok(()),
            },
        };
        for path in paths.iter().filter(|path| topics.matches(path, Depth::DEFAULT)) {
            let shown = filter.as_ref().is_none_or(|filter| filter.allows(path));
            let single = allows(&set, "on", path) || allows(&set, "on", &respelled(path));
            prop_assert!(!shown || single, "{} under {}", path, mask);
        }
    }

    #[test]
    fn nothing_that_is_read_panics(path in ".*", value in ".*", regex in ".*", action in ".*") {
        let rule = Rule { path: path.clone(), actions: vec![action.clone()], prohibit: vec![value.clone()] };
        let facts = json!({"a": value, "b": [value, {"c": path}]});
        let set = RuleSet::compile([&rule], &facts, Settings::default());
        let _ = set.decide(&action, &path);
        let _ = set.filter(&action, &path).map(|filter| filter.allows(&value));
        let _ = (rule.check(), Rule::read_all(&facts));
        let permission = LookupPermission { regex, actions: vec![action.clone()], table: "T".to_owned(), path };
        if let Ok(lookup) = Lookup::compile(&permission) {
            for question in lookup.questions(&action, &value, &facts) {
                let _ = question.entry.matches(&value);
            }
        }
    }

    #[test]
    fn templates_of_any_shape_are_read(path in r"([/a*]|\{\{|\}\}|\{\{[ab](\.c|\[0\]|\[1\]\.c)?\}\}){0,12}") {
        let rule = Rule { path, actions: vec!["get".to_owned()], prohibit: Vec::new() };
        let facts = json!({"a": ["x", "y"], "b": [[1, 2], {"c": "z"}]});
        let set = RuleSet::compile([&rule], &facts, Settings::default());
        let _ = set.decide("get", "/a");
    }
}

/// With anything worse than linear time this would not end.
#[test]
fn long_hostile_paths_take_linear_time() {
    let stars = "*a".repeat(200);
    let masks = [
        "/*a*a*a*a*a*a*a*b".to_owned(),
        format!("/{stars}/b"),
        format!("{stars}b"),
        "/*/*/*/*/*/x".to_owned(),
    ];
    let rules: Vec<_> = masks
        .map(|path| Rule {
            path,
            actions: vec!["*".to_owned()],
            prohibit: Vec::new(),
        })
        .into();
    let paths = [
        "/".to_owned() + &"a".repeat(300_000),
        "/a".repeat(150_000),
        "/".repeat(300_000),
        "a/".repeat(150_000),
    ];
    for matching in [Matching::Strict, Matching::Loose] {
        let set = compile(&rules, matching);
        for path in &paths {
            assert_eq!(set.decide("get", path), Decision::NotGranted);
        }
    }
}
