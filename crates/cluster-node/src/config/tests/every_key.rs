//! What the table of rows says of every key.

use serde_json::{Value, json};

use super::security_table::SECURITY_ROWS;
use super::table::{ROWS, Row};
use super::*;
use crate::config::layers::{Layers, preset};
use crate::config::problem::Report;

fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(SECURITY_ROWS)
}

/// Their lists are the matter of the tests of stores.
const WITHOUT_ROW: &[&str] = &["services.data.config.datastores"];

/// The value of `key` after a file that sets `spelling`, with what was said.
fn set(key: &str, spelling: &str, value: &str) -> (Value, Vec<String>, Vec<String>) {
    let value: Value = json5::from_str(value).unwrap();
    let nest = |inner: Value, name: &str| json!({ name: inner });
    let tree = spelling.rsplit('.').fold(value, nest);
    let mut layers = Layers::of_defaults();
    let mut report = Report::default();
    layers.add_tree(&tree, &Origin::File("f".into()), &mut report);
    let effective = layers.value(key).clone();
    match report.finish(|_| Some(())) {
        Ok(()) => (effective, Vec::new(), report.into_warnings()),
        Err(error) => {
            let problems = error.problems.iter().map(ToString::to_string);
            (effective, problems.collect(), error.warnings)
        }
    }
}

fn find(path: &str) -> &'static Key {
    let found = KEYS.iter().find(|key| key.path == path);
    found.unwrap_or_else(|| panic!("the table test has a row for {path}, which is no key"))
}

#[test]
fn every_key_has_its_row() {
    for key in KEYS {
        let rows = rows().filter(|row| row.key == key.path).count();
        let expected = usize::from(!WITHOUT_ROW.contains(&key.path));
        assert_eq!(rows, expected, "a new key needs a row here: {}", key.path);
    }
}

#[test]
fn every_key_has_the_default_and_the_unit_of_its_row() {
    for row in rows() {
        let key = find(row.key);
        let default: Value = json5::from_str(row.default).unwrap();
        assert_eq!(preset(key.default), default, "{}", row.key);
        assert_eq!(key.unit, row.unit, "{}", row.key);
    }
}

#[test]
fn every_key_takes_what_its_row_says_and_keeps_its_default_otherwise() {
    for row in rows() {
        for (given, expected) in row.accepted {
            let (value, problems, _) = set(row.key, row.key, given);
            let expected: Value = json5::from_str(expected).unwrap();
            assert_eq!(
                (value, problems),
                (expected, Vec::new()),
                "{} {given}",
                row.key
            );
        }
        for nothing in ["null", "''"] {
            let (value, problems, _) = set(row.key, row.key, nothing);
            assert_eq!(
                value,
                preset(find(row.key).default),
                "{} {nothing}",
                row.key
            );
            assert!(problems.is_empty(), "{problems:?}");
        }
    }
}

#[test]
fn every_key_refuses_what_its_row_says_and_names_what_is_allowed() {
    for row in rows() {
        let key = find(row.key);
        for given in row.refused {
            let (value, problems, _) = set(row.key, row.key, given);
            assert_eq!(value, preset(key.default), "{} {given}", row.key);
            let [problem] = &problems[..] else {
                panic!("one problem with {} {given}: {problems:?}", row.key);
            };
            assert!(
                problem.starts_with(&format!("file f: {} is ", row.key)),
                "{problem}"
            );
            assert!(
                problem.ends_with(&format!("must be {}", key.allowed())),
                "{problem}"
            );
        }
    }
}

#[test]
fn every_other_spelling_is_understood_and_warned_of_once() {
    for row in rows() {
        for alias in find(row.key).aliases {
            let (given, expected) = row.accepted[0];
            let (value, problems, warnings) = set(row.key, alias, given);
            let expected: Value = json5::from_str(expected).unwrap();
            assert_eq!((value, problems), (expected, Vec::new()), "{alias}");
            let told = format!("file f: {alias} is read as {}", row.key);
            let told = warnings.iter().filter(|warning| **warning == told).count();
            assert_eq!(told, 1, "{warnings:?}");
        }
    }
}
