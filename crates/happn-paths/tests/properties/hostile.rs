//! Texts made to hurt. The reference spends minutes or gigabytes on some of
//! these; here a case that took more than linear time would time the suite out.

use happn_paths::loose::{LooseGlob, Tail};
use happn_paths::{
    ActionFilter, Depth, EventKind, Mask, StoreGlob, SubscriptionIndex, covers, reduce,
};

fn visits(index: &SubscriptionIndex, path: &str) -> usize {
    let mut count = 0;
    index.for_each_match(EventKind::Set, path, |_| count += 1);
    count
}

/// Two more `*a` than this took the reference 167 seconds for one path.
#[test]
fn star_heavy_globs_do_not_backtrack() {
    let glob = format!("/{}*b", "*a".repeat(2000));
    let path = format!("/{}", "a".repeat(100_000));
    assert!(!StoreGlob::new(&glob).matches(&path));
    assert!(StoreGlob::new(&glob).matches(&format!("{path}b")));
    assert!(!LooseGlob::new(&glob, Tail::Plain).matches(&path));
    assert!(!LooseGlob::new(&glob, Tail::Checked).matches(&path));
    let periodic = format!("*{}b*", "a".repeat(20_000));
    assert!(!StoreGlob::new(&periodic).matches(&path));
}

/// The reference makes `5^g` index entries out of `g` groups.
#[test]
fn many_deep_groups_are_one_entry() {
    let mut index = SubscriptionIndex::new([21, 22]);
    let separate = Mask::parse(&format!("{}/**", "/**/a".repeat(2000)));
    let adjacent = Mask::parse(&"/**".repeat(3000));
    let stars = Mask::parse(&format!("/{}/**", "*".repeat(100_000)));
    for (id, mask) in (0..).zip([&separate, &adjacent, &stars]) {
        index.insert(id, ActionFilter::All, mask, Depth::MAX);
    }
    // The first mask needs 4,001 segments and stretches by 127 before its last
    // literal and by 63 behind it.
    assert_eq!(visits(&index, &"/a".repeat(4000)), 2);
    assert_eq!(visits(&index, &"/a".repeat(4001)), 3);
    assert_eq!(visits(&index, &"/a".repeat(4191)), 3);
    assert_eq!(visits(&index, &"/a".repeat(4192)), 2);
    assert_eq!(visits(&index, "/a/a/a"), 1);
    assert!(index.memory_bytes() < 1_000_000);
    for (id, mask) in (0..).zip([&separate, &adjacent, &stars]) {
        assert!(index.remove(id, ActionFilter::All, mask, Depth::MAX));
    }
}

/// Too wide a gap to look for the literal behind it segment by segment.
#[test]
fn a_literal_far_behind_the_head() {
    let mut index = SubscriptionIndex::new([29, 30]);
    let mask = Mask::parse(&format!("/a{}/x/**", "/**".repeat(300)));
    index.insert(1, ActionFilter::All, &mask, Depth::DEFAULT);
    assert_eq!(visits(&index, &format!("/a{}/x/1", "/b".repeat(300))), 1);
    assert_eq!(visits(&index, &format!("/a{}/x/1", "/b".repeat(400))), 1);
    assert_eq!(visits(&index, &format!("/a{}/x/1", "/b".repeat(299))), 0);
    assert!(index.remove(1, ActionFilter::All, &mask, Depth::DEFAULT));
}

#[test]
fn inner_groups_are_not_scanned_for_other_literals() {
    let mut index = SubscriptionIndex::new([23, 24]);
    for id in 0..20_000 {
        let mask = Mask::parse(&format!("/**/x{id}/**"));
        index.insert(id, ActionFilter::All, &mask, Depth::DEFAULT);
    }
    for _ in 0..1000 {
        assert_eq!(visits(&index, "/a/b/c/d/e"), 0);
        assert_eq!(visits(&index, "/a/x7/c/x7/e"), 1);
    }
}

#[test]
fn thousands_of_segments() {
    let mut index = SubscriptionIndex::new([25, 26]);
    let long = "/s".repeat(20_000);
    let texts = [
        long.clone(),
        format!("{long}/**"),
        "/*".repeat(20_000),
        format!("{}/*", "/s".repeat(19_999)),
        format!("/*{}", "/s".repeat(19_999)),
        "/".repeat(20_000),
    ];
    for (id, text) in (0..).zip(&texts) {
        index.insert(id, ActionFilter::All, &Mask::parse(text), Depth::DEFAULT);
    }
    assert_eq!(visits(&index, &long), 4);
    assert_eq!(visits(&index, &format!("{long}/s")), 1);
    assert_eq!(visits(&index, &texts[5]), 2);
    for (id, text) in (0..).zip(&texts) {
        assert!(index.remove(id, ActionFilter::All, &Mask::parse(text), Depth::DEFAULT));
    }
}

/// All shapes of twelve segments exist, but below another prefix.
#[test]
fn shapes_of_other_prefixes_cost_nothing() {
    let mut index = SubscriptionIndex::new([27, 28]);
    for shape in 0u32..4096 {
        let tail: String = (0..12)
            .map(|at| if shape >> at & 1 == 1 { "/*" } else { "/s" })
            .collect();
        index.insert(
            shape,
            ActionFilter::All,
            &Mask::parse(&format!("/theirs{tail}")),
            Depth::DEFAULT,
        );
    }
    let tail = "/s".repeat(12);
    assert_eq!(visits(&index, &format!("/theirs{tail}")), 4096);
    for _ in 0..10_000 {
        assert_eq!(visits(&index, &format!("/ours{tail}")), 0);
    }
}

#[test]
fn coverage_gives_up_on_what_it_cannot_write_out() {
    let deep = Mask::parse(&format!("{}/**", "/**/a".repeat(50)));
    let same = Mask::parse(deep.normalised());
    assert!(covers(&deep, &same));
    assert!(covers(&Mask::parse("*"), &deep));
    assert!(!covers(&Mask::parse("/**"), &deep));
    assert_eq!(reduce(&[deep, same]).len(), 2);
}
