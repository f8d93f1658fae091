//! Changes of users and groups between nodes, and messages that are none.

use cluster_node::Node;
use cluster_replicator::{SECURITY_TOPIC, TopicMessage};
use happn_core::{ChangeReplication, EventSink, SecurityChange};
use happn_protocol::Json;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;

use crate::harness::{Folder, Listener, client, cluster, soon, stop};

const INTERVAL: &str = "services.replicator.config.securityChangesetReplicateInterval";
const AN_HOUR: &str = "3600000";

fn upsert(node: &Node, username: &str) {
    let data = json!({"username": username, "password": "secret"});
    node.security_changes().replicate(SecurityChange {
        kind: "upsert-user".to_owned(),
        data: Json::encode(&data).unwrap(),
        additional: None,
    });
}

async fn next(messages: &mut Receiver<TopicMessage>) -> Value {
    let message = soon("a batch arrives", messages.recv()).await.unwrap();
    assert!(!message.is_local);
    message.payload.unwrap().decode().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_one_interval_cross_as_one_batch_without_passwords() {
    let folder = Folder::new();
    let nodes = cluster(&folder, 2, |plan| plan.with(INTERVAL, "300")).await;
    let mut messages = nodes[1].replicator().subscribe(SECURITY_TOPIC);
    for name in ["ann", "bob"] {
        upsert(&nodes[0], name);
    }
    let batch = next(&mut messages).await;
    let users: Vec<_> = batch["upsert-user"].as_object().unwrap().keys().collect();
    assert_eq!(users, ["ann", "bob"]);
    assert!(!batch.to_string().contains("secret"), "{batch}");
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_sends_what_is_pending_before_it_leaves() {
    let folder = Folder::new();
    let mut nodes = cluster(&folder, 2, |plan| plan.with(INTERVAL, AN_HOUR)).await;
    let mut messages = nodes[1].replicator().subscribe(SECURITY_TOPIC);
    upsert(&nodes[0], "ann");
    stop(vec![nodes.remove(0)]).await;
    let batch = next(&mut messages).await;
    assert_eq!(
        batch["upsert-user"]["ann"]["changedData"]["username"],
        "ann"
    );
    stop(nodes).await;
}

/// Messages like these made nodes of the reference exit.
#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_message_between_nodes_is_never_fatal() {
    let folder = Folder::new();
    let open = "services.orchestrator.config.openSystemPaths";
    let nodes = cluster(&folder, 2, |plan| plan.with(open, "true")).await;
    let mut ears = Listener::on(&nodes[1], "/end").await;
    let writer = client(&nodes[0]).await;
    for data in [
        json!(null),
        json!({"payload": null}),
        json!({"topic": SECURITY_TOPIC, "payload": null, "origin": "x"}),
        json!({"topic": SECURITY_TOPIC, "payload": {"link-group": null}, "origin": "x"}),
        json!({"topic": SECURITY_TOPIC, "payload": {"link-group": {"a": 1}}, "origin": "x"}),
        json!({"topic": SECURITY_TOPIC, "payload": {"link-group": {"a": {"changedData": []}}}, "origin": "x"}),
        json!({"topic": SECURITY_TOPIC, "payload": {"constructor": {"a": {}}}, "origin": "x"}),
        json!({"topic": {}, "origin": []}),
    ] {
        nodes[0]
            .core()
            .originate("/__REPLICATE", &Json::encode(&data).unwrap());
        writer.publish("/__REPLICATE", &data).await.unwrap();
    }
    writer.publish("/end", &json!(1)).await.unwrap();
    assert_eq!(ears.next().await.path(), "/end");
    stop(nodes).await;
}
