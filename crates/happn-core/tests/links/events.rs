//! What crosses a link, and who has one.

use happn_core::{Drained, Ending, SessionEvents};
use serde_json::{Value, json};

use crate::kit::{Client, node};
use crate::{LOGIN, in_cluster, linked, paths, publish, subscribed};

#[tokio::test]
async fn an_event_crosses_a_numbered_link_once_whatever_the_masks() {
    let node = node();
    let (mut link, answer) = linked(&node, 3, None).await;
    assert_eq!(
        (&answer["version"], &answer["resumed"]),
        (&json!(1), &json!(false))
    );
    for mask in ["/ALL@/a/*", "/ALL@/*/b", "/ALL@/a/b"] {
        link.on(mask, "{}").await;
    }
    let mut publisher = Client::of(&node);
    let options = r#"{"consistency":2,"meta":{"mine":1,"depth":9}}"#;
    publisher.call("set", "/a/b", r#"{"v":1}"#, options).await;
    let merge = r#"{"merge":true}"#;
    publisher.call("set", "/a/b", r#"{"w":2}"#, merge).await;
    publish(&mut publisher, "/a/c").await;
    publish(&mut publisher, "/c/c").await;
    let frames = link.rest();
    assert_eq!(paths(&frames), ["/a/b", "/a/b", "/a/c"]);
    let numbers: Vec<_> = frames
        .iter()
        .map(|frame| frame["sequence"].clone())
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
    let event = &frames[0]["link"];
    assert_eq!(event["custom"], json!({"mine": 1, "depth": 9}));
    assert_eq!(
        (&event["action"], &event["data"]),
        (&json!("SET"), &json!({"v": 1}))
    );
    assert_eq!(event["sessionId"], **publisher.session.id());
    assert_eq!(frames[1]["link"]["merge"], json!({"w": 2}));
    assert_eq!(frames[1]["link"]["data"], json!({"v": 1, "w": 2}));
}

#[tokio::test]
async fn a_node_that_announced_its_masks_counts_as_subscribed_with_the_last_one() {
    let node = node();
    let (mut link, _) = linked(&node, 2, None).await;
    link.on("/ALL@/a/*", "{}").await;
    assert!(!node.peers()[0].is_subscribed);
    link.on("/ALL@/b/*", "{}").await;
    assert!(node.peers()[0].is_subscribed);
}

#[tokio::test]
async fn a_node_of_the_reference_gets_ordinary_events_and_no_link() {
    let node = node();
    let mut peer = Client::of(&node);
    let answer = peer
        .call("login", "", &format!(r#"{{"info":{{{LOGIN}}}}}"#), "{}")
        .await;
    assert_eq!(answer["data"]["link"], Value::Null);
    peer.on("/ALL@*", "{}").await;
    assert!(node.peers()[0].is_subscribed);
    publish(&mut Client::of(&node), "/a").await;
    assert_eq!(peer.next().await["_meta"]["channel"], "/ALL@*");
    assert!(node.links().is_empty());
}

#[tokio::test]
async fn hostile_offers_are_logins_like_any_other() {
    let node = node();
    for link in [
        "null",
        "[]",
        r#""x""#,
        "5",
        "{}",
        r#"{"constructor":{"prototype":1}}"#,
        r#"{"version":1}"#,
        r#"{"version":-1,"masks":1}"#,
        r#"{"version":1,"masks":1e99}"#,
        r#"{"version":1,"masks":1,"resume":[]}"#,
    ] {
        let mut client = Client::of(&node);
        let login = format!(r#"{{"info":{{{LOGIN},"link":{link}}}}}"#);
        let answer = client.call("login", "", &login, "{}").await;
        assert_eq!(answer["_meta"]["status"], "ok", "{link}");
        assert_eq!(answer["data"]["link"], Value::Null, "{link}");
    }
    // Without a cluster it is no node.
    let mut client = Client::of(&node);
    let login = r#"{"info":{"link":{"version":1,"masks":1}}}"#;
    let answer = client.call("login", "", login, "{}").await;
    assert_eq!(answer["data"]["link"], Value::Null);
    assert!(node.links().is_empty());
}

#[tokio::test]
async fn a_newer_version_is_answered_with_ours() {
    let node = node();
    let mut client = Client::of(&node);
    let login = format!(r#"{{"info":{{{LOGIN},"link":{{"version":9,"masks":1,"new":{{}}}}}}}}"#);
    let answer = client.call("login", "", &login, "{}").await;
    assert_eq!(answer["data"]["link"]["version"], 1);
}

#[tokio::test]
async fn a_client_that_is_no_link_is_told_that_it_has_no_use_for_its_requests() {
    let node = node();
    let mut client = Client::of(&node);
    for (action, data) in [
        ("link", r#"{"sequence":1}"#),
        ("link", "null"),
        ("interest", r#"{"add":["*"]}"#),
    ] {
        let answer = client.call(action, "", data, "{}").await;
        assert_eq!(answer["_meta"]["status"], "error", "{action}");
        let message = answer["_meta"]["error"]["message"].as_str().unwrap();
        let expected = format!("{action} is for nodes on a numbered link");
        assert!(message.starts_with(&expected), "{message}");
    }
    // Nobody could tell what an answer belongs to.
    client.send(r#"{"action":"link","data":{"sequence":1}}"#);
    publish(&mut Client::of(&node), "/a").await;
    assert!(client.rest().is_empty());
}

#[tokio::test]
async fn targets_and_local_events_do_not_cross() {
    let node = node();
    let (mut link, _) = subscribed(&node).await;
    let mut publisher = Client::of(&node);
    let own = publisher.session.id().clone();
    publisher
        .call("set", "/a", "{}", r#"{"noCluster":true}"#)
        .await;
    let targets = format!(r#"{{"targetClients":["{own}"]}}"#);
    publisher.call("set", "/b", "{}", &targets).await;
    publish(&mut publisher, "/c").await;
    assert_eq!(paths(&link.rest()), ["/c"]);
}

#[tokio::test]
async fn a_publisher_can_wait_until_its_event_is_delivered_elsewhere() {
    let node = node();
    let (mut link, _) = subscribed(&node).await;
    let mut publisher = Client::of(&node);
    publisher
        .call("set", "/a", "{}", r#"{"consistency":3}"#)
        .await;
    let event = link.next().await["link"].clone();
    assert_eq!(event["consistency"], 3);
    assert!(publisher.rest().is_empty(), "nobody has acknowledged yet");
    let id = event["publicationId"].to_string();
    link.call("ack", "", &id, "{}").await;
    let report = publisher.next().await;
    assert_eq!(
        (&report["status"], &report["result"]["acknowledged"]),
        (&json!("ok"), &json!(1))
    );
}

/// Both were ended at once before, and what a client published last was not for the link any more.
#[tokio::test]
async fn links_end_after_the_last_client() {
    let node = node();
    let (mut link, _) = subscribed(&node).await;
    let mut publisher = Client::of(&node);
    node.end_sessions(&Ending::Reconnect);
    publisher.request("set", "/last", "{}", r#"{"noStore":true}"#);
    assert_eq!(paths(&link.rest()), ["/last"]);
    node.detach(&publisher.session);
    let mut left = Vec::new();
    let drained = link.session.outbox().drain(&mut left);
    assert_eq!(drained, Drained::Ended(Ending::Reconnect));
}

/// In the reference, anybody raises any topic on all nodes, and forges members of the cluster.
#[tokio::test]
async fn clients_do_not_write_where_only_nodes_have_business() {
    let node = in_cluster("c");
    let mut client = Client::of(&node);
    let forged = r#"{"topic":"/security/dataChanged","payload":null,"origin":"x"}"#;
    for (action, path) in [
        ("set", "/__REPLICATE"),
        ("set", "/SYSTEM/DEPLOYMENT/d/s/10.0.0.9:1"),
        ("remove", "/SYSTEM/DEPLOYMENT/*"),
        ("remove", "/SYSTEM/*"),
    ] {
        let answer = client
            .call(action, path, forged, r#"{"noStore":true}"#)
            .await;
        assert_eq!(answer["_meta"]["status"], "error", "{action} {path}");
        let error = &answer["_meta"]["error"];
        assert_eq!(
            (&error["name"], &error["code"]),
            (&json!("AccessDenied"), &json!(403))
        );
    }
    let answer = client.call("set", "/SYSTEM/mine", "{}", "{}").await;
    assert_eq!(answer["_meta"]["status"], "ok");
}

#[tokio::test]
async fn nodes_of_another_cluster_get_no_events() {
    let node = in_cluster("another");
    let (mut link, _) = subscribed(&node).await;
    let mut publisher = Client::of(&node);
    publish(&mut publisher, "/a").await;
    assert!(link.rest().is_empty());
    assert_eq!(node.kept_for_links().0, 0);
}

#[tokio::test]
async fn an_event_of_the_node_itself_reaches_clients_and_other_nodes() {
    use happn_core::EventSink;

    let node = in_cluster("c");
    let (mut link, _) = subscribed(&node).await;
    let mut client = Client::of(&node);
    client.on("/ALL@*", "{}").await;
    let data = happn_protocol::Json::parse(r#"{"topic":"t"}"#).unwrap();
    assert_eq!(node.originate("/__REPLICATE", &data).delivered, 2);
    let event = client.next().await;
    let meta = &event["_meta"];
    assert_eq!(
        (&event["data"], &meta["path"]),
        (&json!({"topic": "t"}), &json!("/__REPLICATE"))
    );
    assert_eq!(meta["action"], "/SET@/__REPLICATE");
    assert_eq!(paths(&link.rest()), ["/__REPLICATE"]);
}

#[tokio::test]
async fn clients_that_listen_are_told_of_a_gap() {
    use happn_core::EventSink;

    let node = node();
    let (mut link, _) = subscribed(&node).await;
    let (mut listener, mut other) = (Client::of(&node), Client::of(&node));
    listener.on("/ALL@/a/*", "{}").await;
    node.announce_gap("node-b", Some(7));
    node.announce_gap("node-c", None);
    for (origin, lost) in [("node-b", json!(7)), ("node-c", json!(null))] {
        let told = json!({
            "_meta": {"type": "system"},
            "data": {"origin": origin, "lost": lost},
            "eventKey": "replication-gap"
        });
        assert_eq!(listener.next().await, told);
    }
    assert!(link.rest().is_empty() && other.rest().is_empty());
}
