//! Numbered links: sessions of nodes of our kind, whose events survive the loss of a connection.
//!
//! A publication costs one entry in the [`Journal`](journal::Journal), whatever the number of
//! links; each link's socket task takes from there what is for it. A link that is lost is *parked*
//! for a while: its session goes on matching events, and when its node comes back and says where
//! it stopped, it gets the rest in order. What made room meanwhile is a gap of known size.
//!
//! Lock order: the table of links comes before an outbox and a session's own state, and is never
//! asked for while the subscription table is held.

mod journal;
mod lifecycle;
mod slot;

#[cfg(test)]
mod properties;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use happn_protocol::ServerFrame;
use happn_protocol::link::{LINK_VERSION, LinkAnswer, LinkBeat, LinkFrame, LinkOffer, gap_frame};
use uuid::Uuid;

use crate::{LinkLimits, Session};
use journal::{Journal, JournalLimits, Position, ids};
use slot::{Parked, Slot};

pub(crate) use journal::{Recipients, bit};

/// Bytes that a link's socket task takes at a time.
const BATCH_BYTES: usize = 256 * 1024;

/// A session's place among the numbered links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: u8,
    /// Tells the link from an earlier one in the same place.
    generation: u64,
}

/// What a node keeps of its numbered links.
#[derive(Debug)]
pub(crate) struct Links {
    table: Mutex<Table>,
    /// Events published here for all nodes that wanted them.
    offered: AtomicU64,
    limits: LinkLimits,
    instance: Arc<str>,
}

#[derive(Debug)]
struct Table {
    journal: Journal<ServerFrame>,
    /// By place.
    slots: Vec<Option<Slot>>,
    generations: u64,
    counts: LinkCounts,
}

/// What follows from the end of a session.
#[derive(Debug, Default)]
pub(crate) struct Detached {
    /// Sessions whose subscriptions are not needed any more.
    pub(crate) forget: Vec<Arc<Session>>,
    /// The link is parked and to be given up later, with [`Links::expire`].
    pub(crate) parked: Option<Parked>,
}

/// How one numbered link looks from this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkStatus {
    /// The node at its other end, as it calls itself.
    pub peer: String,
    /// Its session lives; otherwise it is waited for.
    pub is_attached: bool,
    /// Events published for it that its connection has not taken yet.
    pub waiting: u64,
    /// The same in bytes.
    pub waiting_bytes: usize,
    /// The age of the oldest event that its node has not confirmed; `None` when there is none.
    /// Nodes confirm what they receive several times per second.
    pub lag: Option<Duration>,
    /// Masks that its node wants to hear.
    pub masks: usize,
    /// Events published here since the link was opened that its node did not want.
    pub withheld: u64,
}

/// What became of numbered links since the node's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// How often a node came back and its link went on where it had stopped.
    pub resumed: u64,
    /// Events that made room before their link could take them, or were too large for one:
    /// declared to its node as lost.
    pub lost: u64,
}

impl Links {
    pub(crate) fn new(limits: LinkLimits, instance: Arc<str>) -> Self {
        let journal = Journal::new(JournalLimits {
            events_max: limits.events_max,
            bytes_max: limits.bytes_max,
        });
        Self {
            table: Mutex::new(Table {
                journal,
                slots: Vec::new(),
                generations: 0,
                counts: LinkCounts::default(),
            }),
            offered: AtomicU64::new(0),
            limits,
            instance,
        }
    }

    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    pub(crate) fn limits(&self) -> &LinkLimits {
        &self.limits
    }

    /// Opens or resumes the link that `offer` asks for. `reply` answers the login; it runs before
    /// the first event can follow it.
    ///
    /// When all places are taken, the link that has waited longest for its node makes room; the
    /// answer is the session whose subscriptions it held.
    pub(crate) fn open(
        self: &Arc<Self>,
        session: &Arc<Session>,
        offer: &LinkOffer,
        now: Duration,
        reply: impl FnOnce(Option<&LinkAnswer>),
    ) -> Option<Arc<Session>> {
        if session.link().is_some() {
            reply(None);
            return None;
        }
        let offered = self.offered();
        let mut table = self.lock();
        let resumed = table.resume(offer);
        table.counts.resumed += u64::from(resumed.is_some());
        let mut place = resumed.or_else(|| table.open(session, offered));
        let mut forget = None;
        if place.is_none() {
            forget = table.close_longest_parked();
            place = table.open(session, offered);
        }
        match place {
            Some(place) => {
                let answer = self.answer(offer, resumed.is_some());
                self.attach(&mut table, place, session, now, answer, reply);
            }
            None => {
                tracing::warn!("too many numbered links: one more goes without numbers");
                reply(None);
            }
        }
        forget
    }

    fn answer(&self, offer: &LinkOffer, resumed: bool) -> LinkAnswer {
        LinkAnswer {
            version: LINK_VERSION.min(offer.version),
            token: String::new(),
            resumed,
            instance: self.instance.to_string(),
            interest: true,
        }
    }

    fn attach(
        self: &Arc<Self>,
        table: &mut Table,
        place: Place,
        session: &Arc<Session>,
        now: Duration,
        answer: LinkAnswer,
        reply: impl FnOnce(Option<&LinkAnswer>),
    ) {
        let links = Arc::downgrade(self);
        session.become_link(place, move |frames| {
            if let Some(links) = links.upgrade() {
                links.take(place, frames);
            }
        });
        let Some(slot) = table.slot(place) else {
            return reply(None);
        };
        if let Some(earlier) = slot.attach(session, now) {
            // Half-open: its node would not come back if it worked.
            earlier.outbox().abandon();
        }
        reply(Some(&LinkAnswer {
            token: slot.token.to_string(),
            ..answer
        }));
        session.outbox().wake();
    }

    /// A link's session has all its subscriptions; the answer is the one whose are not needed now.
    pub(crate) fn subscribed(&self, session: &Arc<Session>) -> Option<Arc<Session>> {
        let place = session.link()?;
        let mut table = self.lock();
        table.slot(place)?.hold(session)
    }

    /// A link's node is alive, and says how far it has come.
    pub(crate) fn heard(&self, session: &Session, now: Duration, beat: LinkBeat) {
        let Some(place) = session.link() else {
            return;
        };
        let mut table = self.lock();
        let Some(slot) = table.slot(place) else {
            return;
        };
        if slot.is_attached_to(session) {
            slot.heard = now;
            slot.is_leaving |= beat.leave;
            table.journal.confirm(place.id, beat.sequence);
        }
    }

    /// Whether a link's session is still the one in use, and was silent for too long.
    pub(crate) fn is_silent(&self, session: &Session, now: Duration) -> Option<bool> {
        let mut table = self.lock();
        let slot = table.slot(session.link()?)?;
        let silence = now.saturating_sub(slot.heard);
        slot.is_attached_to(session)
            .then_some(silence > self.limits.silence)
    }

    /// An event is published here that all nodes get that want it.
    pub(crate) fn offer(&self) {
        self.offered.fetch_add(1, Ordering::Relaxed);
    }

    fn offered(&self) -> u64 {
        self.offered.load(Ordering::Relaxed)
    }

    /// Keeps an event for `recipients` and wakes their sockets. Calls `reached` for each session.
    ///
    /// What is too large for a link is a gap: its node would cut the connection, come back, ask
    /// for it, and cut the connection again.
    pub(crate) fn append(
        &self,
        recipients: Recipients,
        frame: LinkFrame,
        now: Duration,
        mut reached: impl FnMut(&Arc<Session>),
    ) -> u32 {
        let mut delivered = 0;
        let is_too_large = frame.is_too_large();
        let mut table = self.lock();
        if is_too_large {
            table.journal.skip(recipients);
        } else {
            let frame = frame.number(table.journal.next_sequence());
            table.journal.append(recipients, frame.len(), now, frame);
        }
        for id in ids(recipients) {
            let slot = table.slots.get(usize::from(id)).and_then(Option::as_ref);
            if let Some(session) = slot.and_then(|slot| slot.session.as_ref()) {
                session.outbox().wake();
                if !is_too_large {
                    reached(session);
                    delivered += 1;
                }
            }
        }
        delivered
    }

    /// A session is gone.
    pub(crate) fn detach(&self, session: &Arc<Session>) -> Detached {
        let forget = vec![Arc::clone(session)];
        let forgotten = Detached {
            forget,
            parked: None,
        };
        let Some(place) = session.link() else {
            return forgotten;
        };
        let mut table = self.lock();
        let Some(slot) = table.slot(place) else {
            return forgotten;
        };
        let (mut detached, is_over) = slot.detach(session);
        if is_over {
            detached.forget.extend(table.close(place));
        } else if let Some(parked) = &mut detached.parked {
            parked.place = Some(place);
        }
        detached
    }

    /// Gives up a link that has been parked since then; the answer is what to forget.
    pub(crate) fn expire(&self, parked: &Parked) -> Option<Arc<Session>> {
        let place = parked.place?;
        let mut table = self.lock();
        let slot = table.slot(place)?;
        if !slot.is_still(parked) {
            return None;
        }
        tracing::info!(peer = %slot.peer, "a node did not come back to its link: nothing is kept for it any more");
        table.close(place)
    }

    /// All links, parked ones included.
    pub(crate) fn status(&self, now: Duration) -> Vec<LinkStatus> {
        let offered = self.offered();
        let table = self.lock();
        let slots = (0..).zip(&table.slots);
        slots
            .filter_map(|(id, slot)| {
                let slot = slot.as_ref()?;
                let waiting = table.journal.waiting(id, offered);
                let holder = slot.holder.as_ref().or(slot.session.as_ref());
                Some(LinkStatus {
                    peer: slot.peer.clone(),
                    is_attached: slot.session.is_some(),
                    waiting: waiting.events,
                    waiting_bytes: waiting.bytes,
                    lag: waiting.oldest.map(|at| now.saturating_sub(at)),
                    masks: holder.map_or(0, |session| session.subscriptions().count()),
                    withheld: waiting.withheld,
                })
            })
            .collect()
    }

    /// Events and bytes that are kept for links.
    pub(crate) fn kept(&self) -> (usize, usize) {
        self.lock().journal.size()
    }

    pub(crate) fn counts(&self) -> LinkCounts {
        self.lock().counts
    }

    /// The next frames of a link.
    fn take(&self, place: Place, frames: &mut Vec<ServerFrame>) {
        let mut table = self.lock();
        if table.slot(place).is_none() {
            return;
        }
        let lost = table.journal.take_lost(place.id);
        if lost > 0 {
            table.counts.lost += lost;
            frames.push(gap_frame(lost));
        }
        table.journal.take(place.id, BATCH_BYTES, frames);
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn slot(&mut self, place: Place) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(usize::from(place.id))?.as_mut()?;
        (slot.generation == place.generation).then_some(slot)
    }

    /// The place of the link that `offer` resumes, set back to where it says.
    fn resume(&mut self, offer: &LinkOffer) -> Option<Place> {
        let asked = offer.resume.as_ref()?;
        let mut slots = (0..).zip(&self.slots);
        let (id, generation) = slots.find_map(|(id, slot)| {
            let slot = slot.as_ref()?;
            (*slot.token == *asked.token).then_some((id, slot.generation))
        })?;
        let position = Position {
            sequence: asked.sequence,
            received: asked.received,
        };
        self.journal
            .resume(id, position)
            .then_some(Place { id, generation })
    }

    fn open(&mut self, session: &Session, offered: u64) -> Option<Place> {
        let id = self.journal.follow(offered)?;
        let at = usize::from(id);
        if self.slots.len() <= at {
            self.slots.resize_with(at + 1, || None);
        }
        self.generations += 1;
        let generation = self.generations;
        let token = Uuid::new_v4().simple().to_string().into();
        let info = session.cluster();
        let peer = info.and_then(|info| info.name.or(info.endpoint));
        self.slots[at] = Some(Slot::new(generation, token, peer.unwrap_or_default()));
        Some(Place { id, generation })
    }

    /// Frees the place of the link whose node has been silent for longest, of those that wait.
    fn close_longest_parked(&mut self) -> Option<Arc<Session>> {
        let slots = (0..).zip(&self.slots);
        let parked = slots.filter_map(|(id, slot)| {
            let slot = slot.as_ref().filter(|slot| slot.session.is_none())?;
            let generation = slot.generation;
            Some((slot.heard, Place { id, generation }))
        });
        let (_, place) = parked.min_by_key(|(heard, place)| (*heard, place.generation))?;
        self.close(place)
    }

    /// Frees a place; the answer is the session whose subscriptions were the link's.
    fn close(&mut self, place: Place) -> Option<Arc<Session>> {
        let slot = self.slots.get_mut(usize::from(place.id))?.take()?;
        self.journal.unfollow(place.id);
        slot.holder
    }
}
