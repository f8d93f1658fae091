//! Which masks a cluster peer has to subscribe to.

use crate::deep::{Gap, split_segment};
use crate::depth::Depth;
use crate::mask::Mask;

/// The topic on which cluster nodes tell each other about security changes.
/// Whatever else is replicated, this one always is.
pub const REPLICATE_MASK: &str = "/__REPLICATE";

/// The fewest of `masks` that together match all that `masks` matches, and
/// [`REPLICATE_MASK`] besides.
///
/// A mask goes when one other covers it, so an event seldom matches two of the
/// kept ones; it still may, as `/a/*` and `/*/b` cannot be merged. Of equal
/// masks the first stays. Empty masks mean nothing to a peer and are left out.
///
/// ```
/// use happn_paths::{Mask, reduce};
///
/// let masks = ["/a/*", "/a/b", "/*/b"].map(Mask::from);
/// let kept: Vec<_> = reduce(&masks).iter().map(|mask| mask.to_string()).collect();
/// assert_eq!(kept, ["/a/*", "/*/b", "/__REPLICATE"]);
/// ```
#[must_use]
pub fn reduce(masks: &[Mask]) -> Vec<Mask> {
    let own = Mask::parse(REPLICATE_MASK);
    let wanted: Vec<&Mask> = masks
        .iter()
        .chain([&own])
        .filter(|mask| !mask.as_str().is_empty())
        .collect();
    let is_needed = |at: usize| {
        wanted.iter().enumerate().all(|(other_at, other)| {
            // Of two masks that cover each other only the later one goes.
            other_at == at
                || !covers(other, wanted[at])
                || (at < other_at && covers(wanted[at], other))
        })
    };
    (0..wanted.len())
        .filter(|&at| is_needed(at))
        .map(|at| wanted[at].clone())
        .collect()
}

/// Whether `wide` matches every path that `narrow` does, both with
/// [`Depth::DEFAULT`], the depth peers subscribe with.
///
/// A "no" may be wrong for a `narrow` with so many inner `**` that writing it
/// out takes more than 4096 masks; a "yes" never is.
#[must_use]
pub fn covers(wide: &Mask, narrow: &Mask) -> bool {
    if wide.is_everything() {
        return true;
    }
    if narrow.is_everything() {
        return false;
    }
    if !narrow.is_deep() {
        // A `*` in the narrow mask is a segment no literal equals, which is
        // just what it means here: every possible segment.
        return wide.matches(narrow.as_str(), Depth::DEFAULT);
    }
    if wide.normalised() == narrow.normalised() {
        return true;
    }
    if !wide.is_deep() {
        return false;
    }
    Spread::of(narrow).is_some_and(|spread| spread.all(|flat| wide.matches(flat, Depth::DEFAULT)))
}

/// A deep mask taken apart for writing out the flat masks it stands for.
struct Spread<'m> {
    parts: Vec<(Gap, Option<&'m str>)>,
}

/// Flat masks one deep mask may stand for before `covers` gives up.
const SPREAD_MAX: u64 = 4096;

impl<'m> Spread<'m> {
    fn of(mask: &'m Mask) -> Option<Self> {
        let mut parts = Vec::new();
        let mut gap = Gap::default();
        let segments = mask
            .segments()
            .map(|segment| split_segment(segment, Depth::DEFAULT));
        for (stretch, literal) in segments.chain([(Gap::default(), None)]) {
            gap.add(stretch);
            if literal.is_some() {
                parts.push((std::mem::take(&mut gap), literal));
            }
        }
        parts.push((gap, None));
        let count = parts.iter().try_fold(1u64, |count, (gap, _)| {
            Some(count.saturating_mul(u64::from(gap.max - gap.min) + 1))
                .filter(|n| *n <= SPREAD_MAX)
        });
        count.map(|_| Self { parts })
    }

    /// Whether `check` holds for each flat mask.
    fn all(&self, check: impl Fn(&str) -> bool) -> bool {
        let mut widths: Vec<u32> = self.parts.iter().map(|(gap, _)| gap.min).collect();
        loop {
            if !check(&self.flat(&widths)) {
                return false;
            }
            // Counts up like an odometer, one wheel per gap.
            let Some(at) = (0..widths.len()).find(|&at| widths[at] < self.parts[at].0.max) else {
                return true;
            };
            widths[at] += 1;
            for (width, (gap, _)) in widths[..at].iter_mut().zip(&self.parts) {
                *width = gap.min;
            }
        }
    }

    fn flat(&self, widths: &[u32]) -> String {
        let mut text = String::new();
        for (width, (_, literal)) in widths.iter().zip(&self.parts) {
            for _ in 0..*width {
                text.push_str("/*");
            }
            if let Some(literal) = literal {
                text.push('/');
                text.push_str(literal);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_deep_mask_is_written_out_in_full() {
        let mask = Mask::parse("/**/a/**");
        let seen = RefCell::new(BTreeSet::new());
        let spread = Spread::of(&mask).unwrap();
        assert!(spread.all(|flat| seen.borrow_mut().insert(flat.to_owned())));
        let expected: BTreeSet<String> = (1..=5)
            .flat_map(|before| (1..=5).map(move |behind| (before, behind)))
            .map(|(before, behind)| format!("{}/a{}", "/*".repeat(before), "/*".repeat(behind)))
            .collect();
        assert_eq!(seen.into_inner(), expected);
    }

    #[test]
    fn too_many_masks_are_not_written_out() {
        assert!(Spread::of(&Mask::parse("/**/a/**/a/**/a/**/a/**")).is_some());
        assert!(Spread::of(&Mask::parse("/**/a/**/a/**/a/**/a/**/a/**")).is_none());
    }
}
