//! Texts with something attached, to find those that another text starts or ends with.

use std::collections::BTreeMap;

/// A sorted list in which each text knows the longest other one that it starts with. The texts
/// that a given text starts with are then found by one binary search and a walk.
#[derive(Clone, Debug)]
pub(super) struct Stems<T> {
    nodes: Vec<Node<T>>,
}

#[derive(Clone, Debug)]
struct Node<T> {
    stem: Box<[u8]>,
    parent: Option<usize>,
    value: T,
}

impl<T> Default for Stems<T> {
    fn default() -> Self {
        Self { nodes: Vec::new() }
    }
}

impl<T> Stems<T> {
    pub(super) fn new(entries: BTreeMap<Box<[u8]>, T>) -> Self {
        let mut nodes: Vec<Node<T>> = Vec::with_capacity(entries.len());
        let mut open: Vec<usize> = Vec::new();
        for (stem, value) in entries {
            while open
                .pop_if(|&mut last| !stem.starts_with(&nodes[last].stem))
                .is_some()
            {}
            let parent = open.last().copied();
            open.push(nodes.len());
            nodes.push(Node {
                stem,
                parent,
                value,
            });
        }
        Self { nodes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// What is attached to the texts that `text` starts with, the longest first.
    pub(super) fn that_begin(&self, text: &str) -> impl Iterator<Item = &T> {
        let bytes = text.as_bytes();
        let place = self.nodes.partition_point(|node| *node.stem <= *bytes);
        self.upwards(place, |stem| bytes.starts_with(stem))
    }

    /// What is attached to the texts that `text` ends with; they must have been given backwards.
    pub(super) fn that_end(&self, text: &str) -> impl Iterator<Item = &T> {
        let backwards = || text.bytes().rev();
        let place = self
            .nodes
            .partition_point(|node| node.stem.iter().copied().le(backwards()));
        self.upwards(place, move |stem| {
            stem.len() <= text.len() && stem.iter().copied().eq(backwards().take(stem.len()))
        })
    }

    /// Every text that fits is the one before `place` or one that it starts with: between two
    /// texts that fit, all others start with the shorter.
    fn upwards(&self, place: usize, fits: impl Fn(&[u8]) -> bool) -> impl Iterator<Item = &T> {
        let start = place.checked_sub(1);
        std::iter::successors(start, |&at| self.nodes[at].parent)
            .map(|at| &self.nodes[at])
            .filter(move |node| fits(&node.stem))
            .map(|node| &node.value)
    }
}

/// The key of an ending.
pub(super) fn backwards(text: &str) -> Box<[u8]> {
    text.bytes().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 9] = ["", "/", "/a", "/a/", "/a/b", "/ab", "/b", "/a/bc", "b"];

    #[test]
    fn all_beginnings_are_found_longest_first() {
        let stems = Stems::new(
            TEXTS
                .iter()
                .map(|text| (text.as_bytes().into(), *text))
                .collect(),
        );
        for text in ["/a/b/c", "/a/bcd", "/ab", "/az", "", "c", "/b/", "bb"] {
            let found: Vec<_> = stems.that_begin(text).copied().collect();
            let mut expected: Vec<_> = TEXTS
                .into_iter()
                .filter(|stem| text.starts_with(stem))
                .collect();
            expected.sort_by_key(|stem| std::cmp::Reverse(stem.len()));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn all_endings_are_found() {
        let stems = Stems::new(TEXTS.iter().map(|text| (backwards(text), *text)).collect());
        for text in ["x/a/b", "/ab", "b", "x/", "", "/a/bc"] {
            let found: Vec<_> = stems.that_end(text).copied().collect();
            let mut expected: Vec<_> = TEXTS
                .into_iter()
                .filter(|stem| text.ends_with(stem))
                .collect();
            expected.sort_by_key(|stem| std::cmp::Reverse(stem.len()));
            assert_eq!(found, expected, "{text}");
        }
    }
}
