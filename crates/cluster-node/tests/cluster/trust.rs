//! What others can do to a cluster: second nodes of one name, forged records, hostile logins.

use cluster_node::{Node, StartError};
use happn_client::{Client, ClientConfig, Credentials, SubscribeOptions};
use happn_core::SessionEvents;
use happn_protocol::Json;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::harness::{
    Folder, Listener, Plan, client, cluster, credentials, free_port, soon, stop, until_peers,
};
use crate::secure::{add_ann, may_set};

const TABLE: &str = "/SYSTEM/DEPLOYMENT/Test-Deploy/happn-cluster-node";

async fn refusal(plan: Plan) -> String {
    let error = plan.start().await.unwrap_err();
    assert!(matches!(error, StartError::Stabilise(_)), "{error:?}");
    error.to_string()
}

/// A client that tells the node `info` about itself.
async fn client_with(node: &Node, info: &str) -> Client {
    let address = node.address();
    let config = ClientConfig {
        info: Json::parse(info).unwrap(),
        ..ClientConfig::new(&address.ip().to_string(), address.port())
    };
    let connecting = Client::connect(config);
    soon("a client connects", connecting).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_of_one_name_does_not_start_and_says_who_holds_it() {
    let folder = Folder::new();
    let first = Plan::in_cluster(&folder, 1).with("name", "twin");
    let first = first.start().await.unwrap();
    let second = Plan::in_cluster(&folder, 1).with("name", "twin");
    assert_eq!(
        refusal(second).await,
        format!("the name twin is taken by the node at {}", first.endpoint())
    );
    let client = client(&first).await;
    client.set("/x", &1).await.unwrap();
    stop(vec![first]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_of_one_endpoint_does_not_start_and_says_who_holds_it() {
    let folder = Folder::new();
    let port = free_port().await.to_string();
    let first = Plan::in_cluster(&folder, 1)
        .with("port", &port)
        .with("name", "holder");
    let first = first.start().await.unwrap();
    let second = Plan::in_cluster(&folder, 1)
        .with("host", "127.0.0.2")
        .with("announceHost", "127.0.0.1")
        .with("port", &port)
        .with("name", "newcomer");
    assert_eq!(
        refusal(second).await,
        format!("the endpoint 127.0.0.1:{port} is taken by the node holder")
    );
    // The one that holds it is still in the table, and is found.
    let third = Plan::in_cluster(&folder, 2).start().await.unwrap();
    until_peers(&first, 2).await;
    stop(vec![first, third]).await;
}

/// In the reference one such record keeps every new node out.
#[tokio::test(flavor = "multi_thread")]
async fn records_of_what_is_no_node_block_nobody() {
    let folder = Folder::new();
    let babbler = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = babbler.local_addr().unwrap().to_string();
    let babbling = tokio::spawn(async move {
        while let Ok((mut stream, _)) = babbler.accept().await {
            let _ = stream
                .write_all(b"HTTP/1.1 101 \xff\xfe garbage\r\n\r\n\x81\x05hello")
                .await;
        }
    });
    let open = "services.orchestrator.config.openSystemPaths";
    let first = Plan::in_cluster(&folder, 1).with(open, "true");
    let first = first.start().await.unwrap();
    let forger = client(&first).await;
    for (place, data) in [
        (
            endpoint.as_str(),
            json!({"service": "happn-cluster-node", "endpoint": endpoint}),
        ),
        (
            "127.0.0.1:1",
            json!({"service": "happn-cluster-node", "endpoint": "127.0.0.1:1"}),
        ),
        (
            "nowhere.invalid:5",
            json!({"service": "happn-cluster-node", "endpoint": "nowhere.invalid:5"}),
        ),
        (
            "x",
            json!({"service": "happn-cluster-node", "endpoint": "x"}),
        ),
        ("y", json!({"service": {}, "endpoint": []})),
        ("z", json!("text")),
    ] {
        forger
            .set(&format!("{TABLE}/{place}"), &data)
            .await
            .unwrap();
    }
    let second = Plan::in_cluster(&folder, 2).start().await.unwrap();
    until_peers(&first, 2).await;
    babbling.abort();
    stop(vec![first, second]).await;
}

/// In the reference it is enough to say that one is a node, and the administrator's password is sent
/// to wherever that one says.
#[tokio::test(flavor = "multi_thread")]
async fn on_secure_nodes_only_who_is_in_the_table_is_a_peer() {
    let folder = Folder::of_secure_nodes();
    let nodes = cluster(&folder, 2, |plan| plan).await;
    add_ann(&nodes[0]).await;
    let trap = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let info = json!({
        "name": "stranger", "clusterName": "happn-cluster",
        "serviceName": "happn-cluster-node", "endpoint": trap.local_addr().unwrap(),
    });
    let dialed = tokio::spawn(async move { trap.accept().await.map(drop) });
    let config = |credentials| ClientConfig {
        info: Json::encode(&info).unwrap(),
        credentials,
        ..ClientConfig::new("127.0.0.1", nodes[0].address().port())
    };
    let ann = Credentials::Password {
        username: "ann".to_owned(),
        password: "s3cret".to_owned(),
    };
    let ann = Client::connect(config(Some(ann))).await.unwrap();
    assert_eq!(nodes[0].core().peers().len(), 1, "a user is no node");
    let stranger = Client::connect(config(credentials(&nodes[0])))
        .await
        .unwrap();
    let mut state = stranger.state();
    let sent_away = state.wait_for(|state| !state.is_connected());
    drop(soon("the stranger is sent away", sent_away).await.unwrap());
    stranger.disconnect().await;
    assert!(may_set(&ann, "/staff/1").await, "the user stays");
    assert!(!dialed.is_finished(), "an address from a login was dialed");
    dialed.abort();
    for node in &nodes {
        until_peers(node, 2).await;
    }
    stop(nodes).await;
}

/// In the reference each of these ends the node, or has it send its password somewhere.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_says_of_itself_harms_nobody() {
    let folder = Folder::new();
    let nodes = cluster(&folder, 2, |plan| plan).await;
    let trap = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = trap.local_addr().unwrap();
    let dialed = tokio::spawn(async move { trap.accept().await.map(drop) });
    let huge = "x".repeat(1_000_000);
    let mut clients = Vec::new();
    for info in [
        "null".to_owned(),
        "5".to_owned(),
        r#"{"clusterName":{},"serviceName":[],"endpoint":5,"name":null,"link":"x"}"#.to_owned(),
        r#"{"clusterName":"happn-cluster","serviceName":"constructor","endpoint":"h:1"}"#
            .to_owned(),
        r#"{"clusterName":"happn-cluster","serviceName":"__proto__","endpoint":"h:1"}"#.to_owned(),
        format!(
            r#"{{"clusterName":"happn-cluster","serviceName":"happn-cluster-node","endpoint":"{endpoint}"}}"#
        ),
        format!(
            r#"{{"clusterName":"{huge}","serviceName":"{huge}","endpoint":"{huge}","name":"{huge}"}}"#
        ),
        format!(
            r#"{{"clusterName":"happn-cluster","link":{{"version":1,"masks":1,"instance":"{huge}"}}}}"#
        ),
    ] {
        let client = client_with(&nodes[0], &info).await;
        let subscription = client.on("*", SubscribeOptions::default()).await.unwrap();
        clients.push((client, subscription));
    }
    // An event of another node meets them all.
    let mut here = Listener::on(&nodes[0], "/seen/*").await;
    client(&nodes[1])
        .await
        .publish("/seen/1", &json!({}))
        .await
        .unwrap();
    assert_eq!(here.next().await.path(), "/seen/1");
    // Without a cluster in its block it is a client like any other.
    let (_, plain) = &mut clients[0];
    let heard = soon("a plain client hears", plain.next()).await.unwrap();
    assert_eq!(heard.path(), "/seen/1");
    assert!(!dialed.is_finished(), "an address from a login was dialed");
    dialed.abort();
    drop(clients);
    until_peers(&nodes[0], 2).await;
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_write_no_records_and_no_messages_between_nodes() {
    let folder = Folder::new();
    let nodes = cluster(&folder, 2, |plan| plan).await;
    let mut messages = nodes[1].replicator().subscribe("/security/dataChanged");
    let forger = client(&nodes[0]).await;
    let forged = json!({"topic": "/security/dataChanged", "payload": null, "origin": "x"});
    for path in ["/__REPLICATE", &format!("{TABLE}/10.0.0.9:1")] {
        let error = forger.publish(path, &forged).await.unwrap_err();
        assert!(error.to_string().contains("only nodes"), "{error}");
    }
    nodes[0].replicator().send("/security/dataChanged", None);
    let message = soon("a message arrives", messages.recv()).await.unwrap();
    assert_eq!(
        (message.is_local, message.origin.as_str()),
        (false, nodes[0].name())
    );
    stop(nodes).await;
}
