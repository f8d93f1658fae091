//! The decision of the JavaScript server, written as plainly as possible, with a switch for each
//! thing in it that is decided differently here.

use std::collections::BTreeSet;

use happn_paths::loose::fold;

/// Something the JavaScript server does and we do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deviation {
    /// A rule on a path takes the place of the rules below it that came earlier, and of one on
    /// the same path with another spelling of the leading `/`.
    ParentErasesChildren,
    /// In a mask, a run of an equal character is a wildcard.
    DoubledCharacters,
    /// In a mask, case does not count, except behind the last `*`.
    CaseIgnored,
    /// A `*` stops at a line break.
    StopsAtLineBreak,
    /// Segments that name members of its objects lose rules, or end in an exception.
    OddSegments,
    /// A rule below another counts in more places when the upper one covers the path, too.
    ReachedThroughAnother,
    /// A prohibit is about its own spelling of the leading `/` only.
    ProhibitMindsSlash,
    /// A path that a template becomes takes the place of the rule on that path.
    LaterPathReplaces,
    /// `$&` in a value stands for the template.
    DollarPattern,
    /// A list called `action` is one of actions, and text in place of a list is its letters.
    MisspelledList,
}

impl Deviation {
    pub(crate) const ALL: [Self; 10] = [
        Self::ParentErasesChildren,
        Self::DoubledCharacters,
        Self::CaseIgnored,
        Self::StopsAtLineBreak,
        Self::OddSegments,
        Self::ReachedThroughAnother,
        Self::ProhibitMindsSlash,
        Self::LaterPathReplaces,
        Self::DollarPattern,
        Self::MisspelledList,
    ];
}

/// A rule with its templates filled in.
#[derive(Clone, Debug)]
pub(crate) struct PlainRule {
    pub(crate) path: String,
    pub(crate) actions: Vec<String>,
    pub(crate) prohibit: Vec<String>,
}

/// Decides with those deviations that are in `with`.
pub(crate) struct Model {
    with: BTreeSet<Deviation>,
    root: Node,
}

#[derive(Default)]
struct Node {
    children: Vec<(String, Node)>,
    rules: Vec<PlainRule>,
}

impl Model {
    pub(crate) fn new(rules: &[PlainRule], with: &BTreeSet<Deviation>) -> Self {
        let mut model = Self {
            with: with.clone(),
            root: Node::default(),
        };
        let mut held: Vec<PlainRule> = Vec::new();
        for rule in rules {
            match held.iter_mut().find(|one| one.path == rule.path) {
                Some(one) if with.contains(&Deviation::LaterPathReplaces) => *one = rule.clone(),
                _ => held.push(rule.clone()),
            }
        }
        for rule in &held {
            model.insert(rule);
        }
        model
    }

    pub(crate) fn allows(&self, action: &str, path: &str) -> bool {
        let mut found = Found::default();
        self.walk(&self.root, &segments(path), action, path, &mut found);
        found.allowed && !found.prohibited
    }

    fn has(&self, deviation: Deviation) -> bool {
        self.with.contains(&deviation)
    }

    fn insert(&mut self, rule: &PlainRule) {
        if rule.path.is_empty() {
            return;
        }
        let segments = segments(&rule.path);
        let odd = |segment: &&str| ["constructor", "__proto__", "prototype"].contains(segment);
        if self.has(Deviation::OddSegments) && segments.iter().any(odd) {
            return;
        }
        let erases = self.has(Deviation::ParentErasesChildren);
        let mut node = &mut self.root;
        for segment in segments {
            let known = node.children.iter().position(|(name, _)| name == segment);
            let at = known.unwrap_or_else(|| {
                node.children.push((segment.to_owned(), Node::default()));
                node.children.len() - 1
            });
            node = &mut node.children[at].1;
        }
        if erases {
            node.children.clear();
            node.rules.clear();
        }
        node.rules.push(rule.clone());
    }

    fn walk(&self, node: &Node, segments: &[&str], action: &str, path: &str, found: &mut Found) {
        let Some((segment, rest)) = segments.split_first() else {
            return;
        };
        for (name, child) in &node.children {
            let mut covered = false;
            for rule in &child.rules {
                covered |= self.applies(rule, action, path, found);
            }
            let through = covered && self.has(Deviation::ReachedThroughAnother);
            if through || self.mask_matches(name, segment) {
                self.walk(child, rest, action, path, found);
            }
        }
    }

    /// Whether the rule covers the path.
    fn applies(&self, rule: &PlainRule, action: &str, path: &str, found: &mut Found) -> bool {
        let covers = self.mask_matches(&rule.path, path);
        let prohibits = match self.has(Deviation::ProhibitMindsSlash) {
            true => covers,
            false => self.mask_matches(bare(&rule.path), bare(path)),
        };
        let named = |actions: &[String]| actions.iter().any(|name| name == action || name == "*");
        found.allowed |= covers && named(&rule.actions);
        found.prohibited |= prohibits && named(&rule.prohibit);
        covers
    }

    fn mask_matches(&self, mask: &str, text: &str) -> bool {
        if !mask.contains('*') {
            return mask == text;
        }
        let mask = match self.has(Deviation::DoubledCharacters) {
            true => collapse(mask),
            false => mask.to_owned(),
        };
        if mask.chars().all(|letter| letter == '*') {
            return mask == "*"
                || !self.has(Deviation::StopsAtLineBreak)
                || !text.contains(is_line_break);
        }
        let tail = mask.rsplit('*').next().unwrap();
        let glob = |mask: &str, text: &str| {
            let (mask, text): (Vec<_>, Vec<_>) = (mask.chars().collect(), text.chars().collect());
            obvious(&mask, &text, self.has(Deviation::StopsAtLineBreak))
        };
        match self.has(Deviation::CaseIgnored) {
            true => text.contains(tail) && glob(&fold(&mask), &fold(text)),
            false => glob(&mask, text),
        }
    }
}

#[derive(Default)]
struct Found {
    allowed: bool,
    prohibited: bool,
}

/// Tries every length for every `*`, remembering what was reached.
fn obvious(mask: &[char], text: &[char], stops: bool) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for letter in mask {
        let mut next = vec![false; text.len() + 1];
        for at in (0..=text.len()).filter(|&at| reached[at]) {
            if *letter != '*' {
                if text.get(at) == Some(letter) {
                    next[at + 1] = true;
                }
                continue;
            }
            let spans = |letter: &&char| !(stops && is_line_break(**letter));
            let span = text[at..].iter().take_while(spans).count();
            next[at..=at + span].fill(true);
        }
        reached = next;
    }
    reached[text.len()]
}

fn collapse(mask: &str) -> String {
    let letters: Vec<char> = mask.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < letters.len() {
        let letter = letters[at];
        let end = letters[at..]
            .iter()
            .position(|other| *other != letter)
            .map_or(letters.len(), |run| at + run);
        let runs = end > at + 1 && !is_line_break(letter) && letter <= '\u{ffff}';
        match runs {
            true => out.push('*'),
            false => out.extend(&letters[at..end]),
        }
        at = end;
    }
    out
}

fn is_line_break(letter: char) -> bool {
    matches!(letter, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

fn bare(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

fn segments(path: &str) -> Vec<&str> {
    bare(path).split('/').collect()
}
