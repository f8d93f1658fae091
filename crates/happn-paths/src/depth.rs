//! How far a deep mask reaches.

/// How many segments a trailing `**` may stand for: from one up to this many.
///
/// It says nothing about masks that do not end in `/**`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Depth(u8);

impl Depth {
    /// What a server uses when the subscription does not say.
    pub const DEFAULT: Self = Self(5);

    /// A `**` that stands for nothing, not even for zero segments.
    pub const NONE: Self = Self(0);

    /// The deepest reach granted. The JavaScript server has no limit and pays
    /// one index entry per level; nobody's paths are that deep.
    pub const MAX: Self = Self(64);

    /// Clamps what a client sent. Zero and negative numbers match nothing.
    #[must_use]
    pub fn from_integer(levels: i64) -> Self {
        let clamped = levels.clamp(0, i64::from(Self::MAX.0));
        Self(u8::try_from(clamped).unwrap_or(Self::MAX.0))
    }

    /// The number of levels.
    #[must_use]
    pub fn levels(self) -> u32 {
        u32::from(self.0)
    }
}

impl Default for Depth {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_clamped() {
        let cases = [
            (i64::MIN, 0),
            (-1, 0),
            (0, 0),
            (1, 1),
            (64, 64),
            (65, 64),
            (i64::MAX, 64),
        ];
        for (sent, levels) in cases {
            assert_eq!(Depth::from_integer(sent).levels(), levels, "{sent}");
        }
        assert_eq!(Depth::default().levels(), 5);
    }
}
