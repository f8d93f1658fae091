//! When a node lets clients in, and why it does not start.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cluster_node::{Node, StartError};
use cluster_orchestrator::State;
use happn_core::{Layer, Message, Session};
use happn_protocol::WireError;
use happn_server::mount::{Bytes, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{
    Folder, Plan, all_ready, client, client_of, cluster, free_port, listens, of_service,
    open_and_secure, soon, stop, until_peers,
};

open_and_secure!(
    a_lone_node_with_a_minimum_of_one_is_ready_at_once,
    a_deferred_proxy_opens_when_told,
    the_proxy_pends_until_enough_nodes_are_there,
    a_node_that_is_not_stable_in_time_fails_and_frees_its_port,
    nodes_of_another_deployment_or_cluster_are_ignored,
    of_three_nodes_that_need_three_none_is_ready_before_the_last,
    of_three_nodes_of_two_services_none_is_ready_before_the_last,
    a_fourth_node_that_needs_a_fifth_gives_up_in_time_and_the_others_go_on,
    a_fourth_node_that_needs_another_service_gives_up_in_time,
    a_newcomer_whose_subscriptions_are_refused_gives_up_in_time,
);

async fn a_lone_node_with_a_minimum_of_one_is_ready_at_once(folder: Folder) {
    let node = Plan::in_cluster(&folder, 1).start().await.unwrap();
    let client = client(&node).await;
    client.set("/x", &1).await.unwrap();
    assert_eq!(node.core().session_count(), 1);
    stop(vec![node]).await;
}

async fn the_proxy_pends_until_enough_nodes_are_there(folder: Folder) {
    let port = free_port().await;
    let first = Plan::in_cluster(&folder, 2)
        .with("services.proxy.config.port", &port.to_string())
        .bind()
        .await;
    let mut ready = Box::pin(first.ready());
    // The inner port serves from the start, the proxy does not.
    client_of(&first, first.address())
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

async fn a_deferred_proxy_opens_when_told(folder: Folder) {
    let plan = Plan::in_cluster(&folder, 1).with("services.proxy.config.defer", "true");
    let node = plan.start().await.unwrap();
    assert_eq!(node.proxy().address().await, None);
    let address = node.proxy().start().await.unwrap();
    client_of(&node, address).await.set("/x", &1).await.unwrap();
    stop(vec![node]).await;
}

async fn a_node_that_is_not_stable_in_time_fails_and_frees_its_port(folder: Folder) {
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

async fn nodes_of_another_deployment_or_cluster_are_ignored(folder: Folder) {
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

/// Three nodes that need each other: none is ready before the last, and then all count all.
async fn nobody_is_ready_before_the_third(plan: impl Fn(usize) -> Plan) {
    let mut nodes = vec![plan(0).bind().await, plan(1).bind().await];
    for node in &nodes {
        until_peers(node, 2).await;
        assert_ne!(*node.orchestrator().state().borrow(), State::Stable);
        assert!(is_waiting(node).await);
    }
    nodes.push(plan(2).bind().await);
    all_ready(&nodes).await;
    for node in &nodes {
        assert_eq!(node.orchestrator().members().len(), 3);
        assert_eq!(node.orchestrator().peers().len(), 3);
    }
    stop(nodes).await;
}

/// Whether the node still waits for others.
async fn is_waiting(node: &Node) -> bool {
    tokio::select! {
        biased;
        _ = node.ready() => false,
        () = std::future::ready(()) => true,
    }
}

async fn of_three_nodes_that_need_three_none_is_ready_before_the_last(folder: Folder) {
    nobody_is_ready_before_the_third(|_| Plan::in_cluster(&folder, 3)).await;
}

async fn of_three_nodes_of_two_services_none_is_ready_before_the_last(folder: Folder) {
    nobody_is_ready_before_the_third(|number| {
        let service = if number == 2 { "b" } else { "a" };
        of_service(&folder, service, r#"{"a": 2, "b": 1}"#)
    })
    .await;
}

async fn gives_up_in_time(newcomer: Plan) {
    let (inner, door) = (free_port().await, free_port().await);
    let started = tokio::time::Instant::now();
    let error = newcomer
        .with("name", "newcomer")
        .with("port", &inner.to_string())
        .with("services.proxy.config.port", &door.to_string())
        .with("services.orchestrator.config.stabiliseTimeout", "1500")
        .start()
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "StabiliseTimeout: failed to stabilise in time"
    );
    assert!(started.elapsed() >= Duration::from_millis(1500));
    assert!(!listens(inner).await && !listens(door).await);
}

async fn a_fourth_node_that_needs_a_fifth_gives_up_in_time_and_the_others_go_on(folder: Folder) {
    let nodes = cluster(&folder, 3, |plan| plan).await;
    gives_up_in_time(Plan::in_cluster(&folder, 5)).await;
    for node in &nodes {
        until_peers(node, 3).await;
        client(node).await.set("/x", &1).await.unwrap();
    }
    stop(nodes).await;
}

async fn a_fourth_node_that_needs_another_service_gives_up_in_time(folder: Folder) {
    let nodes = cluster(&folder, 3, |plan| plan).await;
    let needs = r#"{"happn-cluster-node": 1, "other": 1}"#;
    gives_up_in_time(of_service(&folder, "happn-cluster-node", needs)).await;
    stop(nodes).await;
}

/// Lets a node called `newcomer` log in, and refuses what it subscribes to.
struct NoSubscriptions;

impl Layer for NoSubscriptions {
    fn inbound(&self, session: &Session, message: &mut Message) -> Result<(), WireError> {
        let is_newcomer = session
            .info()
            .is_some_and(|info| info.as_str().contains(r#""newcomer""#));
        match message.text("action").as_deref() {
            Some("on" | "interest") if is_newcomer => {
                Err(WireError::plain("no subscriptions for you"))
            }
            _ => Ok(()),
        }
    }
}

/// In the reference such a newcomer fails with the peers' words; here those are logged, it tries
/// on as long as it may, and the peers do not mind.
async fn a_newcomer_whose_subscriptions_are_refused_gives_up_in_time(folder: Folder) {
    let mut nodes = Vec::new();
    for _ in 0..3 {
        let settings = Plan::in_cluster(&folder, 3).settings();
        let node = Node::bind_with(&settings, |core| core.layer(Arc::new(NoSubscriptions)));
        nodes.push(node.await.unwrap());
    }
    all_ready(&nodes).await;
    gives_up_in_time(Plan::in_cluster(&folder, 4)).await;
    for node in &nodes {
        until_peers(node, 3).await;
        let mut state = node.orchestrator().state();
        let stable = state.wait_for(|state| *state == State::Stable);
        drop(soon("the newcomer is forgotten", stable).await.unwrap());
    }
    stop(nodes).await;
}
