//! The events that links have not confirmed yet, numbered. Pure and synchronous.

use std::collections::VecDeque;
use std::time::Duration;

/// A set of followers, one bit each.
pub(crate) type Recipients = u128;

/// The most links that can be numbered at a time: one bit each in [`Recipients`].
pub(crate) const FOLLOWERS_MAX: u8 = 128;

/// Room for so many events is always kept.
const ROOM_KEPT: usize = 1024;

/// Bounds of what is kept for links that fell behind or are gone for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JournalLimits {
    pub(crate) events_max: usize,
    /// Bytes of frames. One event alone may exceed it.
    pub(crate) bytes_max: usize,
}

/// One ring of numbered events for all links of a node, and how far each link has come.
///
/// Events are numbered without holes. Each is kept until every link it is for has confirmed it,
/// or until it has to make room. A link that is overtaken by that has a gap of known size.
#[derive(Debug)]
pub(crate) struct Journal<F> {
    limits: JournalLimits,
    /// The number of the newest event; 0 before the first.
    sequence: u64,
    /// Oldest first, numbered up to `sequence` without holes.
    entries: VecDeque<Entry<F>>,
    bytes: usize,
    followers: Vec<Option<Follower>>,
}

#[derive(Debug)]
struct Entry<F> {
    frame: F,
    bytes: usize,
    recipients: Recipients,
    /// When it was published.
    at: Duration,
}

/// How far one link has come.
#[derive(Debug, Default)]
struct Follower {
    /// Events that were for it.
    assigned: u64,
    /// It was handed everything below this number.
    cursor: u64,
    /// It has confirmed everything up to this number.
    confirmed: u64,
    /// Events it was to be handed and never will be: they made room, or were too large.
    lost: u64,
    /// Events that could have been for it before it began to follow.
    offered_before: u64,
}

/// What waits for a follower.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Events to be handed to it.
    pub(crate) events: u64,
    /// The same in bytes.
    pub(crate) bytes: usize,
    /// When the oldest event was published that it has not confirmed.
    pub(crate) oldest: Option<Duration>,
    /// Events that could have been for it and were not.
    pub(crate) withheld: u64,
}

/// How far a link says it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The number of the last event received.
    pub(crate) sequence: u64,
    /// How many events were received or reported lost.
    pub(crate) received: u64,
}

impl<F: Clone> Journal<F> {
    pub(crate) fn new(limits: JournalLimits) -> Self {
        Self {
            limits,
            sequence: 0,
            entries: VecDeque::new(),
            bytes: 0,
            followers: Vec::new(),
        }
    }

    /// A new follower of what comes from now on, or nothing when there are too many.
    /// `offered` counts the events that were for whoever wanted them.
    pub(crate) fn follow(&mut self, offered: u64) -> Option<u8> {
        let free = self.followers.iter().position(Option::is_none);
        let at = free.unwrap_or(self.followers.len());
        let id = u8::try_from(at).ok().filter(|id| *id < FOLLOWERS_MAX)?;
        if at == self.followers.len() {
            self.followers.push(None);
        }
        self.followers[at] = Some(Follower {
            cursor: self.sequence + 1,
            confirmed: self.sequence,
            offered_before: offered,
            ..Follower::default()
        });
        Some(id)
    }

    /// Forgets a follower; what was kept for it alone goes.
    pub(crate) fn unfollow(&mut self, id: u8) {
        if let Some(follower) = self.followers.get_mut(usize::from(id)) {
            *follower = None;
        }
        let others = !bit(id);
        for entry in &mut self.entries {
            entry.recipients &= others;
        }
        self.release();
    }

    /// The number that the next event will have.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.sequence + 1
    }

    /// Keeps the next event for `recipients`, published at `at`.
    pub(crate) fn append(&mut self, recipients: Recipients, bytes: usize, at: Duration, frame: F) {
        self.sequence += 1;
        let mut known = 0;
        for id in ids(recipients) {
            if let Some(follower) = self.follower(id) {
                follower.assigned += 1;
                known |= bit(id);
            }
        }
        self.bytes += bytes;
        self.entries.push_back(Entry {
            frame,
            bytes,
            recipients: known,
            at,
        });
        while self.entries.len() > self.limits.events_max.max(1)
            || (self.bytes > self.limits.bytes_max && self.entries.len() > 1)
        {
            self.evict();
        }
    }

    /// An event for `recipients` that cannot be kept: a loss to each of them.
    pub(crate) fn skip(&mut self, recipients: Recipients) {
        for id in ids(recipients) {
            if let Some(follower) = self.follower(id) {
                follower.assigned += 1;
                follower.lost += 1;
            }
        }
    }

    /// How many events were lost to a follower since it was told last.
    pub(crate) fn take_lost(&mut self, id: u8) -> u64 {
        let follower = self.follower(id);
        follower.map_or(0, |follower| std::mem::take(&mut follower.lost))
    }

    /// Hands a follower what comes next, of at least one event and about `bytes_max`. What was
    /// lost comes before it: see [`Journal::take_lost`].
    pub(crate) fn take(&mut self, id: u8, bytes_max: usize, frames: &mut Vec<F>) {
        let (first, last) = (self.first_sequence(), self.sequence);
        let Some(Some(follower)) = self.followers.get_mut(usize::from(id)) else {
            return;
        };
        let mut next = follower.cursor.max(first);
        let mut bytes = 0;
        while next <= last && bytes < bytes_max {
            let entry = index(next, first).and_then(|at| self.entries.get(at));
            if let Some(entry) = entry.filter(|entry| entry.recipients & bit(id) != 0) {
                bytes += entry.bytes;
                frames.push(entry.frame.clone());
            }
            next += 1;
        }
        follower.cursor = next;
    }

    /// A follower has received everything up to `sequence`.
    pub(crate) fn confirm(&mut self, id: u8, sequence: u64) {
        if let Some(follower) = self.follower(id) {
            // No follower can have received what it was not handed.
            let sequence = sequence.min(follower.cursor.saturating_sub(1));
            follower.confirmed = follower.confirmed.max(sequence);
        }
        self.release();
    }

    /// Sets a follower back to where it says it stopped; false when it cannot be there.
    pub(crate) fn resume(&mut self, id: u8, position: Position) -> bool {
        let first = self.first_sequence();
        let kept = self.entries.iter().enumerate();
        let left = kept
            .filter(|(at, entry)| {
                first + *at as u64 > position.sequence && entry.recipients & bit(id) != 0
            })
            .count() as u64;
        let newest = self.sequence;
        let Some(follower) = self.follower(id) else {
            return false;
        };
        let missing = follower.assigned.checked_sub(position.received);
        let Some(lost) = missing.and_then(|missing| missing.checked_sub(left)) else {
            return false;
        };
        if position.sequence > newest {
            return false;
        }
        follower.cursor = position.sequence + 1;
        follower.lost = lost;
        true
    }

    /// How far a follower is behind, when `offered` events were for whoever wanted them.
    pub(crate) fn waiting(&self, id: u8, offered: u64) -> Waiting {
        let Some(Some(follower)) = self.followers.get(usize::from(id)) else {
            return Waiting::default();
        };
        let here = offered.saturating_sub(follower.offered_before);
        let mut waiting = Waiting {
            withheld: here.saturating_sub(follower.assigned),
            ..Waiting::default()
        };
        for (sequence, entry) in (self.first_sequence()..).zip(&self.entries) {
            if entry.recipients & bit(id) == 0 {
                continue;
            }
            if sequence > follower.confirmed {
                waiting.oldest.get_or_insert(entry.at);
            }
            if sequence >= follower.cursor {
                waiting.events += 1;
                waiting.bytes += entry.bytes;
            }
        }
        waiting
    }

    /// Events and bytes that are kept.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.entries.len(), self.bytes)
    }

    fn follower(&mut self, id: u8) -> Option<&mut Follower> {
        self.followers.get_mut(usize::from(id))?.as_mut()
    }

    /// The number of the oldest event that is kept.
    fn first_sequence(&self) -> u64 {
        self.sequence + 1 - self.entries.len() as u64
    }

    /// Makes room by giving up the oldest event.
    fn evict(&mut self) {
        let sequence = self.first_sequence();
        let Some(entry) = self.entries.pop_front() else {
            return;
        };
        self.bytes -= entry.bytes;
        for id in ids(entry.recipients) {
            if let Some(follower) = self.follower(id)
                && follower.cursor <= sequence
            {
                follower.lost += 1;
                follower.cursor = sequence + 1;
            }
        }
    }

    /// Drops from the front what everybody has confirmed.
    fn release(&mut self) {
        while let Some(entry) = self.entries.front() {
            let sequence = self.first_sequence();
            let confirmed = |id: u8| {
                let follower = self.followers.get(usize::from(id)).and_then(Option::as_ref);
                follower.is_none_or(|follower| follower.confirmed >= sequence)
            };
            if !ids(entry.recipients).all(confirmed) {
                return;
            }
            self.bytes -= entry.bytes;
            self.entries.pop_front();
        }
        // An idle node keeps no room for its last burst.
        let needed = (2 * self.entries.len()).max(ROOM_KEPT);
        if self.entries.capacity() > 2 * needed {
            self.entries.shrink_to(needed);
        }
    }
}

pub(crate) fn bit(id: u8) -> Recipients {
    1 << (id % FOLLOWERS_MAX)
}

/// The followers in a set, ascending.
pub(crate) fn ids(recipients: Recipients) -> impl Iterator<Item = u8> {
    let mut left = recipients;
    std::iter::from_fn(move || {
        let id = u8::try_from(left.trailing_zeros()).ok()?;
        if id >= FOLLOWERS_MAX {
            return None;
        }
        left &= left - 1;
        Some(id)
    })
}

fn index(sequence: u64, first: u64) -> Option<usize> {
    usize::try_from(sequence.checked_sub(first)?).ok()
}
