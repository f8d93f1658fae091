//! Many masks, compiled for the question whether one of them covers a path.

use std::collections::{BTreeMap, BTreeSet};

use super::glob;
use super::pattern::{Matching, Pattern};
use super::stems::{Stems, backwards};

/// A set of paths and masks.
///
/// Paths are found by binary search; masks by the text in front of their first `*` and then by
/// the text behind their last, so that few are compared, however many there are.
#[derive(Clone, Debug, Default)]
pub(super) struct PathSet {
    texts: BTreeSet<Box<str>>,
    exact: Vec<Box<str>>,
    masks: Stems<Masks>,
}

/// The masks that share what stands in front of their first `*`.
#[derive(Clone, Debug, Default)]
struct Masks {
    /// One of them covers all that starts like this.
    open: bool,
    by_end: Stems<Vec<Pattern>>,
}

#[derive(Default)]
struct Gathered {
    open: bool,
    by_end: BTreeMap<Box<[u8]>, Vec<Pattern>>,
}

impl PathSet {
    pub(super) fn new(texts: BTreeSet<Box<str>>, matching: Matching) -> Self {
        let (masks, exact): (Vec<_>, Vec<_>) =
            texts.iter().cloned().partition(|text| text.contains('*'));
        let mut gathered: BTreeMap<Box<[u8]>, Gathered> = BTreeMap::new();
        for text in &masks {
            let mask = Keys::of(text, matching);
            let entry = gathered.entry(mask.stem.as_bytes().into()).or_default();
            match mask.open {
                true => entry.open = true,
                false => entry
                    .by_end
                    .entry(backwards(mask.end))
                    .or_default()
                    .push(Pattern::new(text, matching)),
            }
        }
        let gathered = gathered.into_iter().map(|(stem, masks)| {
            let masks = Masks {
                open: masks.open,
                by_end: Stems::new(masks.by_end),
            };
            (stem, masks)
        });
        Self {
            masks: Stems::new(gathered.collect()),
            exact,
            texts,
        }
    }

    /// Whether one of them covers `path`.
    pub(super) fn covers(&self, path: &str) -> bool {
        self.exact
            .binary_search_by(|exact| (**exact).cmp(path))
            .is_ok()
            || self.masks.that_begin(path).any(|masks| {
                masks.open
                    || masks
                        .by_end
                        .that_end(path)
                        .any(|patterns| patterns.iter().any(|pattern| pattern.covers(path)))
            })
    }

    /// Whether one of them covers everything that starts like `mask` in front of its first `*`,
    /// and so whatever the mask names.
    pub(super) fn covers_all_of(&self, mask: &str) -> bool {
        self.masks
            .that_begin(literal_start(mask))
            .any(|masks| masks.open)
    }

    /// Those that may cover something that `mask` names; the others cover nothing of it.
    pub(super) fn near<'a>(&'a self, mask: &'a str) -> impl Iterator<Item = &'a str> {
        let start = literal_start(mask);
        self.texts.iter().map(|text| &**text).filter(move |text| {
            let theirs = literal_start(text);
            match theirs.len() == text.len() {
                true => glob::matches(mask, text),
                false => theirs.starts_with(start) || start.starts_with(theirs),
            }
        })
    }
}

/// Where a mask is looked for.
struct Keys<'a> {
    stem: &'a str,
    end: &'a str,
    open: bool,
}

impl<'a> Keys<'a> {
    fn of(text: &'a str, matching: Matching) -> Self {
        let stem = literal_start(text);
        let whole_segments = &stem[..stem.rfind('/').map_or(0, |slash| slash + 1)];
        let ends_in_stars = text[stem.len()..].bytes().all(|byte| byte == b'*');
        match matching {
            Matching::Strict => Self {
                stem,
                end: text.rsplit('*').next().unwrap_or_default(),
                open: ends_in_stars,
            },
            // Only whole segments keep their case.
            Matching::Loose => Self {
                stem: whole_segments,
                end: "",
                open: ends_in_stars && whole_segments.len() == stem.len(),
            },
        }
    }
}

/// What stands in front of the first `*`.
pub(super) fn literal_start(mask: &str) -> &str {
    mask.split('*').next().unwrap_or_default()
}
