//! One node that this node knows of.

use std::time::Duration;

use happn_core::Beat;

use super::backoff;
use super::record::Record;

/// How long a record that never moved may hold the node back while its first dial is under way.
/// Long enough for a living node to answer, short enough for a table full of remnants.
const FIRST_DIAL_GRACE: Duration = Duration::from_secs(2);

/// A link that lived this long was good; its loss starts a new series of redials.
const GOOD_LINK: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Member {
    pub(super) service: String,
    pub(super) link: Link,
    /// The name it gave when we were connected last.
    pub(super) last_name: Option<String>,
    /// When the last dial began.
    dialed_at: Option<Duration>,
    /// Dials and short-lived links that failed in a row.
    pub(super) failures: u32,
    record: Option<Record>,
    /// Its record does not say which cluster it belongs to.
    cluster_unknown: bool,
    /// Was a peer since its record came alive.
    was_peer: bool,
    /// Until then it holds the node back from being stable if it is no peer.
    settle_by: Duration,
    /// Until then it does so if it is a peer that has not subscribed here.
    answer_by: Duration,
}

/// Our connection to the member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Down {
        redial_at: Duration,
    },
    Dialing,
    /// Logged in, subscribing.
    Connected {
        name: String,
    },
    /// Logged in and subscribed.
    Peer {
        name: String,
        since: Duration,
    },
}

/// The circumstances under which a member is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) now: Duration,
    pub(super) presence: Presence,
}

/// What sessions a member has here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Absent,
    /// It is logged in here, but as a node of another cluster.
    Foreign,
    LoggedIn,
    /// It has made its subscriptions: it hears what is published here.
    Subscribed,
}

impl Now {
    fn is_inbound(self) -> bool {
        matches!(self.presence, Presence::LoggedIn | Presence::Subscribed)
    }
}

/// How a member looks from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    /// Counts as a known node.
    pub(super) listed: bool,
    pub(super) connected: bool,
    pub(super) peer: bool,
    pub(super) inbound: bool,
    /// What is published here reaches it.
    pub(super) hears: bool,
    /// Holds the node back from being stable.
    pub(super) blocking: bool,
}

impl Member {
    pub(super) fn first_seen(now: Duration, beat: Beat, threshold: Duration) -> Self {
        Self {
            service: beat.service,
            link: Link::Down { redial_at: now },
            last_name: None,
            dialed_at: None,
            failures: 0,
            record: Some(Record::first_seen(now, beat.mark)),
            cluster_unknown: beat.cluster.is_none(),
            was_peer: false,
            settle_by: now + FIRST_DIAL_GRACE.min(threshold),
            answer_by: now,
        }
    }

    pub(super) fn record_seen(&mut self, now: Duration, beat: Beat, threshold: Duration) {
        self.service = beat.service;
        self.cluster_unknown = beat.cluster.is_none();
        let revived = match &mut self.record {
            Some(record) => record.observe(now, beat.mark, threshold),
            None => {
                self.record = Some(Record::first_seen(now, beat.mark));
                true
            }
        };
        if revived && !self.is_linked() {
            self.failures = 0;
            self.was_peer = false;
            self.settle_by = now + FIRST_DIAL_GRACE.min(threshold);
            self.dial_soon(now);
        }
    }

    pub(super) fn record_vanished(&mut self) {
        self.record = None;
    }

    /// Its record is to be removed: it has not moved for long, and there is no link either.
    pub(super) fn is_remnant(&self, now: Duration) -> bool {
        !self.is_linked() && self.record.is_some_and(|record| record.is_remnant(now))
    }

    /// Nothing is left of it: neither a record, not even a stale one, nor a link.
    pub(super) fn is_gone(&self) -> bool {
        self.record.is_none() && matches!(self.link, Link::Down { .. })
    }

    pub(super) fn has_fresh_record(&self) -> bool {
        self.record.is_some_and(|record| !record.stale)
    }

    pub(super) fn is_linked(&self) -> bool {
        matches!(self.link, Link::Connected { .. } | Link::Peer { .. })
    }

    /// The name it gave when we logged in.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.link {
            Link::Connected { name } | Link::Peer { name, .. } => Some(name),
            Link::Down { .. } | Link::Dialing => None,
        }
    }

    pub(super) fn peer_name(&self) -> Option<&str> {
        match &self.link {
            Link::Peer { name, .. } => Some(name),
            _ => None,
        }
    }

    // === transitions ===

    /// Brings a waiting redial forward, but not closer to the last dial than the shortest pause:
    /// whoever can log in here can ask for this.
    pub(super) fn dial_soon(&mut self, now: Duration) {
        if let Link::Down { redial_at } = &mut self.link {
            let soonest = self.dialed_at.map_or(now, |at| now.max(at + backoff::BASE));
            *redial_at = soonest.min(*redial_at);
        }
    }

    pub(super) fn dial(&mut self, now: Duration) {
        self.link = Link::Dialing;
        self.dialed_at = Some(now);
    }

    pub(super) fn connected(&mut self, now: Duration, name: String, threshold: Duration) {
        if self.failures == 0 && !self.was_peer {
            self.settle_by = now + threshold;
        }
        self.last_name = Some(name.clone());
        self.link = Link::Connected { name };
    }

    /// The name of the new peer, unless it is not waiting for its subscription.
    pub(super) fn subscribed(&mut self, now: Duration, answer_by: Duration) -> Option<String> {
        let Link::Connected { name } = &self.link else {
            return None;
        };
        let name = name.clone();
        self.link = Link::Peer {
            name: name.clone(),
            since: now,
        };
        self.was_peer = true;
        self.answer_by = answer_by;
        Some(name)
    }

    /// A dial failed, or whoever answered it is not to be a peer.
    pub(super) fn refuse(&mut self, redial_at: Duration, now: Duration) {
        self.failures = self.failures.saturating_add(1);
        self.link = Link::Down { redial_at };
        if !self.was_peer {
            self.settle_by = self.settle_by.min(now);
        }
    }

    /// The failures in a row if the link is lost now.
    pub(super) fn failures_after_loss(&self, now: Duration) -> u32 {
        match &self.link {
            Link::Peer { since, .. } if now.saturating_sub(*since) >= GOOD_LINK => 0,
            _ => self.failures.saturating_add(1),
        }
    }

    /// The link is gone; the name if it was a peer.
    pub(super) fn lost(
        &mut self,
        redial_at: Duration,
        failures: u32,
        settle_by: Duration,
    ) -> Option<String> {
        let was = std::mem::replace(&mut self.link, Link::Down { redial_at });
        self.failures = failures;
        match was {
            Link::Peer { name, .. } => {
                self.settle_by = settle_by;
                Some(name)
            }
            _ => None,
        }
    }

    /// It does not hear us any more: worth waiting for again.
    pub(super) fn went_deaf(&mut self, answer_by: Duration) {
        self.answer_by = answer_by;
    }

    // === questions ===

    pub(super) fn is_due(&self, at: Now) -> bool {
        let is_time = matches!(self.link, Link::Down { redial_at } if redial_at <= at.now);
        is_time && self.is_alive(at) && !self.is_foreign(at)
    }

    /// It belongs to another cluster: it says so where it logs in, and its record does not say.
    pub(super) fn is_foreign(&self, at: Now) -> bool {
        self.cluster_unknown && at.presence == Presence::Foreign
    }

    /// Its record moved, or it is connected to us; else it may be a remnant.
    pub(super) fn shows_life(&self, at: Now) -> bool {
        at.is_inbound() || self.record.is_some_and(|record| record.proven)
    }

    pub(super) fn view(&self, at: Now) -> View {
        let peer = self.peer_name().is_some();
        let is_settling = at.now < self.settle_by;
        let may_live = self.shows_life(at) || is_settling;
        let listed =
            self.is_linked() || (self.has_fresh_record() && may_live && !self.is_foreign(at));
        let blocking = match peer {
            true => at.presence != Presence::Subscribed && at.now < self.answer_by,
            false => listed && is_settling,
        };
        View {
            listed,
            connected: self.is_linked(),
            peer,
            inbound: at.is_inbound(),
            hears: at.presence == Presence::Subscribed,
            blocking,
        }
    }

    /// The next time at which it is to be dialed or looks different without any input.
    pub(super) fn next_wake(&self, at: Now, may_dial: bool) -> Option<Duration> {
        let redial = match self.link {
            Link::Down { redial_at } if may_dial && self.is_alive(at) && !self.is_foreign(at) => {
                Some(redial_at)
            }
            _ => None,
        };
        let deadline = match self.link {
            Link::Peer { .. } => self.answer_by,
            _ => self.settle_by,
        };
        let deadline = Some(deadline).filter(|deadline| *deadline > at.now);
        redial.into_iter().chain(deadline).min()
    }

    /// Worth dialing: its record moves, or it is connected to us and has a record. The latter is
    /// not enough to be listed, because a session of a dead node can linger.
    fn is_alive(&self, at: Now) -> bool {
        self.record
            .is_some_and(|record| !record.stale || at.is_inbound())
    }
}
