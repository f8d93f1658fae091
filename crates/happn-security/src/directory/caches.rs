//! What is remembered of the directory, and when it stops being true.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::change::{Change, ChangeKind, Concern};
use super::lookup::LookupPermission;
use super::names::UserName;
use super::paths;
use super::permission::{Holder, Permission};
use super::user::{Memberships, User};

/// Entries of each kind.
const ENTRIES_MAX: usize = 10_000;
/// Changes of which it is known whom they concerned.
const HISTORY_MAX: usize = 1_024;

/// Everything that is remembered.
///
/// A change first raises the generation and then forgets; what was read before it is not
/// remembered after it. So nothing outdated stays.
#[derive(Default)]
pub(super) struct Caches {
    pub(super) users: Bounded<Arc<User>>,
    pub(super) memberships: Bounded<Arc<Memberships>>,
    /// By what the paths of the rules start with.
    pub(super) permissions: Bounded<Arc<[Permission]>>,
    /// By group.
    pub(super) lookups: Bounded<Arc<[LookupPermission]>>,
    /// Whether a table has an entry, by its path.
    pub(super) entries: Bounded<bool>,
    /// Paths of whole tables.
    pub(super) tables: Bounded<Arc<[String]>>,
    generation: AtomicU64,
    history: Mutex<History>,
}

impl Caches {
    /// How many changes there were so far.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Whether something that concerns `user`, or one of `groups`, may have changed since
    /// `generation`.
    pub(super) fn changed_since<'a>(
        &self,
        generation: u64,
        user: &str,
        mut groups: impl Iterator<Item = &'a str>,
    ) -> bool {
        if generation == self.generation() {
            return false;
        }
        let groups: Vec<&str> = groups.by_ref().collect();
        self.history().since(generation, |concern| match concern {
            Concern::User(name) => name.as_str() == user,
            Concern::Group(name) => groups.contains(&name.as_str()),
            Concern::Table { groups: users, .. } => {
                users.iter().any(|name| groups.contains(&name.as_str()))
            }
            Concern::Token { .. } => false,
            Concern::Everything => true,
        })
    }

    /// Forgets what `change` makes outdated.
    pub(super) fn forget(&self, change: &Change) {
        // Nodes of the reference tell only the last of several changes of one group.
        if change.is_replicated() {
            return self.forget_everything();
        }
        self.raise(change.concern.clone());
        match &change.concern {
            Concern::User(name) => {
                self.users.remove(name.as_str());
                self.memberships.remove(name.as_str());
                let rules = paths::permissions_of(&Holder::User(name.clone()));
                self.permissions.remove(&rules);
            }
            Concern::Group(name) => {
                let rules = paths::permissions_of(&Holder::Group(name.clone()));
                self.permissions.remove(&rules);
                self.lookups.remove(name.as_str());
                if change.kind == ChangeKind::DeleteGroup {
                    self.memberships
                        .retain(|groups| !groups.contains(name.as_str()));
                }
            }
            Concern::Table { table, .. } => {
                self.entries.clear();
                self.tables.remove(table.as_str());
            }
            Concern::Token { .. } | Concern::Everything => {}
        }
    }

    /// Forgets the user's own document.
    pub(super) fn forget_user(&self, name: &UserName) {
        self.raise(Concern::User(name.clone()));
        self.users.remove(name.as_str());
    }

    /// Forgets everything.
    pub(super) fn forget_everything(&self) {
        self.raise(Concern::Everything);
        self.users.clear();
        self.memberships.clear();
        self.permissions.clear();
        self.lookups.clear();
        self.entries.clear();
        self.tables.clear();
    }

    /// The history is longer before the generation shows it.
    fn raise(&self, concern: Concern) {
        let mut history = self.history();
        history.push(concern);
        self.generation.store(history.generation, Ordering::SeqCst);
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whom the last changes concerned, oldest first.
#[derive(Default)]
struct History {
    generation: u64,
    concerns: VecDeque<Concern>,
}

impl History {
    fn push(&mut self, concern: Concern) {
        self.generation += 1;
        self.concerns.push_back(concern);
        if self.concerns.len() > HISTORY_MAX {
            self.concerns.pop_front();
        }
    }

    /// Whether one of the changes after `generation` is meant; true when they are forgotten.
    fn since(&self, generation: u64, is_meant: impl FnMut(&Concern) -> bool) -> bool {
        let behind = self.generation.saturating_sub(generation);
        match usize::try_from(behind) {
            Ok(behind) if behind <= self.concerns.len() => {
                self.concerns.iter().rev().take(behind).any(is_meant)
            }
            _ => true,
        }
    }
}

/// Values by name. When it is full, some entry makes room: whatever is asked for again is read
/// again.
pub(super) struct Bounded<T> {
    entries: Mutex<HashMap<Arc<str>, T>>,
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
        }
    }
}

impl<T: Clone> Bounded<T> {
    pub(super) fn get(&self, key: &str) -> Option<T> {
        self.lock().get(key).cloned()
    }

    /// Remembers `value`, unless it is outdated by the time nobody else can forget it.
    pub(super) fn insert_if(&self, key: &str, value: T, is_current: impl FnOnce() -> bool) {
        let mut entries = self.lock();
        if !is_current() {
            return;
        }
        if entries.len() >= ENTRIES_MAX
            && let Some(some) = entries.keys().next().cloned()
        {
            entries.remove(&some);
        }
        entries.insert(key.into(), value);
    }

    fn remove(&self, key: &str) {
        self.lock().remove(key);
    }

    fn retain(&self, mut keep: impl FnMut(&T) -> bool) {
        self.lock().retain(|_, value| keep(value));
    }

    fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, T>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::GroupName;
    use super::*;

    fn user(name: &str) -> Concern {
        Concern::User(UserName::new(name).unwrap())
    }

    fn group(name: &str) -> Concern {
        Concern::Group(GroupName::new(name).unwrap())
    }

    #[test]
    fn only_those_concerned_are_told_that_something_changed() {
        let caches = Caches::default();
        let start = caches.generation();
        caches.raise(user("ann"));
        caches.raise(group("STAFF"));
        let changed = |since, user, group: &'static str| {
            caches.changed_since(since, user, [group].into_iter())
        };
        assert!(changed(start, "ann", "X") && changed(start, "bob", "STAFF"));
        assert!(!changed(start, "bob", "X"));
        assert!(!changed(start + 1, "ann", "X") && changed(start + 1, "ann", "STAFF"));
        assert!(!changed(start + 2, "ann", "STAFF"));
        caches.forget_everything();
        assert!(changed(start + 2, "bob", "X"));
    }

    #[test]
    fn what_happened_longer_ago_than_is_remembered_counts_as_changed() {
        let caches = Caches::default();
        for _ in 0..=HISTORY_MAX {
            caches.raise(user("ann"));
        }
        assert!(caches.changed_since(0, "bob", std::iter::empty()));
        assert!(!caches.changed_since(1, "bob", std::iter::empty()));
    }

    #[test]
    fn a_full_cache_stays_full_and_takes_new_entries() {
        let cache = Bounded::default();
        for number in 0..ENTRIES_MAX + 10 {
            cache.insert_if(&number.to_string(), number, || true);
        }
        assert_eq!(cache.lock().len(), ENTRIES_MAX);
        assert_eq!(
            cache.get(&(ENTRIES_MAX + 9).to_string()),
            Some(ENTRIES_MAX + 9)
        );
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let caches = Caches::default();
        let before = caches.generation();
        caches.raise(user("ann"));
        caches
            .entries
            .insert_if("x", true, || caches.generation() == before);
        assert_eq!(caches.entries.get("x"), None);
    }
}
