//! The replicator itself.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use happn_core::{EventSink, Gap, PeerEvents, ReplicatedEvent};
use happn_paths::{EventKind, REPLICATE_MASK};
use happn_protocol::Json;
use tokio::sync::{Notify, broadcast};

use crate::counters::{Counters, LiveCounters};
use crate::envelope::Envelope;
use crate::recent::Recent;
use crate::topics::{TopicMessage, Topics};

/// Re-publishes the events of peers to this node's own clients, each exactly once.
///
/// Order: the events of one peer are published in the order in which they are delivered; between
/// peers there is no order. Whoever drives the links must not call
/// [`deliver`](PeerEvents::deliver) for one peer from two places at once.
pub struct Replicator {
    sink: Arc<dyn EventSink>,
    /// This node's name, the origin of its messages.
    name: String,
    topics: Topics,
    recent: Mutex<Recent>,
    counters: LiveCounters,
    /// Events of a peer are missing.
    gaps: Arc<Notify>,
}

impl Replicator {
    /// A replicator of the node called `name` that publishes into `sink`.
    #[must_use]
    pub fn new(sink: Arc<dyn EventSink>, name: String) -> Self {
        Self {
            sink,
            name,
            topics: Topics::default(),
            recent: Mutex::new(Recent::new()),
            counters: LiveCounters::default(),
            gaps: Arc::default(),
        }
    }

    /// Is notified when events of a peer are missing; one may wait for it.
    pub(crate) fn gaps(&self) -> Arc<Notify> {
        self.gaps.clone()
    }

    /// Tells every node, this one included, `payload` about `topic`. Does not wait.
    pub fn send(&self, topic: &str, payload: Option<Json>) {
        self.topics.hand_out(TopicMessage {
            topic: topic.to_owned(),
            payload: payload.clone(),
            is_local: true,
            origin: self.name.clone(),
        });
        self.send_to_others(topic, payload);
    }

    /// What nodes say about `topic` from now on, this one included. The receiver is told when it
    /// was too slow and missed some.
    #[must_use]
    pub fn subscribe(&self, topic: &str) -> broadcast::Receiver<TopicMessage> {
        self.topics.subscribe(topic)
    }

    pub(crate) fn send_to_others(&self, topic: &str, payload: Option<Json>) {
        let envelope = Envelope {
            topic: topic.to_owned(),
            payload,
            origin: self.name.clone(),
        };
        self.sink.originate(REPLICATE_MASK, &envelope.write());
    }

    /// Hands a message of another node to those who listen to its topic.
    fn listen(&self, event: &ReplicatedEvent) {
        if event.kind != EventKind::Set || *event.path != *REPLICATE_MASK {
            return;
        }
        match Envelope::read(&event.data) {
            Some(envelope) => self.topics.hand_out(TopicMessage {
                is_local: envelope.origin == self.name,
                topic: envelope.topic,
                payload: envelope.payload,
                origin: envelope.origin,
            }),
            None => tracing::warn!("a malformed message between nodes is ignored"),
        }
    }

    /// What came in so far and what became of it.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters.read()
    }
}

impl PeerEvents for Replicator {
    fn deliver(&self, peer: &str, events: &[ReplicatedEvent]) {
        // The lock covers the decision only, so that a slow publication of one peer's events does
        // not hold up another's. Its data stays sound if a holder panics: at worst a copy passes.
        let fresh = self
            .recent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fresh(peer, events);
        self.counters.batch(events.len(), fresh.len());
        for event in fresh {
            // The sink logs what a session refuses; here it is counted.
            self.counters.delivery(self.sink.publish(event));
            self.listen(event);
        }
    }

    fn missed(&self, peer: &str, gap: Gap) {
        self.counters.gap(gap);
        self.gaps.notify_one();
        match gap.lost {
            Some(lost) => tracing::warn!(peer, lost, "events of a peer are lost"),
            None => tracing::warn!(
                peer,
                "events of a peer may be lost: its link broke or was slow"
            ),
        }
        self.sink.announce_gap(peer, gap.lost);
    }
}

impl fmt::Debug for Replicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replicator")
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use happn_core::Delivery;

    use super::*;

    /// Writes down what it was asked to publish and answers as told.
    #[derive(Default)]
    struct FakeSink {
        published: Mutex<Vec<ReplicatedEvent>>,
        gaps: Mutex<Vec<(String, Option<u64>)>>,
        answer: Delivery,
    }

    impl EventSink for FakeSink {
        fn publish(&self, event: &ReplicatedEvent) -> Delivery {
            self.published.lock().unwrap().push(event.clone());
            self.answer
        }

        fn originate(&self, _path: &str, _data: &Json) -> Delivery {
            self.answer
        }

        fn announce_gap(&self, origin: &str, lost: Option<u64>) {
            self.gaps.lock().unwrap().push((origin.to_owned(), lost));
        }
    }

    impl FakeSink {
        fn paths(&self) -> Vec<String> {
            let published = self.published.lock().unwrap();
            published
                .iter()
                .map(|event| event.path.to_string())
                .collect()
        }
    }

    fn event(number: u32, path: &str) -> ReplicatedEvent {
        ReplicatedEvent {
            kind: EventKind::Set,
            path: path.into(),
            data: Json::parse(r#"{"some":"data"}"#).unwrap(),
            session_id: "origin".into(),
            publication_id: format!("origin-{number}").into(),
            created: None,
            modified: None,
            event_origin: None,
            merge_data: None,
            consistency: None,
            sequence: None,
            custom: vec![("mine".into(), Json::parse("1").unwrap())],
        }
    }

    #[test]
    fn an_event_of_a_peer_reaches_the_sink_unchanged() {
        let sink = Arc::new(FakeSink::default());
        let replicator = Replicator::new(sink.clone(), "a".to_owned());
        replicator.deliver("b", &[event(1, "/x")]);
        assert_eq!(*sink.published.lock().unwrap(), [event(1, "/x")]);
    }

    #[test]
    fn events_stay_in_their_order_and_copies_are_counted() {
        let sink = Arc::new(FakeSink::default());
        let replicator = Replicator::new(sink.clone(), "a".to_owned());
        replicator.deliver("b", &[event(1, "/1"), event(1, "/1"), event(2, "/2")]);
        replicator.deliver("b", &[event(2, "/2"), event(3, "/3")]);
        assert_eq!(sink.paths(), ["/1", "/2", "/3"]);
        let counters = replicator.counters();
        assert_eq!(
            (counters.received, counters.republished, counters.duplicates),
            (5, 3, 2)
        );
    }

    #[test]
    fn a_gap_is_counted_and_told_to_the_clients() {
        let sink = Arc::new(FakeSink::default());
        let replicator = Replicator::new(sink.clone(), "a".to_owned());
        replicator.missed("b", Gap { lost: Some(3) });
        replicator.missed("c", Gap { lost: None });
        let counters = replicator.counters();
        assert_eq!((counters.gaps, counters.lost), (2, 3));
        let told = [("b".to_owned(), Some(3)), ("c".to_owned(), None)];
        assert_eq!(*sink.gaps.lock().unwrap(), told);
    }

    #[test]
    fn what_sessions_took_and_refused_is_counted() {
        let answer = Delivery {
            matched: 3,
            delivered: 2,
            refused: 1,
        };
        let sink = Arc::new(FakeSink {
            answer,
            ..FakeSink::default()
        });
        let replicator = Replicator::new(sink, "a".to_owned());
        replicator.deliver("b", &[event(1, "/1"), event(2, "/2")]);
        let counters = replicator.counters();
        assert_eq!((counters.delivered, counters.refused), (4, 2));
    }
}
