//! A rule's path that holds a `*`, and when it covers a path.

use happn_paths::loose::{collapse, fold};

use super::glob;

/// How the masks of rules compare with paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Matching {
    /// Case counts everywhere.
    #[default]
    Strict,
    /// As in the JavaScript server, for directories that were written with that in mind. In a
    /// segment with a `*`, and in the whole of a mask that holds one, doubled characters are a
    /// wildcard, and case does not count except behind the last wildcard. Segments without a `*`
    /// are still compared as they are.
    Loose,
}

/// A mask of a rule, with at least one `*`.
///
/// It covers a path when the whole path matches the whole mask, where a `*` crosses segments, and
/// when besides each segment of the mask but the last matches the path's segment at that place. So
/// a `*` at the end spans any depth, one right before the last segment spans several, any other
/// one.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: Box<str>,
    /// The whole as it is compared loosely.
    loose: Option<Loose>,
}

/// A mask, or a segment of one, as it is compared loosely.
#[derive(Clone, Debug)]
struct Loose {
    collapsed: Box<str>,
    folded: Box<str>,
}

impl Loose {
    fn new(mask: &str) -> Self {
        let collapsed = collapse(mask);
        Self {
            folded: fold(&collapsed).into(),
            collapsed: collapsed.into(),
        }
    }

    fn matches(&self, text: &str) -> bool {
        text.contains(tail(&self.collapsed)) && glob::matches(&self.folded, &fold(text))
    }
}

impl Pattern {
    pub(super) fn new(text: &str, matching: Matching) -> Self {
        Self {
            text: text.into(),
            loose: (matching == Matching::Loose).then(|| Loose::new(text)),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn matching(&self) -> Matching {
        match self.loose {
            None => Matching::Strict,
            Some(_) => Matching::Loose,
        }
    }

    /// What every path it covers ends with.
    pub(super) fn end(&self) -> &str {
        match self.loose {
            None => tail(&self.text),
            Some(_) => "",
        }
    }

    pub(super) fn covers(&self, path: &str) -> bool {
        let whole = match &self.loose {
            None => glob::matches(&self.text, path),
            Some(loose) => loose.matches(path),
        };
        whole && self.segments_match(path)
    }

    /// Compares all segments but the last, of which there only has to be one.
    fn segments_match(&self, path: &str) -> bool {
        let mut theirs = segments(path);
        let mut ours = segments(&self.text).peekable();
        while let Some(segment) = ours.next() {
            let Some(their) = theirs.next() else {
                return false;
            };
            if ours.peek().is_some() && !segment_matches(segment, their, self.matching()) {
                return false;
            }
        }
        true
    }
}

/// Whether one segment of a path matches one of a mask.
pub(super) fn segment_matches(mask: &str, text: &str, matching: Matching) -> bool {
    match (matching, mask.contains('*')) {
        (_, false) => mask == text,
        (Matching::Strict, true) => glob::matches(mask, text),
        (Matching::Loose, true) => Loose::new(mask).matches(text),
    }
}

fn tail(mask: &str) -> &str {
    mask.rsplit('*').next().unwrap_or_default()
}

/// The segments of a path or mask; one leading `/` does not make one.
pub(super) fn segments(text: &str) -> std::str::Split<'_, char> {
    text.strip_prefix('/').unwrap_or(text).split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(mask: &str, path: &str) -> (bool, bool) {
        let by = |matching| Pattern::new(mask, matching).covers(path);
        (by(Matching::Strict), by(Matching::Loose))
    }

    #[test]
    fn a_star_spans_several_segments_at_the_end_and_right_before_it() {
        for (mask, path) in [
            ("/a/*", "/a/b/c"),
            ("/a/*", "/a/"),
            ("/a/*/leaf", "/a/x/y/leaf"),
            ("*/any/tail", "/q/any/tail"),
            ("/w/*/*/z", "/w/1/2/3/z"),
            ("/a*", "/a/1"),
            ("/a/*/c/*", "/a/1/c/2"),
        ] {
            assert_eq!(covers(mask, path), (true, true), "{mask} {path}");
        }
        for (mask, path) in [
            ("/a/*", "/a"),
            ("/w/*/y/z", "/w/1/2/y/z"),
            ("/w/*/y/z", "/w/1/y/q/z"),
            ("nolead/*", "/nolead/1"),
            ("/a/*/c/*", "/a/x/y/c/d"),
        ] {
            assert_eq!(covers(mask, path), (false, false), "{mask} {path}");
        }
    }

    #[test]
    fn only_loosely_doubled_characters_are_a_wildcard_and_line_breaks_are_spanned() {
        assert_eq!(covers("/devices/1100*", "/devices/2/3"), (false, true));
        assert_eq!(covers("/accounts/*/1", "/aXXounts/1/1"), (false, false));
        assert_eq!(covers("/nl/*", "/nl/a\nb"), (true, true));
    }

    #[test]
    fn loose_matching_forgives_case_before_the_last_star_of_a_wildcard_segment() {
        assert_eq!(covers("/seg/Pre*", "/seg/preX"), (false, true));
        assert_eq!(covers("/seg/Pre*", "/SEG/PreX"), (false, false));
        assert_eq!(covers("/seg/Pre*/Tail", "/seg/pre1/Tail"), (false, true));
        assert_eq!(covers("/seg/Pre*/Tail", "/seg/pre1/tail"), (false, false));
    }
}
