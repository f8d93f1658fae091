//! Subscription masks, where `*` is one whole segment.

use std::fmt;
use std::sync::Arc;

use crate::deep;
use crate::depth::Depth;
use crate::segments::{normalised, segments};

/// The mask of a subscription or of the `replicate` list.
///
/// Rules, in order:
///
/// 1. The mask `*` alone matches everything.
/// 2. One leading `/` is ignored, in masks and in paths.
/// 3. A mask ending in `/**` (or just `**`) is *deep*: the last `**` stands for
///    1 to [`Depth`] segments. In a deep mask, other segments starting with
///    `**` stretch likewise; see [`Mask::matches`].
/// 4. Otherwise path and mask have equally many segments, and each mask segment
///    is `*` or equals the path's, byte for byte.
///
/// So `te*` is a literal, and wildcards in the path mean nothing.
///
/// ```
/// use happn_paths::{Depth, Mask};
///
/// let mask = Mask::parse("/orders/*/state");
/// assert!(mask.matches("/orders/12/state", Depth::DEFAULT));
/// assert!(!mask.matches("/orders/12/lines/state", Depth::DEFAULT));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mask(Arc<str>);

impl Mask {
    /// Takes any text as a mask. Whether it may be *used* is for
    /// [`validate`](crate::validate) to say.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.into())
    }

    /// The mask as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the bare `*`, which ignores even the action.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        &*self.0 == "*"
    }

    /// Whether the mask ends in a `**` that stands for several segments.
    #[must_use]
    pub fn is_deep(&self) -> bool {
        let text = self.normalised();
        text == "**" || text.ends_with("/**")
    }

    /// The text without the one leading `/` that does not count. Two masks with
    /// the same normalised text are the same subscription, except that `/*` is
    /// not the bare `*`.
    #[must_use]
    pub fn normalised(&self) -> &str {
        normalised(&self.0)
    }

    /// The segments of the normalised text; at least one, possibly empty.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        segments(&self.0)
    }

    /// Whether a publication on `path` reaches this mask. Allocates nothing.
    ///
    /// `depth` matters for deep masks only. There a segment `**` before the last
    /// stands for 1 to `depth` segments too, and one like `**x` for 0 to
    /// `depth - 1` segments followed by the literal `*x`. The JavaScript server
    /// writes out all combinations; here they are matched by arithmetic, and all
    /// ways to match up to a literal are followed as long as they end within 128
    /// segments of each other. It takes 32 inner `**` at the default depth, and a
    /// path that fits them in as many ways, to notice.
    #[must_use]
    pub fn matches(&self, path: &str, depth: Depth) -> bool {
        if self.is_everything() {
            true
        } else if self.is_deep() {
            deep::matches(&self.0, path, depth)
        } else {
            flat_matches(&self.0, path)
        }
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Mask {
    fn from(text: &str) -> Self {
        Self::parse(text)
    }
}

/// Compares byte by byte: cheaper than cutting both texts into segments first.
fn flat_matches(mask: &str, path: &str) -> bool {
    let (mask, path) = (normalised(mask).as_bytes(), normalised(path).as_bytes());
    let (mut ours, mut theirs) = (mask.iter().peekable(), path.iter().peekable());
    let mut at_start = true;
    while let Some(byte) = ours.next() {
        if at_start && *byte == b'*' && ours.peek().is_none_or(|next| **next == b'/') {
            while theirs.next_if(|byte| **byte != b'/').is_some() {}
        } else if theirs.next() == Some(byte) {
            at_start = *byte == b'/';
        } else {
            return false;
        }
    }
    theirs.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mask: &str, matching: &[&str], others: &[&str]) {
        let mask = Mask::parse(mask);
        for path in matching {
            assert!(
                mask.matches(path, Depth::DEFAULT),
                "{mask} should match {path:?}"
            );
        }
        for path in others {
            assert!(
                !mask.matches(path, Depth::DEFAULT),
                "{mask} should not match {path:?}"
            );
        }
    }

    #[test]
    fn a_star_is_one_segment() {
        check("/a/b", &["/a/b", "a/b"], &["/a/b/", "/A/b", "/a//b"]);
        check("/a/*", &["/a/b", "/a/", "/a/*"], &["/a", "/a/b/c", "/A/b"]);
        check("/*", &["/a", "a", "/", ""], &["/a/b", "//a"]);
        check("*/b", &["/a/b", "//b"], &["/b", "/a/x/b"]);
        check("/te*", &["/te*"], &["/test"]);
        check("*", &["", "/", "/a/b/c/d/e/f/g"], &[]);
    }

    #[test]
    fn a_trailing_double_star_is_one_to_five_segments() {
        check(
            "/a/**",
            &["/a/1", "/a/1/2/3/4/5", "/a/"],
            &["/a", "/a/1/2/3/4/5/6", "/b/1"],
        );
        check("**", &["/a", "", "/1/2/3/4/5"], &["/1/2/3/4/5/6"]);
        check("/a/**/c", &["/a/**/c"], &["/a/x/c"]);
        check("/a/***", &["/a/***"], &["/a/x"]);
    }

    #[test]
    fn inner_double_stars_stretch_each_on_its_own() {
        let mask = Mask::parse("/**/x/**/y/**/z/**");
        let path = |x, y, z| ["/a".repeat(x), "/a".repeat(y), "/a".repeat(z)];
        let joined = |[x, y, z]: [String; 3]| format!("{x}/x{y}/y{z}/z/a");
        assert!(mask.matches(&joined(path(64, 64, 64)), Depth::MAX));
        assert!(mask.matches(&joined(path(1, 1, 64)), Depth::MAX));
        assert!(!mask.matches(&joined(path(65, 1, 1)), Depth::MAX));
        assert!(!mask.matches(&joined(path(1, 1, 65)), Depth::MAX));
        assert!(!mask.matches(&joined(path(1, 0, 1)), Depth::MAX));
    }
}
