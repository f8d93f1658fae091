//! Which writes may run at the same time: a pure decision, without any I/O.
//!
//! Writes to one item run one after the other, in their order. Writes to different items run at
//! the same time, up to a bound. A removal by mask may take long and touches any number of items:
//! one runs at a time, beside writes to items that it cannot mean.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// What a write touches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// The item at a path.
    Item(Arc<str>),
    /// Items whose paths start like this.
    Sweep(Arc<str>),
}

/// Writes that wait, and what is known of those that run.
pub(crate) struct Schedule<T> {
    /// In their order; the front is next.
    waiting: VecDeque<(Place, T)>,
    /// May run as soon as there is room: their items are already taken for them.
    ready: VecDeque<(Place, T)>,
    /// The items that a running or ready write has taken, and the writes behind it.
    taken: HashMap<Arc<str>, VecDeque<T>>,
    sweep: Option<Sweep<T>>,
    running: usize,
    running_max: usize,
}

/// The sweep that runs.
struct Sweep<T> {
    prefix: Arc<str>,
    /// Writes to what it may mean, in their order.
    behind: Vec<(Place, T)>,
}

impl<T> Schedule<T> {
    /// At most `running_max` writes at a time, and at least one.
    pub(crate) fn new(running_max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            ready: VecDeque::new(),
            taken: HashMap::new(),
            sweep: None,
            running: 0,
            running_max: running_max.max(1),
        }
    }

    /// Takes a write in, behind all that came before.
    pub(crate) fn push(&mut self, place: Place, write: T) {
        self.waiting.push_back((place, write));
    }

    /// A write to start now, if one may run. Call [`Schedule::ended`] when it has ended.
    pub(crate) fn next(&mut self) -> Option<(Place, T)> {
        if self.running == self.running_max {
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
        match place {
            Place::Item(path) => self.give_back(path),
            Place::Sweep(_) => {
                let behind = self.sweep.take().map(|sweep| sweep.behind);
                // Whatever waits came later.
                for write in behind.into_iter().flatten().rev() {
                    self.waiting.push_front(write);
                }
            }
        }
    }

    /// The item is free for the next write of its own.
    fn give_back(&mut self, path: &Arc<str>) {
        let Some(behind) = self.taken.get_mut(path) else {
            return;
        };
        match behind.pop_front() {
            Some(write) => self.ready.push_back((Place::Item(path.clone()), write)),
            None => {
                self.taken.remove(path);
            }
        }
    }

    /// The first waiting write whose place is free. Those before it line up behind what is in
    /// their way.
    fn admit(&mut self) -> Option<(Place, T)> {
        while let Some((place, write)) = self.waiting.pop_front() {
            let path = match &place {
                Place::Item(path) => path,
                Place::Sweep(prefix) if self.may_sweep(prefix) => {
                    let (prefix, behind) = (prefix.clone(), Vec::new());
                    self.sweep = Some(Sweep { prefix, behind });
                    return Some((place, write));
                }
                Place::Sweep(_) => {
                    self.waiting.push_front((place, write));
                    return None;
                }
            };
            if let Some(sweep) = &mut self.sweep
                && path.starts_with(&*sweep.prefix)
            {
                sweep.behind.push((place, write));
                continue;
            }
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

    /// Taken items are running or about to, so a sweep does not wait for them for long.
    fn may_sweep(&self, prefix: &str) -> bool {
        self.sweep.is_none() && !self.taken.keys().any(|path| path.starts_with(prefix))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(path: &str) -> Place {
        Place::Item(path.into())
    }

    fn sweep(prefix: &str) -> Place {
        Place::Sweep(prefix.into())
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
    fn a_sweep_waits_for_what_it_may_mean_and_holds_what_comes_later_of_it() {
        let mut schedule = Schedule::new(8);
        for (place, write) in [
            (item("/a/1"), 1),
            (sweep("/a/"), 2),
            (item("/a/1"), 3),
            (item("/a/2"), 4),
        ] {
            schedule.push(place, write);
        }
        assert_eq!(startable(&mut schedule), [1]);
        schedule.ended(&item("/a/1"));
        assert_eq!(startable(&mut schedule), [2]);
        schedule.ended(&sweep("/a/"));
        assert_eq!(startable(&mut schedule), [3, 4]);
    }

    #[test]
    fn a_sweep_that_takes_long_does_not_hold_what_it_cannot_mean() {
        let mut schedule = Schedule::new(8);
        for (place, write) in [
            (item("/b/0"), 0),
            (sweep("/a/"), 1),
            (item("/a/1"), 2),
            (item("/b/1"), 3),
            (sweep("/c/"), 4),
            (item("/b/2"), 5),
        ] {
            schedule.push(place, write);
        }
        // One sweep at a time; the second holds its place in the line.
        assert_eq!(startable(&mut schedule), [0, 1, 3]);
        schedule.ended(&sweep("/a/"));
        assert_eq!(startable(&mut schedule), [2, 4, 5]);
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
            places in proptest::collection::vec(0_u8..8, 1..60),
            ends in proptest::collection::vec(any::<prop::sample::Index>(), 60),
            running_max in 1_usize..6,
        ) {
            let place = |at: usize| match places[at] {
                0 => sweep(""),
                1 => sweep("/a/"),
                2 => sweep("/b/"),
                number @ 3..=5 => item(&format!("/a/{number}")),
                number => item(&format!("/b/{number}")),
            };
            let clash = |one: usize, other: usize| match (place(one), place(other)) {
                (Place::Item(path), Place::Sweep(prefix))
                | (Place::Sweep(prefix), Place::Item(path)) => path.starts_with(&*prefix),
                (Place::Sweep(_), Place::Sweep(_)) => true,
                (one, other) => one == other,
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
