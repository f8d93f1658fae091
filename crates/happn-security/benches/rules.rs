//! What a decision costs: `cargo bench -p happn-security`.
//!
//! Prints, per number and kind of rules, the time to compile them and the time of a decision.
//! Figures of a busy machine are upper bounds.

#![allow(clippy::print_stdout, reason = "the figures are the result")]
#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::hint::black_box;
use std::time::Instant;

use happn_security::rules::{Decision, Rule, RuleSet, Settings};
use serde_json::json;

const ROUNDS: u32 = 200_000;

/// A kind of rules: their paths, and the path that is asked about.
type Kind = (&'static str, fn(usize) -> String, fn(usize) -> String);

const KINDS: [Kind; 4] = [
    (
        "single paths",
        |n| format!("/plant/{n}/state"),
        |n| format!("/plant/{n}/state"),
    ),
    (
        "masks that end in a star",
        |n| format!("/plant/{n}/*"),
        |n| format!("/plant/{n}/line/7/state"),
    ),
    (
        "a star before the last segment",
        |n| format!("/plant/*/kind{n}"),
        |n| format!("/plant/7/kind{n}"),
    ),
    (
        "a star in the middle",
        |n| format!("/plant/*/kind{n}/*"),
        |n| format!("/plant/7/kind{n}/state"),
    ),
];

fn main() {
    println!(
        "{:<32} {:>6} {:>12} {:>12} {:>12}",
        "rules", "count", "compile", "allowed", "not granted"
    );
    for count in [10, 100, 1000] {
        for (name, path, asked) in KINDS {
            measure(name, count, path, asked);
        }
    }
}

fn measure(name: &str, count: usize, path: fn(usize) -> String, asked: fn(usize) -> String) {
    let rules: Vec<_> = (0..count).map(|n| rule(path(n), n)).collect();
    let start = Instant::now();
    let set = RuleSet::compile(&rules, &json!({}), Settings::default());
    let compiled = start.elapsed();
    let known: Vec<_> = (0..count).map(asked).collect();
    let unknown: Vec<_> = (count..2 * count).map(asked).collect();
    println!(
        "{name:<32} {count:>6} {:>9} us {:>9} ns {:>9} ns",
        compiled.as_micros(),
        nanoseconds(&set, &known, Decision::Allowed),
        nanoseconds(&set, &unknown, Decision::NotGranted),
    );
}

/// Every tenth rule also prohibits something.
fn rule(path: String, number: usize) -> Rule {
    let prohibited = number.is_multiple_of(10);
    Rule {
        path,
        actions: vec!["get".to_owned(), "on".to_owned()],
        prohibit: prohibited
            .then(|| "remove".to_owned())
            .into_iter()
            .collect(),
    }
}

fn nanoseconds(set: &RuleSet, paths: &[String], expected: Decision) -> u128 {
    let start = Instant::now();
    for round in 0..ROUNDS as usize {
        let decision = set.decide("get", black_box(&paths[round % paths.len()]));
        assert_eq!(decision, expected);
    }
    start.elapsed().as_nanos() / u128::from(ROUNDS)
}
