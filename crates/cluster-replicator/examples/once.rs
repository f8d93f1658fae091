//! An event that comes from a peer twice is published once:
//! `cargo run -p cluster-replicator --example once`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::sync::Arc;

use cluster_replicator::Replicator;
use happn_core::{Delivery, EventSink, PeerEvents, ReplicatedEvent};
use happn_paths::EventKind;
use happn_protocol::Json;

/// Stands where a node would publish to its own clients.
struct Clients;

impl EventSink for Clients {
    fn publish(&self, event: &ReplicatedEvent) -> Delivery {
        println!(
            "clients hear {:?} {} {}",
            event.kind, event.path, event.data
        );
        Delivery {
            matched: 1,
            delivered: 1,
            ..Delivery::default()
        }
    }

    fn originate(&self, path: &str, data: &Json) -> Delivery {
        println!("clients and other nodes hear {path} {data}");
        Delivery::default()
    }

    fn announce_gap(&self, origin: &str, lost: Option<u64>) {
        println!("clients hear that events of {origin} are missing: {lost:?}");
    }
}

fn main() {
    let replicator = Replicator::new(Arc::new(Clients), "node-1".to_owned());
    // Two masks of one subscription matched the first event, so the peer sends it twice.
    replicator.deliver("node-2", &[event(1), event(1), event(2)]);
    println!("{:?}", replicator.counters());
}

fn event(number: u32) -> ReplicatedEvent {
    ReplicatedEvent {
        kind: EventKind::Set,
        path: format!("/orders/{number}").into(),
        data: Json::from_static(r#"{"state":"new"}"#),
        session_id: "session-at-node-2".into(),
        publication_id: format!("session-at-node-2-{number}").into(),
        created: None,
        modified: None,
        event_origin: None,
        merge_data: None,
        consistency: None,
        sequence: None,
        custom: Vec::new(),
    }
}
