//! What this node asks other nodes for. Pure and synchronous.
//!
//! What its clients have subscribed to, as far as the `replicate` masks let it cross, and the
//! messages between nodes. What is new is asked for at once, what nobody wants any more is given
//! up later: a client that reconnects wants it again.

#[cfg(test)]
mod properties;

use std::collections::BTreeSet;
use std::sync::Arc;

use happn_core::InterestChange;
use happn_paths::{Depth, Mask, REPLICATE_MASK, covers};

/// What is asked of every peer. Compared by content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The latest change of the clients' subscriptions that is in it.
    pub(crate) number: u64,
    pub(crate) masks: Arc<BTreeSet<Mask>>,
    is_everything: bool,
}

impl Wanted {
    /// How many masks are asked for.
    #[must_use]
    pub fn mask_count(&self) -> usize {
        self.masks.len()
    }

    /// Whether everything that is replicated is asked for, because clients want too much of it to
    /// ask for each mask.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.is_everything
    }

    /// What turns `before` into this.
    pub(crate) fn change_from(&self, before: &BTreeSet<Mask>) -> InterestChange {
        InterestChange {
            add: self.masks.difference(before).cloned().collect(),
            remove: before.difference(&self.masks).cloned().collect(),
        }
    }

    /// Whether something is asked for that `before` does not cover.
    pub(crate) fn exceeds(&self, before: &BTreeSet<Mask>) -> bool {
        let is_covered =
            |mask: &Mask| before.contains(mask) || before.iter().any(|wide| is_within(wide, mask));
        !self.masks.iter().all(is_covered)
    }
}

/// Turns what clients want into what is asked for.
#[derive(Debug)]
pub(crate) struct Interests {
    /// Everything that is replicated.
    everything: Arc<BTreeSet<Mask>>,
    masks_max: usize,
    wanted: Wanted,
}

impl Interests {
    /// Nothing is wanted yet. Never more than `masks_max` masks are asked for, or those of
    /// `replicate`, if they are more.
    pub(crate) fn new(replicate: &[Mask], masks_max: usize) -> Self {
        let between_nodes = Mask::parse(REPLICATE_MASK);
        let mut everything: BTreeSet<Mask> = replicate.iter().cloned().collect();
        if !everything
            .iter()
            .any(|mask| is_within(mask, &between_nodes))
        {
            everything.insert(between_nodes.clone());
        }
        Self {
            everything: Arc::new(everything),
            masks_max,
            wanted: Wanted {
                number: 0,
                masks: Arc::new(BTreeSet::from([between_nodes])),
                is_everything: false,
            },
        }
    }

    /// How many masks of clients are looked at, at most.
    pub(crate) fn masks_max(&self) -> usize {
        self.masks_max
    }

    pub(crate) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Asks for what is wanted by clients (`None` when that is too much) at change `number`, and
    /// goes on asking for what was wanted before.
    pub(crate) fn widen(&mut self, number: u64, local: Option<&[Mask]>) {
        self.wanted.number = number;
        if self.wanted.is_everything {
            return;
        }
        let Some(masks) = self.needed(local) else {
            return self.ask_for_everything();
        };
        if masks.is_subset(&self.wanted.masks) {
            return;
        }
        let masks: BTreeSet<Mask> = masks.union(&self.wanted.masks).cloned().collect();
        self.ask_for(masks);
    }

    /// Asks for no more than what is wanted by clients at change `number`. From everything it goes
    /// back only when half of what is allowed would do, so that it does not waver.
    pub(crate) fn narrow(&mut self, number: u64, local: Option<&[Mask]>) {
        self.wanted.number = number;
        let wavers = |masks: &[Mask]| masks.len() > self.masks_max / 2;
        if self.wanted.is_everything && local.is_none_or(wavers) {
            return;
        }
        match self.needed(local) {
            Some(masks) => self.ask_for(masks),
            None => self.ask_for_everything(),
        }
    }

    /// What has to be asked for; `None` when that is everything.
    fn needed(&self, local: Option<&[Mask]>) -> Option<BTreeSet<Mask>> {
        let mut needed = BTreeSet::from([Mask::parse(REPLICATE_MASK)]);
        for mask in local? {
            if mask.is_everything() {
                return None;
            }
            if self.everything.iter().any(|wide| is_within(wide, mask)) {
                needed.insert(mask.clone());
                continue;
            }
            let parts = self.everything.iter();
            needed.extend(parts.filter(|part| may_meet(part, mask)).cloned());
        }
        Some(needed)
    }

    fn ask_for(&mut self, masks: BTreeSet<Mask>) {
        if masks.len() > self.masks_max {
            return self.ask_for_everything();
        }
        if masks != *self.wanted.masks {
            self.wanted.masks = Arc::new(masks);
        }
        self.wanted.is_everything = false;
    }

    fn ask_for_everything(&mut self) {
        self.wanted.masks = Arc::clone(&self.everything);
        self.wanted.is_everything = true;
    }
}

/// Whether every path of `narrow` is one of `wide`, both as deep as can be asked for. A "no" may
/// be wrong; a "yes" may be so for paths of more than 64 levels.
fn is_within(wide: &Mask, narrow: &Mask) -> bool {
    if covers(wide, narrow) || narrow.is_everything() {
        return wide.is_everything() || !narrow.is_everything();
    }
    if !narrow.is_deep() {
        return wide.matches(narrow.as_str(), Depth::MAX);
    }
    // What `covers` says no to, because the narrower one begins deeper.
    let root = wide.normalised().strip_suffix("**");
    root.is_some_and(|root| !root.contains('*') && narrow.normalised().starts_with(root))
}

/// Whether one path may match both masks. A "yes" may be wrong; a "no" never is.
fn may_meet(one: &Mask, other: &Mask) -> bool {
    if one.is_everything() || other.is_everything() {
        return true;
    }
    let stretches = |segment: &str| segment.starts_with("**");
    let mut pairs = one.segments().zip(other.segments());
    // From the first segment that may stretch on, anything is possible.
    let differs =
        pairs.find(|(a, b)| stretches(a) || stretches(b) || (*a != *b && *a != "*" && *b != "*"));
    match differs {
        Some((a, b)) => stretches(a) || stretches(b),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(texts: &[&str]) -> Vec<Mask> {
        texts.iter().map(|text| Mask::parse(text)).collect()
    }

    fn texts(wanted: &Wanted) -> Vec<&str> {
        wanted.masks.iter().map(Mask::as_str).collect()
    }

    fn check(replicate: &[&str], local: &[&str], expected: &[&str]) {
        let mut interests = Interests::new(&masks(replicate), 100);
        interests.narrow(1, Some(&masks(local)));
        assert_eq!(
            texts(interests.wanted()),
            expected,
            "{local:?} of {replicate:?}"
        );
    }

    #[test]
    fn clients_are_heard_as_far_as_the_replicate_masks_let_events_cross() {
        check(&["*"], &[], &["/__REPLICATE"]);
        check(&["*"], &["/a/*", "/b"], &["/__REPLICATE", "/a/*", "/b"]);
        check(&["/**"], &["/a/b/**"], &["/__REPLICATE", "/a/b/**"]);
        check(&["/a/*"], &["/b/*", "/a/b"], &["/__REPLICATE", "/a/b"]);
        check(
            &["/a/*", "/b/*"],
            &["/*/x"],
            &["/__REPLICATE", "/a/*", "/b/*"],
        );
        check(&["/a/*", "/b/*"], &["/b/**"], &["/__REPLICATE", "/b/*"]);
        check(&["/a/*"], &["*"], &["/__REPLICATE", "/a/*"]);
        check(&["*"], &["/a", "*"], &["*"]);
    }

    #[test]
    fn what_is_wanted_no_more_is_given_up_late() {
        let mut interests = Interests::new(&masks(&["*"]), 100);
        interests.widen(1, Some(&masks(&["/a"])));
        interests.widen(3, Some(&masks(&["/b"])));
        assert_eq!(texts(interests.wanted()), ["/__REPLICATE", "/a", "/b"]);
        interests.narrow(3, Some(&masks(&["/b"])));
        assert_eq!(texts(interests.wanted()), ["/__REPLICATE", "/b"]);
        assert_eq!(interests.wanted().number, 3);
    }

    #[test]
    fn too_much_is_everything_until_half_of_it_is_gone() {
        let many: Vec<String> = (0..11).map(|number| format!("/{number}")).collect();
        let many: Vec<Mask> = many.iter().map(|text| Mask::parse(text)).collect();
        let mut interests = Interests::new(&masks(&["*"]), 10);
        interests.widen(1, Some(&many[..9]));
        assert!(!interests.wanted().is_everything());
        interests.widen(2, None);
        assert!(interests.wanted().is_everything());
        assert_eq!(texts(interests.wanted()), ["*"]);
        for (left, is_everything) in [(11, true), (6, true), (5, false)] {
            let local = (left <= 10).then(|| &many[..left]);
            interests.narrow(3, local);
            assert_eq!(interests.wanted().is_everything(), is_everything, "{left}");
        }
        // The messages between nodes count, too.
        interests.widen(4, Some(&many[..10]));
        assert!(interests.wanted().is_everything());
    }

    #[test]
    fn a_peer_is_told_what_changed_and_misses_what_it_was_not_told() {
        let mut interests = Interests::new(&masks(&["*"]), 10);
        interests.narrow(1, Some(&masks(&["/a/*", "/b"])));
        let before = interests.wanted().masks.clone();
        interests.narrow(2, Some(&masks(&["/a/1", "/b"])));
        let change = interests.wanted().change_from(&before);
        assert_eq!(
            (change.add, change.remove),
            (masks(&["/a/1"]), masks(&["/a/*"]))
        );
        assert!(!interests.wanted().exceeds(&before));
        interests.narrow(3, Some(&masks(&["/c"])));
        assert!(interests.wanted().exceeds(&before));
    }
}
