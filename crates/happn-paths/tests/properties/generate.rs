//! Texts from small alphabets, so that matches happen, edge characters included.

use happn_paths::{ActionFilter, Depth, EventKind};
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) fn segment() -> impl Strategy<Value = &'static str> {
    select(vec![
        "a", "b", "c", "", "A", "ab", "é", "/", "*", "*b", "**", "a\n", "😀",
    ])
}

fn mask_segment() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => select(vec!["a", "b", "c"]),
        3 => Just("*"),
        1 => select(vec!["**", "***", "**b", "*b", "te*", "", "A", "é"]),
    ]
}

fn joined(segments: &[&str], lead: bool) -> String {
    let text = segments.join("/");
    if lead { format!("/{text}") } else { text }
}

/// Masks of all kinds; one in three is deep.
pub(crate) fn mask() -> impl Strategy<Value = String> {
    let segments = prop::collection::vec(mask_segment(), 0..5);
    let end = prop_oneof![4 => Just(None), 2 => Just(Some("**")), 1 => Just(Some("*"))];
    (segments, end, prop::bool::weighted(0.8)).prop_map(|(mut segments, end, lead)| {
        segments.extend(end);
        joined(&segments, lead)
    })
}

pub(crate) fn path() -> impl Strategy<Value = String> {
    let ordinary = prop::collection::vec(select(vec!["a", "b", "c"]), 1..9);
    let odd = prop::collection::vec(segment(), 0..6);
    let segments = prop_oneof![3 => ordinary, 1 => odd];
    (segments, prop::bool::weighted(0.9)).prop_map(|(segments, lead)| joined(&segments, lead))
}

pub(crate) fn depth() -> impl Strategy<Value = Depth> {
    prop_oneof![2 => Just(Depth::DEFAULT), 3 => (-1i64..4).prop_map(Depth::from_integer)]
}

pub(crate) fn action() -> impl Strategy<Value = ActionFilter> {
    use ActionFilter::{All, Never, Remove, Set};
    select(vec![All, All, Set, Set, Remove, Never])
}

pub(crate) fn event() -> impl Strategy<Value = EventKind> {
    select(vec![EventKind::Set, EventKind::Remove])
}

/// Texts for the globs: few characters, many stars, line breaks, case pairs.
pub(crate) fn glob_text() -> impl Strategy<Value = String> {
    let chars = select(
        "aaabbA/*****\n\r\u{2028}éÉßſsk\u{212a}😀"
            .chars()
            .collect::<Vec<_>>(),
    );
    prop::collection::vec(chars, 0..12).prop_map(|chars| chars.into_iter().collect())
}
