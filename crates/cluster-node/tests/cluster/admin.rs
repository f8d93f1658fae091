//! What a node shows on its admin listener.

use std::time::Duration;

use cluster_admin::{Fetched, Target, fetch};
use cluster_node::{Health, Node};
use serde_json::{Value, json};

use crate::harness::{
    Folder, Listener, Plan, SOON, client, cluster, deaf_client, soon, stop, until_peers,
};

async fn get(node: &Node, path: &str) -> Fetched {
    let address = node.admin_address().expect("there is an admin listener");
    get_at(&address.to_string().parse().unwrap(), path).await
}

async fn get_at(target: &Target, path: &str) -> Fetched {
    fetch(target, path, SOON).await.unwrap()
}

/// The value of the sample that begins with `name`, labels included.
async fn metric(node: &Node, name: &str) -> f64 {
    let text = get(node, "/metrics").await.body;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.and_then(|rest| rest.strip_prefix(' '));
    value
        .unwrap_or_else(|| panic!("no {name} in {text}"))
        .parse()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_live_while_it_waits_for_others_and_ready_once_clients_may_come() {
    let folder = Folder::new();
    let first = Plan::in_cluster(&folder, 2).bind().await;
    assert_eq!(get(&first, "/health/live").await.status, 200);
    let waiting = get(&first, "/health/ready").await;
    assert_eq!(waiting.status, 503);
    assert!(waiting.body.contains("the state is"), "{}", waiting.body);
    let second = Plan::in_cluster(&folder, 2).bind().await;
    soon("the node is ready", first.ready()).await.unwrap();
    let ready = get(&first, "/health/ready").await;
    assert_eq!((ready.status, ready.body.as_str()), (200, "ready\n"));
    stop(vec![first, second]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_is_live_and_not_ready_until_it_is_gone() {
    let node = Plan::new().start().await.unwrap();
    let deaf = deaf_client(node.proxy().address().await.unwrap()).await;
    let target: Target = node.admin_address().unwrap().to_string().parse().unwrap();
    let going = client(&node).await;
    let mut state = going.state();
    let stopping = tokio::spawn(node.stop(SOON));
    let told = state.wait_for(|state| !state.is_connected());
    drop(soon("the client is told", told).await.unwrap());
    let ready = get_at(&target, "/health/ready").await;
    assert_eq!(ready.status, 503);
    assert!(
        ready.body.contains("the node is stopping"),
        "{}",
        ready.body
    );
    assert_eq!(get_at(&target, "/health/live").await.status, 200);
    drop(deaf);
    soon("the node stops", stopping).await.unwrap();
    assert!(fetch(&target, "/health/live", SOON).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_members_peers_and_links() {
    let folder = Folder::new();
    let nodes = cluster(&folder, 2, |plan| plan).await;
    let health: Health = serde_json::from_str(&get(&nodes[0], "/health").await.body).unwrap();
    assert_eq!(health, {
        let now = nodes[0].health().await;
        Health {
            uptime_seconds: health.uptime_seconds,
            ..now
        }
    });
    assert_eq!((health.state.as_str(), health.ready), ("STABLE", true));
    assert_eq!(health.degraded, Vec::<String>::new());
    let names = [nodes[0].name(), nodes[1].name()];
    assert_eq!(health.peers, names);
    let [own, other] = &health.members[..] else {
        panic!("two members: {health:?}");
    };
    assert!(own.is_self && own.endpoint == nodes[0].endpoint());
    assert!(other.is_peer && other.connected_from && other.subscribed_from);
    let link = &health.links[0];
    assert_eq!((link.peer.as_str(), link.connected), (names[1], true));
    assert_eq!(health.sessions.nodes, 1);
    let text: Value = serde_json::from_str(&get(&nodes[0], "/health").await.body).unwrap();
    for name in ["clusterName", "uptimeSeconds", "sessions", "traffic"] {
        assert!(text.get(name).is_some(), "{name} is not in {text}");
    }
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_what_happened() {
    let folder = Folder::new();
    let nodes = cluster(&folder, 2, |plan| plan).await;
    let mut listener = Listener::on(&nodes[1], "/orders/*").await;
    let publisher = client(&nodes[0]).await;
    publisher.set("/orders/1", &json!({"n": 1})).await.unwrap();
    publisher.get::<Value>("/orders/1").await.unwrap();
    listener.next().await;
    let published = r#"happn_events_in_total{paths="data",from="clients"}"#;
    let replicated = r#"happn_events_in_total{paths="data",from="nodes"}"#;
    assert_eq!(metric(&nodes[0], published).await, 1.0);
    assert_eq!(metric(&nodes[1], replicated).await, 1.0);
    assert_eq!(
        metric(&nodes[1], r#"happn_events_out_total{paths="data"}"#).await,
        1.0
    );
    assert_eq!(metric(&nodes[1], "happn_replicated_total").await, 1.0);
    assert_eq!(
        metric(&nodes[0], r#"happn_state{state="STABLE"}"#).await,
        1.0
    );
    assert_eq!(metric(&nodes[0], "happn_peers").await, 2.0);
    assert_eq!(
        metric(&nodes[0], r#"happn_sessions{kind="client"}"#).await,
        1.0
    );
    assert_eq!(
        metric(&nodes[0], r#"happn_sessions{kind="node"}"#).await,
        1.0
    );
    for op in ["write", "read"] {
        let name = format!(r#"happn_store_seconds_count{{store="main",op="{op}"}}"#);
        assert!(metric(&nodes[0], &name).await >= 1.0, "{op}");
    }
    assert!(metric(&nodes[0], "happn_keepalive_seconds_count").await >= 1.0);
    let link = format!(r#"happn_link_up{{peer="{}"}}"#, nodes[1].name());
    assert_eq!(metric(&nodes[0], &link).await, 1.0);
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_shows_what_was_asked_for_and_what_nobody_wanted() {
    let folder = Folder::new();
    let nodes = cluster(&folder, 2, |plan| plan).await;
    let mut listener = Listener::on(&nodes[1], "/orders/*").await;
    let publisher = client(&nodes[0]).await;
    for path in ["/unwanted/1", "/unwanted/2", "/orders/1"] {
        publisher.publish(path, &json!({})).await.unwrap();
    }
    listener.next().await;
    let [here, there] = [nodes[0].name(), nodes[1].name()];
    let of = |name: &str, labels: &str| format!("{name}{{{labels}}}");
    // The messages between nodes are always asked for.
    let asked_by = of("happn_link_masks", &format!(r#"peer="{there}",side="in""#));
    let asked_of = of("happn_link_masks", &format!(r#"peer="{here}",side="out""#));
    assert_eq!(metric(&nodes[0], &asked_by).await, 2.0);
    assert_eq!(metric(&nodes[1], &asked_of).await, 2.0);
    let peer = format!(r#"peer="{there}""#);
    assert_eq!(
        metric(&nodes[0], &of("happn_link_withheld_total", &peer)).await,
        2.0
    );
    let confirmed = async {
        while metric(&nodes[0], &of("happn_link_lag_seconds", &peer)).await > 0.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon("the event is confirmed", confirmed).await;
    let health: Value = serde_json::from_str(&get(&nodes[1], "/health").await.body).unwrap();
    let members = health["members"].as_array().unwrap();
    let other = members.iter().find(|it| it["isSelf"] == false).unwrap();
    assert_eq!(other["asked"], json!({"masks": 2, "everything": false}));
    stop(nodes).await;
}

/// A series that comes twice makes the whole text unreadable for Prometheus.
#[tokio::test(flavor = "multi_thread")]
async fn no_series_of_the_metrics_comes_twice() {
    let node = Plan::new().start().await.unwrap();
    let text = get(&node, "/metrics").await.body;
    let mut seen = std::collections::HashSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(seen.insert(series), "{series}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_another_node_is_measured() {
    let folder = Folder::new();
    let right = Plan::in_cluster(&folder, 2).bind().await;
    let wrong = Plan::in_cluster(&folder, 2)
        .with("debug.clockAhead", "3600000")
        .bind()
        .await;
    soon("the node is ready", right.ready()).await.unwrap();
    until_peers(&right, 2).await;
    let measured = async {
        loop {
            let skews = right.orchestrator().clock_skews();
            let other = skews.iter().find(|skew| skew.endpoint == wrong.endpoint());
            if let Some(skew) = other {
                return skew.certain_ms();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let ms = soon("the skew is measured", measured).await;
    assert!((3_590_000..3_610_000).contains(&ms), "{ms}");
    stop(vec![right, wrong]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_listener_can_be_switched_off() {
    let node = Plan::new()
        .with("admin.enabled", "false")
        .start()
        .await
        .unwrap();
    assert_eq!(node.admin_address(), None);
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_was_asked_for_and_is_taken_keeps_the_node_from_starting() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let error = Plan::new()
        .with("admin.port", &port)
        .start()
        .await
        .unwrap_err();
    let expected = format!("the admin listener cannot listen on 127.0.0.1:{port}");
    assert_eq!(error.to_string(), expected);
}
