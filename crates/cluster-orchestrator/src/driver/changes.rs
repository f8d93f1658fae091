//! Peers that come and go, one by one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use super::View;

/// Changes that may wait for a slow listener before it has to start over from the view.
pub(super) const CHANGES_MAX: usize = 256;

/// A peer came or went. This node itself is never meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerChange {
    /// Connected and subscribed; `peer/add` of the reference.
    Added {
        /// Its name.
        name: String,
        /// `host:port`.
        endpoint: String,
    },
    /// Not connected any more; `peer/remove` of the reference.
    Removed {
        /// Its name.
        name: String,
        /// `host:port`.
        endpoint: String,
    },
}

/// The peers there are, each as an arrival, and then every change.
///
/// A listener that falls far behind is told what it takes to get from what it knows to what is
/// there: it may miss that a peer was gone for a moment, but never whether it is there.
#[derive(Debug)]
pub struct PeerChanges {
    changes: broadcast::Receiver<PeerChange>,
    view: watch::Receiver<Arc<View>>,
    /// Name by endpoint, as told so far.
    told: BTreeMap<String, String>,
    waiting: VecDeque<PeerChange>,
}

impl PeerChanges {
    pub(super) fn new(
        changes: broadcast::Receiver<PeerChange>,
        view: watch::Receiver<Arc<View>>,
    ) -> Self {
        let mut peers = Self {
            changes,
            view,
            told: BTreeMap::new(),
            waiting: VecDeque::new(),
        };
        peers.catch_up();
        peers
    }

    /// The next change; `None` once the orchestrator has stopped. Cancel-safe.
    pub async fn next(&mut self) -> Option<PeerChange> {
        loop {
            if let Some(change) = self.waiting.pop_front() {
                return Some(change);
            }
            match self.changes.recv().await {
                Ok(change) if self.is_news(&change) => return Some(change),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => self.catch_up(),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Whether the change was not told yet; it is from then on.
    fn is_news(&mut self, change: &PeerChange) -> bool {
        match change {
            PeerChange::Added { name, endpoint } => {
                let earlier = self.told.insert(endpoint.clone(), name.clone());
                earlier.as_ref() != Some(name)
            }
            PeerChange::Removed { endpoint, .. } => self.told.remove(endpoint).is_some(),
        }
    }

    /// Queues what leads from what was told to what is there.
    fn catch_up(&mut self) {
        let view = self.view.borrow_and_update().clone();
        let peers = view.members.iter().filter(|it| it.is_peer && !it.is_self);
        let now: BTreeMap<String, String> = peers
            .filter_map(|peer| Some((peer.endpoint.clone(), peer.name.clone()?)))
            .collect();
        for (endpoint, name) in &self.told {
            if now.get(endpoint) != Some(name) {
                self.waiting.push_back(PeerChange::Removed {
                    name: name.clone(),
                    endpoint: endpoint.clone(),
                });
            }
        }
        for (endpoint, name) in &now {
            if self.told.get(endpoint) != Some(name) {
                self.waiting.push_back(PeerChange::Added {
                    name: name.clone(),
                    endpoint: endpoint.clone(),
                });
            }
        }
        self.told = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{MemberSnapshot, State};

    fn view(peers: &[&str]) -> Arc<View> {
        let member = |name: &&str| MemberSnapshot {
            endpoint: format!("{name}:1"),
            service: "s".to_owned(),
            name: Some((*name).to_owned()),
            is_self: *name == "me",
            connected_to: true,
            connected_from: true,
            subscribed_from: true,
            is_peer: true,
        };
        Arc::new(View {
            state: State::Stable,
            members: peers.iter().map(member).collect(),
            degraded: None,
        })
    }

    fn added(name: &str) -> PeerChange {
        PeerChange::Added {
            name: name.to_owned(),
            endpoint: format!("{name}:1"),
        }
    }

    fn removed(name: &str) -> PeerChange {
        PeerChange::Removed {
            name: name.to_owned(),
            endpoint: format!("{name}:1"),
        }
    }

    #[tokio::test]
    async fn the_peers_that_are_there_come_first_and_each_change_once() {
        let (sender, receiver) = broadcast::channel(CHANGES_MAX);
        let (_shown, seen) = watch::channel(view(&["me", "a"]));
        let mut changes = PeerChanges::new(receiver, seen);
        // In the view already when the listener began.
        for change in [added("a"), added("b"), removed("a"), added("a")] {
            sender.send(change).unwrap();
        }
        drop(sender);
        for change in [added("a"), added("b"), removed("a"), added("a")] {
            assert_eq!(changes.next().await, Some(change));
        }
        assert_eq!(changes.next().await, None);
    }

    #[tokio::test]
    async fn a_listener_that_fell_behind_is_told_what_is_there() {
        let (sender, receiver) = broadcast::channel(2);
        let (shown, seen) = watch::channel(view(&["me", "a"]));
        let mut changes = PeerChanges::new(receiver, seen);
        assert_eq!(changes.next().await, Some(added("a")));
        for name in ["b", "c", "d"] {
            sender.send(added(name)).unwrap();
        }
        sender.send(removed("a")).unwrap();
        shown.send_replace(view(&["me", "b", "c", "d"]));
        for change in [removed("a"), added("b"), added("c"), added("d")] {
            assert_eq!(changes.next().await, Some(change));
        }
        drop(sender);
        assert_eq!(changes.next().await, None, "nothing twice");
    }
}
