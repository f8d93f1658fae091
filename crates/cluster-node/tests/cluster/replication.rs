//! What crosses the cluster, and how often.

use std::sync::Arc;

use cluster_node::Node;
use happn_client::{Client, ClientConfig, Credentials, WriteOptions};
use happn_core::{Layer, Message, MessageKind, Session};
use happn_protocol::{Json, WireError};
use serde_json::json;

use crate::harness::{
    ADMIN_PASSWORD, Folder, Listener, Plan, all_ready, client, cluster, open_and_secure, soon, stop,
};

open_and_secure!(
    what_is_set_on_each_node_arrives_on_every_node_once_and_in_order,
    removals_merges_transient_values_and_custom_meta_cross,
    overlapping_masks_do_not_duplicate_and_other_paths_stay_at_home,
    data_written_on_one_node_is_read_on_another,
    every_one_of_many_requests_sent_at_once_is_answered_and_crosses,
    every_client_of_every_node_hears_each_event_once_and_alike,
    only_what_replicate_names_crosses_between_three_nodes,
    a_client_with_credentials_reads_through_every_proxy,
    what_a_node_withholds_from_its_clients_it_withholds_of_other_nodes_events_too,
);

async fn what_is_set_on_each_node_arrives_on_every_node_once_and_in_order(folder: Folder) {
    let nodes = cluster(&folder, 3, |plan| plan).await;
    let mut listeners = Vec::new();
    for node in &nodes {
        listeners.push(Listener::on(node, "/data/*").await);
    }
    let mut writers = Vec::new();
    for (origin, node) in nodes.iter().enumerate() {
        let writer = client(node).await;
        writers.push(tokio::spawn(async move {
            for number in 0..50 {
                let data = json!({"number": number});
                writer.set(&format!("/data/{origin}"), &data).await.unwrap();
            }
            writer
                .set(&format!("/data/end-{origin}"), &json!({}))
                .await
                .unwrap();
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for listener in &mut listeners {
        let mut numbers = vec![Vec::new(); nodes.len()];
        let mut ends = 0;
        while ends < nodes.len() {
            let event = listener.next().await;
            match event
                .path()
                .strip_prefix("/data/")
                .unwrap()
                .parse::<usize>()
            {
                Ok(origin) => {
                    let data: serde_json::Value = event.data().unwrap();
                    numbers[origin].push(data["number"].as_u64().unwrap());
                }
                Err(_) => ends += 1,
            }
        }
        for heard in numbers {
            assert_eq!(heard, (0..50).collect::<Vec<u64>>());
        }
    }
    for node in &nodes {
        let counters = node.replicator().counters();
        assert_eq!((counters.duplicates, counters.refused), (0, 0));
        assert_eq!(counters.received, 2 * 51);
    }
    stop(nodes).await;
}

async fn removals_merges_transient_values_and_custom_meta_cross(folder: Folder) {
    let nodes = cluster(&folder, 2, |plan| plan).await;
    let writer = client(&nodes[0]).await;
    let mut there = Listener::on(&nodes[1], "/x/*").await;

    writer.set("/x/1", &json!({"a": 1})).await.unwrap();
    let merge = WriteOptions {
        merge: true,
        ..WriteOptions::default()
    };
    writer
        .set_with("/x/1", &json!({"b": 2}), &merge)
        .await
        .unwrap();
    let meta = WriteOptions {
        no_store: true,
        meta: Some(Json::parse(r#"{"mine": "yes"}"#).unwrap()),
        ..WriteOptions::default()
    };
    writer
        .set_with("/x/2", &json!({"gone": true}), &meta)
        .await
        .unwrap();
    writer.remove("/x/*").await.unwrap();

    assert_eq!(there.next().await.json().as_str(), r#"{"a":1}"#);
    assert_eq!(there.next().await.json().as_str(), r#"{"a":1,"b":2}"#);
    let transient = there.next().await;
    assert_eq!(transient.json().as_str(), r#"{"gone":true}"#);
    assert_eq!(transient.meta().unwrap().other["mine"], json!("yes"));
    let removal = there.next().await;
    assert_eq!(
        (removal.path(), removal.json().as_str()),
        ("/x/*", r#"{"removed":1}"#)
    );
    stop(nodes).await;
}

/// The reference delivers an event once per matching entry of `replicate`.
async fn overlapping_masks_do_not_duplicate_and_other_paths_stay_at_home(folder: Folder) {
    let masks = "/a/*, /*/b, /end/*";
    let key = "services.orchestrator.config.replicate";
    let nodes = cluster(&folder, 2, |plan| plan.with(key, masks)).await;
    let writer = client(&nodes[0]).await;
    let mut here = Listener::on(&nodes[0], "*").await;
    let mut there = Listener::on(&nodes[1], "*").await;
    for path in ["/a/b", "/a/c", "/c/b", "/c/c", "/end/1"] {
        writer.publish(path, &json!({})).await.unwrap();
    }
    let paths = |heard: Vec<(String, String)>| -> Vec<String> {
        heard.into_iter().map(|(path, _)| path).collect()
    };
    assert_eq!(
        paths(here.until("/end/1").await),
        ["/a/b", "/a/c", "/c/b", "/c/c"]
    );
    assert_eq!(paths(there.until("/end/1").await), ["/a/b", "/a/c", "/c/b"]);
    // Four events crossed, the one that two masks name once.
    let counters = nodes[1].replicator().counters();
    assert_eq!((counters.received, counters.duplicates), (4, 0));
    stop(nodes).await;
}

async fn data_written_on_one_node_is_read_on_another(folder: Folder) {
    let nodes = cluster(&folder, 2, |plan| plan).await;
    client(&nodes[0])
        .await
        .set("/shared/1", &json!({"v": 1}))
        .await
        .unwrap();
    let reader = client(&nodes[1]).await;
    let item = reader.get::<serde_json::Value>("/shared/1").await.unwrap();
    assert_eq!(item.unwrap().data["v"], json!(1));
    stop(nodes).await;
}

/// A node once read one request more per turn than it handled, so every 65th request of a client
/// that sends many at once was lost without an answer.
async fn every_one_of_many_requests_sent_at_once_is_answered_and_crosses(folder: Folder) {
    let nodes = cluster(&folder, 2, |plan| plan).await;
    let writer = client(&nodes[0]).await;
    let mut there = Listener::on(&nodes[1], "/many/*").await;
    let publishes: Vec<_> = (0..1000)
        .map(|number| {
            let writer = writer.clone();
            tokio::spawn(async move {
                let path = format!("/many/{number}");
                writer.publish(&path, &json!({})).await.unwrap();
            })
        })
        .collect();
    for publish in publishes {
        soon("a publish is answered", publish).await.unwrap();
    }
    writer.publish("/many/end", &json!({})).await.unwrap();
    assert_eq!(there.until("/many/end").await.len(), 1000);
    stop(nodes).await;
}

/// Exact masks and masks with wildcards, on every node, all hear what the origin's clients hear.
async fn every_client_of_every_node_hears_each_event_once_and_alike(folder: Folder) {
    let nodes = cluster(&folder, 3, |plan| plan).await;
    let mut ears = Vec::new();
    for mask in ["/rep/*", "/rep/it"] {
        for node in &nodes {
            ears.push((mask, Listener::on(node, mask).await));
        }
    }
    let writer = client(&nodes[0]).await;
    let merge = WriteOptions {
        merge: true,
        ..WriteOptions::default()
    };
    writer.set("/rep/it", &json!({"a": 1})).await.unwrap();
    writer
        .set_with("/rep/it", &json!({"b": 2}), &merge)
        .await
        .unwrap();
    writer.remove("/rep/it").await.unwrap();
    // What is left of a tag in the reference's generation.
    writer.set("/rep/it", &json!(null)).await.unwrap();
    writer.publish("/rep/it", &json!({"end": 1})).await.unwrap();
    let mut heard: Vec<(&str, Vec<String>)> = Vec::new();
    for (mask, ear) in &mut ears {
        let mut events = Vec::new();
        while !events.last().is_some_and(|it: &String| it.contains("end")) {
            events.push(format!("{:?}", ear.next().await));
        }
        heard.push((mask, events));
    }
    for (mask, events) in &heard {
        assert_eq!(events.len(), 5, "{mask}: {events:?}");
        let origin = heard.iter().find(|(other, _)| other == mask).unwrap();
        assert_eq!(*events, origin.1);
    }
    stop(nodes).await;
}

async fn only_what_replicate_names_crosses_between_three_nodes(folder: Folder) {
    let key = "services.orchestrator.config.replicate";
    let masks = r#"["/*/*/this", "/and/that"]"#;
    let nodes = cluster(&folder, 3, |plan| plan.with(key, masks)).await;
    let mut ears = Vec::new();
    for node in &nodes {
        ears.push(Listener::on(node, "*").await);
    }
    let writer = client(&nodes[0]).await;
    for path in [
        "/replicate/me/this",
        "/and/that",
        "/unreplicated/path",
        "/the/end/this",
    ] {
        writer.set(path, &json!({"of": path})).await.unwrap();
    }
    for (at, ear) in ears.iter_mut().enumerate() {
        let heard = ear.until("/the/end/this").await;
        let paths: Vec<&str> = heard.iter().map(|(path, _)| path.as_str()).collect();
        let crossed = ["/replicate/me/this", "/and/that", "/unreplicated/path"];
        let expected = if at == 0 { &crossed[..] } else { &crossed[..2] };
        assert_eq!(paths, expected, "at node {at}");
    }
    stop(nodes).await;
}

async fn a_client_with_credentials_reads_through_every_proxy(folder: Folder) {
    let nodes = cluster(&folder, 3, |plan| plan).await;
    client(&nodes[0]).await.set("/a", &1).await.unwrap();
    for node in &nodes {
        let address = node.proxy().address().await.unwrap();
        let config = ClientConfig {
            credentials: Some(Credentials::Password {
                username: "_ADMIN".to_owned(),
                password: ADMIN_PASSWORD.to_owned(),
            }),
            ..ClientConfig::new("127.0.0.1", address.port())
        };
        let reader = soon("it connects", Client::connect(config)).await.unwrap();
        assert_eq!(reader.get_paths("/a*").await.unwrap(), ["/a"]);
    }
    stop(nodes).await;
}

/// Withholds what names a secret from every client.
struct Discreet;

impl Layer for Discreet {
    fn outbound(&self, _session: &Session, message: &mut Message) -> Result<(), WireError> {
        let is_event = message.kind() == MessageKind::Event;
        let data = message.get("data").map(Json::as_str).unwrap_or_default();
        match is_event && data.contains("secret") {
            true => Err(WireError::plain("not for you")),
            false => Ok(()),
        }
    }
}

/// In the reference the filter of recipients does not see replicated events, and a failed delivery
/// of one ends the process.
async fn what_a_node_withholds_from_its_clients_it_withholds_of_other_nodes_events_too(
    folder: Folder,
) {
    let origin = Plan::in_cluster(&folder, 2).bind().await;
    let settings = Plan::in_cluster(&folder, 2).settings();
    let discreet = Node::bind_with(&settings, |core| core.layer(Arc::new(Discreet)));
    let nodes = vec![origin, discreet.await.unwrap()];
    all_ready(&nodes).await;
    let mut ears = Vec::new();
    for node in &nodes {
        ears.push(Listener::on(node, "/x/*").await);
    }
    let writer = client(&nodes[0]).await;
    for data in [json!("a"), json!("secret"), json!("b")] {
        writer.publish("/x/1", &data).await.unwrap();
    }
    writer.publish("/x/end", &json!({})).await.unwrap();
    assert_eq!(ears[0].until("/x/end").await.len(), 3);
    let heard = ears[1].until("/x/end").await;
    assert_eq!(heard.len(), 2, "{heard:?}");
    stop(nodes).await;
}
