//! Store masks, where `*` is any run of characters.

use std::fmt;
use std::sync::Arc;

/// The path argument of get, remove and count.
///
/// Without a `*` it names one item, exactly. With one, each run of `*` stands
/// for any characters, `/` included, possibly none; everything else is literal,
/// case counts, and the whole path must match.
///
/// A `*` does not stand for a line break (`\n`, `\r`, U+2028, U+2029). That is
/// what the embedded stores of the JavaScript server do. MongoDB stops at `\n`
/// only and forgives one at the very end; a store that evaluates globs itself
/// may differ there and nowhere else.
///
/// Matching is linear in the path for any number of `*`.
///
/// ```
/// use happn_paths::StoreGlob;
///
/// let glob = StoreGlob::new("/orders/*/state");
/// assert!(glob.matches("/orders/7/lines/2/state"));
/// assert_eq!(glob.literal_prefix(), "/orders/");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreGlob(Arc<str>);

impl StoreGlob {
    /// Takes any text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this names a single item rather than a list.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// What every matching path starts with; the start of a range scan.
    #[must_use]
    pub fn literal_prefix(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }

    /// Whether the item at `path` is meant.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        matches(&self.0, path)
    }
}

impl fmt::Display for StoreGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Matches `path` from the left, taking each literal piece where it first
/// occurs.
///
/// Taking the first occurrence is right although a gap must not hold a line
/// break: a piece with a break inside has only one occurrence that a break-free
/// gap can reach, and for any other piece an earlier end never adds a break to
/// the gap that follows.
pub(crate) fn matches(glob: &str, path: &str) -> bool {
    let Some((prefix, rest)) = glob.split_once('*') else {
        return glob == path;
    };
    let (middle, suffix) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut left) = path.strip_prefix(prefix) else {
        return false;
    };
    // Empty pieces come from runs of `*`, which count once.
    for piece in middle.split('*').filter(|piece| !piece.is_empty()) {
        let Some((gap, after)) = left.split_once(piece) else {
            return false;
        };
        if has_line_break(gap) {
            return false;
        }
        left = after;
    }
    left.strip_suffix(suffix)
        .is_some_and(|gap| !has_line_break(gap))
}

pub(crate) fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

fn has_line_break(text: &str) -> bool {
    text.contains(is_line_break)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(glob: &str, matching: &[&str], others: &[&str]) {
        let glob = StoreGlob::new(glob);
        for path in matching {
            assert!(glob.matches(path), "{glob} should match {path:?}");
        }
        for path in others {
            assert!(!glob.matches(path), "{glob} should not match {path:?}");
        }
    }

    #[test]
    fn stars_cross_slashes() {
        check(
            "/a/*",
            &["/a/", "/a/b", "/a/b/c"],
            &["/a", "/A/b", "/x/a/b", "a/b"],
        );
        check("/a*", &["/a", "/ab", "/a/b"], &["/A"]);
        check("/a/*/c", &["/a/x/c", "/a/x/y/c", "/a//c"], &["/a/c"]);
        check("/a/***", &["/a/", "/a/b"], &["/a"]);
        check("/x.y/*", &["/x.y/1"], &["/xzy/1"]);
        check("/aa*aa", &["/aaaa"], &["/aaa"]);
    }

    #[test]
    fn stars_stop_at_line_breaks_but_literals_may_hold_them() {
        check(
            "/a*",
            &["/ab"],
            &["/a\nb", "/a\r", "/a\u{2028}", "/a\u{2029}b"],
        );
        check("/a\nb*", &["/a\nb", "/a\nbc"], &["/a\nb\n"]);
        check("*a\n*b", &["a\nb", "xa\nxb"], &["xa\nx\nb"]);
    }

    #[test]
    fn the_literal_prefix_ends_at_the_first_star() {
        assert_eq!(StoreGlob::new("/a/b*c*").literal_prefix(), "/a/b");
        assert_eq!(StoreGlob::new("*").literal_prefix(), "");
        assert_eq!(StoreGlob::new("/a").literal_prefix(), "/a");
        assert!(StoreGlob::new("/a").is_exact());
        assert!(!StoreGlob::new("/a*").is_exact());
    }
}
