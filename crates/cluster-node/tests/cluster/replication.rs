//! What crosses the cluster, and how often.

use happn_client::WriteOptions;
use happn_protocol::Json;
use serde_json::json;

use crate::harness::{Folder, Listener, client, cluster, soon, stop};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_on_each_node_arrives_on_every_node_once_and_in_order() {
    let folder = Folder::new();
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

#[tokio::test(flavor = "multi_thread")]
async fn removals_merges_transient_values_and_custom_meta_cross() {
    let folder = Folder::new();
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
#[tokio::test(flavor = "multi_thread")]
async fn overlapping_masks_do_not_duplicate_and_other_paths_stay_at_home() {
    let folder = Folder::new();
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

#[tokio::test(flavor = "multi_thread")]
async fn data_written_on_one_node_is_read_on_another() {
    let folder = Folder::new();
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
#[tokio::test(flavor = "multi_thread")]
async fn every_one_of_many_requests_sent_at_once_is_answered_and_crosses() {
    let folder = Folder::new();
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
