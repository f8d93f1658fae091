//! Where a mask is filed in the tables.

use super::hash::{HEAD_MAX, Keys};
use crate::deep::{Gap, split_segment};
use crate::depth::Depth;
use crate::mask::Mask;

/// How the tables get from a path to a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As many segments as the path, each a literal or `*`.
    Fixed,
    /// A head that is filed, and more that is checked on the text: a trailing
    /// `**`, or a `*` too far back for the tables.
    Open,
    /// A head, a gap of variable width, and a literal segment by which the mask
    /// is filed next to the head.
    Gapped,
}

/// The keys under which a mask is found.
#[derive(Debug)]
pub(crate) struct Outline {
    /// Its key in the mask table.
    pub(crate) key: u64,
    /// The shape to announce; none for a mask of literals only.
    pub(crate) shape: Option<Shape>,
}

/// A shape, announced at the literal prefix of the masks that have it, so that
/// paths with other prefixes do not have to try it.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    /// Segments, for [`Kind::Fixed`]; see [`shape_label`].
    pub(crate) count: usize,
    /// Length of the literal prefix, at most [`HEAD_MAX`].
    pub(crate) prefix: usize,
    /// The key of that prefix in the shape table.
    pub(crate) key: u64,
    /// Which segments are stars, for [`Kind::Fixed`]; else [`guarded`].
    pub(crate) bits: u64,
}

/// How far behind the head the literal of a gapped mask may stand. Masks with
/// a wider gap are filed as [`Kind::Open`].
pub(crate) const GAP_REACH: usize = 192;

impl Outline {
    pub(crate) fn of(keys: &Keys, mask: &Mask, depth: Depth) -> Self {
        if mask.is_deep() {
            Self::deep(keys, mask, depth)
        } else {
            Self::flat(keys, mask)
        }
    }

    fn flat(keys: &Keys, mask: &Mask) -> Self {
        let mut whole = Head::default();
        let mut start = None;
        for segment in mask.segments() {
            if whole.len == HEAD_MAX {
                start = Some(whole);
            }
            match (segment, start) {
                ("*", Some(start)) => return start.open(keys),
                ("*", None) => whole.push_star(),
                (literal, _) => whole.push(keys, literal),
            }
        }
        whole.fixed(keys)
    }

    fn deep(keys: &Keys, mask: &Mask, depth: Depth) -> Self {
        let mut head = Head::default();
        // The head ends with a literal: stars behind it are part of the gap.
        let mut gap = Gap::default();
        for segment in mask.segments() {
            let (stretch, literal) = split_segment(segment, depth);
            gap.add(stretch);
            let Some(literal) = literal else { continue };
            if gap.min < gap.max {
                return head.gapped(keys, gap, literal);
            }
            let stars = gap.min as usize;
            if head.len + stars >= HEAD_MAX {
                break;
            }
            (0..stars).for_each(|_| head.push_star());
            head.push(keys, literal);
            gap = Gap::default();
        }
        head.open(keys)
    }
}

/// The start of a mask, summed up.
#[derive(Clone, Copy, Default)]
struct Head {
    len: usize,
    sum: u64,
    stars: u64,
    /// The sum up to the first star, once there is one.
    prefix_sum: u64,
}

impl Head {
    fn push(&mut self, keys: &Keys, literal: &str) {
        self.sum = self.sum.wrapping_add(keys.at(literal.as_bytes(), self.len));
        self.len += 1;
    }

    fn push_star(&mut self) {
        if self.stars == 0 {
            self.prefix_sum = self.sum;
        }
        self.stars |= 1 << self.len;
        self.len += 1;
    }

    fn fixed(self, keys: &Keys) -> Outline {
        let key = fixed_key(keys, self.sum, self.stars, self.len);
        let shape = (self.stars != 0).then(|| self.shape(keys, Kind::Fixed, self.stars));
        Outline { key, shape }
    }

    fn open(self, keys: &Keys) -> Outline {
        let bits = guarded(self.stars, self.len);
        let shape = Some(self.shape(keys, Kind::Open, bits));
        Outline {
            key: open_key(keys, self.sum, bits),
            shape,
        }
    }

    fn gapped(self, keys: &Keys, gap: Gap, literal: &str) -> Outline {
        if gap.reach() as usize >= GAP_REACH {
            return self.open(keys);
        }
        let bits = guarded(self.stars, self.len);
        let shape = Some(self.shape(keys, Kind::Gapped, bits));
        let literal = keys.segment(literal.as_bytes());
        Outline {
            key: gapped_key(keys, self.sum, bits, literal),
            shape,
        }
    }

    fn shape(&self, keys: &Keys, kind: Kind, bits: u64) -> Shape {
        let (prefix, sum) = match self.stars {
            0 => (self.len, self.sum),
            stars => (stars.trailing_zeros() as usize, self.prefix_sum),
        };
        let key = shape_key(keys, sum, prefix, kind, self.len);
        Shape {
            kind,
            count: self.len,
            prefix,
            key,
            bits,
        }
    }
}

/// Star positions below a guard bit that marks the length, so that one number
/// holds both.
fn guarded(stars: u64, len: usize) -> u64 {
    stars | 1 << len
}

/// Undoes [`guarded`]: star positions and length.
pub(crate) fn unguarded(bits: u64) -> (u64, usize) {
    let len = bits.checked_ilog2().unwrap_or(0);
    (bits ^ 1 << len, len as usize)
}

pub(crate) fn fixed_key(keys: &Keys, sum: u64, stars: u64, count: usize) -> u64 {
    keys.key(sum, stars, count as u64)
}

pub(crate) fn open_key(keys: &Keys, sum: u64, bits: u64) -> u64 {
    keys.key(sum, bits, u64::MAX)
}

pub(crate) fn gapped_key(keys: &Keys, sum: u64, bits: u64, literal: u64) -> u64 {
    keys.key(sum, bits, literal)
}

/// The key of a literal prefix in the shape table. Fixed shapes are kept apart
/// by segment count, since a path can only have those of its own.
pub(crate) fn shape_key(keys: &Keys, sum: u64, prefix: usize, kind: Kind, count: usize) -> u64 {
    let label = match kind {
        Kind::Fixed => count as u64,
        Kind::Open => u64::MAX,
        Kind::Gapped => u64::MAX - 1,
    };
    keys.key(sum, prefix as u64, label)
}
