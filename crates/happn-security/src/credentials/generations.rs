//! A bounded map that forgets what has not been touched for longest.

use std::collections::HashMap;
use std::hash::Hash;

/// Two maps: when the young one is full it becomes the old one, and what was old is forgotten.
/// Holds at most twice `max` entries, at least the `max` touched last, and never searches.
#[derive(Debug)]
pub struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    max: usize,
}

impl<K: Hash + Eq, V: Default> Generations<K, V> {
    /// Empty, for the `max` entries touched last.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            max,
        }
    }

    /// The entry of `key`, which stays untouched.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// The entry of `key`, made if it does not exist, and touched.
    pub fn touch(&mut self, key: K) -> &mut V {
        let known = self.young.remove(&key).or_else(|| self.old.remove(&key));
        if self.young.len() >= self.max {
            self.old = std::mem::take(&mut self.young);
        }
        let value = known.unwrap_or_default();
        self.young.entry(key).insert_entry(value).into_mut()
    }

    /// Forgets `key`.
    pub fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_touched_is_kept_and_the_rest_is_forgotten() {
        let mut map = Generations::new(10);
        *map.touch(0) = "kept";
        for key in 1..1000 {
            map.touch(key);
            assert_eq!(*map.touch(0), "kept");
            assert!(map.len() <= 20);
        }
        assert!(map.get(&995).is_some() && map.get(&1).is_none());
        map.remove(&0);
        assert!(map.get(&0).is_none());
    }
}
