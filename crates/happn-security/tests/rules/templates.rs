//! The templates of `authorize.json`.

use happn_security::rules::{Decision, Rule, RuleSet, Settings};
use serde_json::Value;

use crate::tally::Tally;
use crate::vectors;

/// Why a template becomes something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// There, text in a value is expanded: `$&`, or what looks like a template.
    ValuesAreText,
}

#[test]
fn templates_become_the_recorded_paths_except_where_values_were_expanded() {
    let file = vectors("security/authorize.json");
    let mut tally = Tally::new();
    for case in file["templates"]["cases"].as_array().unwrap() {
        let template = case["template"].as_str().unwrap();
        let rule = Rule {
            path: template.to_owned(),
            actions: vec!["get".to_owned()],
            prohibit: Vec::new(),
        };
        let set = RuleSet::compile([&rule], &case["context"], Settings::default());
        let allows = |path: &str| set.decide("get", path) == Decision::Allowed;
        let paths = case["result"].as_array().cloned().unwrap_or_default();
        let same = match paths.is_empty() {
            true => !allows(template) && !allows("/a/") && !allows("/a/b"),
            false => paths.iter().all(|path| allows(path.as_str().unwrap())),
        };
        assert_eq!(
            case["result"].is_string(),
            !set.skipped().is_empty(),
            "{case}"
        );
        let value = case["context"]["x"].as_str().unwrap_or_default();
        match same {
            true => {}
            false if value == "$&" || value.contains("{{") => {
                tally.add(Reason::ValuesAreText);
                assert!(allows(&expected(template, &case["context"])), "{case}");
            }
            false => panic!("{case}"),
        }
    }
    tally.is(&[(Reason::ValuesAreText, 2)]);
}

/// Each template once, from the left.
fn expected(template: &str, context: &Value) -> String {
    let mut parts = template.split("{{");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap();
        out += context[name].as_str().unwrap();
        out += rest;
    }
    out
}
