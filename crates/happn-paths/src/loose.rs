//! The loose matching of older parts of happn, for compatibility only.
//!
//! Permissions, store routing and a few look-ups of the JavaScript system use a
//! glob with three oddities: letters match in either case as soon as the mask
//! holds a `*`; doubled characters, not just doubled stars, become `*` (so
//! `/hello/*` matches `/heXo/1`); and one variant then insists on the case of
//! the text after the last `*`. Nothing here is used unless asked for by name;
//! [`StoreGlob`](crate::StoreGlob) is the strict counterpart.

use crate::glob;

/// Which of the two loose matchers to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tail {
    /// The text after the last `*` must occur in the path in the same case.
    /// Permissions, look-up tables and the client's `offPath` do this.
    Checked,
    /// It need not. Store routing and HTTP exclusions do this.
    Plain,
}

/// A mask with loose matching.
///
/// ```
/// use happn_paths::loose::{LooseGlob, Tail};
///
/// assert!(LooseGlob::new("/hello/*", Tail::Plain).matches("/HEXO/1"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LooseGlob {
    rule: Rule,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Rule {
    Anything,
    Exact(Box<str>),
    Glob {
        folded: Box<str>,
        tail: Option<Box<str>>,
    },
}

impl LooseGlob {
    /// Takes any text.
    #[must_use]
    pub fn new(mask: &str, tail: Tail) -> Self {
        if !mask.contains('*') {
            return Self {
                rule: Rule::Exact(mask.into()),
            };
        }
        let collapsed = collapse(mask);
        if collapsed == "*" {
            return Self {
                rule: Rule::Anything,
            };
        }
        let tail = match (tail, collapsed.rsplit_once('*')) {
            (Tail::Checked, Some((_, tail))) if !tail.is_empty() => Some(tail.into()),
            _ => None,
        };
        Self {
            rule: Rule::Glob {
                folded: fold(&collapsed).into(),
                tail,
            },
        }
    }

    /// Whether `text` is meant. Linear in the text; allocates one copy of it
    /// for the comparison without case.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match &self.rule {
            Rule::Anything => true,
            Rule::Exact(exact) => **exact == *text,
            Rule::Glob { folded, tail } => {
                tail.as_deref().is_none_or(|tail| text.contains(tail))
                    && glob::matches(folded, &fold(text))
            }
        }
    }
}

/// Turns every run of two or more equal characters into `*`.
///
/// The original compares UTF-16 units, of which a character beyond U+FFFF has
/// two different ones, so such characters never form a run.
#[must_use]
pub fn collapse(mask: &str) -> String {
    let mut collapsed = String::with_capacity(mask.len());
    let mut chars = mask.chars().peekable();
    while let Some(c) = chars.next() {
        let may_run = c <= '\u{ffff}' && !glob::is_line_break(c);
        if may_run && chars.peek() == Some(&c) {
            while chars.next_if_eq(&c).is_some() {}
            collapsed.push('*');
        } else {
            collapsed.push(c);
        }
    }
    collapsed
}

/// The text without case, as [`LooseGlob`] compares it.
#[must_use]
pub fn fold(text: &str) -> String {
    text.chars().map(upper).collect()
}

/// Upper-cases the way a JavaScript expression with the `i` flag does: unit by
/// unit, and only where one unit becomes one unit and ASCII stays ASCII.
fn upper(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) if c <= '\u{ffff}' && !one.is_ascii() => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(mask: &str, text: &str) -> (bool, bool) {
        let by = |tail| LooseGlob::new(mask, tail).matches(text);
        (by(Tail::Checked), by(Tail::Plain))
    }

    #[test]
    fn case_is_ignored_with_a_star_only() {
        assert_eq!(both("/a", "/A"), (false, false));
        assert_eq!(both("/a*", "/AB"), (true, true));
        assert_eq!(both("/é*", "/É1"), (true, true));
        assert_eq!(both("/ß*", "/SS"), (false, false));
        assert_eq!(both("/ſ*", "/s"), (false, false));
        assert_eq!(both("/\u{212a}*", "/k"), (false, false));
    }

    #[test]
    fn the_checked_tail_keeps_its_case() {
        assert_eq!(both("/a/*B", "/a/xb"), (false, true));
        assert_eq!(both("/a/*B", "/a/xB"), (true, true));
    }

    #[test]
    fn doubled_characters_become_stars() {
        assert_eq!(both("/hello/*", "/heXo/1"), (true, true));
        assert_eq!(both("//*", "anything"), (true, true));
        assert_eq!(both("/a\n\n*", "/a\n1"), (false, false));
        assert_eq!(both("/😀😀*", "/😀😀x"), (true, true));
        assert_eq!(both("/😀😀*", "/xx"), (false, false));
    }
}
