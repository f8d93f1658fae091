//! Which shapes of masks exist below which literal prefix.

use std::collections::HashMap;

use super::hash::{HEAD_MAX, Ready};
use super::outline::{Kind, Shape};
use super::slab::{NONE, Slab};
use super::table_bytes;

/// The shapes of all masks that are not literal throughout.
///
/// Shapes of one prefix form a list whose first element sits in the table
/// itself; most prefixes have just that one.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    table: HashMap<u64, Row, Ready>,
    more: Slab<Row>,
    fixed: Vec<InUse>,
    open: InUse,
    gapped: InUse,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    bits: u64,
    /// Masks with this shape.
    masks: u32,
    next: u32,
}

impl Shapes {
    pub(crate) fn add(&mut self, shape: &Shape) {
        self.in_use_mut(shape).add(shape.prefix);
        let row = Row {
            bits: shape.bits,
            masks: 1,
            next: NONE,
        };
        let Some(first) = self.table.get_mut(&shape.key) else {
            self.table.insert(shape.key, row);
            return;
        };
        if first.bits == shape.bits {
            first.masks += 1;
            return;
        }
        let mut at = first.next;
        while let Some(row) = self.more.get_mut(at) {
            if row.bits == shape.bits {
                row.masks += 1;
                return;
            }
            at = row.next;
        }
        first.next = self.more.insert(Row {
            next: first.next,
            ..row
        });
    }

    pub(crate) fn remove(&mut self, shape: &Shape) {
        self.in_use_mut(shape).remove(shape.prefix);
        let Some(first) = self.table.get_mut(&shape.key) else {
            return;
        };
        if first.bits == shape.bits {
            first.masks -= 1;
            if first.masks == 0 {
                match self.more.remove(first.next) {
                    Some(second) => *first = second,
                    None => drop(self.table.remove(&shape.key)),
                }
            }
            return;
        }
        let (mut before, mut at) = (NONE, first.next);
        while let Some(row) = self.more.get_mut(at) {
            if row.bits == shape.bits {
                row.masks -= 1;
                if row.masks == 0 {
                    let next = row.next;
                    self.more.remove(at);
                    match self.more.get_mut(before) {
                        Some(before) => before.next = next,
                        None => first.next = next,
                    }
                }
                return;
            }
            (before, at) = (at, row.next);
        }
    }

    /// The shapes announced under a key, as the bits they were added with.
    pub(crate) fn under(&self, key: u64) -> impl Iterator<Item = u64> {
        let mut next = self.table.get(&key);
        std::iter::from_fn(move || {
            let row = next?;
            next = self.more.get(row.next);
            Some(row.bits)
        })
    }

    /// Lengths of literal prefixes worth trying for a path of `count` segments.
    pub(crate) fn prefixes(&self, kind: Kind, count: usize) -> impl Iterator<Item = usize> {
        let (in_use, longest) = match kind {
            Kind::Fixed => (self.fixed.get(bucket(count)), count),
            // There is at least one more segment than the head has.
            Kind::Open => (Some(&self.open), count - 1),
            Kind::Gapped => (Some(&self.gapped), count - 1),
        };
        let mut bits = in_use.map_or(0, |in_use| in_use.bits);
        if longest < HEAD_MAX {
            bits &= (2 << longest) - 1;
        }
        std::iter::from_fn(move || {
            let prefix = bits.checked_ilog2()?;
            bits ^= 1 << prefix;
            Some(prefix as usize)
        })
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        let unused = |in_use: &InUse| in_use.bits == 0;
        self.table.is_empty()
            && self
                .fixed
                .iter()
                .chain([&self.open, &self.gapped])
                .all(unused)
            && self.more.is_empty()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let in_use = self.fixed.capacity() * size_of::<InUse>();
        table_bytes(&self.table) + self.more.memory_bytes() + in_use
    }

    fn in_use_mut(&mut self, shape: &Shape) -> &mut InUse {
        match shape.kind {
            Kind::Fixed => {
                let at = bucket(shape.count);
                if self.fixed.len() <= at {
                    self.fixed.resize(at + 1, InUse::default());
                }
                &mut self.fixed[at]
            }
            Kind::Open => &mut self.open,
            Kind::Gapped => &mut self.gapped,
        }
    }
}

/// Long paths share a counter; it only saves probes.
fn bucket(count: usize) -> usize {
    count.min(HEAD_MAX + 1)
}

/// Counts masks by the length of their literal prefix.
#[derive(Clone, Debug)]
struct InUse {
    counts: [u32; HEAD_MAX + 1],
    /// Bit `k`: `counts[k]` is not zero.
    bits: u64,
}

impl Default for InUse {
    fn default() -> Self {
        Self {
            counts: [0; HEAD_MAX + 1],
            bits: 0,
        }
    }
}

impl InUse {
    fn add(&mut self, prefix: usize) {
        self.counts[prefix] += 1;
        self.bits |= 1 << prefix;
    }

    fn remove(&mut self, prefix: usize) {
        self.counts[prefix] -= 1;
        if self.counts[prefix] == 0 {
            self.bits ^= 1 << prefix;
        }
    }
}
