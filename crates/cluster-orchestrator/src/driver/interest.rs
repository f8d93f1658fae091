//! Tells every peer what this node wants to hear, and lets subscriptions be answered once all
//! peers know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use happn_core::{Clock, InterestChange, LocalInterest, LocalMasks};
use happn_paths::Mask;
use tokio::sync::watch;

use crate::interest::{Interests, Wanted};

/// How often peers are told what nobody wants any more.
const GIVE_UP_INTERVAL: Duration = Duration::from_secs(10);

/// What links need to ask for no more than clients of this node want.
pub struct InterestSource {
    /// What they want.
    pub local: Arc<dyn LocalInterest>,
    /// When they want more masks than this, everything that is replicated is asked for.
    pub masks_max: usize,
}

/// What is wanted, and what peers know of it.
pub(super) struct Interest {
    local: Arc<dyn LocalInterest>,
    interests: Mutex<Interests>,
    wanted: watch::Sender<Wanted>,
    peers: Mutex<Peers>,
}

type Masks = Arc<BTreeSet<Mask>>;

/// What a peer that sends no more than that was asked for, as far as it has confirmed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedOf {
    /// The peer's `host:port`.
    pub endpoint: String,
    /// How many masks.
    pub masks: usize,
    /// They are everything that is replicated.
    pub is_everything: bool,
}

/// What one link's peer has confirmed, and up to which change.
struct Confirmed {
    number: u64,
    asked: AskedOf,
}

#[derive(Default)]
struct Peers {
    /// By link.
    confirmed: BTreeMap<u64, Confirmed>,
    /// By endpoint, what its process knew when the last link to it ended.
    remembered: BTreeMap<String, (String, Masks)>,
}

impl Interest {
    pub(super) fn new(source: InterestSource, replicate: &[Mask]) -> Arc<Self> {
        let interests = Interests::new(replicate, source.masks_max);
        Arc::new(Self {
            local: source.local,
            wanted: watch::Sender::new(interests.wanted().clone()),
            interests: Mutex::new(interests),
            peers: Mutex::default(),
        })
    }

    pub(super) fn wanted(&self) -> watch::Receiver<Wanted> {
        self.wanted.subscribe()
    }

    /// Follows what clients want, until it is cancelled.
    pub(super) async fn follow(self: Arc<Self>, clock: Arc<dyn Clock>) {
        let mut changes = self.local.watch();
        let mut give_up_at = clock.monotonic() + GIVE_UP_INTERVAL;
        loop {
            let left = give_up_at.saturating_sub(clock.monotonic());
            tokio::select! {
                changed = changes.changed() => match changed {
                    Ok(()) => self.refresh(Interests::widen),
                    Err(_) => return,
                },
                () = clock.sleep(left) => {
                    self.refresh(Interests::narrow);
                    give_up_at = clock.monotonic() + GIVE_UP_INTERVAL;
                }
            }
        }
    }

    /// Begins to tell the peer of link `link`; nobody's subscription is confirmed until it knows.
    pub(super) fn begin(
        self: &Arc<Self>,
        link: u64,
        endpoint: &str,
        instance: Option<&str>,
    ) -> Asking {
        let mut peers = self.peers();
        let nothing = Confirmed {
            number: 0,
            asked: AskedOf {
                endpoint: endpoint.to_owned(),
                masks: 0,
                is_everything: false,
            },
        };
        peers.confirmed.insert(link, nothing);
        self.confirm(&peers);
        let remembered = peers.remembered.remove(endpoint);
        drop(peers);
        // What was subscribed to before is in what the peer is told first.
        self.refresh(Interests::widen);
        Asking {
            link,
            endpoint: endpoint.to_owned(),
            instance: instance.map(str::to_owned),
            wanted: self.wanted(),
            known: Masks::default(),
            number: None,
            before: remembered
                .filter(|(earlier, _)| instance == Some(earlier))
                .map(|(_, masks)| masks),
            interest: Arc::clone(self),
        }
    }

    /// What the peers have confirmed, by link.
    pub(super) fn asked(&self) -> Vec<AskedOf> {
        let peers = self.peers();
        let confirmed = peers.confirmed.values();
        confirmed.map(|peer| peer.asked.clone()).collect()
    }

    /// No link to `endpoint` will follow.
    pub(super) fn forget(&self, endpoint: &str) {
        self.peers().remembered.remove(endpoint);
    }

    fn refresh(&self, change: impl FnOnce(&mut Interests, u64, Option<&[Mask]>)) {
        // The lock also keeps what is shown in order.
        let mut interests = self
            .interests
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let LocalMasks { number, masks } = self.local.masks(interests.masks_max());
        change(&mut interests, number, masks.as_deref());
        let wanted = interests.wanted();
        self.wanted.send_if_modified(|shown| {
            let differs = shown != wanted;
            if differs {
                shown.clone_from(wanted);
            }
            differs
        });
    }

    fn confirm(&self, peers: &Peers) {
        let least = peers.confirmed.values().map(|peer| peer.number).min();
        self.local.confirm(least.unwrap_or(u64::MAX));
    }

    fn peers(&self) -> MutexGuard<'_, Peers> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one link's peer knows; dropped with the link.
pub(super) struct Asking {
    interest: Arc<Interest>,
    link: u64,
    endpoint: String,
    instance: Option<String>,
    wanted: watch::Receiver<Wanted>,
    /// What the peer has confirmed: masks, and up to which change.
    known: Masks,
    number: Option<u64>,
    /// What it knew on the link before.
    before: Option<Masks>,
}

impl Asking {
    /// Completes when there is something new. Cancel-safe.
    pub(super) async fn changed(&mut self) {
        if self.wanted.changed().await.is_err() {
            // The node ends, and the link with it.
            std::future::pending::<()>().await;
        }
    }

    /// What is wanted now, and how to tell the peer. The first time there is always something to
    /// tell, and then only when there is a change.
    pub(super) fn next(&mut self) -> (Wanted, Option<InterestChange>) {
        let wanted = self.wanted.borrow_and_update().clone();
        let change = wanted.change_from(&self.known);
        let is_news = self.number.is_none() || !change.is_empty();
        (wanted, is_news.then_some(change))
    }

    /// The peer knows `wanted`. True when it may have published something before that a client
    /// here was already promised to hear.
    pub(super) fn confirmed(&mut self, wanted: &Wanted) -> bool {
        let overdue = self.interest.local.overdue();
        let came_late = match self.number {
            None => (self.before.take()).is_some_and(|before| wanted.exceeds(&before)),
            Some(number) => number < overdue && overdue <= wanted.number,
        };
        self.number = Some(wanted.number);
        self.known = Arc::clone(&wanted.masks);
        let mut peers = self.interest.peers();
        if let Some(confirmed) = peers.confirmed.get_mut(&self.link) {
            confirmed.number = wanted.number;
            confirmed.asked.masks = wanted.mask_count();
            confirmed.asked.is_everything = wanted.is_everything();
        }
        self.interest.confirm(&peers);
        came_late
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut peers = self.interest.peers();
        peers.confirmed.remove(&self.link);
        let known = match self.number {
            Some(_) => Some(std::mem::take(&mut self.known)),
            None => self.before.take(),
        };
        if let (Some(instance), Some(known)) = (self.instance.take(), known) {
            peers
                .remembered
                .insert(std::mem::take(&mut self.endpoint), (instance, known));
        }
        self.interest.confirm(&peers);
    }
}
