//! Who gets what, once, and in which order.

#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod kit;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use happn_core::{
    Drained, Ending, EventSink, Layer, Message, MessageKind, Node, NodeConfig, ReplicatedEvent,
    Session, SessionEvent, SessionEvents, SessionLimits,
};
use happn_paths::EventKind;
use happn_protocol::{Json, WireError};
use kit::{Client, node, node_on};
use serde_json::json;

#[tokio::test]
async fn a_publisher_hears_its_own_event_before_its_answer() {
    let mut client = Client::of(&node());
    client.on("/ALL@/a/*", "{}").await;
    let id = client.request("set", "/a/b", r#"{"x":1}"#, "{}");
    let event = client.next().await;
    let answer = client.next().await;
    assert_eq!(event["_meta"]["type"], "data");
    assert_eq!(
        event["_meta"]["publicationId"],
        format!("{}-{id}", client.session.id())
    );
    assert_eq!(
        (&answer["_meta"]["eventId"], &answer["_meta"]["published"]),
        (&json!(id), &json!(true))
    );
}

#[tokio::test]
async fn pipelined_writes_are_published_and_answered_in_their_order() {
    let node = node();
    let mut listener = Client::of(&node);
    listener.on("/ALL@/n", "{}").await;
    let mut writer = Client::of(&node);
    for number in 0..500 {
        writer.request("set", "/n", &number.to_string(), "{}");
    }
    for number in 0..500 {
        assert_eq!(listener.next().await["data"]["value"], number);
        assert_eq!(writer.next().await["data"]["value"], number);
    }
}

#[tokio::test]
async fn a_read_sent_right_behind_a_write_sees_it() {
    let mut client = Client::of(&node());
    for number in 0..200 {
        let set = client.request("set", "/rw", &number.to_string(), "{}");
        let got = client.call("get", "/rw", "null", "{}").await;
        assert_eq!(got["data"]["value"], number);
        assert_eq!(client.next().await["_meta"]["eventId"], set);
    }
}

#[tokio::test]
async fn a_stored_write_is_published_even_if_its_writer_is_gone() {
    let node = node();
    let mut listener = Client::of(&node);
    listener.on("/ALL@/gone", "{}").await;
    let mut writer = Client::of(&node);
    writer.request("set", "/gone", "1", "{}");
    node.detach(&writer.session);
    assert_eq!(listener.next().await["data"]["value"], 1);
}

#[tokio::test]
async fn one_session_gets_one_frame_per_channel_with_the_smallest_depth() {
    let mut client = Client::of(&node());
    client.on("/ALL@/d/**", r#"{"depth":5}"#).await;
    client.on("/ALL@/d/**", r#"{"depth":2}"#).await;
    client.on("/SET@/d/*", "{}").await;
    client.call("set", "/d/1", "1", r#"{"noStore":true}"#).await;
    let mut channels: Vec<_> = client
        .rest()
        .iter()
        .map(|event| {
            (
                event["_meta"]["channel"].clone(),
                event["_meta"]["depth"].clone(),
            )
        })
        .collect();
    channels.sort_by_key(|(channel, _)| channel.to_string());
    assert_eq!(
        channels,
        [
            (json!("/ALL@/d/**"), json!(2)),
            (json!("/SET@/d/*"), json!(null))
        ]
    );
}

#[tokio::test]
async fn a_depth_does_not_leak_to_other_sessions() {
    let node = node();
    let (mut deep, mut plain) = (Client::of(&node), Client::of(&node));
    deep.on("/ALL@/x/**", r#"{"depth":3}"#).await;
    plain.on("/ALL@/x/**", "{}").await;
    deep.call("set", "/x/1", "1", "{}").await;
    assert_eq!(plain.next().await["_meta"].get("depth"), None);
}

#[tokio::test]
async fn merge_subscribers_get_what_was_sent_and_others_the_whole() {
    let node = node();
    let (mut merged, mut whole) = (Client::of(&node), Client::of(&node));
    merged.on("/ALL@/m", r#"{"merge":true}"#).await;
    whole.on("/ALL@/m", "{}").await;
    whole.call("set", "/m", r#"{"a":1}"#, "{}").await;
    whole
        .call("set", "/m", r#"{"b":2}"#, r#"{"merge":true}"#)
        .await;
    assert_eq!(merged.next().await["data"], json!({"a":1}));
    assert_eq!(merged.next().await["data"], json!({"b":2}));
    assert_eq!(whole.rest().last().unwrap()["data"], json!({"a":1,"b":2}));
}

#[tokio::test]
async fn target_clients_and_custom_meta_are_respected() {
    let node = node();
    let (mut one, mut other) = (Client::of(&node), Client::of(&node));
    for client in [&mut one, &mut other] {
        client.on("/ALL@/t", "{}").await;
    }
    let options = format!(
        r#"{{"noStore":true,"targetClients":["{}"],"meta":{{"mine":7,"path":"no","channel":"no"}}}}"#,
        one.session.id()
    );
    other.call("set", "/t", "1", &options).await;
    let event = one.next().await;
    assert_eq!(
        (&event["_meta"]["mine"], &event["_meta"]["path"]),
        (&json!(7), &json!("/t"))
    );
    assert!(other.rest().is_empty());
}

#[tokio::test]
async fn replicated_events_reach_clients_and_never_cluster_links() {
    let node = node();
    let mut watcher = node.watch();
    let (mut client, mut link) = (Client::of(&node), Client::of(&node));
    link.call(
        "login",
        "",
        r#"{"info":{"clusterName":"c","serviceName":"s","endpoint":"h:1"}}"#,
        "{}",
    )
    .await;
    for subscriber in [&mut client, &mut link] {
        subscriber.on("/ALL@*", "{}").await;
    }
    let delivery = node.publish(&ReplicatedEvent {
        kind: EventKind::Set,
        path: "/r/1".into(),
        data: Json::parse(r#"{"v":1}"#).unwrap(),
        session_id: "origin".into(),
        publication_id: "origin-9".into(),
        created: Some(1),
        modified: Some(2),
        event_origin: None,
        merge_data: None,
        consistency: None,
        sequence: None,
        custom: vec![("mine".into(), Json::parse("true").unwrap())],
    });
    assert_eq!(delivery.delivered, 1);
    let meta = client.next().await["_meta"].clone();
    assert_eq!(meta["publicationId"], "origin-9");
    assert_eq!(
        (&meta["sessionId"], &meta["mine"], &meta["modified"]),
        (&json!("origin"), &json!(true), &json!(2))
    );
    assert!(link.rest().is_empty());
    assert_eq!(node.peers().len(), 1);
    node.detach(&link.session);
    let mut seen = Vec::new();
    while let Ok(event) = watcher.try_recv() {
        seen.push(event);
    }
    assert!(seen.iter().any(|event| matches!(
        event,
        SessionEvent::Authenticated {
            cluster: Some(_),
            ..
        }
    )));
    assert!(seen.contains(&SessionEvent::Detached {
        session_id: link.session.id().clone()
    }));
}

#[tokio::test]
async fn no_cluster_keeps_an_event_on_this_node() {
    let node = node();
    let (mut client, mut link) = (Client::of(&node), Client::of(&node));
    link.call("login", "", r#"{"info":{"clusterName":"c"}}"#, "{}")
        .await;
    link.on("/ALL@*", "{}").await;
    client
        .call("set", "/only/here", "1", r#"{"noCluster":true}"#)
        .await;
    client.call("set", "/everywhere", "1", "{}").await;
    assert_eq!(link.next().await["_meta"]["path"], "/everywhere");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_ended_and_hurts_nobody() {
    let limits = SessionLimits {
        outbox_frames_max: 10,
        ..SessionLimits::default()
    };
    let config = NodeConfig {
        limits,
        ..NodeConfig::named("test")
    };
    let node = node_on(Arc::new(happn_core::MemoryStore::new()), config);
    let (mut slow, mut quick) = (Client::of(&node), Client::of(&node));
    slow.on("/ALL@*", "{}").await;
    for number in 0..50 {
        let answer = quick
            .call("set", "/s", &number.to_string(), r#"{"noStore":true}"#)
            .await;
        assert_eq!(answer["_meta"]["status"], "ok");
    }
    let ended = slow.session.outbox().drain(&mut Vec::new());
    assert_eq!(ended, Drained::Ended(Ending::Overflow));
    assert_eq!(
        node.refused_frames(),
        11,
        "what was queued and what came too much"
    );
}

#[tokio::test]
async fn a_session_may_hold_so_many_subscriptions_and_no_more() {
    let limits = SessionLimits {
        subscriptions_max: 3,
        ..SessionLimits::default()
    };
    let node = node_on(
        Arc::new(happn_core::MemoryStore::new()),
        NodeConfig {
            limits,
            ..NodeConfig::named("test")
        },
    );
    let mut client = Client::of(&node);
    for number in 0..3 {
        client.on(&format!("/ALL@/{number}"), "{}").await;
    }
    let refused = client.on("/ALL@/4", "{}").await;
    let message = "too many subscriptions: a session may hold 3";
    assert_eq!(refused["_meta"]["error"]["message"], message);
    client.call("off", "/ALL@/1", "null", "{}").await;
    assert_eq!(client.on("/ALL@/4", "{}").await["_meta"]["status"], "ok");
}

#[tokio::test(start_paused = true)]
async fn level_three_reports_once_every_recipient_has_acknowledged() {
    let node = node();
    let (mut publisher, mut listener) = (Client::of(&node), Client::of(&node));
    listener.on("/ALL@/c/*", "{}").await;
    listener.on("/SET@/c/1", "{}").await;
    let started = tokio::time::Instant::now();
    publisher
        .call("set", "/c/1", "1", r#"{"consistency":3}"#)
        .await;
    for _ in 0..2 {
        let event = listener.next().await;
        let id = event["_meta"]["publicationId"].to_string();
        listener.call("ack", "", &id, "{}").await;
    }
    let report = publisher.next().await;
    assert_eq!(report["status"], "ok");
    assert_eq!(
        report["result"],
        json!({"successful":2,"failed":0,"skipped":0,"acknowledged":2,"queued":2})
    );
    assert!(started.elapsed() < Duration::from_secs(1));
}

/// The reference waits for one acknowledgement per subscription and sends one frame per channel,
/// so that such a publication always fails there.
#[tokio::test(start_paused = true)]
async fn level_three_owes_one_acknowledgement_for_two_subscriptions_on_one_channel() {
    let node = node();
    let (mut publisher, mut listener) = (Client::of(&node), Client::of(&node));
    listener.on("/ALL@/c/*", "{}").await;
    listener.on("/ALL@/c/*", r#"{"count":1}"#).await;
    publisher
        .call("set", "/c/1", "1", r#"{"consistency":3}"#)
        .await;
    let id = listener.next().await["_meta"]["publicationId"].to_string();
    listener.call("ack", "", &id, "{}").await;
    let report = publisher.next().await;
    assert_eq!(
        (&report["status"], &report["result"]),
        (
            &json!("ok"),
            &json!({"successful":1,"failed":0,"skipped":0,"acknowledged":1,"queued":2})
        )
    );
}

#[tokio::test(start_paused = true)]
async fn level_three_believes_nobody_who_merely_claims_to_be_a_recipient() {
    let node = node();
    let (mut publisher, mut listener) = (Client::of(&node), Client::of(&node));
    listener.on("/ALL@/c/*", "{}").await;
    publisher
        .call("set", "/c/1", "1", r#"{"consistency":3}"#)
        .await;
    let id = listener.next().await["_meta"]["publicationId"].to_string();
    let claimed = listener.session.id();
    publisher.send(&format!(
        r#"{{"action":"ack","eventId":50,"data":{id},"sessionId":"{claimed}"}}"#
    ));
    let answer = publisher.next().await;
    assert_eq!(answer["_meta"]["sessionId"], claimed.as_ref(), "echoed");
    assert!(publisher.rest().is_empty(), "nothing is acknowledged yet");
    listener.call("ack", "", &id, "{}").await;
    let report = publisher.next().await;
    assert_eq!(report["result"]["acknowledged"], 1);
}

#[tokio::test(start_paused = true)]
async fn level_three_does_not_wait_for_a_recipient_that_left() {
    let node = node();
    let (mut publisher, mut listener) = (Client::of(&node), Client::of(&node));
    listener.on("/ALL@/c/*", "{}").await;
    publisher
        .call("set", "/c/1", "1", r#"{"consistency":3}"#)
        .await;
    let started = tokio::time::Instant::now();
    node.detach(&listener.session);
    let report = publisher.next().await;
    assert_eq!(report["error"], "unacknowledged publication");
    assert_eq!(report["result"]["acknowledged"], 0);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn every_level_but_two_answers_first_and_reports_afterwards() {
    let node = node();
    let (mut publisher, mut listener) = (Client::of(&node), Client::of(&node));
    listener.on("/ALL@/c/*", "{}").await;
    for level in ["0", "1", "7", r#""3""#, "-1", "true"] {
        let options = format!(r#"{{"consistency":{level}}}"#);
        let answer = publisher.call("set", "/c/1", "1", &options).await;
        assert_eq!(answer["_meta"]["published"], false, "{level}");
        let report = publisher.next().await;
        assert_eq!(
            (&report["status"], &report["result"]),
            (
                &json!("ok"),
                &json!({"successful":1,"failed":0,"skipped":0,"queued":1})
            ),
            "{level}"
        );
        let event = listener.next().await;
        assert_eq!(event["_meta"]["consistency"].to_string(), level);
    }
}

/// Looks at the publisher's outbox at the moment an event is queued for somebody else.
#[derive(Default)]
struct Overtaking {
    publisher: Mutex<Option<Arc<Session>>>,
    looked: AtomicU32,
}

impl Layer for Overtaking {
    fn outbound(&self, session: &Session, message: &mut Message) -> Result<(), WireError> {
        let publisher = self.publisher.lock().unwrap().clone();
        let Some(publisher) = publisher.filter(|it| it.id() != session.id()) else {
            return Ok(());
        };
        if message.kind() == MessageKind::Event {
            let drained = publisher.outbox().drain(&mut Vec::new());
            assert_eq!(drained, Drained::Empty, "the answer has left too early");
            self.looked.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// The answer of levels 0, 1 and 3 used to leave while the event was still being handed out: a
/// client that published again at once, on another thread of the node, overtook itself.
#[tokio::test]
async fn no_answer_leaves_before_its_event_is_queued_for_everybody() {
    let layer = Arc::new(Overtaking::default());
    let node = Node::builder("test").layer(layer.clone()).build();
    let (mut publisher, mut listener) = (Client::of(&node), Client::of(&node));
    listener.on("/ALL@/c/*", "{}").await;
    publisher.on("/ALL@/c/*", "{}").await;
    *layer.publisher.lock().unwrap() = Some(publisher.session.clone());
    for options in [
        r#"{"consistency":0}"#,
        r#"{"consistency":1,"noStore":true}"#,
        r#"{"consistency":3}"#,
    ] {
        let id = publisher.request("set", "/c/1", "1", options);
        let answer = publisher.next().await;
        assert_eq!(answer["_meta"]["eventId"], id, "the answer comes first");
        let own = publisher.next().await;
        assert_eq!(own["_meta"]["path"], "/c/1");
        listener.next().await;
        publisher.rest();
    }
    assert_eq!(layer.looked.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn level_three_without_recipients_reports_at_once() {
    let mut publisher = Client::of(&node());
    publisher
        .call("set", "/nobody", "1", r#"{"consistency":3}"#)
        .await;
    let started = tokio::time::Instant::now();
    let report = publisher.next().await;
    assert_eq!(
        (&report["status"], &report["result"]["acknowledged"]),
        (&json!("ok"), &json!(0))
    );
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn level_three_says_so_when_acknowledgements_stay_away() {
    let node = node();
    let (mut publisher, mut listener) = (Client::of(&node), Client::of(&node));
    listener.on("/ALL@/c/*", "{}").await;
    publisher
        .call("set", "/c/1", "1", r#"{"consistency":3}"#)
        .await;
    let started = tokio::time::Instant::now();
    let id = listener.next().await["_meta"]["publicationId"].to_string();
    // Somebody else cannot acknowledge in the listener's name.
    publisher.call("ack", "", &id, "{}").await;
    tokio::time::advance(Duration::from_secs(61)).await;
    let report = publisher.next().await;
    assert_eq!(report["error"], "unacknowledged publication");
    assert!(started.elapsed() >= Duration::from_secs(60));
}

#[tokio::test]
async fn an_unknown_dialect_gets_no_answer_until_a_known_one_is_configured() {
    let mut client = Client::of(&node());
    client.send(r#"{"action":"configure-session","eventId":1,"data":{"protocol":"mqtt_1"}}"#);
    client.send(r#"{"action":"describe","eventId":2}"#);
    assert!(client.rest().is_empty());
    client.send(r#"{"action":"configure-session","eventId":3,"data":{"protocol":"happn_4"}}"#);
    assert_eq!(client.next().await["_meta"]["eventId"], 3);
}
