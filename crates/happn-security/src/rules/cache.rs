//! Rules compiled once for all sessions that have the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ring::digest::{Context, SHA256};
use serde_json::Value;

use super::rule::Rule;
use super::rule_set::{RuleSet, Settings, common_table, partition};
use super::table::Table;

/// Compiles rules, and lets sessions share what they have in common: all rules without templates.
///
/// It holds what is in use and forgets the rest, so it is as large as the number of different sets
/// of rules that live sessions have.
#[derive(Debug, Default)]
pub struct RuleCache {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    by_key: HashMap<Key, Weak<Table>>,
    /// How many entries there may be before those that nobody uses are taken out.
    sweep_at: usize,
}

/// What a set of rules and settings is told by.
type Key = [u8; 32];

impl RuleCache {
    /// As [`RuleSet::compile`].
    #[must_use]
    pub fn compile<'a>(
        &self,
        rules: impl IntoIterator<Item = &'a Rule>,
        facts: &Value,
        settings: Settings,
    ) -> RuleSet {
        let (mut common, own) = partition(rules);
        common.sort_by_key(|rule| (&rule.path, &rule.actions, &rule.prohibit));
        RuleSet::of(self.table(&common, settings), &own, facts, settings)
    }

    fn table(&self, rules: &[&Rule], settings: Settings) -> Arc<Table> {
        let key = key(rules, settings);
        if let Some(table) = self.tables().by_key.get(&key).and_then(Weak::upgrade) {
            return table;
        }
        // Without the lock: others need not wait for it.
        let table = Arc::new(common_table(rules, settings));
        self.tables().keep(key, table)
    }

    fn tables(&self) -> std::sync::MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    /// The table that is shared: this one, or one that another session made meanwhile.
    fn keep(&mut self, key: Key, table: Arc<Table>) -> Arc<Table> {
        if let Some(theirs) = self.by_key.get(&key).and_then(Weak::upgrade) {
            return theirs;
        }
        if self.by_key.len() >= self.sweep_at {
            self.by_key.retain(|_, table| table.strong_count() > 0);
            self.sweep_at = 2 * self.by_key.len() + 16;
        }
        self.by_key.insert(key, Arc::downgrade(&table));
        table
    }
}

fn key(rules: &[&Rule], settings: Settings) -> Key {
    let mut context = Context::new(&SHA256);
    let mut text = |text: &str| {
        context.update(&(text.len() as u64).to_le_bytes());
        context.update(text.as_bytes());
    };
    text(&format!("{settings:?}"));
    for rule in rules {
        text(&rule.path);
        for list in [&rule.actions, &rule.prohibit] {
            text(&list.len().to_string());
            list.iter().for_each(|action| text(action));
        }
    }
    let mut key = Key::default();
    key.copy_from_slice(context.finish().as_ref());
    key
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::{Decision, Standing};

    fn rules(permissions: &Value) -> Vec<Rule> {
        Rule::read_all(permissions).unwrap()
    }

    #[test]
    fn sessions_share_what_does_not_depend_on_them() {
        let cache = RuleCache::default();
        let rules =
            rules(&json!({"/a": {"actions": ["get"]}, "/u/{{name}}": {"actions": ["get"]}}));
        let compile =
            |name: &str| cache.compile(&rules, &json!({"name": name}), Settings::default());
        let (ann, bob) = (compile("ann"), compile("bob"));
        assert!(ann.shares_with(&bob));
        assert_eq!(ann.decide("get", "/u/ann"), Decision::Allowed);
        assert_eq!(ann.decide("get", "/u/bob"), Decision::NotGranted);
        assert_eq!(bob.decide("get", "/a"), Decision::Allowed);
    }

    #[test]
    fn other_rules_or_settings_are_not_shared() {
        let cache = RuleCache::default();
        let compile = |permissions: &Value, standing| {
            let settings = Settings {
                standing,
                ..Settings::default()
            };
            cache.compile(&rules(permissions), &json!({}), settings)
        };
        let allowed = json!({"/a": {"actions": ["get"]}});
        let first = compile(&allowed, Standing::Ordinary);
        assert!(!first.shares_with(&compile(&allowed, Standing::Admin)));
        let prohibited = compile(&json!({"/a": {"prohibit": ["get"]}}), Standing::Ordinary);
        assert!(!first.shares_with(&prohibited));
        assert_eq!(prohibited.decide("get", "/a"), Decision::Prohibited);
    }

    #[test]
    fn what_nobody_uses_is_forgotten() {
        let cache = RuleCache::default();
        for number in 0..1000 {
            let permissions = json!({format!("/{number}"): {"actions": ["get"]}});
            drop(cache.compile(&rules(&permissions), &json!({}), Settings::default()));
        }
        assert!(cache.tables().by_key.len() < 64);
    }
}
