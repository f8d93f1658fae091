//! How far the links to peers have come. Pure and synchronous.

use std::collections::HashMap;

use happn_core::Gap;
use happn_protocol::link::{LinkAnswer, LinkPosition};

/// Endpoints remembered; a cluster is far smaller.
const ENDPOINTS_MAX: usize = 1024;

/// How far one link has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Names the numbered link at its other end; `None` when events have no numbers.
    token: Option<String>,
    sequence: u64,
    received: u64,
    /// The link did not end with a good-bye behind its last event.
    broke: bool,
}

/// How far the links to all endpoints had come when they ended.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    by_endpoint: HashMap<String, Position>,
}

impl Position {
    fn new(token: Option<String>) -> Self {
        Self {
            token,
            sequence: 0,
            received: 0,
            broke: true,
        }
    }

    pub(crate) fn is_numbered(&self) -> bool {
        self.token.is_some()
    }

    /// The number of the last event.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Takes an event's number; false when the event was here before.
    pub(crate) fn accept(&mut self, sequence: u64) -> bool {
        let is_new = sequence > self.sequence;
        if is_new {
            self.sequence = sequence;
            self.received = self.received.saturating_add(1);
        }
        is_new
    }

    /// So many events will not come.
    pub(crate) fn miss(&mut self, lost: u64) {
        self.received = self.received.saturating_add(lost);
    }

    /// What comes next can never be received: another link is to begin behind it.
    pub(crate) fn give_up(&mut self) {
        self.token = None;
    }

    /// The link ended with a good-bye behind its last event.
    pub(crate) fn parted(&mut self) {
        self.broke = false;
    }
}

impl Positions {
    /// What to ask of the node at `endpoint`.
    pub(crate) fn offer(&self, endpoint: &str) -> Option<LinkPosition> {
        let position = self.by_endpoint.get(endpoint)?;
        Some(LinkPosition {
            token: position.token.clone()?,
            sequence: position.sequence,
            received: position.received,
        })
    }

    /// Where a new link to `endpoint` starts, by what its node answered, and what is missing
    /// before its first event.
    pub(crate) fn open(
        &mut self,
        endpoint: &str,
        answer: Option<&LinkAnswer>,
    ) -> (Position, Option<Gap>) {
        let earlier = self.by_endpoint.remove(endpoint);
        let token = answer.map(|answer| answer.token.clone());
        match earlier {
            Some(earlier)
                if token.is_some()
                    && earlier.token == token
                    && answer.is_some_and(|answer| answer.resumed) =>
            {
                let position = Position {
                    broke: true,
                    ..earlier
                };
                (position, None)
            }
            earlier => {
                let gap = earlier.and_then(|earlier| earlier.gap());
                (Position::new(token), gap)
            }
        }
    }

    /// Remembers where a link ended.
    pub(crate) fn keep(&mut self, endpoint: &str, position: Position) {
        if self.by_endpoint.len() >= ENDPOINTS_MAX
            && let Some(any) = self.by_endpoint.keys().next().cloned()
        {
            self.by_endpoint.remove(&any);
        }
        self.by_endpoint.insert(endpoint.to_owned(), position);
    }

    /// No link will follow; answers what is missing for good.
    pub(crate) fn forget(&mut self, endpoint: &str) -> Option<Gap> {
        self.by_endpoint.remove(endpoint)?.gap()
    }
}

impl Position {
    /// What is missing when this link is not resumed.
    fn gap(&self) -> Option<Gap> {
        self.broke.then_some(Gap { lost: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(token: &str, resumed: bool) -> LinkAnswer {
        LinkAnswer {
            version: 1,
            token: token.to_owned(),
            resumed,
            instance: "i".to_owned(),
            interest: false,
        }
    }

    const UNKNOWN: Option<Gap> = Some(Gap { lost: None });

    #[test]
    fn a_resumed_link_goes_on_where_it_stopped_and_drops_what_was_there() {
        let mut positions = Positions::default();
        assert_eq!(positions.offer("b"), None);
        let (mut position, gap) = positions.open("b", Some(&answer("t", false)));
        assert_eq!(gap, None);
        assert!(position.accept(3) && position.accept(7) && !position.accept(7));
        position.miss(2);
        positions.keep("b", position);
        let offer = positions.offer("b").unwrap();
        assert_eq!(
            (offer.token.as_str(), offer.sequence, offer.received),
            ("t", 7, 4)
        );
        let (mut position, gap) = positions.open("b", Some(&answer("t", true)));
        assert_eq!(gap, None);
        assert!(!position.accept(7) && position.accept(8));
    }

    #[test]
    fn a_link_that_broke_and_is_not_resumed_leaves_a_gap_of_unknown_size() {
        let mut positions = Positions::default();
        for (next, gap) in [
            (Some(answer("u", false)), UNKNOWN),
            (Some(answer("u", true)), UNKNOWN),
            (None, UNKNOWN),
        ] {
            positions.keep("b", Position::new(Some("t".to_owned())));
            assert_eq!(positions.open("b", next.as_ref()).1, gap, "{next:?}");
        }
        positions.keep("b", Position::new(None));
        assert_eq!(positions.open("b", None).1, UNKNOWN, "without numbers, too");
        positions.keep("b", Position::new(None));
        assert_eq!(positions.forget("b"), UNKNOWN);
        assert_eq!(positions.forget("b"), None);
    }

    #[test]
    fn after_a_good_bye_nothing_is_missing() {
        let mut positions = Positions::default();
        let mut position = Position::new(Some("t".to_owned()));
        position.parted();
        positions.keep("b", position.clone());
        assert_eq!(positions.open("b", Some(&answer("u", false))).1, None);
        positions.keep("b", position);
        assert_eq!(positions.forget("b"), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut positions = Positions::default();
        for number in 0..2 * ENDPOINTS_MAX {
            positions.keep(&number.to_string(), Position::new(None));
        }
        assert_eq!(positions.by_endpoint.len(), ENDPOINTS_MAX);
    }
}
