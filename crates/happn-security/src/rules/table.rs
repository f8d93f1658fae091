//! Paths by what is said about them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::path_set::PathSet;
use super::pattern::Matching;
use super::rule::Rule;
use super::rule_set::Skipped;
use super::template::{EXPANSIONS_TOTAL_MAX, Template, Unfilled};

/// What some rules say, by action.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Rules about `*` are in each of them.
    named: Vec<(Box<str>, Arc<Granted>)>,
    /// For actions that no rule names.
    other: Arc<Granted>,
}

/// What is said about one action.
#[derive(Debug, Default)]
pub(super) struct Granted {
    pub(super) allowed: PathSet,
    /// With a leading `/`.
    prohibited: PathSet,
}

impl Table {
    pub(super) fn about(&self, action: &str) -> &Arc<Granted> {
        let named = self.named.iter().find(|(name, _)| **name == *action);
        named.map_or(&self.other, |(_, granted)| granted)
    }
}

impl Granted {
    pub(super) fn prohibits(&self, path: &str) -> bool {
        self.prohibited.covers(&with_slash(path))
    }

    pub(super) fn prohibits_near(&self, mask: &str) -> bool {
        self.prohibited.is_near(&with_slash(mask))
    }
}

/// A path or mask as prohibits compare it.
pub(super) fn with_slash(path: &str) -> Cow<'_, str> {
    match path.starts_with('/') {
        true => Cow::Borrowed(path),
        false => Cow::Owned(format!("/{path}")),
    }
}

/// Paths by action.
#[derive(Default)]
pub(super) struct Gathered {
    allowed: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    prohibited: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    skipped: Vec<Skipped>,
    /// How many paths templates have become.
    filled: usize,
}

impl Gathered {
    pub(super) fn add(&mut self, rule: &Rule, facts: &Value) {
        let template = Template::parse(&rule.path);
        let (allowed, prohibited) = match self.fill(&template, facts) {
            Ok(mut paths) => {
                // No request is about nothing.
                paths.retain(|path| !path.is_empty());
                (paths.clone(), paths)
            }
            Err(Unfilled::Missing) => return,
            Err(reason) => {
                self.skipped.push(Skipped {
                    path: rule.path.clone(),
                    reason,
                });
                (Vec::new(), vec![template.widened()])
            }
        };
        for action in &rule.actions {
            let paths = self.allowed.entry(action.as_str().into()).or_default();
            paths.extend(allowed.iter().map(|path| path.as_str().into()));
        }
        for action in &rule.prohibit {
            let paths = self.prohibited.entry(action.as_str().into()).or_default();
            paths.extend(prohibited.iter().map(|path| with_slash(path).into()));
        }
    }

    /// As [`Template::fill`], counting what all templates become.
    fn fill(&mut self, template: &Template, facts: &Value) -> Result<Vec<String>, Unfilled> {
        let paths = template.fill(facts)?;
        if template.is_text() {
            return Ok(paths);
        }
        self.filled += paths.len();
        match self.filled > EXPANSIONS_TOTAL_MAX {
            true => Err(Unfilled::TooMany),
            false => Ok(paths),
        }
    }

    pub(super) fn finish(mut self, matching: Matching) -> (Table, Vec<Skipped>) {
        let allowed_always = self.allowed.remove("*").unwrap_or_default();
        let prohibited_always = self.prohibited.remove("*").unwrap_or_default();
        let names: BTreeSet<Box<str>> = self
            .allowed
            .keys()
            .chain(self.prohibited.keys())
            .cloned()
            .collect();
        let united = |always: &BTreeSet<Box<str>>, named: Option<BTreeSet<Box<str>>>| {
            let mut paths = named.unwrap_or_default();
            paths.extend(always.iter().cloned());
            PathSet::new(paths, matching)
        };
        let mut about = |name: &str| {
            Arc::new(Granted {
                allowed: united(&allowed_always, self.allowed.remove(name)),
                prohibited: united(&prohibited_always, self.prohibited.remove(name)),
            })
        };
        let table = Table {
            named: names
                .iter()
                .map(|name| (name.clone(), about(name)))
                .collect(),
            other: about("*"),
        };
        (table, self.skipped)
    }
}
