//! What was published and what arrived, and what that says.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Where an event came from and who saw it, as indices of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Route {
    pub(super) from: usize,
    pub(super) to: usize,
}

/// One phase's books. Publishers number their events from 0.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// How many events each node's publisher has tried to publish.
    published: HashMap<usize, u64>,
    /// Those of them that it was told are not; they may have been all the same.
    refused: HashMap<usize, BTreeSet<u64>>,
    /// The last one of each node's publisher that it was told is stored.
    stored: HashMap<usize, u64>,
    arrived: HashMap<Route, Vec<u64>>,
}

/// What became of the events of one route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) delivered: u64,
    pub(super) lost: u64,
    pub(super) duplicated: u64,
    /// Events that arrived after a later one.
    pub(super) reordered: u64,
}

impl Tally {
    pub(super) fn is_clean(self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.reordered == 0
    }
}

impl Ledger {
    pub(super) fn note_published(&mut self, from: usize) {
        *self.published.entry(from).or_default() += 1;
    }

    /// The next event of `from` was refused.
    pub(super) fn note_refused(&mut self, from: usize) {
        let number = self.published.entry(from).or_default();
        self.refused.entry(from).or_default().insert(*number);
        *number += 1;
    }

    pub(super) fn note_stored(&mut self, from: usize, number: u64) {
        self.stored.insert(from, number);
    }

    /// The last event of `from` that must be stored.
    pub(super) fn stored(&self, from: usize) -> Option<u64> {
        self.stored.get(&from).copied()
    }

    /// How many writes were refused, by whichever node.
    pub(super) fn refused(&self) -> usize {
        self.refused.values().map(BTreeSet::len).sum()
    }

    pub(super) fn note_arrived(&mut self, route: Route, number: u64) {
        self.arrived.entry(route).or_default().push(number);
    }

    pub(super) fn tally(&self, route: Route) -> Tally {
        let published = self.published.get(&route.from).copied().unwrap_or(0);
        let refused = self.refused.get(&route.from);
        let must_come = |number: &u64| refused.is_none_or(|refused| !refused.contains(number));
        let arrived = self
            .arrived
            .get(&route)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let mut times: BTreeMap<u64, u64> = BTreeMap::new();
        for number in arrived {
            *times.entry(*number).or_default() += 1;
        }
        let reordered = arrived.windows(2).filter(|pair| pair[1] < pair[0]).count();
        Tally {
            delivered: times.len() as u64,
            lost: (0..published)
                .filter(|number| must_come(number) && !times.contains_key(number))
                .count() as u64,
            duplicated: times.values().map(|count| count - 1).sum(),
            reordered: reordered as u64,
        }
    }

    /// Whether every event of `routes` has arrived.
    pub(super) fn is_complete(&self, routes: &[Route]) -> bool {
        routes.iter().all(|route| self.tally(*route).lost == 0)
    }
}

/// All routes among `nodes`, each node to itself included.
pub(super) fn routes(nodes: &[usize]) -> Vec<Route> {
    let pair = |from: usize| nodes.iter().map(move |to| Route { from, to: *to });
    nodes.iter().flat_map(|from| pair(*from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: Route = Route { from: 0, to: 1 };

    fn tally(published: u64, arrived: &[u64]) -> Tally {
        let mut ledger = Ledger::default();
        (0..published).for_each(|_| ledger.note_published(0));
        arrived
            .iter()
            .for_each(|number| ledger.note_arrived(ROUTE, *number));
        ledger.tally(ROUTE)
    }

    #[test]
    fn everything_once_and_in_order_is_clean() {
        assert!(tally(3, &[0, 1, 2]).is_clean());
    }

    #[test]
    fn an_event_that_did_not_arrive_is_lost() {
        assert_eq!(tally(3, &[0, 2]).lost, 1);
    }

    #[test]
    fn an_event_that_arrived_twice_is_a_duplicate_once() {
        let found = tally(2, &[0, 1, 1]);
        assert_eq!(
            (found.delivered, found.duplicated, found.reordered),
            (2, 1, 0)
        );
    }

    #[test]
    fn an_event_after_a_later_one_is_out_of_order() {
        assert_eq!(tally(3, &[0, 2, 1]).reordered, 1);
    }

    #[test]
    fn a_refused_event_may_arrive_or_not() {
        let mut ledger = Ledger::default();
        ledger.note_published(0);
        ledger.note_refused(0);
        ledger.note_refused(0);
        ledger.note_published(0);
        for number in [0, 2, 3] {
            ledger.note_arrived(ROUTE, number);
        }
        assert!(ledger.tally(ROUTE).is_clean());
        assert_eq!(ledger.refused(), 2);
    }

    #[test]
    fn every_node_hears_itself_and_the_others() {
        assert_eq!(routes(&[0, 2]).len(), 4);
    }
}
