//! Topics and security changes between nodes, checked with what the reference was recorded doing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cluster_replicator::{Replicator, SECURITY_TOPIC, SecurityReplication, TopicMessage};
use happn_core::{
    BoxFuture, ChangeReplication, Delivery, EventSink, Gap, PeerEvents, ReplicatedEvent,
    SecurityChange, SecurityChanges, SystemClock,
};
use happn_paths::EventKind;
use happn_protocol::Json;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::watch;

/// Writes down what the node itself publishes.
#[derive(Default)]
struct Sink(Mutex<Vec<(String, Value)>>);

impl EventSink for Sink {
    fn publish(&self, _event: &ReplicatedEvent) -> Delivery {
        Delivery::default()
    }

    fn originate(&self, path: &str, data: &Json) -> Delivery {
        let data = data.decode().unwrap();
        self.0.lock().unwrap().push((path.to_owned(), data));
        Delivery::default()
    }

    fn announce_gap(&self, _origin: &str, _lost: Option<u64>) {}
}

impl Sink {
    fn envelopes(&self) -> Vec<Value> {
        let sent = self.0.lock().unwrap();
        let envelope = |(path, data): &(String, Value)| {
            assert_eq!(path, "/__REPLICATE");
            data.clone()
        };
        sent.iter().map(envelope).collect()
    }
}

/// A node called `name`.
fn node(name: &str) -> (Arc<Sink>, Arc<Replicator>) {
    let sink = Arc::new(Sink::default());
    let replicator = Replicator::new(sink.clone(), name.to_owned());
    (sink, Arc::new(replicator))
}

/// An event on `/__REPLICATE`, as a link brings it.
fn event(data: &Value) -> ReplicatedEvent {
    ReplicatedEvent {
        kind: EventKind::Set,
        path: "/__REPLICATE".into(),
        data: Json::encode(data).unwrap(),
        session_id: "s".into(),
        publication_id: "".into(),
        created: None,
        modified: None,
        event_origin: None,
        merge_data: None,
        consistency: None,
        sequence: None,
        custom: Vec::new(),
    }
}

fn vector(file: &str) -> Value {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/");
    serde_json::from_str(&std::fs::read_to_string(format!("{root}{file}")).unwrap()).unwrap()
}

/// Applies by writing down.
struct Directory(watch::Sender<Vec<SecurityChange>>, watch::Sender<u32>);

impl SecurityChanges for Directory {
    fn apply(&self, change: SecurityChange) -> BoxFuture<'_, Result<(), String>> {
        self.0.send_modify(|applied| applied.push(change.clone()));
        let refused = change.data.as_str().contains("refuse me");
        let outcome = if refused {
            Err("refused".to_owned())
        } else {
            Ok(())
        };
        Box::pin(std::future::ready(outcome))
    }

    fn reload(&self) -> BoxFuture<'_, ()> {
        self.1.send_modify(|reloads| *reloads += 1);
        Box::pin(std::future::ready(()))
    }
}

struct Secured {
    sink: Arc<Sink>,
    replicator: Arc<Replicator>,
    replication: SecurityReplication,
    applied: watch::Receiver<Vec<SecurityChange>>,
    reloads: watch::Receiver<u32>,
}

const INTERVAL: Duration = Duration::from_secs(3);

fn secured(name: &str) -> Secured {
    let (sink, replicator) = node(name);
    let (sender, applied) = watch::channel(Vec::new());
    let (reloading, reloads) = watch::channel(0);
    let replication = SecurityReplication::start(
        replicator.clone(),
        Arc::new(Directory(sender, reloading)),
        Arc::new(SystemClock::new()),
        INTERVAL,
    );
    Secured {
        sink,
        replicator,
        replication,
        applied,
        reloads,
    }
}

impl Secured {
    async fn applies(&mut self, count: usize) -> Vec<Value> {
        let all = self.applied.wait_for(|applied| applied.len() >= count);
        let applied = tokio::time::timeout(Duration::from_secs(60), all).await;
        let applied = applied.unwrap().unwrap().clone();
        assert_eq!(applied.len(), count, "{applied:?}");
        applied.iter().map(shown).collect()
    }
}

fn shown(change: &SecurityChange) -> Value {
    let mut value = json!({
        "whatHappnd": change.kind,
        "changedData": change.data.decode::<Value>().unwrap(),
    });
    if let Some(additional) = &change.additional {
        value["additionalInfo"] = additional.decode().unwrap();
    }
    value
}

fn change(value: &Value) -> SecurityChange {
    SecurityChange {
        kind: value["whatHappnd"].as_str().unwrap().to_owned(),
        data: Json::encode(&value["changedData"]).unwrap(),
        additional: value
            .get("additionalInfo")
            .map(|it| Json::encode(it).unwrap()),
    }
}

/// What the other node is to apply: the change without its passwords, marked as replicated.
fn expected(value: &Value) -> Value {
    let mut value = value.clone();
    let additional = value.get_mut("additionalInfo");
    if let Some(additional) = additional.and_then(Value::as_object_mut) {
        additional.shift_remove("password");
    }
    value["changedData"]["replicated"] = json!(true);
    value
}

#[test]
fn a_message_reaches_listeners_of_its_topic_here_and_elsewhere() {
    for case in &vector("cluster/replicate-envelopes.json")["cases"]
        .as_array()
        .unwrap()[..3]
    {
        let (sink, here) = node("node-a");
        let (_, there) = node("node-b");
        let pushed = &case["pushed_by_services"][0];
        let topic = pushed["topic"].as_str().unwrap();
        let payload = (pushed["payload"] != "<undefined>").then(|| &pushed["payload"]);
        let payload = payload.map(|payload| Json::encode(payload).unwrap());
        let mut heard = [here.subscribe(topic), there.subscribe(topic)];
        let mut other = here.subscribe("another");
        here.send(topic, payload.clone());
        assert_eq!(json!(sink.envelopes()), case["envelopes"]);
        there.deliver("node-a", &[event(&sink.envelopes()[0])]);
        for (ear, is_local) in heard.iter_mut().zip([true, false]) {
            let message = TopicMessage {
                topic: topic.to_owned(),
                payload: payload.clone(),
                is_local,
                origin: "node-a".to_owned(),
            };
            assert_eq!(ear.try_recv(), Ok(message));
        }
        assert_eq!(other.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn a_malformed_message_is_nothing() {
    let (_, node) = node("node-b");
    let mut ear = node.subscribe("t");
    for data in [
        json!(null),
        json!([]),
        json!({"topic": "t"}),
        json!({"topic": {}, "origin": "a"}),
    ] {
        node.deliver("a", &[event(&data)]);
    }
    assert_eq!(ear.try_recv(), Err(TryRecvError::Empty));
}

/// Every change the reference was seen making: alone and with others within one interval.
#[tokio::test(start_paused = true)]
async fn recorded_changes_arrive_in_their_order_complete_and_without_passwords() {
    for case in vector("cluster/replicate-envelopes.json")["cases"]
        .as_array()
        .unwrap()
    {
        let pushed = case["pushed_by_services"].as_array().unwrap();
        let pushed: Vec<_> = pushed
            .iter()
            .filter(|push| push["topic"] == SECURITY_TOPIC)
            .map(|push| &push["payload"])
            .collect();
        if pushed.is_empty() {
            continue;
        }
        let (here, mut there) = (secured("node-a"), secured("node-b"));
        for payload in &pushed {
            here.replication.replicate(change(payload));
        }
        here.replication.stop().await;
        let envelopes = here.sink.envelopes();
        assert_eq!(envelopes.len(), 1, "{}", case["case"]);
        assert!(
            !envelopes[0].to_string().contains("password"),
            "{}",
            case["case"]
        );
        there.replicator.deliver("node-a", &[event(&envelopes[0])]);
        let applied = there.applies(pushed.len()).await;
        let wanted: Vec<_> = pushed.iter().map(|payload| expected(payload)).collect();
        assert_eq!(applied, wanted, "{}", case["case"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_reference_publishes_is_applied_as_it_does() {
    for operation in vector("security/replication.json")["operations"]
        .as_array()
        .unwrap()
    {
        let published = operation["published"].as_array().unwrap();
        let mut node = secured("node-b");
        for envelope in published {
            node.replicator.deliver("a", &[event(envelope)]);
        }
        let wanted = operation["applied_on_peer"].as_array().unwrap();
        let applied = node.applies(wanted.len()).await;
        for (applied, wanted) in applied.iter().zip(wanted) {
            for member in ["whatHappnd", "changedData", "additionalInfo"] {
                assert_eq!(
                    applied.get(member),
                    wanted.get(member),
                    "{}",
                    operation["operation"]
                );
            }
        }
    }
}

/// A batch of one kind looks as the reference writes it, the keys that would overwrite aside.
#[tokio::test(start_paused = true)]
async fn a_batch_that_the_reference_can_write_looks_like_its_own() {
    let cases = vector("cluster/replicate-envelopes.json");
    let same = [
        "upsert group g1",
        "link u1 to g1",
        "unlink u2 from g1",
        "delete user u2",
    ];
    for case in cases["cases"].as_array().unwrap() {
        if !same.contains(&case["case"].as_str().unwrap()) {
            continue;
        }
        let node = secured("node-a");
        for push in case["pushed_by_services"].as_array().unwrap() {
            node.replication.replicate(change(&push["payload"]));
        }
        node.replication.stop().await;
        assert_eq!(
            json!(node.sink.envelopes()),
            case["envelopes"],
            "{}",
            case["case"]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn changes_are_sent_together_after_the_interval_and_at_once_when_they_are_many() {
    let node = secured("node-a");
    let group = |name: usize| SecurityChange {
        kind: "upsert-group".to_owned(),
        data: Json::encode(&json!({"name": name.to_string()})).unwrap(),
        additional: None,
    };
    node.replication.replicate(group(1));
    node.replication.replicate(group(2));
    tokio::time::sleep(INTERVAL / 2).await;
    assert!(node.sink.envelopes().is_empty());
    tokio::time::sleep(INTERVAL).await;
    let sent = node.sink.envelopes();
    assert_eq!(sent.len(), 1);
    assert_eq!(
        sent[0]["payload"]["upsert-group"]
            .as_object()
            .unwrap()
            .len(),
        2
    );
    (0..1000).for_each(|name| node.replication.replicate(group(name)));
    assert_eq!(node.sink.envelopes().len(), 2);
    node.replication.stop().await;
    assert_eq!(node.sink.envelopes().len(), 2, "nothing is left");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_takes_rights_away_is_sent_at_once_with_those_before_it() {
    let node = secured("node-a");
    let change = |kind: &str| SecurityChange {
        kind: kind.to_owned(),
        data: Json::EMPTY_OBJECT,
        additional: None,
    };
    for (sent_by_then, kind) in [
        (0, "upsert-user"),
        (1, "token-revoked"),
        (2, "delete-user"),
        (3, "delete-group"),
    ] {
        node.replication.replicate(change(kind));
        assert_eq!(node.sink.envelopes().len(), sent_by_then, "{kind}");
    }
    let first = &node.sink.envelopes()[0]["payload"]["link-group"];
    assert_eq!(first.as_object().unwrap().len(), 2, "both, in their order");
}

#[tokio::test(start_paused = true)]
async fn missing_events_of_a_peer_make_the_directory_be_read_anew() {
    let mut node = secured("node-a");
    node.replicator.missed("node-b", Gap { lost: None });
    let reloaded = node.reloads.wait_for(|reloads| *reloads == 1);
    let reloaded = tokio::time::timeout(Duration::from_secs(60), reloaded).await;
    assert!(reloaded.is_ok());
}

/// In the reference each of these ends a node, or all of them.
#[tokio::test(start_paused = true)]
async fn what_nobody_understands_is_skipped_and_the_rest_applied() {
    let mut node = secured("node-b");
    let send = |payload: Value| json!({"topic": SECURITY_TOPIC, "payload": payload, "origin": "a"});
    for payload in [
        json!(null),
        json!("text"),
        json!([1]),
        json!({"link-group": null}),
        json!({"link-group": {"k": 5, "l": {}, "m": {"changedData": null}}}),
        json!({"constructor": {"k": {"changedData": {}}}, "__proto__": {}}),
        json!({"link-group": {"k": {"whatHappnd": 7, "changedData": {}}}}),
        json!({"link-group": {"k": {"whatHappnd": "toString", "changedData": {}}}}),
        json!({"upsert-user": {"k": {"changedData": {"username": "refuse me"}}}}),
        json!({"unknown-kind": {}, "upsert-group": {"k": {"changedData": {"name": "g"}}}}),
    ] {
        node.replicator.deliver("a", &[event(&send(payload))]);
    }
    let applied = node.applies(2).await;
    assert_eq!(applied[0]["changedData"]["username"], "refuse me");
    assert_eq!(applied[1]["changedData"]["name"], "g");
}

#[tokio::test(start_paused = true)]
async fn a_message_with_our_own_name_is_our_own() {
    let mut node = secured("node-a");
    let payload = json!({"upsert-group": {"k": {"changedData": {"name": "g"}}}});
    let own = json!({"topic": SECURITY_TOPIC, "payload": payload, "origin": "node-a"});
    let theirs = json!({"topic": SECURITY_TOPIC, "payload": payload, "origin": "node-b"});
    node.replicator.deliver("x", &[event(&own), event(&theirs)]);
    node.applies(1).await;
}
