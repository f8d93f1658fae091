//! A journal with random traffic, cuts and limits: what a link gets, and what it is told is
//! missing, is always everything that was for it.

use proptest::prelude::*;

use super::journal::{Batch, Journal, JournalLimits, Position, Recipients, bit};

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
    /// Takes what is there; how many of the frames get through before the link is cut, if it is.
    Take(usize, Option<usize>),
    Confirm(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..8u128).prop_map(Step::Publish),
        3 => (0..3usize, prop::option::weighted(0.3, 0..4usize))
            .prop_map(|(who, cut)| Step::Take(who, cut)),
        1 => (0..3usize).prop_map(Step::Confirm),
    ]
}

impl Receiver {
    fn hear(&mut self, batch: &Batch<u64>, cut: Option<usize>) {
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
        let ids: Vec<u8> = (0..3).map(|_| journal.follow().unwrap()).collect();
        let mut receivers: Vec<Receiver> = (0..3).map(|_| Receiver::default()).collect();
        let mut published: Vec<Vec<u64>> = vec![Vec::new(); 3];
        for step in steps {
            match step {
                Step::Publish(recipients) => {
                    let number = journal.next_sequence();
                    journal.append(recipients, 10, number);
                    for (who, id) in ids.iter().enumerate() {
                        if recipients & bit(*id) != 0 {
                            published[who].push(number);
                        }
                    }
                    let (events, bytes) = journal.size();
                    prop_assert!(events <= events_max && (bytes <= bytes_max || events == 1));
                }
                Step::Take(who, cut) => {
                    let batch = journal.take(ids[who], bytes_per_take);
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
                let batch = journal.take(*id, bytes_per_take);
                if batch.lost == 0 && batch.frames.is_empty() {
                    break;
                }
                receivers[who].hear(&batch, None);
            }
            let receiver = &receivers[who];
            prop_assert_eq!(receiver.heard.len() as u64 + receiver.lost, published[who].len() as u64);
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
        let id = journal.follow().unwrap();
        for number in 1..=published {
            journal.append(bit(id), 1, number);
        }
        let accepted = journal.resume(id, Position { sequence, received });
        prop_assert!(!accepted || (sequence <= published && received <= published));
        journal.confirm(id, sequence);
        let _ = journal.take(id, usize::MAX);
    }
}

#[test]
fn a_follower_starts_with_what_comes_after_it() {
    let mut journal = Journal::new(JournalLimits {
        events_max: 9,
        bytes_max: 99,
    });
    let first = journal.follow().unwrap();
    journal.append(bit(first), 1, 1);
    let second = journal.follow().unwrap();
    journal.append(bit(first) | bit(second), 1, 2);
    assert_eq!(journal.take(second, 100).frames, [2]);
    assert_eq!(journal.take(first, 100).frames, [1, 2]);
}

#[test]
fn a_slow_follower_is_told_how_many_made_room_before_it_took_them() {
    let mut journal = Journal::new(JournalLimits {
        events_max: 2,
        bytes_max: 99,
    });
    let (slow, quick) = (journal.follow().unwrap(), journal.follow().unwrap());
    for number in 1..=5 {
        journal.append(bit(slow) | bit(quick), 1, number);
        assert_eq!(
            journal.take(quick, 100),
            Batch {
                lost: 0,
                frames: vec![number]
            }
        );
    }
    assert_eq!(journal.waiting(slow).0, 2);
    assert_eq!(
        journal.take(slow, 100),
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
    let (gone, stays) = (journal.follow().unwrap(), journal.follow().unwrap());
    journal.append(bit(gone), 1, 1);
    journal.append(bit(stays), 1, 2);
    journal.unfollow(gone);
    assert_eq!(journal.size().0, 1);
    let next = journal.follow().unwrap();
    assert_eq!(next, gone);
    assert!(journal.take(next, 100).frames.is_empty());
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
    let places = std::iter::from_fn(|| journal.follow()).count();
    assert_eq!(places, 128);
}
