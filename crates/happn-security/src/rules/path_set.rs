//! Many masks, compiled for the question whether one of them covers a path.

use std::collections::{BTreeMap, BTreeSet};

use super::glob;
use super::mask_tree::MaskTree;
use super::pattern::{Matching, Pattern};
use super::stems::Stems;

/// A set of paths and masks. However many there are, few are compared.
#[derive(Clone, Debug, Default)]
pub(super) struct PathSet {
    texts: BTreeSet<Box<str>>,
    /// Without a `*`, sorted.
    exact: Vec<Box<str>>,
    /// What stands in front of the stars of masks that cover all that starts like this.
    open: Stems<()>,
    /// All other masks.
    others: MaskTree,
    matching: Matching,
}

impl PathSet {
    pub(super) fn new(texts: BTreeSet<Box<str>>, matching: Matching) -> Self {
        let (masks, exact): (Vec<_>, Vec<_>) =
            texts.iter().cloned().partition(|text| text.contains('*'));
        let masks = masks.iter().map(|mask| &**mask);
        let (open, others): (Vec<&str>, Vec<&str>) =
            masks.partition(|mask| is_open(mask, matching));
        let patterns = others.iter().map(|mask| Pattern::new(mask, matching));
        Self {
            open: Stems::new(open.into_iter().map(stem).collect::<BTreeMap<_, _>>()),
            others: MaskTree::new(patterns),
            exact,
            texts,
            matching,
        }
    }

    /// Whether one of them covers `path`.
    pub(super) fn covers(&self, path: &str) -> bool {
        self.exact
            .binary_search_by(|exact| (**exact).cmp(path))
            .is_ok()
            || self.open.that_begin(path).next().is_some()
            || self.others.covers(path)
    }

    /// Whether one of them covers everything that starts like `mask` in front of its first `*`,
    /// and so whatever the mask names.
    pub(super) fn covers_all_of(&self, mask: &str) -> bool {
        self.open.that_begin(literal_start(mask)).next().is_some()
    }

    /// Whether one of them may cover something that `mask` names. If not, none does.
    pub(super) fn is_near(&self, mask: &str) -> bool {
        let start = literal_start(mask);
        self.texts.iter().any(|text| match text.contains('*') {
            false => glob::matches(mask, text),
            true => {
                let theirs = certain_start(text, self.matching);
                theirs.starts_with(start) || start.starts_with(theirs)
            }
        })
    }
}

fn stem(mask: &str) -> (Box<[u8]>, ()) {
    (literal_start(mask).as_bytes().into(), ())
}

/// Whether `mask` covers all that starts with the text in front of its stars.
fn is_open(mask: &str, matching: Matching) -> bool {
    let stem = certain_start(mask, matching);
    mask[stem.len()..].bytes().all(|byte| byte == b'*')
}

/// What every path that `mask` covers starts with, letter by letter.
fn certain_start(mask: &str, matching: Matching) -> &str {
    let start = literal_start(mask);
    match matching {
        Matching::Strict => start,
        // Only whole segments are compared as they are. Without a slash in front of them, doubled
        // characters may stand for one.
        Matching::Loose if !start.starts_with('/') => "",
        Matching::Loose => &start[..start.rfind('/').map_or(0, |slash| slash + 1)],
    }
}

/// What stands in front of the first `*`.
fn literal_start(mask: &str) -> &str {
    mask.split('*').next().unwrap_or_default()
}
