//! A journal with random traffic, cuts and limits: what a link gets, and what it is told is
//! missing, is always everything that was for it.

use proptest::prelude::*;

use std::time::Duration;

use super::journal::{Journal, JournalLimits, Position, Recipients, bit};

/// The next events of a link, and how many are missing before them.
#[derive(Debug, PartialEq, Eq)]
struct Batch {
    lost: u64,
    frames: Vec<u64>,
}

fn take(journal: &mut Journal<u64>, id: u8, bytes_max: usize) -> Batch {
    let lost = journal.take_lost(id);
    let mut frames = Vec::new();
    journal.take(id, bytes_max, &mut frames);
    Batch { lost, frames }
}

/// When everything is published.
const NOW: Duration = Duration::from_secs(7);

/// One receiver of a link, as its node keeps it.
#[derive(Debug, Default)]
struct Receiver {
    heard: Vec<u64>,
    lost: u64,
    last: u64,
}

#[derive(Clone, Debug)]
enum Step {
    Publish(Recipients),
    /// Publishes what is too large for a link.
    Skip(Recipients),
    /// Takes what is there; how many of the frames get through before the link is cut, if it is.
    Take(usize, Option<usize>),
    Confirm(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..8u128).prop_map(Step::Publish),
        1 => (0..8u128).prop_map(Step::Skip),
        3 => (0..3usize, prop::option::weighted(0.3, 0..4usize))
            .prop_map(|(who, cut)| Step::Take(who, cut)),
        1 => (0..3usize).prop_map(Step::Confirm),
    ]
}

impl Receiver {
    fn hear(&mut self, batch: &Batch, cut: Option<usize>) {
        if cut == Some(0) {
            return;
        }
        self.lost += batch.lost;
        for &number in batch.frames.iter().take(cut.unwrap_or(usize::MAX)) {
            assert!(number > self.last, "never twice, always in order");
            self.last = number;
            self.heard.push(number);
        }
    }

    fn position(&self) -> Position {
        Position {
            sequence: self.last,
            received: self.heard.len() as u64 + self.lost,
        }
    }
}

proptest! {
    #[test]
    fn every_event_arrives_once_in_order_or_is_declared_lost(
        steps in prop::collection::vec(step(), 1..300),
        events_max in 1..20usize,
        bytes_max in 1..200usize,
        bytes_per_take in 1..100usize,
    ) {
        let mut journal = Journal::new(JournalLimits { events_max, bytes_max });
        let ids: Vec<u8> = (0..3).map(|_| journal.follow(0).unwrap()).collect();
        let mut receivers: Vec<Receiver> = (0..3).map(|_| Receiver::default()).collect();
        let mut published: Vec<Vec<u64>> = vec![Vec::new(); 3];
        let mut skipped = [0; 3];
        for step in steps {
            match step {
                Step::Publish(recipients) => {
                    let number = journal.next_sequence();
                    journal.append(recipients, 10, NOW, number);
                    for (who, id) in ids.iter().enumerate() {
                        if recipients & bit(*id) != 0 {
                            published[who].push(number);
                        }
                    }
                    let (events, bytes) = journal.size();
                    prop_assert!(events <= events_max && (bytes <= bytes_max || events == 1));
                }
                Step::Skip(recipients) => {
                    journal.skip(recipients);
                    for (who, id) in ids.iter().enumerate() {
                        skipped[who] += u64::from(recipients & bit(*id) != 0);
                    }
                }
                Step::Take(who, cut) => {
                    let batch = take(&mut journal, ids[who], bytes_per_take);
                    receivers[who].hear(&batch, cut);
                    if cut.is_some() {
                        prop_assert!(journal.resume(ids[who], receivers[who].position()));
                    }
                }
                Step::Confirm(who) => journal.confirm(ids[who], receivers[who].last),
            }
        }
        for (who, id) in ids.iter().enumerate() {
            loop {
                let batch = take(&mut journal, *id, bytes_per_take);
                if batch.lost == 0 && batch.frames.is_empty() {
                    break;
                }
                receivers[who].hear(&batch, None);
            }
            let receiver = &receivers[who];
            let for_it = published[who].len() as u64 + skipped[who];
            prop_assert_eq!(receiver.heard.len() as u64 + receiver.lost, for_it);
            prop_assert!(receiver.heard.iter().all(|number| published[who].contains(number)));
            journal.confirm(*id, u64::MAX);
        }
        prop_assert_eq!(journal.size(), (0, 0), "what everybody has is not kept");
    }

    #[test]
    fn a_position_nobody_can_have_is_refused_and_harms_nothing(
        published in 0..10u64,
        sequence: u64,
        received: u64,
    ) {
        let mut journal = Journal::new(JournalLimits { events_max: 100, bytes_max: 1000 });
        let id = journal.follow(0).unwrap();
        for number in 1..=published {
            journal.append(bit(id), 1, NOW, number);
        }
        let accepted = journal.resume(id, Position { sequence, received });
        prop_assert!(!accepted || (sequence <= published && received <= published));
        journal.confirm(id, sequence);
        let _ = take(&mut journal, id, usize::MAX);
    }
}

#[test]
fn a_follower_starts_with_what_comes_after_it() {
    let mut journal = Journal::new(JournalLimits {
        events_max: 9,
        bytes_max: 99,
    });
    let first = journal.follow(0).unwrap();
    journal.append(bit(first), 1, NOW, 1);
    let second = journal.follow(0).unwrap();
    journal.append(bit(first) | bit(second), 1, NOW, 2);
    assert_eq!(take(&mut journal, second, 100).frames, [2]);
    assert_eq!(take(&mut journal, first, 100).frames, [1, 2]);
}

#[test]
fn a_slow_follower_is_told_how_many_made_room_before_it_took_them() {
    let mut journal = Journal::new(JournalLimits {
        events_max: 2,
        bytes_max: 99,
    });
    let (slow, quick) = (journal.follow(0).unwrap(), journal.follow(0).unwrap());
    for number in 1..=5 {
        journal.append(bit(slow) | bit(quick), 1, NOW, number);
        assert_eq!(
            take(&mut journal, quick, 100),
            Batch {
                lost: 0,
                frames: vec![number]
            }
        );
    }
    assert_eq!(journal.waiting(slow, 0).events, 2);
    assert_eq!(
        take(&mut journal, slow, 100),
        Batch {
            lost: 3,
            frames: vec![4, 5]
        }
    );
}

#[test]
fn a_place_is_used_again_and_knows_nothing_of_its_predecessor() {
    let mut journal = Journal::new(JournalLimits {
        events_max: 9,
        bytes_max: 99,
    });
    let (gone, stays) = (journal.follow(0).unwrap(), journal.follow(0).unwrap());
    journal.append(bit(gone), 1, NOW, 1);
    journal.append(bit(stays), 1, NOW, 2);
    journal.unfollow(gone);
    assert_eq!(journal.size().0, 1);
    let next = journal.follow(0).unwrap();
    assert_eq!(next, gone);
    assert!(take(&mut journal, next, 100).frames.is_empty());
    assert!(!journal.resume(
        next,
        Position {
            sequence: 0,
            received: 1
        }
    ));
}

#[test]
fn there_are_as_many_places_as_bits() {
    let mut journal = Journal::<u64>::new(JournalLimits {
        events_max: 9,
        bytes_max: 99,
    });
    let places = std::iter::from_fn(|| journal.follow(0)).count();
    assert_eq!(places, 128);
}
