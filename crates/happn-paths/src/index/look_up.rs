//! From a path to the entries that match it.

use super::hash::Fingerprint;
use super::outline::{self, GAP_REACH, Kind};
use super::{Entry, SubscriptionIndex};
use crate::segments::segments;

/// One path on its way through the tables.
pub(super) struct LookUp<'a> {
    index: &'a SubscriptionIndex,
    path: &'a str,
    print: Fingerprint,
}

impl<'a> LookUp<'a> {
    pub(super) fn new(index: &'a SubscriptionIndex, path: &'a str) -> Self {
        Self {
            index,
            path,
            print: Fingerprint::of(&index.keys, path),
        }
    }

    /// The mask that is the path itself.
    pub(super) fn literal(&self, hit: &mut impl FnMut(&Entry)) {
        let Fingerprint { total, count, .. } = self.print;
        self.probe(outline::fixed_key(&self.index.keys, total, 0, count), hit);
    }

    /// Masks with as many segments as the path.
    pub(super) fn fixed_shapes(&self, hit: &mut impl FnMut(&Entry)) {
        let Fingerprint { total, count, .. } = self.print;
        self.for_each_shape(Kind::Fixed, |stars| {
            let sum = total.wrapping_sub(self.print.at_stars(stars));
            self.probe(outline::fixed_key(&self.index.keys, sum, stars, count), hit);
        });
    }

    /// Masks whose head is the start of the path.
    pub(super) fn open_shapes(&self, hit: &mut impl FnMut(&Entry)) {
        self.for_each_head(Kind::Open, |sum, bits, _| {
            self.probe(outline::open_key(&self.index.keys, sum, bits), hit);
        });
    }

    /// Masks whose head is the start of the path and whose next literal comes
    /// anywhere behind it.
    pub(super) fn gapped_shapes(&self, hit: &mut impl FnMut(&Entry)) {
        self.for_each_head(Kind::Gapped, |sum, bits, len| {
            let behind_head = || segments(self.path).skip(len).take(GAP_REACH);
            for (at, literal) in behind_head().enumerate() {
                let hash = self.index.keys.segment(literal.as_bytes());
                let key = outline::gapped_key(&self.index.keys, sum, bits, hash);
                let Some(first) = self.index.table.get(&key) else {
                    continue;
                };
                // A path that repeats the literal gets here repeatedly.
                if behind_head().take(at).all(|earlier| earlier != literal) {
                    self.visit_list(*first, hit);
                }
            }
        });
    }

    /// Calls `found` with the hash, shape and length of the start of the path
    /// that masks with a head may have.
    fn for_each_head(&self, kind: Kind, mut found: impl FnMut(u64, u64, usize)) {
        self.for_each_shape(kind, |bits| {
            let (stars, len) = outline::unguarded(bits);
            if len < self.print.count {
                let sum = self.print.sum(len).wrapping_sub(self.print.at_stars(stars));
                found(sum, bits, len);
            }
        });
    }

    fn for_each_shape(&self, kind: Kind, mut found: impl FnMut(u64)) {
        let Self { index, print, .. } = self;
        for prefix in index.shapes.prefixes(kind, print.count) {
            let sum = print.sum(prefix);
            let key = outline::shape_key(&index.keys, sum, prefix, kind, print.count);
            index.shapes.under(key).for_each(&mut found);
        }
    }

    fn probe(&self, key: u64, hit: &mut impl FnMut(&Entry)) {
        if let Some(first) = self.index.table.get(&key) {
            self.visit_list(*first, hit);
        }
    }

    /// Calls `hit` with the entries of a list that really match.
    fn visit_list(&self, mut at: u32, hit: &mut impl FnMut(&Entry)) {
        while let Some(entry) = self.index.entries.get(at) {
            if entry.mask.matches(self.path, entry.depth) {
                hit(entry);
            }
            at = entry.next;
        }
    }
}
