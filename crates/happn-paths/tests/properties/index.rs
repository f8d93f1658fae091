use std::collections::BTreeMap;

use happn_paths::{ActionFilter, Depth, EventKind, Mask, SubscriptionIndex};
use proptest::prelude::*;

use crate::generate::{action, depth, event, mask, path};
use crate::oracle;

#[derive(Clone, Debug)]
enum Step {
    Insert(ActionFilter, String, Depth),
    /// Removes one of the subscriptions inserted so far, or tries again.
    Remove(prop::sample::Index),
    /// Removes something that may never have been there.
    RemoveStranger(u32, ActionFilter, String, Depth),
    Publish(EventKind, String),
    /// Publishes on the text of a mask, as a wildcard remove does.
    PublishMask(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (action(), mask(), depth()).prop_map(|(a, m, d)| Step::Insert(a, m, d)),
        3 => any::<prop::sample::Index>().prop_map(Step::Remove),
        1 => (0u32..40, action(), mask(), depth())
            .prop_map(|(id, a, m, d)| Step::RemoveStranger(id, a, m, d)),
        6 => (event(), path()).prop_map(|(e, p)| Step::Publish(e, p)),
        1 => any::<prop::sample::Index>().prop_map(Step::PublishMask),
    ]
}

type Subscription = (ActionFilter, String, Depth);

/// The index next to a plain list of what should be in it.
struct Pair {
    index: SubscriptionIndex,
    live: BTreeMap<u32, Subscription>,
    ever: Vec<Subscription>,
}

impl Pair {
    fn run(&mut self, step: &Step) {
        match step {
            Step::Insert(action, mask, depth) => {
                let id = u32::try_from(self.ever.len()).unwrap();
                self.ever.push((*action, mask.clone(), *depth));
                self.live.insert(id, (*action, mask.clone(), *depth));
                assert!(self.index.insert(id, *action, &Mask::parse(mask), *depth));
                assert!(!self.index.insert(id, *action, &Mask::parse(mask), *depth));
            }
            Step::Remove(at) if !self.ever.is_empty() => {
                let at = at.index(self.ever.len());
                let (action, mask, depth) = self.ever[at].clone();
                let id = u32::try_from(at).unwrap();
                self.remove(id, action, &mask, depth);
            }
            Step::RemoveStranger(id, action, mask, depth) => {
                self.remove(*id, *action, mask, *depth);
            }
            Step::Publish(event, path) => self.publish(*event, path),
            Step::PublishMask(at) if !self.ever.is_empty() => {
                let path = self.ever[at.index(self.ever.len())].1.clone();
                self.publish(EventKind::Remove, &path);
            }
            Step::Remove(_) | Step::PublishMask(_) => {}
        }
        assert_eq!(self.index.len(), self.live.len());
        assert_eq!(self.index.is_empty(), self.live.is_empty());
    }

    fn remove(&mut self, id: u32, action: ActionFilter, mask: &str, depth: Depth) {
        let mask = Mask::parse(mask);
        let known = self
            .live
            .get(&id)
            .is_some_and(|(own_action, own_mask, own_depth)| {
                let own_mask = Mask::parse(own_mask);
                if mask.is_everything() || own_mask.is_everything() {
                    return mask.is_everything() && own_mask.is_everything();
                }
                *own_action == action
                    && own_mask.normalised() == mask.normalised()
                    && (*own_depth == depth || !mask.is_deep())
            });
        assert_eq!(
            self.index.remove(id, action, &mask, depth),
            known,
            "{id} {mask}"
        );
        if known {
            self.live.remove(&id);
        }
    }

    fn publish(&self, event: EventKind, path: &str) {
        let mut found = Vec::new();
        self.index.for_each_match(event, path, |id| found.push(id));
        found.sort_unstable();
        let expected: Vec<u32> = self
            .live
            .iter()
            .filter(|(_, (action, mask, depth))| {
                (mask == "*" || action.accepts(event)) && oracle::mask_matches(mask, path, *depth)
            })
            .map(|(id, _)| *id)
            .collect();
        assert_eq!(found, expected, "{event:?} {path:?} among {:?}", self.live);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn index_agrees_with_a_list(seed: [u64; 2], steps in prop::collection::vec(step(), 1..120)) {
        let index = SubscriptionIndex::new(seed);
        let empty = index.memory_bytes();
        let mut pair = Pair { index, live: BTreeMap::new(), ever: Vec::new() };
        steps.iter().for_each(|step| pair.run(step));
        for (id, (action, mask, depth)) in std::mem::take(&mut pair.live) {
            assert!(pair.index.remove(id, action, &Mask::parse(&mask), depth));
        }
        assert!(pair.index.is_empty());
        assert!(pair.index.memory_bytes() >= empty);
        pair.publish(EventKind::Set, "/a/b");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn masks_match_as_written_out(mask in mask(), path in path(), depth in depth()) {
        let expected = oracle::mask_matches(&mask, &path, depth);
        prop_assert_eq!(Mask::parse(&mask).matches(&path, depth), expected);
    }

    /// Long masks and paths: stars and gaps before and behind segment 63.
    #[test]
    fn masks_around_the_table_width(
        literals in 55usize..70,
        stars in prop::collection::vec(0usize..70, 0..4),
        deep: bool,
        extra in 0usize..8,
        change in prop::option::of(0usize..70),
    ) {
        let mut mask = vec!["s"; literals];
        stars.iter().filter(|at| **at < literals).for_each(|at| mask[*at] = "*");
        let mut path = vec!["s"; literals + extra];
        if let Some(at) = change.filter(|at| *at < path.len()) {
            path[at] = "t";
        }
        if deep {
            mask.push("**");
        }
        let (mask, path) = (mask.join("/"), path.join("/"));
        let mut index = SubscriptionIndex::new([11, 12]);
        index.insert(1, ActionFilter::Set, &Mask::parse(&mask), Depth::DEFAULT);
        let mut visits = 0;
        index.for_each_match(EventKind::Set, &path, |_| visits += 1);
        let expected = oracle::mask_matches(&mask, &path, Depth::DEFAULT);
        prop_assert_eq!(visits, u32::from(expected), "{} on {}", mask, path);
        prop_assert!(index.remove(1, ActionFilter::Set, &Mask::parse(&mask), Depth::DEFAULT));
    }
}

/// Sets of many subscribers keep a table of places; it must survive churn.
#[test]
fn a_crowd_on_one_mask() {
    let mut index = SubscriptionIndex::new([13, 14]);
    let masks = [Mask::parse("/crowd/*"), Mask::parse("*")];
    for id in 0..500 {
        masks
            .iter()
            .for_each(|mask| assert!(index.insert(id, ActionFilter::All, mask, Depth::DEFAULT)));
    }
    for id in (0..500).filter(|id| id % 7 != 0) {
        masks
            .iter()
            .for_each(|mask| assert!(index.remove(id, ActionFilter::All, mask, Depth::DEFAULT)));
        assert!(!index.remove(id, ActionFilter::All, &masks[0], Depth::DEFAULT));
    }
    let mut found = Vec::new();
    index.for_each_match(EventKind::Set, "/crowd/1", |id| found.push(id));
    let (on_mask, on_everything) = found.split_at_mut(72);
    on_mask.sort_unstable();
    on_everything.sort_unstable();
    assert_eq!(on_mask, on_everything);
    assert!(on_mask.iter().copied().eq((0..500).step_by(7)));
}

/// Clients see wildcard subscriptions first and the bare star last.
#[test]
fn the_customary_order() {
    let mut index = SubscriptionIndex::new([15, 16]);
    let rows = [
        ("*", "ALL"),
        ("/a/b", "SET"),
        ("/a/b", "ALL"),
        ("/a/*", "SET"),
        ("/a/*", "ALL"),
    ];
    for (id, (mask, action)) in (0..).zip(rows) {
        index.insert(
            id,
            ActionFilter::parse(action),
            &Mask::parse(mask),
            Depth::DEFAULT,
        );
    }
    let mut found = Vec::new();
    index.for_each_match(EventKind::Set, "/a/b", |id| found.push(id));
    assert_eq!(found, [4, 3, 2, 1, 0]);
}
