//! Numbered links of other nodes: what a node sends them, keeps for them, and lets go.

#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod events;
mod interest;
#[path = "../kit/mod.rs"]
mod kit;
mod resuming;

use std::sync::Arc;
use std::time::Duration;

use happn_core::{LinkLimits, MemoryStore, Node, NodeConfig};
use kit::{Client, node_on};
use serde_json::{Value, json};

pub(crate) const LOGIN: &str =
    r#""name":"node-b","clusterName":"c","serviceName":"s","endpoint":"h:1""#;

/// A node's session, logged in with what it says about an earlier link.
pub(crate) async fn linked(node: &Arc<Node>, masks: u32, resume: Option<Value>) -> (Client, Value) {
    let mut client = Client::of(node);
    let mut link = json!({"version": 1, "masks": masks, "instance": "i"});
    if let Some(resume) = resume {
        link["resume"] = resume;
    }
    let login = format!(r#"{{"info":{{{LOGIN},"link":{link}}}}}"#);
    let answer = client.call("login", "", &login, "{}").await;
    let link = answer["data"]["link"].clone();
    (client, link)
}

/// A link to everything.
pub(crate) async fn subscribed(node: &Arc<Node>) -> (Client, Value) {
    let (mut client, link) = linked(node, 1, None).await;
    client.on("/ALL@*", "{}").await;
    (client, link)
}

pub(crate) async fn publish(publisher: &mut Client, path: &str) {
    let answer = publisher
        .call("set", path, "{}", r#"{"noStore":true}"#)
        .await;
    assert_eq!(answer["_meta"]["status"], "ok");
}

pub(crate) fn paths(frames: &[Value]) -> Vec<&str> {
    frames
        .iter()
        .map(|frame| frame["link"]["path"].as_str().unwrap_or("a gap"))
        .collect()
}

/// Where a link stopped that received `frames`, all of them since its start.
pub(crate) fn position(link: &Value, frames: &[Value]) -> Value {
    let last = frames
        .last()
        .map_or(0, |frame| frame["sequence"].as_u64().unwrap());
    json!({"token": link["token"], "sequence": last, "received": frames.len()})
}

pub(crate) fn limited(change: impl FnOnce(&mut LinkLimits)) -> Arc<Node> {
    let mut config = NodeConfig::named("test");
    change(&mut config.links);
    node_on(Arc::new(MemoryStore::new()), config)
}

pub(crate) fn in_cluster(name: &str) -> Arc<Node> {
    let config = NodeConfig {
        cluster: Some(happn_core::ClusterRules {
            name: name.to_owned(),
            open_system_paths: false,
            interest_wait_max: Some(Duration::from_secs(1)),
        }),
        ..NodeConfig::named("test")
    };
    node_on(Arc::new(MemoryStore::new()), config)
}
