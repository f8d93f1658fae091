//! `permissions.json`: ordered rules, one decision each.

use std::collections::BTreeSet;

use happn_security::rules::{Decision, Matching, Rule, RuleSet, Settings};
use serde_json::{Value, json};

use crate::model::{Deviation, Model, PlainRule};
use crate::tally::Tally;
use crate::vectors;

/// One case.
struct Case {
    rules: Vec<Rule>,
    context: Value,
    path: String,
    action: String,
    /// What the JavaScript server takes for a list of actions although it is none.
    misspelled: Vec<PlainRule>,
    /// `None` where the JavaScript server threw an exception.
    allowed: Option<bool>,
}

#[test]
fn decisions_differ_from_the_javascript_server_for_listed_reasons_only() {
    replay(Matching::Strict).is(&[
        (Deviation::ParentErasesChildren, 17),
        (Deviation::DoubledCharacters, 37),
        (Deviation::CaseIgnored, 18),
        (Deviation::StopsAtLineBreak, 4),
        (Deviation::OddSegments, 8),
        (Deviation::ProhibitMindsSlash, 1),
        (Deviation::DollarPattern, 2),
        (Deviation::MisspelledList, 2),
    ]);
}

#[test]
fn loose_matching_is_that_of_the_javascript_server() {
    replay(Matching::Loose).is(&[
        (Deviation::ParentErasesChildren, 18),
        (Deviation::StopsAtLineBreak, 4),
        (Deviation::OddSegments, 8),
        (Deviation::ProhibitMindsSlash, 1),
        (Deviation::DollarPattern, 2),
        (Deviation::MisspelledList, 2),
    ]);
}

#[test]
fn the_model_with_all_deviations_is_the_javascript_server() {
    for case in cases() {
        let expected = case.allowed.unwrap_or_else(|| case.model(&all()));
        assert_eq!(
            case.model(&all()),
            expected,
            "{:?} {} {}",
            case.rules,
            case.action,
            case.path
        );
    }
}

fn replay(matching: Matching) -> Tally<Deviation> {
    let kept = match matching {
        Matching::Strict => BTreeSet::new(),
        Matching::Loose => BTreeSet::from([Deviation::CaseIgnored, Deviation::DoubledCharacters]),
    };
    let mut tally = Tally::new();
    for case in cases() {
        let ours = case.ours(matching);
        let named = format!("{:?} {} {}", case.rules, case.action, case.path);
        assert_eq!(ours, case.model(&kept), "{named}");
        match case.allowed {
            None => tally.add(Deviation::OddSegments),
            Some(allowed) if allowed == ours => {}
            Some(_) => tally.add(
                case.reason(&kept)
                    .unwrap_or_else(|| panic!("no reason: {named}")),
            ),
        }
    }
    tally
}

fn all() -> BTreeSet<Deviation> {
    BTreeSet::from(Deviation::ALL)
}

fn cases() -> Vec<Case> {
    let cases = vectors("paths/permissions.json");
    cases.as_array().unwrap().iter().map(Case::read).collect()
}

impl Case {
    fn read(case: &Value) -> Self {
        let text = |name: &str| case[name].as_str().unwrap().to_owned();
        let pairs = case["permissions"].as_array().unwrap().iter();
        let rules = pairs.clone().map(|pair| {
            let path = pair[0].as_str().unwrap();
            Rule::read_all(&json!({path: pair[1]})).unwrap().remove(0)
        });
        Self {
            rules: rules.collect(),
            context: case.get("context").cloned().unwrap_or_else(|| json!({})),
            misspelled: pairs.filter_map(misspelled).collect(),
            path: text("path"),
            action: text("action"),
            allowed: case
                .get("allowed")
                .map(|allowed| allowed.as_bool().unwrap()),
        }
    }

    fn ours(&self, matching: Matching) -> bool {
        let settings = Settings {
            matching,
            ..Settings::default()
        };
        let set = RuleSet::compile(&self.rules, &self.context, settings);
        set.decide(&self.action, &self.path) == Decision::Allowed
    }

    fn model(&self, with: &BTreeSet<Deviation>) -> bool {
        let dollar = with.contains(&Deviation::DollarPattern);
        let mut rules: Vec<_> = self
            .rules
            .iter()
            .flat_map(|rule| plain(rule, &self.context, dollar))
            .collect();
        if with.contains(&Deviation::MisspelledList) {
            rules.extend(self.misspelled.iter().cloned());
        }
        Model::new(&rules, with).allows(&self.action, &self.path)
    }

    /// The deviation, or else the first of two, without which the answer is another one.
    fn reason(&self, kept: &BTreeSet<Deviation>) -> Option<Deviation> {
        let theirs = self.model(&all());
        let without = |given_up: &[Deviation]| {
            let with: BTreeSet<_> = all()
                .into_iter()
                .filter(|one| !given_up.contains(one))
                .collect();
            self.model(&with) != theirs
        };
        let candidates = Deviation::ALL.into_iter().filter(|one| !kept.contains(one));
        let single = candidates.clone().find(|&one| without(&[one]));
        single.or_else(|| {
            candidates
                .clone()
                .find(|&one| candidates.clone().any(|other| without(&[one, other])))
        })
    }
}

fn misspelled(pair: &Value) -> Option<PlainRule> {
    let actions = match pair[1].get("action")? {
        Value::Array(names) => names
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect(),
        text => text.as_str().unwrap().chars().map(String::from).collect(),
    };
    Some(PlainRule {
        path: pair[0].as_str().unwrap().to_owned(),
        actions,
        prohibit: Vec::new(),
    })
}

/// The rule with the templates of the cases filled in, each as a plain text replacement.
fn plain(rule: &Rule, context: &Value, dollar: bool) -> Vec<PlainRule> {
    let mut paths = vec![rule.path.clone()];
    let mut start = 0;
    while let Some(open) = rule.path[start..].find("{{").map(|at| at + start)
        && let Some(close) = rule.path[open..].find("}}").map(|at| at + open)
    {
        start = close + 2;
        let template = &rule.path[open..start];
        let pointer = rule.path[open + 2..close]
            .replace(['.', '['], "/")
            .replace(']', "");
        let value = context
            .pointer(&format!("/{pointer}"))
            .unwrap_or(&Value::Null);
        let values = match value {
            Value::Array(items) => items.clone(),
            value => vec![value.clone()],
        };
        let insert = |path: &String, value: &Value| match value {
            Value::Null => None,
            Value::String(text) if text.contains('*') => None,
            Value::String(text) if dollar && text == "$&" => Some(path.clone()),
            Value::String(text) => Some(path.replace(template, text)),
            Value::Object(_) => Some(path.replace(template, "[object Object]")),
            value => Some(path.replace(template, &value.to_string())),
        };
        if values
            .iter()
            .any(|value| insert(&paths[0], value).is_none())
        {
            return Vec::new();
        }
        paths = paths
            .iter()
            .flat_map(|path| values.iter().filter_map(|value| insert(path, value)))
            .collect();
        if paths.is_empty() {
            return Vec::new();
        }
    }
    let filled = |path| PlainRule {
        path,
        actions: rule.actions.clone(),
        prohibit: rule.prohibit.clone(),
    };
    paths.into_iter().map(filled).collect()
}
