//! Which writes may run at the same time: a pure decision, without any I/O.
//!
//! Writes to one item run one after the other, in their order. Writes to different items run at
//! the same time, up to a bound. A removal by mask touches any number of items, so it runs alone:
//! what came before it has ended, and what came after it waits.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// What a write touches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// The item at a path.
    Item(Arc<str>),
    /// Many items.
    Sweep,
}

/// Writes that wait, and what is known of those that run.
pub(crate) struct Schedule<T> {
    /// In their order; the front is next.
    waiting: VecDeque<(Place, T)>,
    /// May run as soon as there is room: their items are already taken for them.
    ready: VecDeque<(Place, T)>,
    /// The items that a running or ready write has taken, and the writes behind it.
    taken: HashMap<Arc<str>, VecDeque<T>>,
    running: usize,
    running_max: usize,
    sweeping: bool,
}

impl<T> Schedule<T> {
    /// At most `running_max` writes at a time, and at least one.
    pub(crate) fn new(running_max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            ready: VecDeque::new(),
            taken: HashMap::new(),
            running: 0,
            running_max: running_max.max(1),
            sweeping: false,
        }
    }

    /// Takes a write in, behind all that came before.
    pub(crate) fn push(&mut self, place: Place, write: T) {
        self.waiting.push_back((place, write));
    }

    /// A write to start now, if one may run. Call [`Schedule::ended`] when it has ended.
    pub(crate) fn next(&mut self) -> Option<(Place, T)> {
        if self.running == self.running_max || self.sweeping {
            return None;
        }
        let next = match self.ready.pop_front() {
            Some(ready) => ready,
            None => self.admit()?,
        };
        self.running += 1;
        Some(next)
    }

    /// Notes that the write at `place` has ended.
    pub(crate) fn ended(&mut self, place: &Place) {
        self.running -= 1;
        let Place::Item(path) = place else {
            self.sweeping = false;
            return;
        };
        let Some(behind) = self.taken.get_mut(path) else {
            return;
        };
        match behind.pop_front() {
            Some(write) => self.ready.push_back((place.clone(), write)),
            None => {
                self.taken.remove(path);
            }
        }
    }

    /// The first waiting write whose place is free. Those before it line up behind their items.
    fn admit(&mut self) -> Option<(Place, T)> {
        while let Some((place, write)) = self.waiting.pop_front() {
            let Place::Item(path) = &place else {
                // Taken items are running, so this is the only thing a sweep waits for.
                if self.taken.is_empty() {
                    self.sweeping = true;
                    return Some((place, write));
                }
                self.waiting.push_front((place, write));
                return None;
            };
            match self.taken.get_mut(path) {
                Some(behind) => behind.push_back(write),
                None => {
                    self.taken.insert(path.clone(), VecDeque::new());
                    return Some((place, write));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(path: &str) -> Place {
        Place::Item(path.into())
    }

    fn startable(schedule: &mut Schedule<u32>) -> Vec<u32> {
        std::iter::from_fn(|| schedule.next().map(|(_, write)| write)).collect()
    }

    #[test]
    fn writes_of_one_item_run_one_after_the_other() {
        let mut schedule = Schedule::new(8);
        for (write, path) in [(1, "/a"), (2, "/a"), (3, "/b"), (4, "/a")] {
            schedule.push(item(path), write);
        }
        assert_eq!(startable(&mut schedule), [1, 3]);
        schedule.ended(&item("/a"));
        assert_eq!(startable(&mut schedule), [2]);
        schedule.ended(&item("/b"));
        assert_eq!(startable(&mut schedule), [0; 0]);
        schedule.ended(&item("/a"));
        assert_eq!(startable(&mut schedule), [4]);
    }

    #[test]
    fn a_sweep_waits_for_all_before_it_and_holds_all_behind_it() {
        let mut schedule = Schedule::new(8);
        for (place, write) in [(item("/a"), 1), (Place::Sweep, 2), (item("/b"), 3)] {
            schedule.push(place, write);
        }
        assert_eq!(startable(&mut schedule), [1]);
        schedule.ended(&item("/a"));
        assert_eq!(startable(&mut schedule), [2]);
        schedule.ended(&Place::Sweep);
        assert_eq!(startable(&mut schedule), [3]);
    }

    #[test]
    fn no_more_run_than_allowed() {
        let mut schedule = Schedule::new(2);
        for write in 0..5 {
            schedule.push(item(&format!("/{write}")), write);
        }
        assert_eq!(startable(&mut schedule), [0, 1]);
        schedule.ended(&item("/1"));
        assert_eq!(startable(&mut schedule), [2]);
    }

    proptest! {
        /// Ends running writes in a random order and checks every start against the rules.
        #[test]
        fn whatever_ends_first_no_rule_is_broken(
            places in proptest::collection::vec(0_u8..5, 1..60),
            ends in proptest::collection::vec(any::<prop::sample::Index>(), 60),
            running_max in 1_usize..6,
        ) {
            let place = |at: usize| match places[at] {
                0 => Place::Sweep,
                number => item(&number.to_string()),
            };
            let clash = |one: usize, other: usize| {
                place(one) == place(other) || [one, other].map(place).contains(&Place::Sweep)
            };
            let mut schedule = Schedule::new(running_max);
            for at in 0..places.len() {
                schedule.push(place(at), at);
            }
            let mut running: Vec<usize> = Vec::new();
            let mut ended: Vec<usize> = Vec::new();
            let mut ends = ends.iter();
            while ended.len() < places.len() {
                while let Some((_, at)) = schedule.next() {
                    prop_assert!(running.iter().all(|&other| !clash(at, other)));
                    let waits = |earlier: &usize| clash(at, *earlier) && !ended.contains(earlier);
                    prop_assert!(!(0..at).any(|earlier| waits(&earlier)));
                    running.push(at);
                }
                prop_assert!(!running.is_empty(), "something can always run");
                prop_assert!(running.len() <= running_max);
                let end = ends.next().map_or(0, |end| end.index(running.len()));
                let at = running.swap_remove(end);
                schedule.ended(&place(at));
                ended.push(at);
            }
        }
    }
}
