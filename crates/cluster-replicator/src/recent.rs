//! Which publications a peer has delivered lately.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;

use happn_core::ReplicatedEvent;

/// How many publications are remembered per peer.
///
/// A peer sends the copies of one publication next to each other, one per matching mask, so the
/// window only has to span one publication's masks and what interleaves with them.
pub const WINDOW_PER_PEER: usize = 1024;

/// How many peers are remembered; the one heard least recently makes room.
pub const PEERS_MAX: usize = 1024;

/// Tells the first copy of a publication from the ones that overlapping masks bring after it.
///
/// Copies agree in publication id, path, kind, time and data. The id alone is not enough: it is
/// made from a number that the publishing client chooses, and a client that always sends the same
/// number must not lose its events. Two real publications that agree in *all* of this within one
/// window are taken for copies; a subscriber could not tell them apart either.
///
/// Memory is bounded: [`PEERS_MAX`] windows of [`WINDOW_PER_PEER`] fingerprints of 8 bytes.
#[derive(Debug, Default)]
pub struct Recent {
    peers: HashMap<String, Window>,
    fingerprint: RandomState,
    turn: u64,
}

impl Recent {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The events of `peer` that were not seen just now, in order.
    pub fn fresh<'e>(
        &mut self,
        peer: &str,
        events: &'e [ReplicatedEvent],
    ) -> Vec<&'e ReplicatedEvent> {
        self.turn += 1;
        let turn = self.turn;
        let fingerprint = self.fingerprint.clone();
        let window = self.window(peer);
        window.heard = turn;
        let is_fresh = |event: &&ReplicatedEvent| {
            // Without an id there is nothing to recognise a copy by, and on a numbered link there
            // are no copies.
            event.publication_id.is_empty()
                || event.sequence.is_some()
                || window.insert(fingerprint.hash_one(identity(event)))
        };
        events.iter().filter(is_fresh).collect()
    }

    fn window(&mut self, peer: &str) -> &mut Window {
        if !self.peers.contains_key(peer) && self.peers.len() >= PEERS_MAX {
            self.forget_quietest();
        }
        self.peers.entry(peer.to_owned()).or_default()
    }

    fn forget_quietest(&mut self) {
        let quietest = self.peers.iter().min_by_key(|(_, window)| window.heard);
        if let Some(name) = quietest.map(|(name, _)| name.clone()) {
            self.peers.remove(&name);
        }
    }
}

/// What two copies of one publication have in common.
fn identity(event: &ReplicatedEvent) -> impl std::hash::Hash + '_ {
    (
        &*event.publication_id,
        &*event.path,
        event.kind,
        event.modified,
        event.data.as_bytes(),
    )
}

/// The last fingerprints of one peer, oldest first.
#[derive(Debug, Default)]
struct Window {
    order: VecDeque<u64>,
    known: HashSet<u64>,
    /// The turn in which the peer was last heard.
    heard: u64,
}

impl Window {
    /// Whether `fingerprint` is new; it is remembered either way.
    fn insert(&mut self, fingerprint: u64) -> bool {
        if !self.known.insert(fingerprint) {
            return false;
        }
        self.order.push_back(fingerprint);
        if self.order.len() > WINDOW_PER_PEER
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use happn_paths::EventKind;
    use happn_protocol::Json;

    use super::*;

    fn event(id: &str, path: &str, data: &str) -> ReplicatedEvent {
        ReplicatedEvent {
            kind: EventKind::Set,
            path: path.into(),
            data: Json::parse(data).unwrap(),
            session_id: "session".into(),
            publication_id: id.into(),
            created: Some(1),
            modified: Some(1),
            event_origin: None,
            merge_data: None,
            consistency: None,
            sequence: None,
            custom: Vec::new(),
        }
    }

    fn fresh_count(recent: &mut Recent, peer: &str, events: &[ReplicatedEvent]) -> usize {
        recent.fresh(peer, events).len()
    }

    #[test]
    fn a_copy_in_the_same_batch_is_dropped_and_order_is_kept() {
        let events = [
            event("s-1", "/a", "{}"),
            event("s-1", "/a", "{}"),
            event("s-2", "/b", "{}"),
            event("s-1", "/a", "{}"),
        ];
        let mut recent = Recent::new();
        let fresh = recent.fresh("b", &events);
        let paths: Vec<_> = fresh.iter().map(|event| &*event.path).collect();
        assert_eq!(paths, ["/a", "/b"]);
    }

    #[test]
    fn a_copy_in_a_later_batch_is_dropped() {
        let mut recent = Recent::new();
        assert_eq!(
            fresh_count(&mut recent, "b", &[event("s-1", "/a", "{}")]),
            1
        );
        assert_eq!(
            fresh_count(&mut recent, "b", &[event("s-1", "/a", "{}")]),
            0
        );
    }

    #[test]
    fn the_same_id_with_another_path_kind_time_or_data_is_another_publication() {
        let first = event("s-1", "/a", "{}");
        let removed = ReplicatedEvent {
            kind: EventKind::Remove,
            ..first.clone()
        };
        let later = ReplicatedEvent {
            modified: Some(2),
            ..first.clone()
        };
        let events = [
            first,
            removed,
            later,
            event("s-1", "/b", "{}"),
            event("s-1", "/a", r#"{"value":1}"#),
        ];
        assert_eq!(fresh_count(&mut Recent::new(), "b", &events), 5);
    }

    #[test]
    fn events_without_an_id_all_pass() {
        let events = [event("", "/a", "{}"), event("", "/a", "{}")];
        assert_eq!(fresh_count(&mut Recent::new(), "b", &events), 2);
    }

    /// Two equal publications of a client that always sends the same number are two events.
    #[test]
    fn numbered_events_are_never_taken_for_copies() {
        let numbered = |sequence| ReplicatedEvent {
            sequence: Some(sequence),
            ..event("s-1", "/a", "{}")
        };
        assert_eq!(
            fresh_count(&mut Recent::new(), "b", &[numbered(1), numbered(2)]),
            2
        );
    }

    #[test]
    fn peers_do_not_hide_each_others_events() {
        let mut recent = Recent::new();
        assert_eq!(
            fresh_count(&mut recent, "b", &[event("s-1", "/a", "{}")]),
            1
        );
        assert_eq!(
            fresh_count(&mut recent, "c", &[event("s-1", "/a", "{}")]),
            1
        );
    }

    #[test]
    fn the_window_forgets_the_oldest_and_stays_bounded() {
        let mut recent = Recent::new();
        let first = [event("s-0", "/a", "{}")];
        recent.fresh("b", &first);
        for number in 1..=WINDOW_PER_PEER {
            recent.fresh("b", &[event(&format!("s-{number}"), "/a", "{}")]);
        }
        assert_eq!(recent.peers["b"].order.len(), WINDOW_PER_PEER);
        assert_eq!(recent.peers["b"].known.len(), WINDOW_PER_PEER);
        assert_eq!(fresh_count(&mut recent, "b", &first), 1);
    }

    #[test]
    fn the_peer_heard_least_recently_makes_room_for_a_new_one() {
        let mut recent = Recent::new();
        for number in 0..PEERS_MAX {
            recent.fresh(&format!("peer-{number}"), &[]);
        }
        recent.fresh("peer-0", &[]);
        recent.fresh("newcomer", &[]);
        assert_eq!(recent.peers.len(), PEERS_MAX);
        assert!(recent.peers.contains_key("peer-0"));
        assert!(!recent.peers.contains_key("peer-1"));
    }
}
