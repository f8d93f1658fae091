//! Masks by their segments, to compare few of many with a path.

use std::collections::BTreeMap;

use super::pattern::{Matching, Pattern, segment_matches, segments};
use super::stems::{Stems, backwards};

/// How many segments are told apart. Masks that agree so far are compared one by one.
const LEVELS: usize = 16;

/// A tree of masks: a mask hangs below all its segments but the last, which match those of every
/// path it covers.
#[derive(Clone, Debug, Default)]
pub(super) struct MaskTree {
    literal: BTreeMap<Box<str>, MaskTree>,
    wild: Vec<(Box<str>, Matching, MaskTree)>,
    /// The masks whose last segment is next, by what every path they cover ends with.
    here: Stems<Vec<Pattern>>,
}

impl MaskTree {
    pub(super) fn new(patterns: impl Iterator<Item = Pattern>) -> Self {
        let mut root = Gathered::default();
        for pattern in patterns {
            root.insert(pattern);
        }
        root.finish()
    }

    fn is_empty(&self) -> bool {
        self.literal.is_empty() && self.wild.is_empty() && self.here.is_empty()
    }

    /// Whether one of them covers `path`.
    pub(super) fn covers(&self, path: &str) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut open = vec![(self, path.strip_prefix('/').unwrap_or(path))];
        while let Some((tree, rest)) = open.pop() {
            let mut ending = tree.here.that_end(path).flatten();
            if ending.any(|pattern| pattern.covers(path)) {
                return true;
            }
            let Some((segment, rest)) = rest.split_once('/') else {
                continue;
            };
            open.extend(tree.literal.get(segment).map(|below| (below, rest)));
            let wild = tree
                .wild
                .iter()
                .filter(|(mask, matching, _)| segment_matches(mask, segment, *matching));
            open.extend(wild.map(|(_, _, below)| (below, rest)));
        }
        false
    }
}

/// A tree under construction.
#[derive(Default)]
struct Gathered {
    below: BTreeMap<Box<str>, Gathered>,
    here: BTreeMap<Box<[u8]>, Vec<Pattern>>,
    matching: Matching,
}

impl Gathered {
    fn insert(&mut self, pattern: Pattern) {
        let mut node = self;
        let parents = segments(pattern.text()).count().saturating_sub(1);
        for segment in segments(pattern.text()).take(parents.min(LEVELS)) {
            node = node.below.entry(segment.into()).or_default();
            node.matching = pattern.matching();
        }
        node.here
            .entry(backwards(pattern.end()))
            .or_default()
            .push(pattern);
    }

    fn finish(self) -> MaskTree {
        let mut tree = MaskTree {
            here: Stems::new(self.here),
            ..MaskTree::default()
        };
        for (segment, below) in self.below {
            let matching = below.matching;
            match segment.contains('*') {
                true => tree.wild.push((segment, matching, below.finish())),
                false => drop(tree.literal.insert(segment, below.finish())),
            }
        }
        tree
    }
}
