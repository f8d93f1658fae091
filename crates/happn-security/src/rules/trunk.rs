//! Expressions that read the beginning of a path by whole segments.

use regex::Regex;
use regex_syntax::hir::{Class, ClassUnicodeRange, Dot, Hir, HirKind, Look};

/// An expression such as `^/devices/([^/]+)/.*` matches whatever follows a fixed number of
/// segments, and captures the same in every path that starts alike. So it says as much about a
/// mask whose first `*` comes later as about each path the mask names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trunk {
    slashes: usize,
    captures: usize,
}

impl Trunk {
    /// The trunk of `regex`, if it has one.
    pub(super) fn of(regex: &Regex) -> Option<Self> {
        let hir = regex_syntax::parse(regex.as_str()).ok()?;
        let HirKind::Concat(parts) = hir.kind() else {
            return None;
        };
        let (start, parts) = parts.split_first()?;
        if !matches!(start.kind(), HirKind::Look(Look::Start)) {
            return None;
        }
        let trunk = without_tail(parts)?;
        let HirKind::Literal(last) = trunk.last()?.kind() else {
            return None;
        };
        Some(Self {
            slashes: trunk.iter().map(slashes).sum::<Option<_>>()?,
            captures: trunk.iter().map(captures).sum(),
        })
        .filter(|_| last.0.ends_with(b"/"))
    }

    /// How many groups are captured in it.
    pub(super) fn captures(self) -> usize {
        self.captures
    }

    /// Whether all paths that start with `start` are read alike.
    pub(super) fn reads(self, start: &str) -> bool {
        start.bytes().filter(|byte| *byte == b'/').count() >= self.slashes
    }
}

/// The parts in front of one that matches anything, or of nothing. That a `.` spares line breaks
/// does not matter: who writes it means all that follows.
fn without_tail(parts: &[Hir]) -> Option<&[Hir]> {
    let (last, others) = parts.split_last()?;
    match last.kind() {
        _ if is_anything(last) => Some(others),
        HirKind::Look(Look::End) => {
            let (last, others) = others.split_last()?;
            is_anything(last).then_some(others)
        }
        _ => Some(parts),
    }
}

fn is_anything(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Capture(capture) => is_anything(&capture.sub),
        HirKind::Repetition(repetition) => {
            let any = [Dot::AnyChar, Dot::AnyCharExceptLF].map(Hir::dot);
            repetition.min == 0 && repetition.max.is_none() && any.contains(&repetition.sub)
        }
        _ => false,
    }
}

/// How many slashes there are in every text that matches, if it is the same number in all.
fn slashes(hir: &Hir) -> Option<usize> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(0),
        HirKind::Literal(text) => Some(text.0.iter().filter(|byte| **byte == b'/').count()),
        HirKind::Class(class) => (!has_slash(class)).then_some(0),
        HirKind::Repetition(repetition) => match slashes(&repetition.sub)? {
            0 => Some(0),
            some => {
                (repetition.max == Some(repetition.min)).then_some(some * repetition.min as usize)
            }
        },
        HirKind::Capture(capture) => slashes(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(slashes).sum(),
        HirKind::Alternation(parts) => {
            let (first, others) = parts.split_first()?;
            let count = slashes(first)?;
            others
                .iter()
                .all(|other| slashes(other) == Some(count))
                .then_some(count)
        }
    }
}

fn has_slash(class: &Class) -> bool {
    match class {
        Class::Unicode(class) => {
            let holds = |range: &ClassUnicodeRange| range.start() <= '/' && '/' <= range.end();
            class.ranges().iter().any(holds)
        }
        Class::Bytes(_) => true,
    }
}

fn captures(hir: &Hir) -> usize {
    hir.properties().explicit_captures_len()
}

#[cfg(test)]
mod tests {
    use happn_query::Pattern;

    use super::*;

    fn trunk(regex: &str) -> Option<(usize, usize)> {
        let trunk = Trunk::of(&Pattern::javascript(regex).unwrap())?;
        Some((trunk.slashes, trunk.captures))
    }

    #[test]
    fn expressions_of_whole_segments_have_a_trunk() {
        assert_eq!(trunk("^/d/([^/]*)/.*"), Some((3, 1)));
        assert_eq!(trunk("^\\/d\\/(\\w+)\\/(.*)$"), Some((3, 1)));
        assert_eq!(trunk("^/(a|b)/([^/]+)/"), Some((3, 2)));
        assert_eq!(trunk("^(/[a-z]+){2}/.*"), Some((3, 1)));
    }

    #[test]
    fn others_have_none() {
        for regex in [
            "/d/([^/]*)/.*",
            "^/d/(.*)/.*",
            "^/d/(.*)",
            "^/d/([^/]*)",
            "^/d/([^/]*)/x$",
            "^/d/([^/]*)/[^b].*",
            "^/d/([^a]*)/.*",
            "^(/[a-z]+)*/.*",
            "^/(a|b/c)/.*",
            "^/d/(\\d+).*",
            ".*",
        ] {
            let found = trunk(regex).filter(|_| regex != "^/d/(.*)");
            assert_eq!(found, None, "{regex}");
        }
        // Nothing of what it captures is in front of what follows.
        assert_eq!(trunk("^/d/(.*)"), Some((2, 0)));
    }
}
