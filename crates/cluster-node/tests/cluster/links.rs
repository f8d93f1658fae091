//! Links between nodes that break, hang and come back.

use std::time::Duration;

use cluster_node::Node;
use happn_client::{PeerDialer, PeerDialerConfig};
use happn_core::{Gap, LinkError, LinkLogin, PeerConnector, PeerLink, PeerLogin, ReplicatedEvent};
use happn_paths::Mask;
use happn_protocol::Json;
use serde_json::json;
use testkit::{Line, Relay};

use crate::harness::{Folder, Listener, Plan, client, cluster, soon, stop};

/// Another node's side of a link to `node`, through a relay.
struct Peer {
    dialer: PeerDialer,
    relay: Relay,
}

impl Peer {
    async fn of(node: &Node) -> Self {
        let config = PeerDialerConfig {
            beat_interval: Duration::from_millis(200),
            silence_limit: Duration::from_millis(1500),
            ..PeerDialerConfig::default()
        };
        Self {
            dialer: PeerDialer::new(config),
            relay: Relay::start(([127, 0, 0, 1], 0).into(), node.address())
                .await
                .unwrap(),
        }
    }

    fn endpoint(&self) -> String {
        self.relay.address().to_string()
    }

    async fn link(&self) -> Box<dyn PeerLink> {
        let info = r#"{"name":"peer","clusterName":"happn-cluster","serviceName":"happn-cluster-node","endpoint":"127.0.0.1:9"}"#;
        let login = PeerLogin {
            info: Json::parse(info).unwrap(),
            link: LinkLogin {
                instance: "peer-1".to_owned(),
                masks: 1,
            },
        };
        let connecting = self.dialer.connect(self.endpoint(), login);
        let mut link = soon("the link is up", connecting).await.unwrap();
        let subscribing = link.subscribe(vec![Mask::parse("/**")]);
        soon("it is subscribed", subscribing).await.unwrap();
        link
    }
}

async fn publish(node: &Node, numbers: std::ops::Range<u32>) {
    let writer = client(node).await;
    for number in numbers {
        let path = format!("/a/deep/path/of/many/levels/{number}");
        writer.publish(&path, &json!({})).await.unwrap();
    }
}

async fn receive(link: &mut Box<dyn PeerLink>, count: usize) -> Vec<String> {
    let mut events: Vec<ReplicatedEvent> = Vec::new();
    while events.len() < count {
        soon("events arrive", link.receive(&mut events))
            .await
            .unwrap();
    }
    let number = |event: &ReplicatedEvent| event.path.rsplit('/').next().unwrap().to_owned();
    events.iter().map(number).collect()
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

async fn loss(link: &mut Box<dyn PeerLink>) -> LinkError {
    let mut events = Vec::new();
    loop {
        match soon("the loss is noticed", link.receive(&mut events)).await {
            Ok(()) => assert!(events.is_empty()),
            Err(error) => return error,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_cut_a_link_goes_on_where_it_stopped_at_any_depth() {
    let node = Plan::new().start().await.unwrap();
    let peer = Peer::of(&node).await;
    let mut link = peer.link().await;
    publish(&node, 0..10).await;
    assert_eq!(receive(&mut link, 10).await, numbers(0..10));
    peer.relay.set(Line::Cut);
    loss(&mut link).await;
    drop(link);
    publish(&node, 10..20).await;
    peer.relay.set(Line::Open);
    let mut link = peer.link().await;
    publish(&node, 20..25).await;
    assert_eq!(receive(&mut link, 15).await, numbers(10..25));
    assert_eq!(link.take_gap(), None);
    link.close(true).await;
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_link_is_noticed_within_seconds_and_resumed() {
    let node = Plan::new().start().await.unwrap();
    let peer = Peer::of(&node).await;
    let mut link = peer.link().await;
    peer.relay.set(Line::HalfOpen);
    let since = tokio::time::Instant::now();
    publish(&node, 0..10).await;
    let error = loss(&mut link).await;
    assert!(error.to_string().contains("silent"), "{error}");
    assert!(
        since.elapsed() < Duration::from_secs(8),
        "{:?}",
        since.elapsed()
    );
    drop(link);
    peer.relay.set(Line::Cut);
    peer.relay.set(Line::Open);
    let mut link = peer.link().await;
    assert_eq!(receive(&mut link, 10).await, numbers(0..10));
    stop(vec![node]).await;
}

/// A node of the reference queued 406 MB for a peer that took nothing, and held on to them.
#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_peer_costs_a_bounded_amount_of_memory_and_no_publisher_waits() {
    const KEPT_MAX: usize = 1024 * 1024;
    const EVENTS: u64 = 3000;
    let key = "services.orchestrator.config.links.keepBytes";
    let plan = Plan::new().with(key, &KEPT_MAX.to_string());
    let node = plan.start().await.unwrap();
    let peer = Peer::of(&node).await;
    let mut link = peer.link().await;
    peer.relay.set(Line::HalfOpen);
    let writer = client(&node).await;
    let large = json!("x".repeat(8 * 1024));
    for number in 0..EVENTS {
        let path = format!("/a/{number}");
        let publishing = writer.publish(&path, &large);
        soon("the publisher is answered", publishing).await.unwrap();
    }
    let (_, kept) = node.core().kept_for_links();
    assert!(kept <= KEPT_MAX, "{kept}");
    let is_cut = async {
        while node.core().links().iter().any(|link| link.is_attached) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon("the silent peer is cut off", is_cut).await;
    loss(&mut link).await;
    drop(link);
    peer.relay.set(Line::Cut);
    peer.relay.set(Line::Open);
    let mut link = peer.link().await;
    let mut events = Vec::new();
    let mut lost = 0;
    while events.len() as u64 + lost < EVENTS {
        soon("the rest arrives", link.receive(&mut events))
            .await
            .unwrap();
        lost += link.take_gap().map_or(0, |gap| gap.lost.unwrap());
    }
    assert!(lost > 0, "what made room is told");
    assert_eq!(&*events.last().unwrap().path, "/a/2999");
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_a_new_process_after_a_break_declares_a_gap_and_after_a_good_bye_none() {
    let node = Plan::new().start().await.unwrap();
    let peer = Peer::of(&node).await;
    let mut link = peer.link().await;
    publish(&node, 0..3).await;
    assert_eq!(receive(&mut link, 3).await, numbers(0..3));
    // The end of a node that stops is a good-bye behind its last event.
    stop(vec![node]).await;
    loss(&mut link).await;
    let endpoint = peer.endpoint();
    drop(link);
    assert_eq!(peer.dialer.forget(&endpoint), None);

    let node = Plan::new().start().await.unwrap();
    let peer = Peer::of(&node).await;
    let mut link = peer.link().await;
    peer.relay.set(Line::Cut);
    loss(&mut link).await;
    drop(link);
    let endpoint = peer.endpoint();
    assert_eq!(peer.dialer.forget(&endpoint), Some(Gap { lost: None }));
    stop(vec![node]).await;
}

/// What local subscribers see is what remote ones see.
#[tokio::test(flavor = "multi_thread")]
async fn events_look_alike_on_every_node() {
    use happn_client::{Consistency, SubscribeOptions, WriteOptions};

    let folder = Folder::new();
    let nodes = cluster(&folder, 2, |plan| plan).await;
    let writer = client(&nodes[0]).await;
    let merging = SubscribeOptions {
        merge: true,
        depth: Some(7),
        ..SubscribeOptions::default()
    };
    let mut ears = Vec::new();
    for node in &nodes {
        let plain = Listener::on(node, "/x/*").await;
        let ear = client(node).await;
        let merged = ear.on("/x/**", merging.clone()).await.unwrap();
        ears.push((plain, ear, merged));
    }
    let options = WriteOptions {
        merge: true,
        consistency: Consistency::Acknowledged,
        meta: Some(Json::parse(r#"{"mine":[1],"depth":"deep","acknowledged":0}"#).unwrap()),
        ..WriteOptions::default()
    };
    let mut seen = vec![Vec::new(); 2];
    for step in 0..4 {
        match step {
            0 => drop(writer.set("/x/1", &json!({"a": 1})).await.unwrap()),
            1 => drop(
                writer
                    .set_with("/x/1", &json!({"b": 2}), &options)
                    .await
                    .unwrap(),
            ),
            2 => writer.publish("/x/2", &json!(5)).await.unwrap(),
            _ => drop(writer.remove("/x/1").await.unwrap()),
        }
        for ((plain, _ear, merged), seen) in ears.iter_mut().zip(&mut seen) {
            seen.push(format!("{:?}", plain.next().await));
            let event = soon("a merge arrives", merged.next()).await.unwrap();
            seen.push(format!("{event:?}"));
        }
    }
    assert_eq!(seen[0], seen[1]);
    let delta = r#"data: {"b":2}"#;
    assert!(
        seen[0].iter().any(|event| event.contains(delta)),
        "{seen:?}"
    );
    stop(nodes).await;
}
