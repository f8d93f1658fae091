//! The tables recorded from the data service: validation, store patterns, routing.

use happn_paths::{Action, RouteRule, Routes, StoreGlob, validate};
use serde_json::Value;

use crate::load::report;

fn document(name: &str) -> Value {
    let path = format!(
        "{}/../../tests/vectors/data/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn rows<'a>(table: &'a Value, name: &str) -> &'a [Value] {
    table[name].as_array().unwrap()
}

fn text<'a>(row: &'a Value, member: &str) -> &'a str {
    row[member].as_str().unwrap()
}

#[test]
fn paths_are_validated_per_action() {
    let table = document("path-rules");
    let rows = rows(&table, "check_path");
    // What is no string never gets here; the dispatcher refuses it.
    for row in rows.iter().filter(|row| row["path"].is_string()) {
        let action = match text(row, "action") {
            "set" => Action::Set,
            "remove" => Action::Remove,
            "on" => Action::On,
            other => panic!("unknown action {other}"),
        };
        let found = validate(text(row, "path"), action).map_err(|error| error.to_string());
        let recorded = match row["ok"] == true {
            true => Ok(()),
            false => Err(text(row, "message").to_owned()),
        };
        assert_eq!(found, recorded, "{row}");
    }
    report("data/path-rules check_path", rows.len(), 0);
}

#[test]
fn a_path_without_a_star_is_taken_exactly() {
    let table = document("path-rules");
    let rows = rows(&table, "path_criteria");
    for row in rows {
        let glob = StoreGlob::new(text(row, "path"));
        assert_eq!(glob.is_exact(), row["regex"].is_null(), "{row}");
        if let Some(regex) = row["regex"].as_str() {
            assert_eq!(regex_of(glob.as_str()), regex, "{row}");
        }
    }
    report("data/path-rules path_criteria", rows.len(), 0);
}

/// The expression that the reference makes of a mask.
fn regex_of(mask: &str) -> String {
    let mut regex = String::from("^");
    let mut after_star = false;
    for character in mask.chars() {
        match character {
            '*' if after_star => {}
            '*' => regex.push_str(".*"),
            literal if "/.+()[]{}|^$?\\".contains(literal) => regex.extend(['\\', literal]),
            literal => regex.push(literal),
        }
        after_star = character == '*';
    }
    regex + "$"
}

#[test]
fn store_patterns_match_loosely_where_that_is_asked_for() {
    let table = document("path-rules");
    let rows = rows(&table, "pattern_match");
    for row in rows {
        let mut routes = Routes::new(RouteRule::Loose);
        routes.insert(text(row, "pattern"), ());
        let found = routes.find(text(row, "path")).is_some();
        assert_eq!(found, row["match"] == true, "{row}");
    }
    report("data/path-rules pattern_match", rows.len(), 0);
}

#[test]
fn paths_go_to_the_recorded_store() {
    let table = document("routing");
    let scenarios = rows(&table, "scenarios");
    let scenarios: Vec<_> = scenarios.iter().filter(|s| s["steps"].is_null()).collect();
    for scenario in &scenarios {
        let stores = rows(scenario, "datastores");
        let mut routes = Routes::new(RouteRule::Loose);
        for store in stores {
            let patterns = store["patterns"].as_array().map(Vec::as_slice);
            for pattern in patterns.unwrap_or_default() {
                routes.insert(pattern.as_str().unwrap(), text(store, "name"));
            }
        }
        let flagged = stores.iter().rev().find(|store| store["isDefault"] == true);
        let default = text(flagged.unwrap_or(&stores[0]), "name");
        for (path, name) in scenario["expect"].as_object().unwrap() {
            let found = routes.find(path).copied().unwrap_or(default);
            assert_eq!(found, name.as_str().unwrap(), "{path} in {scenario}");
        }
    }
    report("data/routing", scenarios.len(), 0);
}
