//! Eight bytes of text looked at together: most texts here are too short for anything wider.

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);

/// Eight bytes, the first one lowest.
#[derive(Clone, Copy)]
pub(crate) struct Word(u64);

/// The top bit of each byte that was looked for, and maybe of some behind the first such byte.
#[derive(Clone, Copy)]
pub(crate) struct Found(u64);

impl Word {
    pub(crate) fn new(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }

    /// Bytes less than `limit`, which is 128 at most.
    pub(crate) fn below(self, limit: u8) -> Found {
        // A smaller byte borrows, which sets its top bit; those that had it set do not count.
        Found(self.0.wrapping_sub(ONES * u64::from(limit)) & !self.0)
    }

    pub(crate) fn equal(self, byte: u8) -> Found {
        Self(self.0 ^ (ONES * u64::from(byte))).below(1)
    }
}

impl Found {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn any(self) -> bool {
        self.0 & TOPS != 0
    }

    /// The place of the first byte found.
    pub(crate) fn first(self) -> Option<usize> {
        let found = self.0 & TOPS;
        (found != 0).then(|| (found.trailing_zeros() / 8) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_first_byte_is_found_and_none_that_is_not_there(bytes: [u8; 8], byte: u8, limit in 0..=128u8) {
            let word = Word::new(bytes);
            let place = |wanted: &dyn Fn(u8) -> bool| bytes.iter().position(|&byte| wanted(byte));
            proptest::prop_assert_eq!(word.equal(bytes[5]).first(), place(&|other| other == bytes[5]));
            proptest::prop_assert_eq!(word.equal(byte).first(), place(&|other| other == byte));
            proptest::prop_assert_eq!(word.below(limit).first(), place(&|other| other < limit));
            let either = word.below(limit).or(word.equal(byte));
            proptest::prop_assert_eq!(either.first(), place(&|other| other < limit || other == byte));
            proptest::prop_assert_eq!(either.any(), either.first().is_some());
        }
    }
}
