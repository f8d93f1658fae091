//! Where paths go, next to what the JavaScript server does with the same configuration.

use std::collections::BTreeMap;
use std::path::Path;

use happn_paths::{Action, PathError, StoreGlob, validate};
use serde_json::Value;

use super::*;
use crate::config::{Config, FlagValue, Sources};

/// Scenarios in which the strict rule sends a path elsewhere than the loose one: each by intent.
const STRICT_DIFFERS: &[(&str, &[&str])] = &[
    (
        "first datastore is the default when none is flagged",
        &["/TWO/a"],
    ),
    (
        "exact patterns are case sensitive, wildcard patterns are not",
        &["/wild/a", "/WILD/A"],
    ),
    (
        "repeated characters in a wildcard pattern turn into *",
        &["/boat/k/a", "/bXk/a", "/bk/a", "/bok/a"],
    ),
    (
        "double slash and double star in patterns",
        &["/x/b/c", "//b/x", "/aZZZb/c"],
    ),
];

fn vectors(name: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/data");
    let text = std::fs::read_to_string(root.join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The service of a scenario's list of stores, all in memory.
async fn service(scenario: &Value, rule: &str) -> DataService {
    let flag = |key: &str, text: String| FlagValue {
        flag: "--set".into(),
        key: format!("services.data.config.{key}"),
        text,
    };
    let config = Config::load(&Sources {
        flags: vec![
            flag("datastores", scenario["datastores"].to_string()),
            flag("patternRule", rule.into()),
        ],
        ..Sources::default()
    });
    open_all(&config.unwrap().settings.services.data)
        .await
        .unwrap()
}

fn expected(routes: &Value) -> BTreeMap<&str, &str> {
    let routes = routes.as_object().unwrap().iter();
    routes
        .map(|(path, store)| (path.as_str(), store.as_str().unwrap()))
        .collect()
}

/// The paths that do not go where they should.
fn astray<'a>(data: &DataService, routes: &'a Value) -> Vec<&'a str> {
    let mut wrong = Vec::new();
    for (path, store) in expected(routes) {
        if &*data.store_name(path) != store {
            wrong.push(path);
        }
    }
    wrong.sort_unstable();
    wrong
}

#[tokio::test]
async fn the_loose_rule_sends_every_path_where_the_javascript_server_does() {
    let file = vectors("routing.json");
    let mut paths = 0;
    for scenario in file["scenarios"].as_array().unwrap() {
        let data = service(scenario, "loose").await;
        match scenario.get("steps") {
            Some(steps) => dynamic(&data, steps),
            None => {
                paths += expected(&scenario["expect"]).len();
                assert!(astray(&data, &scenario["expect"]).is_empty(), "{scenario}");
            }
        }
    }
    println!("routing: {paths} paths");
}

#[tokio::test]
async fn the_strict_rule_differs_where_letter_case_and_doubled_characters_say_so() {
    let file = vectors("routing.json");
    for scenario in file["scenarios"].as_array().unwrap() {
        let Some(routes) = scenario.get("expect") else {
            continue;
        };
        let data = service(scenario, "strict").await;
        let mut listed = STRICT_DIFFERS.iter();
        let listed = listed.find(|(name, _)| scenario["name"] == *name);
        let mut listed = listed.map_or(Vec::new(), |(_, paths)| paths.to_vec());
        listed.sort_unstable();
        assert_eq!(astray(&data, routes), listed, "{}", scenario["name"]);
    }
}

/// Plays the steps of a scenario, each written as a call: `addDataStoreFilter('/dyn/*','two')`.
fn dynamic(data: &DataService, steps: &Value) {
    for step in steps.as_array().unwrap() {
        let call = step["step"].as_str().unwrap();
        if call.starts_with("addDataProviderPatterns") {
            // The recorded answers fit only if this path had been sent to `two` before.
            data.add_data_store_filter("/dyn/x/*", "two").unwrap();
        }
        let outcome = perform(data, call).err().map(|error| error.to_string());
        assert_eq!(outcome.as_deref(), step["error"].as_str(), "{call}");
        assert!(astray(data, &step["routes"]).is_empty(), "{call}");
    }
}

fn perform(data: &DataService, call: &str) -> Result<(), happn_core::RoutingError> {
    let mut texts = call.split('\'').skip(1).step_by(2);
    let first = texts.next().unwrap_or_default();
    let second = texts.next().unwrap_or_default();
    match call.split('(').next() {
        Some("start") => Ok(()),
        Some("addDataStoreFilter") => data.add_data_store_filter(first, second),
        Some("addDataProviderPatterns") => data.add_data_provider_patterns(first, &[second]),
        Some("removeDataStoreFilter") => {
            data.remove_data_store_filter(first);
            Ok(())
        }
        _ => panic!("unknown step {call}"),
    }
}

#[test]
fn path_rules_are_those_of_the_javascript_server() {
    let file = vectors("path-rules.json");
    let cases = |name: &str| file[name].as_array().unwrap().clone();
    for case in cases("check_path") {
        let action = match case["action"].as_str().unwrap() {
            "set" => Action::Set,
            "remove" => Action::Remove,
            _ => Action::On,
        };
        let checked = match case["path"].as_str() {
            Some(path) => validate(path, action),
            None => Err(PathError::NotAString {
                text: case["path"].to_string(),
            }),
        };
        let message = checked.err().map(|error| error.to_string());
        assert_eq!(message.as_deref(), case["message"].as_str(), "{case}");
    }
    for case in cases("path_criteria") {
        let glob = StoreGlob::new(case["path"].as_str().unwrap());
        assert_eq!(glob.is_exact(), case.get("equals").is_some(), "{case}");
    }
    for case in cases("pattern_match") {
        let mut routes = happn_paths::Routes::new(RouteRule::Loose);
        routes.insert(case["pattern"].as_str().unwrap(), ());
        let found = routes.find(case["path"].as_str().unwrap()).is_some();
        assert_eq!(Value::Bool(found), case["match"], "{case}");
    }
}
