//! Rules, their templates, and the permissions of lookup tables.

use happn_security::rules::{ACTIONS, Decision, Lookup, LookupPermission, Rule, RuleSet, Settings};
use serde_json::{Value, json};

use crate::text;

/// `data` as a path that is asked about in its first line, and in the rest as permissions in JSON,
/// else as one path of a rule, and as a regular expression of a table.
///
/// # Panics
/// When a prohibited path is allowed, or shown by a filter.
pub fn rules(data: &[u8]) {
    let text = text(data);
    let (path, rest) = crate::first_line(&text);
    let facts = json!({"a": path, "b": [rest, {"c": [path, 1]}], "user": {"username": rest}});
    let read = serde_json::from_str::<Value>(rest).map(|value| Rule::read_all(&value));
    let rules = match read {
        Ok(Ok(rules)) => rules,
        _ => vec![Rule {
            path: rest.to_owned(),
            actions: vec!["*".to_owned()],
            prohibit: Vec::new(),
        }],
    };
    for rule in &rules {
        let _ = rule.check();
    }
    judge(&rules, path, &facts);
    ask_a_table(path, rest, &facts);
}

/// Whatever the rules say, who prohibits the path has the last word.
fn judge(rules: &[Rule], path: &str, facts: &Value) {
    let set = RuleSet::compile(rules, facts, Settings::default());
    for action in ACTIONS {
        let _ = set.decide(action, path);
        if let Some(filter) = set.filter(action, path) {
            let _ = filter.allows(path);
        }
        let _ = (
            set.nested(action, path),
            set.prohibited_within(action, path),
        );
    }
    if path.is_empty() || path.contains(['*', '{', '}']) {
        return;
    }
    let prohibit = Rule {
        path: path.to_owned(),
        actions: Vec::new(),
        prohibit: vec!["*".to_owned()],
    };
    let set = RuleSet::compile(rules.iter().chain([&prohibit]), facts, Settings::default());
    for action in ["get", "set", "on"] {
        assert_eq!(set.decide(action, path), Decision::Prohibited, "{path}");
    }
    if let Some(filter) = set.filter("get", "*") {
        assert!(!filter.allows(path), "{path} is shown");
    }
}

fn ask_a_table(path: &str, rest: &str, facts: &Value) {
    let (regex, entry) = crate::first_line(rest);
    let permission = LookupPermission {
        regex: regex.to_owned(),
        actions: vec!["get".to_owned()],
        table: "T".to_owned(),
        path: entry.to_owned(),
    };
    if let Ok(lookup) = Lookup::compile(&permission) {
        for question in lookup.questions("get", path, facts) {
            let matched = question.entry.matches(path);
            if let Some(exact) = question.entry.exact() {
                assert!(question.entry.matches(exact), "{exact} is not itself");
                assert!(!matched || path.ends_with(exact) || exact.ends_with(path));
            }
        }
    }
}
