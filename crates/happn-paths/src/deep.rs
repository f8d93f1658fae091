//! Matching masks that end in `/**`.
//!
//! Such a mask is a row of literal segments with *gaps* between them, each gap
//! standing for `min..=max` arbitrary segments. Since gaps have an upper bound,
//! taking the first literal that fits is not enough; all positions reachable so
//! far are kept as bits of one word, so that no mask can make matching explode.

use std::str::Split;

use crate::depth::Depth;
use crate::segments::segments;

/// Whether `path` has the shape of the deep mask `mask`.
pub(crate) fn matches(mask: &str, path: &str, depth: Depth) -> bool {
    if depth == Depth::NONE {
        return false;
    }
    let mut reach = Reach::new(path);
    let mut gap = Gap::default();
    for segment in segments(mask) {
        let (stretch, literal) = split_segment(segment, depth);
        gap.add(stretch);
        let Some(literal) = literal else { continue };
        if !reach.step(std::mem::take(&mut gap), literal) {
            return false;
        }
    }
    reach.can_end(gap)
}

/// How many arbitrary segments a part of the mask stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) min: u32,
    pub(crate) max: u32,
}

impl Gap {
    pub(crate) fn add(&mut self, other: Self) {
        self.min = self.min.saturating_add(other.min);
        self.max = self.max.saturating_add(other.max);
    }

    /// The widest this gap gets when a literal follows it.
    pub(crate) fn reach(self) -> u32 {
        self.min
            .saturating_add((self.max - self.min).min(SLACK_MAX))
    }
}

/// Splits a segment of a deep mask into what it stretches over and what must
/// then follow literally.
///
/// The rule to reproduce replaces each textual `/**` by one to `depth` segments
/// `*`, again and again from the left. A segment of `n` stars thus stretches
/// `n - 1` times, and when something follows the stars, one star stays with it.
pub(crate) fn split_segment(segment: &str, depth: Depth) -> (Gap, Option<&str>) {
    let rest = segment.trim_start_matches('*');
    let stars = u32::try_from(segment.len() - rest.len()).unwrap_or(u32::MAX);
    // `Depth::NONE` never gets to use this; one level keeps `min <= max`.
    let levels = depth.levels().max(1);
    match (stars, rest.is_empty()) {
        (1, true) => (Gap { min: 1, max: 1 }, None),
        (2.., true) => {
            let max = levels.saturating_add((stars - 2).saturating_mul(levels - 1));
            (Gap { min: 1, max }, None)
        }
        (2.., false) => {
            let max = (stars - 1).saturating_mul(levels - 1);
            let literal = &segment[segment.len() - rest.len() - 1..];
            (Gap { min: 0, max }, Some(literal))
        }
        (0 | 1, _) => (Gap::default(), Some(segment)),
    }
}

/// How far apart the positions may be that a mask is followed at.
const SLACK_MAX: u32 = u128::BITS - 1;

/// The set of path positions the mask read so far can end at.
struct Reach<'p> {
    /// Bit `i` set: the mask so far can use up `i` segments more than what
    /// `rest` has already dropped. Bit 0 is always set.
    bits: u128,
    rest: Split<'p, char>,
}

impl<'p> Reach<'p> {
    fn new(path: &'p str) -> Self {
        Self {
            bits: 1,
            rest: segments(path),
        }
    }

    /// Moves over a gap and then one literal. False: no position is left.
    fn step(&mut self, gap: Gap, literal: &str) -> bool {
        if !self.skip(gap.min) {
            return false;
        }
        // Positions further out than the word is wide are lost.
        self.smear((gap.max - gap.min).min(SLACK_MAX));
        self.retain_before(literal);
        // The literal itself is used up: every position moves by one.
        self.bits != 0 && self.skip(self.bits.trailing_zeros() + 1) && {
            self.bits >>= self.bits.trailing_zeros();
            true
        }
    }

    /// Drops `count` segments of the path, if there are as many.
    fn skip(&mut self, count: u32) -> bool {
        (0..count).all(|_| self.rest.next().is_some())
    }

    /// Sets every bit at most `slack` above a set one.
    fn smear(&mut self, mut slack: u32) {
        let mut width = 1;
        while slack > 0 {
            let step = width.min(slack);
            self.bits |= self.bits << step;
            slack -= step;
            width *= 2;
        }
    }

    /// Keeps the positions whose next segment is `literal`.
    fn retain_before(&mut self, literal: &str) {
        let width = u128::BITS - self.bits.leading_zeros();
        let mut equal = 0u128;
        for (at, segment) in (0..width).zip(self.rest.clone()) {
            if segment == literal {
                equal |= 1 << at;
            }
        }
        self.bits &= equal;
    }

    /// Whether what is left of the path fits a final gap.
    fn can_end(mut self, gap: Gap) -> bool {
        if !self.skip(gap.min) {
            return false;
        }
        let slack = (gap.max - gap.min) as usize;
        let widest = slack.saturating_add(u128::BITS as usize);
        let left = self.rest.by_ref().take(widest + 1).count();
        // Position `i` leaves `left - i` segments to the slack of the gap.
        (0..u128::BITS as usize)
            .filter(|at| self.bits >> at & 1 == 1)
            .any(|at| left >= at && left - at <= slack)
    }
}
