//! How nodes go, and what others and clients see of it.

use std::time::Duration;

use happn_client::ConnectionState;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::harness::{
    Folder, Listener, Plan, SOON, client, client_of, cluster, deaf_client, listens,
    open_and_secure, soon, stop, until_peers,
};

open_and_secure!(
    a_stopped_node_is_missed_at_once_and_welcomed_back,
    clients_of_a_stopped_node_reconnect_to_its_successor,
    clients_are_told_to_go_before_the_node_leaves_the_cluster,
    stopping_keeps_what_was_answered,
);

async fn a_stopped_node_is_missed_at_once_and_welcomed_back(folder: Folder) {
    let mut nodes = cluster(&folder, 2, |plan| {
        plan.with(
            "services.orchestrator.config.cluster",
            r#"{"happn-cluster-node": 1}"#,
        )
    })
    .await;
    for node in &nodes {
        until_peers(node, 2).await;
    }
    let gone = nodes.remove(1);
    let port = gone.address().port();
    stop(vec![gone]).await;
    assert!(!listens(port).await);
    until_peers(&nodes[0], 1).await;

    let plan = Plan::in_cluster(&folder, 2).with("port", &port.to_string());
    nodes.push(plan.start().await.unwrap());
    until_peers(&nodes[0], 2).await;
    let mut there = Listener::on(&nodes[0], "/fresh/*").await;
    client(&nodes[1])
        .await
        .set("/fresh/1", &json!({"n": 1}))
        .await
        .unwrap();
    assert_eq!(there.next().await.path(), "/fresh/1");
    stop(nodes).await;
}

/// Clients are told good-bye in the way that makes them reconnect, here to the next node on the
/// same port, where they find their subscriptions again.
async fn clients_of_a_stopped_node_reconnect_to_its_successor(folder: Folder) {
    let node = Plan::in_cluster(&folder, 1).start().await.unwrap();
    let proxy = node.proxy().address().await.unwrap();
    let mut listener = Listener::on(&node, "/x/*").await;
    let mut state = listener.client.state();
    stop(vec![node]).await;
    let gone = state.wait_for(|state| !state.is_connected());
    drop(soon("the client notices", gone).await.unwrap());

    let node = Plan::in_cluster(&folder, 1)
        .with("services.proxy.config.port", &proxy.port().to_string())
        .start()
        .await
        .unwrap();
    let back = state.wait_for(ConnectionState::is_connected);
    drop(soon("the client reconnects", back).await.unwrap());
    client(&node).await.set("/x/1", &json!({})).await.unwrap();
    assert_eq!(listener.next().await.path(), "/x/1");
    stop(vec![node]).await;
}

/// Else they would miss what others publish between the two.
async fn clients_are_told_to_go_before_the_node_leaves_the_cluster(folder: Folder) {
    let mut nodes = cluster(&folder, 2, |plan| plan).await;
    let going = client(&nodes[0]).await;
    let deaf = deaf_client(nodes[0].proxy().address().await.unwrap()).await;
    let mut state = going.state();
    let stopping = tokio::spawn(nodes.remove(0).stop(SOON));
    let gone = state.wait_for(|state| !state.is_connected());
    drop(soon("the client is told", gone).await.unwrap());
    // The one that does not go is waited for meanwhile.
    until_peers(&nodes[0], 2).await;
    assert!(!stopping.is_finished());
    drop(deaf);
    soon("the node stops", stopping).await.unwrap();
    until_peers(&nodes[0], 1).await;
    stop(nodes).await;
}

/// Half a request once kept its connection, and with it the stop, open until the deadline.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sent_half_a_request_does_not_hold_up_the_stop() {
    let node = Plan::new().start().await.unwrap();
    let mut half = TcpStream::connect(node.address()).await.unwrap();
    half.write_all(b"GET /version HTTP/1.1\r\nHost: x\r\n")
        .await
        .unwrap();
    // A whole request on a later connection shows that the half one was accepted before.
    client_of(&node, node.address())
        .await
        .set("/x", &1)
        .await
        .unwrap();
    let started = tokio::time::Instant::now();
    node.stop(SOON).await;
    assert!(started.elapsed() < SOON / 2, "{:?}", started.elapsed());
}

async fn stopping_keeps_what_was_answered(folder: Folder) {
    let node = Plan::in_cluster(&folder, 1).start().await.unwrap();
    client(&node)
        .await
        .set("/kept", &json!({"v": 1}))
        .await
        .unwrap();
    soon("the node stops", node.stop(Duration::from_secs(5))).await;
    let node = Plan::in_cluster(&folder, 1).start().await.unwrap();
    let kept = client(&node)
        .await
        .get::<serde_json::Value>("/kept")
        .await
        .unwrap();
    assert_eq!(kept.unwrap().data["v"], json!(1));
    stop(vec![node]).await;
}
