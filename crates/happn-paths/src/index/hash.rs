//! Keyed hashing of paths and masks.
//!
//! The hash of a mask is the *sum* of the hashes of its literal segments, each
//! mixed with its position. Turning a segment of a path into a `*` is then one
//! subtraction, and no text is built to probe for any mask a path may match.

use std::hash::{BuildHasherDefault, Hasher};

use crate::segments::normalised;

/// Segments at the start of a mask that may be wildcards in the tables. Stars
/// further back are checked on the text, one candidate after the other.
pub(crate) const HEAD_MAX: usize = 63;

/// Secret numbers that keep clients from choosing texts that collide.
pub(crate) struct Keys {
    first: u64,
    second: u64,
    third: u64,
}

/// Odd, without pattern: the fractional part of the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Keys {
    pub(crate) fn new(seed: [u64; 2]) -> Self {
        let first = scramble(seed[0]);
        let second = scramble(seed[1] ^ first);
        Self {
            first,
            second: second | 1,
            third: scramble(first ^ second) | 1,
        }
    }

    /// The hash of a segment, wherever it stands.
    pub(crate) fn segment(&self, segment: &[u8]) -> u64 {
        let mut state = self.first;
        let (words, tail) = segment.as_chunks::<8>();
        for word in words {
            state = fold(state ^ u64::from_le_bytes(*word), self.second);
        }
        // The length goes into the other factor: next to the text it could
        // cancel out against it.
        let factor = self.third.wrapping_add(2 * segment.len() as u64);
        fold(state ^ short_word(tail), factor)
    }

    /// The hash of a segment at a position.
    pub(crate) fn at(&self, segment: &[u8], position: usize) -> u64 {
        let turned = (position as u64 + 1).wrapping_mul(SPREAD);
        fold(self.segment(segment) ^ turned, self.second)
    }

    /// A table key from a sum and two more numbers that tell keys apart.
    pub(crate) fn key(&self, sum: u64, shape: u64, label: u64) -> u64 {
        fold(
            fold(sum ^ self.first, shape ^ self.second) ^ label,
            self.third,
        )
    }
}

/// What a path looks like to the tables.
pub(crate) struct Fingerprint {
    /// `sums[k]` covers the first `k` segments.
    sums: [u64; HEAD_MAX + 1],
    /// Covers all segments, however many.
    pub(crate) total: u64,
    pub(crate) count: usize,
}

impl Fingerprint {
    pub(crate) fn of(keys: &Keys, path: &str) -> Self {
        let mut print = Self {
            sums: [0; HEAD_MAX + 1],
            total: 0,
            count: 0,
        };
        for segment in normalised(path).as_bytes().split(|byte| *byte == b'/') {
            print.total = print.total.wrapping_add(keys.at(segment, print.count));
            print.count += 1;
            if let Some(sum) = print.sums.get_mut(print.count) {
                *sum = print.total;
            }
        }
        print
    }

    /// The sum over the first `len` segments, at most [`HEAD_MAX`].
    pub(crate) fn sum(&self, len: usize) -> u64 {
        self.sums[len]
    }

    /// What the segments at the positions in `stars` add to a sum.
    pub(crate) fn at_stars(&self, mut stars: u64) -> u64 {
        let mut sum = 0u64;
        while stars != 0 {
            let at = stars.trailing_zeros() as usize;
            sum = sum.wrapping_add(self.sums[at + 1].wrapping_sub(self.sums[at]));
            stars &= stars - 1;
        }
        sum
    }
}

/// For tables whose keys are hashes already.
pub(crate) type Ready = BuildHasherDefault<ReadyHasher>;

/// Passes a number through as its own hash.
#[derive(Default)]
pub(crate) struct ReadyHasher(u64);

impl Hasher for ReadyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        // Ids are small and regular; tables look at the top bits too.
        self.0 = fold(u64::from(number) ^ SPREAD, SPREAD);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// Both halves of the product, so that every input bit reaches every output bit.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

/// Up to seven bytes as one number. For one length, different bytes give
/// different numbers; the reads overlap rather than loop.
fn short_word(tail: &[u8]) -> u64 {
    if let (Some(start), Some(end)) = (tail.first_chunk::<4>(), tail.last_chunk::<4>()) {
        u64::from(u32::from_le_bytes(*start)) | u64::from(u32::from_le_bytes(*end)) << 32
    } else if let (Some(first), Some(last)) = (tail.first(), tail.last()) {
        u64::from(*first) | u64::from(tail[tail.len() / 2]) << 8 | u64::from(*last) << 16
    } else {
        0
    }
}

/// A bijection that leaves no trace of regular seeds.
fn scramble(seed: u64) -> u64 {
    let mut state = seed.wrapping_add(SPREAD);
    state = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ state >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ state >> 31
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// An early version mixed the length into the text by exclusive or. `b` and
    /// `ab` then had one hash under every seed, and a subscription found by
    /// either was visited twice. Short texts of all lengths must stay apart.
    #[test]
    fn short_segments_never_share_a_hash() {
        let letters = b"abcdABxy01\0\x01\x02\x03\x7f*";
        for seed in [[0, 0], [1, 2], [u64::MAX, SPREAD]] {
            let keys = Keys::new(seed);
            let mut texts: Vec<Vec<u8>> = vec![Vec::new()];
            let mut seen = HashSet::from([keys.segment(b"")]);
            for _ in 0..3 {
                let longer = texts.iter().flat_map(|text| {
                    letters
                        .iter()
                        .map(|letter| [text.as_slice(), &[*letter]].concat())
                });
                texts = longer.collect();
                assert!(texts.iter().all(|text| seen.insert(keys.segment(text))));
            }
        }
    }

    #[test]
    fn every_byte_and_the_position_count() {
        let keys = Keys::new([3, 4]);
        let text: Vec<u8> = (1..=40).collect();
        let mut seen = HashSet::new();
        for len in 0..=text.len() {
            assert!(seen.insert(keys.segment(&text[..len])));
            for at in 0..len {
                let mut changed = text[..len].to_vec();
                changed[at] ^= 1;
                assert!(seen.insert(keys.segment(&changed)), "byte {at} of {len}");
            }
        }
        let places: HashSet<u64> = (0..1000).map(|position| keys.at(b"a", position)).collect();
        assert_eq!(places.len(), 1000);
    }

    #[test]
    fn stars_subtract_what_their_segments_added() {
        let keys = Keys::new([5, 6]);
        let print = Fingerprint::of(&keys, "/a/b/c");
        let expected = keys.at(b"a", 0).wrapping_add(keys.at(b"c", 2));
        assert_eq!(print.total.wrapping_sub(print.at_stars(0b10)), expected);
        assert_eq!((print.count, print.sum(3)), (3, print.total));
    }
}
