//! Whatever clients want, and whichever way it changes: nothing is missed, nothing else crosses,
//! and what is asked for stays bounded.

use happn_paths::{Depth, Mask};
use proptest::prelude::*;

use super::{BTreeSet, Interests, REPLICATE_MASK, may_meet};

const MASKS_MAX: usize = 6;

#[derive(Clone, Debug)]
enum Step {
    /// Clients want this from now on; told at once.
    Want(Vec<Mask>),
    /// Time passes.
    GiveUp,
}

fn mask() -> impl Strategy<Value = Mask> {
    let segment = prop_oneof![4 => "[ab]", 2 => Just("*".to_owned())];
    let flat =
        prop::collection::vec(segment, 1..4).prop_map(|parts| format!("/{}", parts.join("/")));
    prop_oneof![
        6 => flat.clone(),
        2 => flat.prop_map(|root| format!("{root}/**")),
        1 => Just("/**".to_owned()),
        1 => Just("*".to_owned()),
    ]
    .prop_map(|text| Mask::parse(&text))
}

fn masks(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Mask>> {
    prop::collection::vec(mask(), count)
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec("[abc]", 1..6).prop_map(|parts| format!("/{}", parts.join("/")))
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![3 => masks(0..9).prop_map(Step::Want), 1 => Just(Step::GiveUp)];
    prop::collection::vec(step, 1..12)
}

fn any_matches<'m>(masks: impl IntoIterator<Item = &'m Mask>, path: &str, depth: Depth) -> bool {
    masks.into_iter().any(|mask| mask.matches(path, depth))
}

proptest! {
    #[test]
    fn a_peer_that_is_told_every_change_sends_what_is_wanted_and_replicated(
        replicate in masks(1..4), steps in steps(), paths in prop::collection::vec(path(), 20),
    ) {
        let mut interests = Interests::new(&replicate, MASKS_MAX);
        let mut local: Vec<Mask> = Vec::new();
        // What the peer knows, told by changes only.
        let mut told = BTreeSet::new();
        for (number, step) in (1..).zip(steps) {
            let narrowing = matches!(step, Step::GiveUp);
            if let Step::Want(masks) = step {
                local = masks;
            }
            let shown = (local.len() <= MASKS_MAX).then_some(&local[..]);
            match narrowing {
                true => interests.narrow(number, shown),
                false => interests.widen(number, shown),
            }
            let wanted = interests.wanted();
            let change = wanted.change_from(&told);
            prop_assert!(change.add.iter().all(|mask| told.insert(mask.clone())));
            prop_assert!(change.remove.iter().all(|mask| told.remove(mask)));
            prop_assert_eq!(&told, &*wanted.masks);
            prop_assert_eq!(wanted.number, number);
            prop_assert!(told.len() <= MASKS_MAX.max(replicate.len() + 1));
            prop_assert!(any_matches(&told, REPLICATE_MASK, Depth::DEFAULT));
            for path in &paths {
                let crosses = any_matches(&replicate, path, Depth::MAX);
                let heard = any_matches(&told, path, Depth::MAX);
                let listened = any_matches(&local, path, Depth::MAX);
                prop_assert!(heard || !(crosses && listened), "{path} is missed");
                prop_assert!(crosses || !heard, "{path} must not cross");
            }
        }
    }

    #[test]
    fn with_everything_replicated_nothing_crosses_that_nobody_wants(
        local in masks(0..MASKS_MAX), path in path(),
    ) {
        let mut interests = Interests::new(&[Mask::parse("*")], MASKS_MAX);
        interests.narrow(1, Some(&local));
        let heard = any_matches(&*interests.wanted().masks, &path, Depth::MAX);
        prop_assert_eq!(heard, any_matches(&local, &path, Depth::MAX));
    }

    #[test]
    fn masks_that_share_a_path_meet(one in mask(), other in mask(), path in path()) {
        let shared = one.matches(&path, Depth::MAX) && other.matches(&path, Depth::MAX);
        prop_assert!(!shared || may_meet(&one, &other));
    }
}
