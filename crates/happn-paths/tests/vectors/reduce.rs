use std::collections::BTreeMap;

use happn_paths::{Mask, REPLICATE_MASK, covers, reduce};
use serde::Deserialize;

use crate::load;

#[derive(Debug, Deserialize)]
struct Case {
    replicate: Option<Vec<String>>,
    #[serde(default)]
    reduced: Vec<String>,
    #[serde(default)]
    lost: Vec<String>,
    error: Option<String>,
}

#[test]
fn reduction() {
    let cases: Vec<Case> = load::cases("reduce");
    let mut deviations = BTreeMap::<&str, usize>::new();
    for case in &cases {
        let masks: Vec<Mask> = match &case.replicate {
            Some(masks) => masks.iter().map(|mask| Mask::parse(mask)).collect(),
            None => vec![Mask::parse("*")],
        };
        let kept = reduce(&masks);
        assert_sound(&masks, &kept);
        let theirs: Vec<Mask> = case.reduced.iter().map(|mask| Mask::parse(mask)).collect();
        if kept != theirs || case.error.is_some() {
            *deviations.entry(reason(case, &kept, &theirs)).or_default() += 1;
        }
    }
    println!("reduce: {deviations:#?}");
    let expected = BTreeMap::from([
        ("theirs fails at start-up, ours reduces", 4),
        ("theirs loses masks, ours keeps them", 56),
        ("theirs keeps a covered mask, ours drops it", 48),
        ("theirs keeps the empty mask, ours drops it", 2),
    ]);
    assert_eq!(deviations, expected);
    let loses_own = |case: &&Case| case.lost.iter().any(|mask| mask == REPLICATE_MASK);
    assert_eq!(
        cases.iter().filter(loses_own).count(),
        22,
        "theirs stops spreading security"
    );
    load::report("reduce", cases.len(), deviations.values().sum());
}

/// Nothing is lost, nothing is invented, nothing is kept twice.
fn assert_sound(masks: &[Mask], kept: &[Mask]) {
    let own = Mask::parse(REPLICATE_MASK);
    for mask in masks
        .iter()
        .chain([&own])
        .filter(|mask| !mask.as_str().is_empty())
    {
        assert!(
            kept.iter().any(|wide| covers(wide, mask)),
            "{mask} of {masks:?} lost: {kept:?}"
        );
    }
    for (at, mask) in kept.iter().enumerate() {
        assert!(masks.contains(mask) || *mask == own, "{mask} invented");
        let others = kept.iter().enumerate().filter(|(other, _)| *other != at);
        assert!(
            others.clone().all(|(_, wide)| !covers(wide, mask)),
            "{mask} twice: {kept:?}"
        );
    }
}

fn reason(case: &Case, kept: &[Mask], theirs: &[Mask]) -> &'static str {
    let lost: Vec<Mask> = case.lost.iter().map(|mask| Mask::parse(mask)).collect();
    if case.error.is_some() {
        return "theirs fails at start-up, ours reduces";
    }
    if !lost.is_empty() {
        assert!(
            lost.iter()
                .all(|mask| kept.iter().any(|wide| covers(wide, mask)))
        );
        return "theirs loses masks, ours keeps them";
    }
    let dropped: Vec<_> = theirs.iter().filter(|mask| !kept.contains(mask)).collect();
    assert!(
        kept.iter().all(|mask| theirs.contains(mask)),
        "{case:?}: {kept:?}"
    );
    if dropped.iter().any(|mask| mask.as_str().is_empty()) {
        return "theirs keeps the empty mask, ours drops it";
    }
    if dropped.is_empty() {
        return "same masks in another order";
    }
    assert!(
        dropped
            .iter()
            .all(|mask| kept.iter().any(|wide| covers(wide, mask)))
    );
    "theirs keeps a covered mask, ours drops it"
}
