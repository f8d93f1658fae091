//! When a node lets clients in, and why it does not start.

use std::error::Error;
use std::net::SocketAddr;

use cluster_node::StartError;
use happn_server::mount::{Bytes, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{
    Folder, Plan, client, client_at, free_port, listens, soon, stop, until_peers,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_node_with_a_minimum_of_one_is_ready_at_once() {
    let node = Plan::new().start().await.unwrap();
    let client = client(&node).await;
    client.set("/x", &1).await.unwrap();
    assert_eq!(node.core().session_count(), 1);
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_pends_until_enough_nodes_are_there() {
    let folder = Folder::new();
    let port = free_port().await;
    let first = Plan::in_cluster(&folder, 2)
        .with("services.proxy.config.port", &port.to_string())
        .bind()
        .await;
    let mut ready = Box::pin(first.ready());
    // The inner port serves from the start, the proxy does not.
    client_at(first.address())
        .await
        .set("/x", &1)
        .await
        .unwrap();
    assert!(!listens(port).await);
    tokio::select! {
        biased;
        _ = &mut ready => panic!("ready without a second node"),
        () = std::future::ready(()) => {}
    }
    let second = Plan::in_cluster(&folder, 2);
    let (address, second) = tokio::join!(soon("the first is ready", ready), second.start());
    let (address, second) = (address.unwrap(), second.unwrap());
    assert_eq!(address.unwrap().port(), port);
    assert!(listens(port).await);
    stop(vec![first, second]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_find_the_client_and_mounted_routes_at_the_front_door() {
    let node = Plan::new().start().await.unwrap();
    let hello = async |_: Request<Bytes>| Response::new("hello".into());
    node.server().mount("/hello", hello).unwrap();
    let door = node.proxy().address().await.unwrap();
    for address in [door, node.address()] {
        assert!(page(address, "/hello").await.ends_with("\r\n\r\nhello"));
        assert!(
            page(address, "/browser_client")
                .await
                .contains("//happn client v")
        );
    }
    stop(vec![node]).await;
}

async fn page(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deferred_proxy_opens_when_told() {
    let plan = Plan::new().with("services.proxy.config.defer", "true");
    let node = plan.start().await.unwrap();
    assert_eq!(node.proxy().address().await, None);
    let address = node.proxy().start().await.unwrap();
    client_at(address).await.set("/x", &1).await.unwrap();
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_not_stable_in_time_fails_and_frees_its_port() {
    let folder = Folder::new();
    let port = free_port().await;
    let error = Plan::in_cluster(&folder, 2)
        .with("port", &port.to_string())
        .with("services.orchestrator.config.stabiliseTimeout", "300")
        .start()
        .await
        .unwrap_err();
    assert!(matches!(error, StartError::Stabilise(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "StabiliseTimeout: failed to stabilise in time"
    );
    assert!(!listens(port).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_of_another_deployment_or_cluster_are_ignored() {
    let folder = Folder::new();
    let mut nodes = Vec::new();
    for (cluster, deployment) in [("one", "d"), ("two", "d"), ("one", "e")] {
        let plan = Plan::in_cluster(&folder, 1)
            .with("services.orchestrator.config.clusterName", cluster)
            .with("services.orchestrator.config.deployment", deployment);
        nodes.push(plan.start().await.unwrap());
    }
    let plan = Plan::in_cluster(&folder, 2)
        .with("services.orchestrator.config.clusterName", "one")
        .with("services.orchestrator.config.deployment", "d");
    nodes.push(plan.start().await.unwrap());
    for (at, peers) in [(0, 2), (1, 1), (2, 1), (3, 2)] {
        until_peers(&nodes[at], peers).await;
    }
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_inner_port_is_an_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Plan::new()
        .with("port", &port.to_string())
        .start()
        .await
        .unwrap_err();
    let message = error.to_string();
    assert!(message.contains(&format!("127.0.0.1:{port}")), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_proxy_port_is_an_error_that_names_it_and_stops_the_rest() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let inner = free_port().await;
    let plan = Plan::new()
        .with("port", &inner.to_string())
        .with("services.proxy.config.port", &port.to_string());
    let error = plan.start().await.unwrap_err();
    let message = error.to_string();
    assert!(message.contains(&format!("127.0.0.1:{port}")), "{message}");
    assert!(error.source().is_some());
    assert!(!listens(inner).await);
}
