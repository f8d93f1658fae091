//! Who subscribed to one mask, by action.

use std::collections::HashMap;

use super::hash::Ready;
use super::table_bytes;
use crate::channel::{ActionFilter, EventKind};

/// The subscribers of a mask. Most masks have one, which needs no memory of its own.
#[derive(Debug)]
pub(crate) enum Recipients {
    One(ActionFilter, u32),
    Many(Box<ByAction>),
}

/// One list per action, in the order of [`slot`].
#[derive(Debug, Default)]
pub(crate) struct ByAction([Ids; 4]);

impl Recipients {
    /// Adds an id; false if it is there already.
    pub(crate) fn insert(&mut self, action: ActionFilter, id: u32) -> bool {
        match self {
            Self::One(known, only) if *known == action && *only == id => false,
            Self::One(known, only) => {
                let mut lists = ByAction::default();
                lists.0[slot(*known)].insert(*only);
                lists.0[slot(action)].insert(id);
                *self = Self::Many(Box::new(lists));
                true
            }
            Self::Many(lists) => lists.0[slot(action)].insert(id),
        }
    }

    /// Takes an id out: whether it was there, and whether none is left.
    pub(crate) fn remove(&mut self, action: ActionFilter, id: u32) -> Removal {
        match self {
            Self::One(known, only) if *known == action && *only == id => Removal::Last,
            Self::One(..) => Removal::Unknown,
            Self::Many(lists) => {
                if !lists.0[slot(action)].remove(id) {
                    return Removal::Unknown;
                }
                if let Some((action, id)) = lists.only() {
                    *self = Self::One(action, id);
                }
                Removal::Done
            }
        }
    }

    /// Visits those who asked for every action first.
    pub(crate) fn for_each(&self, kind: EventKind, visit: &mut impl FnMut(u32)) {
        match self {
            Self::One(action, id) if action.accepts(kind) => visit(*id),
            Self::One(..) => {}
            Self::Many(lists) => {
                let specific = match kind {
                    EventKind::Set => ActionFilter::Set,
                    EventKind::Remove => ActionFilter::Remove,
                };
                lists.0[slot(ActionFilter::All)].for_each(visit);
                lists.0[slot(specific)].for_each(visit);
            }
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            Self::One(..) => 0,
            Self::Many(lists) => {
                size_of::<ByAction>() + lists.0.iter().map(Ids::memory_bytes).sum::<usize>()
            }
        }
    }
}

/// What taking an id out came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    Unknown,
    Done,
    /// It was the only one; the recipients are to be thrown away.
    Last,
}

impl ByAction {
    fn only(&self) -> Option<(ActionFilter, u32)> {
        let mut found = None;
        for action in ACTIONS {
            match (self.0[slot(action)].ids.as_slice(), found) {
                ([], _) => {}
                ([id], None) => found = Some((action, *id)),
                _ => return None,
            }
        }
        found
    }
}

const ACTIONS: [ActionFilter; 4] = [
    ActionFilter::All,
    ActionFilter::Set,
    ActionFilter::Remove,
    ActionFilter::Never,
];

fn slot(action: ActionFilter) -> usize {
    match action {
        ActionFilter::All => 0,
        ActionFilter::Set => 1,
        ActionFilter::Remove => 2,
        ActionFilter::Never => 3,
    }
}

/// A set of ids that iterates as fast as a vector. Small ones stay in the order
/// of insertion; large ones give that up on removal, to find ids without a scan.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    ids: Vec<u32>,
    // Boxed: most lists are small and never need the table.
    places: Option<Box<Places>>,
}

type Places = HashMap<u32, u32, Ready>;

/// Above this many ids, a table says where each one is.
const SCAN_MAX: usize = 32;

impl Ids {
    pub(crate) fn insert(&mut self, id: u32) -> bool {
        if self.place(id).is_some() {
            return false;
        }
        if let Some(places) = &mut self.places {
            places.insert(id, self.ids.len() as u32);
        }
        self.ids.push(id);
        if self.places.is_none() && self.ids.len() > SCAN_MAX {
            self.places = Some(Box::new(self.ids.iter().copied().zip(0..).collect()));
        }
        true
    }

    pub(crate) fn remove(&mut self, id: u32) -> bool {
        let Some(at) = self.place(id) else {
            return false;
        };
        match &mut self.places {
            None => drop(self.ids.remove(at)),
            Some(places) => {
                places.remove(&id);
                self.ids.swap_remove(at);
                if let Some(moved) = self.ids.get(at) {
                    places.insert(*moved, at as u32);
                }
            }
        }
        // Well below the limit, so that a set at the limit does not flap.
        if self.ids.len() < SCAN_MAX / 2 && self.places.is_some() {
            self.places = None;
            self.ids.shrink_to_fit();
        }
        true
    }

    pub(crate) fn for_each(&self, visit: &mut impl FnMut(u32)) {
        self.ids.iter().for_each(|id| visit(*id));
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let places = self
            .places
            .as_deref()
            .map_or(0, |places| size_of::<Places>() + table_bytes(places));
        self.ids.capacity() * size_of::<u32>() + places
    }

    fn place(&self, id: u32) -> Option<usize> {
        match &self.places {
            Some(places) => places.get(&id).map(|at| *at as usize),
            None => self.ids.iter().position(|known| *known == id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_shrinks_with_the_crowd() {
        let mut recipients = Recipients::One(ActionFilter::Set, 0);
        for id in 1..200 {
            assert!(recipients.insert(ActionFilter::Set, id));
        }
        let full = recipients.memory_bytes();
        for id in 10..200 {
            assert_eq!(recipients.remove(ActionFilter::Set, id), Removal::Done);
        }
        assert!(recipients.memory_bytes() < full / 4);
        for id in 1..10 {
            assert_eq!(recipients.remove(ActionFilter::Set, id), Removal::Done);
        }
        assert_eq!(recipients.memory_bytes(), 0);
        assert_eq!(recipients.remove(ActionFilter::All, 0), Removal::Unknown);
        assert_eq!(recipients.remove(ActionFilter::Set, 0), Removal::Last);
    }
}
