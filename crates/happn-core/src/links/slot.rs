//! One link: the session that carries it, and the one whose subscriptions say what is for it.

use std::sync::Arc;
use std::time::Duration;

use super::{Detached, Place};
use crate::Session;

/// A numbered link. Its session may be gone for a while.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) generation: u64,
    pub(super) token: Arc<str>,
    /// The node at the other end, for people.
    pub(super) peer: String,
    /// Where its events go.
    pub(super) session: Option<Arc<Session>>,
    /// Whose subscriptions match for it; until a new session has made its own, an old one's.
    pub(super) holder: Option<Arc<Session>>,
    /// When its node was heard last.
    pub(super) heard: Duration,
    /// Its node said good-bye.
    pub(super) is_leaving: bool,
    /// Counts the losses of its sessions.
    losses: u64,
}

/// A link that waits for its node.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(super) place: Option<Place>,
    losses: u64,
}

impl Slot {
    pub(super) fn new(generation: u64, token: Arc<str>, peer: String) -> Self {
        Self {
            generation,
            token,
            peer,
            session: None,
            holder: None,
            heard: Duration::ZERO,
            is_leaving: false,
            losses: 0,
        }
    }

    /// Lets `session` carry the link; answers the one that did so far.
    pub(super) fn attach(&mut self, session: &Arc<Session>, now: Duration) -> Option<Arc<Session>> {
        self.heard = now;
        self.is_leaving = false;
        self.session.replace(Arc::clone(session))
    }

    /// `session` has all its subscriptions; answers the one whose matched so far.
    pub(super) fn hold(&mut self, session: &Arc<Session>) -> Option<Arc<Session>> {
        let earlier = self.holder.replace(Arc::clone(session));
        earlier.filter(|earlier| !Arc::ptr_eq(earlier, session))
    }

    pub(super) fn is_attached_to(&self, session: &Session) -> bool {
        is(self.session.as_ref(), session)
    }

    pub(super) fn is_still(&self, parked: &Parked) -> bool {
        self.session.is_none() && self.losses == parked.losses
    }

    /// `session` is gone. True if the link is over with it.
    pub(super) fn detach(&mut self, session: &Arc<Session>) -> (Detached, bool) {
        let mut detached = Detached::default();
        if !is(self.holder.as_ref(), session) {
            detached.forget.push(Arc::clone(session));
        }
        if !self.is_attached_to(session) {
            return (detached, false);
        }
        self.session = None;
        self.losses += 1;
        if self.is_leaving || self.holder.is_none() {
            return (detached, true);
        }
        detached.parked = Some(Parked {
            place: None,
            losses: self.losses,
        });
        (detached, false)
    }
}

fn is(held: Option<&Arc<Session>>, session: &Session) -> bool {
    held.is_some_and(|held| std::ptr::eq(&raw const **held, session))
}
