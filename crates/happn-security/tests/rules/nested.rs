//! `nested.json` and the nested part of `authorize.json`: what of a `**` request is shown.
//!
//! The JavaScript server computes two lists of paths. Here, a nested request shows exactly what
//! single requests would. The two are compared by what they show of many paths.

use std::sync::LazyLock;

use happn_paths::StoreGlob;
use happn_security::rules::{Decision, Filter, Rule, RuleSet, Settings};
use serde_json::{Value, json};

use crate::tally::Tally;
use crate::vectors;

/// Why something else is shown than the JavaScript server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// There, a `**` before the end is an error that stops the server.
    MiddleWildcard,
    /// There, paths are shown that the user has no right to: a `*` in a rule counts whatever its
    /// action, and prohibited masks are compared as text.
    ShownWithoutRight,
    /// There, rights are missed: those behind a `*`, those for every action, those erased by a
    /// rule on a parent.
    RightMissed,
    /// Both.
    ShownAndMissed,
    /// A helper of its lists, which there is none of here.
    StartsWith,
    /// The lists of a request that is not nested, which nothing asks for.
    NotNested,
}

#[test]
fn nested_requests_differ_from_the_javascript_server_for_listed_reasons_only() {
    let mut tally = Tally::new();
    for case in vectors("paths/nested.json").as_array().unwrap() {
        if case.get("starts_with").is_some() {
            tally.add(Reason::StartsWith);
            continue;
        }
        let pairs = case["permissions"].as_array().unwrap().iter();
        let rules = pairs
            .flat_map(|pair| Rule::read_all(&json!({pair[0].as_str().unwrap(): pair[1]})).unwrap());
        tally.extend(compare(&rules.collect::<Vec<_>>(), case, case));
    }
    tally.is(&[
        (Reason::MiddleWildcard, 1),
        (Reason::ShownWithoutRight, 80),
        (Reason::RightMissed, 10),
        (Reason::StartsWith, 22),
        (Reason::NotNested, 2),
    ]);
}

#[test]
fn nested_scenarios_differ_from_the_javascript_server_for_listed_reasons_only() {
    let file = vectors("security/authorize.json");
    let nested = &file["nested_permissions"];
    let mut tally = Tally::new();
    for case in nested["cases"].as_array().unwrap() {
        let set = &nested["permission_sets"][case["set"].as_str().unwrap()];
        tally.extend(compare(
            &Rule::read_all(set).unwrap(),
            case,
            &case["result"],
        ));
    }
    tally.is(&[
        (Reason::MiddleWildcard, 12),
        (Reason::ShownWithoutRight, 6),
        (Reason::NotNested, 4),
    ]);
}

/// Compares what is shown of every path of up to four segments.
fn compare(rules: &[Rule], case: &Value, theirs: &Value) -> Option<Reason> {
    let (action, mask) = (
        case["action"].as_str().unwrap(),
        case["path"].as_str().unwrap(),
    );
    if !mask.contains("**") {
        return Some(Reason::NotNested);
    }
    let set = RuleSet::compile(rules, &json!({}), Settings::default());
    let filter = shown(&set, action, mask);
    let glob = StoreGlob::new(mask);
    let named: Vec<_> = PATHS.iter().filter(|path| glob.matches(path)).collect();
    for path in &named {
        let shown = filter
            .as_ref()
            .is_some_and(|filter| filter.as_ref().is_none_or(|filter| filter.allows(path)));
        assert_eq!(
            shown,
            set.decide(action, path) == Decision::Allowed,
            "{path} {case}"
        );
    }
    if theirs.get("error").is_some() {
        return Some(Reason::MiddleWildcard);
    }
    let theirs = |path: &str| lists_show(theirs, path);
    let ours = |path: &str| set.decide(action, path) == Decision::Allowed;
    let beyond = named.iter().any(|path| theirs(path) && !ours(path));
    let missed = named.iter().any(|path| ours(path) && !theirs(path));
    match (beyond, missed) {
        (false, false) => None,
        (true, false) => Some(Reason::ShownWithoutRight),
        (false, true) => Some(Reason::RightMissed),
        (true, true) => Some(Reason::ShownAndMissed),
    }
}

/// `None` when nothing is; `Some(None)` when all is.
fn shown(set: &RuleSet, action: &str, mask: &str) -> Option<Option<Filter>> {
    match set.decide(action, mask) {
        Decision::Allowed => Some(set.filter(action, mask)),
        Decision::Prohibited => None,
        Decision::NotGranted => set.nested(action, mask).map(Some),
    }
}

fn lists_show(lists: &Value, path: &str) -> bool {
    let list = |name: &str| {
        lists[name]
            .as_array()
            .unwrap()
            .iter()
            .map(|path| path.as_str().unwrap())
    };
    let covers = |mask: &str| StoreGlob::new(mask).matches(path);
    list("allowed").any(covers) && !list("prohibited").any(|prohibited| prohibited == path)
}

static PATHS: LazyLock<Vec<String>> = LazyLock::new(paths);

fn paths() -> Vec<String> {
    let mut paths = vec![String::new()];
    let mut all = Vec::new();
    for _ in 0..4 {
        let deeper = |path: &String| {
            ["a", "b", "c", "d", "m", "q", "x", "z", "1", "2", "3", "4"]
                .map(|segment| format!("{path}/{segment}"))
        };
        paths = paths.iter().flat_map(deeper).collect();
        paths.retain(|path| path.len() < 9 && plausible(path));
        all.extend(paths.iter().cloned());
    }
    all
}

/// The rules of the cases are about letters or about digits and x; not all mixtures are needed.
fn plausible(path: &str) -> bool {
    let numbers = path.chars().filter(char::is_ascii_digit).count();
    numbers == 0 || path.chars().all(|letter| "/1234xmq".contains(letter))
}
