//! What counts as the same frame.

use std::collections::HashSet;

use serde_json::Value;

use super::volatile::{Known, masked};
use crate::raw::Got;

pub fn agree(known: &Known, expected: &Got, got: &Got) -> bool {
    match (expected, got) {
        (Got::Text(theirs), Got::Text(ours)) => known.agrees(theirs, ours),
        (Got::Http(theirs), Got::Http(ours)) if is_upgrade(theirs) => head(theirs) == head(ours),
        (Got::Http(theirs), Got::Http(ours)) => page(theirs) == page(ours),
        _ => expected == got,
    }
}

/// The letters of a frame, whatever their order.
pub fn letters(got: &Got) -> Vec<char> {
    let mut letters: Vec<char> = show(got).chars().collect();
    letters.sort_unstable();
    letters
}

fn is_upgrade(text: &str) -> bool {
    text.starts_with("HTTP/1.1 101")
}

/// Status line, headers in any order, and body.
fn page(text: &str) -> (Vec<String>, &str) {
    let mut head = head(text);
    head.sort();
    (
        head,
        text.split_once("\r\n\r\n").map_or("", |(_, body)| body),
    )
}

/// Status line and headers; the date differs and the case of names does not matter.
fn head(text: &str) -> Vec<String> {
    let lines = text.split("\r\n").take_while(|line| !line.is_empty());
    lines
        .map(|line| match line.split_once(": ") {
            Some((name, value)) => format!("{}: {value}", name.to_ascii_lowercase()),
            None => line.to_owned(),
        })
        .filter(|line| !line.starts_with("date: "))
        .collect()
}

pub fn show(got: &Got) -> String {
    match got {
        Got::Text(text) => masked(text),
        other => format!("{other:?}"),
    }
}

/// `text`, an answer to an `off`, with each removed subscription listed once.
pub fn once_per_subscription(text: &str) -> String {
    let mut answer: Value = serde_json::from_str(text).unwrap();
    let mut seen = HashSet::new();
    answer["data"]["removed"]
        .as_array_mut()
        .unwrap()
        .retain(|record| seen.insert(record["data"]["ref"].to_string()));
    answer.to_string()
}
