//! What breaks, is taken away or talks nonsense, and what goes on all the same.

use std::time::Duration;

use cluster_node::Node;
use happn_client::{Client, ClientConfig, SubscribeOptions};
use happn_core::SessionEvents;
use happn_protocol::Json;
use serde_json::{Value, json};
use testkit::{Line, ScriptedServer, ScriptedSession};

use crate::harness::{
    Folder, Listener, Plan, client, cluster, credentials, open_and_secure, relayed, soon, stop,
    until_peers,
};

open_and_secure!(
    links_that_break_come_back_within_seconds_and_nothing_is_missed,
    a_peer_whose_session_a_node_ends_comes_back,
    a_frame_above_the_limit_breaks_one_socket_and_parts_no_peers,
);

const TABLE: &str = "/SYSTEM/DEPLOYMENT/Test-Deploy/happn-cluster-node";
const OPEN: &str = "services.orchestrator.config.openSystemPaths";

/// Waits until the node counts itself only.
async fn until_alone(node: &Node) {
    until_peers(node, 1).await;
}

async fn links_that_break_come_back_within_seconds_and_nothing_is_missed(folder: Folder) {
    let (nodes, relays) = relayed(&folder, 2).await;
    let mut there = Listener::on(&nodes[1], "/x/*").await;
    let writer = client(&nodes[0]).await;
    writer.publish("/x/0", &json!({})).await.unwrap();
    relays.iter().for_each(|relay| relay.set(Line::Cut));
    for node in &nodes {
        until_alone(node).await;
    }
    for number in 1..20 {
        writer
            .publish(&format!("/x/{number}"), &json!({}))
            .await
            .unwrap();
    }
    relays.iter().for_each(|relay| relay.set(Line::Open));
    let healed = tokio::time::Instant::now();
    for number in 0..20 {
        assert_eq!(there.next().await.path(), format!("/x/{number}"));
    }
    for node in &nodes {
        until_peers(node, 2).await;
    }
    // The cap of the back-off and the work of connecting, on a busy machine.
    assert!(
        healed.elapsed() < Duration::from_secs(10),
        "{:?}",
        healed.elapsed()
    );
    stop(nodes).await;
}

/// In the reference such a session is dead until its record expires.
async fn a_peer_whose_session_a_node_ends_comes_back(folder: Folder) {
    let nodes = cluster(&folder, 2, |plan| plan).await;
    let mut there = Listener::on(&nodes[1], "/x/*").await;
    let sessions = nodes[0].core().peers();
    assert_eq!(sessions.len(), 1);
    let ended = sessions[0].session_id.clone();
    assert!(nodes[0].core().end_session(&ended, Some("token-revoked")));
    let writer = client(&nodes[0]).await;
    writer.publish("/x/1", &json!({})).await.unwrap();
    assert_eq!(there.next().await.path(), "/x/1");
    let now = nodes[0].core().peers();
    assert_eq!(now.len(), 1);
    assert_ne!(now[0].session_id, ended);
    for node in &nodes {
        until_peers(node, 2).await;
    }
    stop(nodes).await;
}

/// In the reference a node that misses its own record ends its own client for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_record_is_taken_away_stays_and_writes_it_again() {
    let folder = Folder::new();
    let nodes = cluster(&folder, 2, |plan| plan.with(OPEN, "true")).await;
    let thief = client(&nodes[0]).await;
    assert_eq!(thief.remove(&format!("{TABLE}/*")).await.unwrap().count, 2);
    let both = async {
        while thief.count(&format!("{TABLE}/*")).await.unwrap() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon("both records are back", both).await;
    for node in &nodes {
        assert_eq!(node.orchestrator().peers().len(), 2);
    }
    let mut messages = nodes[1].replicator().subscribe("t");
    for node in &nodes {
        node.replicator().send("t", None);
        let message = soon("a message arrives", messages.recv()).await.unwrap();
        assert_eq!(message.origin, node.name());
    }
    stop(nodes).await;
}

/// A frame above the limit ends the socket that it came on, whoever says he sits there.
async fn a_frame_above_the_limit_breaks_one_socket_and_parts_no_peers(folder: Folder) {
    let limit = "services.session.config.primusOpts.maxLength";
    let nodes = cluster(&folder, 2, |plan| plan.with(limit, "100000")).await;
    let info = json!({
        "name": nodes[1].name(), "clusterName": "happn-cluster",
        "serviceName": "happn-cluster-node", "endpoint": nodes[1].endpoint(),
    });
    let config = ClientConfig {
        info: Json::encode(&info).unwrap(),
        credentials: credentials(&nodes[0]),
        ..ClientConfig::new("127.0.0.1", nodes[0].address().port())
    };
    let peer = soon("it connects", Client::connect(config)).await.unwrap();
    let mut state = peer.state();
    assert!(peer.set("/x", &"x".repeat(200_000)).await.is_err());
    let back = state.wait_for(happn_client::ConnectionState::is_connected);
    drop(soon("it connects again", back).await.unwrap());
    let mut there = Listener::on(&nodes[1], "/x/*").await;
    let writer = client(&nodes[0]).await;
    writer.publish("/x/1", &json!({})).await.unwrap();
    assert_eq!(there.next().await.path(), "/x/1");
    for node in &nodes {
        until_peers(node, 2).await;
    }
    stop(nodes).await;
}

/// A node, and someone in its table who is none; it has connected to him.
async fn with_an_impostor(folder: &Folder) -> (Node, ScriptedServer) {
    let plan = Plan::in_cluster(folder, 1).with(OPEN, "true");
    let node = plan.start().await.unwrap();
    let impostor = ScriptedServer::start().await;
    let endpoint = impostor.endpoint();
    let record = json!({"service": "happn-cluster-node", "endpoint": endpoint});
    let forger = client(&node).await;
    forger
        .set(&format!("{TABLE}/{endpoint}"), &record)
        .await
        .unwrap();
    (node, impostor)
}

async fn subscribed(peer: &mut ScriptedSession) {
    let request = peer.request("on").await;
    peer.answer(&request, json!({"id": "x-1"})).await;
}

/// The node serves as before, and a real node joins it.
async fn goes_on(folder: &Folder, node: Node) {
    let second = Plan::in_cluster(folder, 1).start().await.unwrap();
    let mut there = Listener::on(&second, "/real/*").await;
    let writer = client(&node).await;
    writer.publish("/real/1", &json!({})).await.unwrap();
    assert_eq!(there.next().await.path(), "/real/1");
    stop(vec![node, second]).await;
}

/// What an event's `_meta` would have to look like, with one member replaced.
fn event_but(member: &str, value: Value) -> String {
    let mut meta = json!({
        "action": "/SET@/seen/0", "type": "data", "sessionId": "S9", "consistency": 2,
        "publicationId": "S9-0", "path": "/seen/0", "created": 1, "modified": 2,
        "channel": "/ALL@*",
    });
    meta[member] = value;
    json!({"data": {}, "_meta": meta, "protocol": "happn_4"}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_talks_nonsense_is_not_listened_to_and_harms_nobody() {
    let folder = Folder::new();
    let (node, impostor) = with_an_impostor(&folder).await;
    let mut ear = Listener::on(&node, "/seen/*").await;
    let mut peer = impostor.welcome("S1").await;
    subscribed(&mut peer).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut nonsense: Vec<String> = [
        "",
        "garbage",
        "null",
        "5",
        "[]",
        "{}",
        "\"primus::\"",
        "\"primus::ping::\"",
        "{\"_meta\":5}",
        r#"{"_meta":{"type":"data"}}"#,
        r#"{"link":5,"sequence":1}"#,
        r#"{"gap":{"lost":-1}}"#,
        r#"{"link":{"action":"SET","path":"/seen/9","data":{}},"sequence":18446744073709551616}"#,
        r#"{"_meta":{"type":"response","status":"ok","eventId":999999,"action":"on"},"data":null}"#,
        r#"{"_meta":{"type":"system"},"eventKey":"server-side-disconnect","data":7}"#,
    ]
    .map(str::to_owned)
    .into();
    nonsense.push(deep);
    for (member, value) in [
        ("action", json!("nothing at all")),
        ("action", json!(null)),
        ("action", json!("/CONSTRUCTOR@/seen/0")),
        ("path", json!(7)),
        ("publicationId", json!({})),
        ("channel", json!(["/ALL@*"])),
    ] {
        nonsense.push(event_but(member, value));
    }
    for text in nonsense {
        peer.send(text).await;
    }
    peer.binary(vec![0xFF; 1000]).await;
    peer.event("/ALL@*", "/seen/1", 1, &json!({"real": 1}))
        .await;
    let mut heard = ear.next().await;
    // An event whose meta is odd but readable may be told; what is real is told in any case.
    while heard.path() != "/seen/1" {
        assert_eq!(heard.path(), "/seen/0");
        heard = ear.next().await;
    }
    assert_eq!(heard.json().as_str(), r#"{"real":1}"#);
    goes_on(&folder, node).await;
}

/// In the reference `{payload: null}` and other such messages end every node.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_messages_between_nodes_are_skipped_and_the_next_one_is_heard() {
    let folder = Folder::new();
    let (node, impostor) = with_an_impostor(&folder).await;
    let mut messages = node.replicator().subscribe("/security/dataChanged");
    let mut peer = impostor.welcome("S1").await;
    subscribed(&mut peer).await;
    let payloads = [
        json!(null),
        json!("text"),
        json!([]),
        json!({}),
        json!({"topic": 5, "payload": {}, "origin": "x"}),
        json!({"topic": {"constructor": 1}, "origin": []}),
        json!({"payload": {}, "origin": "x"}),
        json!({"topic": "/security/dataChanged", "payload": {}}),
        json!({"topic": "x".repeat(1_000_000), "payload": {}, "origin": "x"}),
    ];
    for (number, payload) in payloads.iter().enumerate() {
        peer.event("/ALL@*", "/__REPLICATE", number as u64, payload)
            .await;
    }
    let last = json!({
        "topic": "/security/dataChanged", "origin": "node-x",
        "payload": {"link-group": null, "constructor": {"x": 1}, "upsert-user": {"a": 5}},
    });
    peer.event("/ALL@*", "/__REPLICATE", 99, &last).await;
    let message = soon("a message arrives", messages.recv()).await.unwrap();
    assert_eq!(
        (message.origin.as_str(), message.is_local),
        ("node-x", false)
    );
    goes_on(&folder, node).await;
}

/// It says more than is known today; what is known is understood.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_of_a_newer_protocol_is_heard_the_old_way() {
    let folder = Folder::new();
    let (node, impostor) = with_an_impostor(&folder).await;
    let mut ear = Listener::on(&node, "/seen/*").await;
    let mut peer = impostor.accept().await;
    peer.serve(
        "configure-session",
        json!({"protocol": "happn_9", "new": 1}),
    )
    .await;
    let description = json!({"name": "future", "secure": false, "dialects": ["happn_9"]});
    peer.serve("describe", description.clone()).await;
    let login = peer
        .serve(
            "login",
            json!({
                "id": "S1", "protocol": "happn_9", "happn": description, "more": {},
                "link": {"version": 99, "token": "t", "resumed": true, "instance": "i", "more": 1},
            }),
        )
        .await;
    assert_eq!(
        login["data"]["info"]["link"]["version"], 1,
        "what it was offered"
    );
    subscribed(&mut peer).await;
    // Frames of its own kind are ignored, ordinary ones are not.
    let frame = json!({"link": {"v99": {}}, "sequence": 1, "epoch": 4});
    peer.send(frame.to_string()).await;
    peer.event("/ALL@*", "/seen/1", 1, &json!({})).await;
    assert_eq!(ear.next().await.path(), "/seen/1");
    goes_on(&folder, node).await;
}

/// And the other way round: one that logs in here with a newer version, and subscribes.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_of_a_newer_protocol_is_a_client_that_hears_what_it_asks_for() {
    let node = Plan::new().start().await.unwrap();
    let info = json!({
        "name": "future", "clusterName": "happn-cluster", "serviceName": "happn-cluster-node",
        "endpoint": "127.0.0.1:1", "link": {"version": 99, "masks": {"a": 1}, "instance": 4},
    });
    let config = ClientConfig {
        info: Json::encode(&info).unwrap(),
        ..ClientConfig::new("127.0.0.1", node.address().port())
    };
    let future = soon("it connects", Client::connect(config)).await.unwrap();
    let mut events = future.on("/x", SubscribeOptions::default()).await.unwrap();
    client(&node).await.publish("/x", &json!({})).await.unwrap();
    let event = soon("the event arrives", events.next()).await.unwrap();
    assert_eq!(event.path(), "/x");
    stop(vec![node]).await;
}
