//! What the tests of the reference assert of clusters of many nodes and of several services.

use std::collections::BTreeSet;
use std::time::Duration;

use cluster_orchestrator::State;
use happn_protocol::Json;
use serde_json::json;

use crate::harness::{
    Folder, Listener, Plan, all_ready, client, cluster, of_service, open_and_secure, soon, stop,
    until_peers,
};

open_and_secure!(
    ten_nodes_of_two_services_become_stable_and_each_counts_ten_peers,
    ten_nodes_of_one_service_become_stable_and_each_counts_ten_peers,
    a_node_that_does_not_list_a_service_hears_nothing_of_it,
    a_node_starts_while_another_one_stops,
    a_node_starts_while_one_of_another_service_stops,
    a_node_can_be_restarted_seven_times_in_a_row,
    nothing_a_newcomer_publishes_is_missed,
    records_go_to_the_store_whose_pattern_names_them,
);

const SERVICES: &str = r#"{"service-a": 4, "service-b": 6}"#;

async fn ten_nodes_of_two_services_become_stable_and_each_counts_ten_peers(folder: Folder) {
    ten_nodes_are_one_cluster(|number| {
        let service = if number < 4 { "service-a" } else { "service-b" };
        of_service(&folder, service, SERVICES)
    })
    .await;
}

async fn ten_nodes_of_one_service_become_stable_and_each_counts_ten_peers(folder: Folder) {
    ten_nodes_are_one_cluster(|_| Plan::in_cluster(&folder, 10)).await;
}

async fn ten_nodes_are_one_cluster(plan: impl Fn(usize) -> Plan) {
    let mut nodes = Vec::new();
    for number in 0..10 {
        nodes.push(plan(number).bind().await);
    }
    all_ready(&nodes).await;
    for node in &nodes {
        until_peers(node, 10).await;
        assert_eq!(*node.orchestrator().state().borrow(), State::Stable);
    }
    // Any to all, at once: payload, origin and whose it is are right everywhere.
    let mut ears: Vec<_> = nodes
        .iter()
        .map(|node| node.replicator().subscribe("t"))
        .collect();
    for node in &nodes {
        node.replicator()
            .send("t", Some(Json::from_static(r#"{"p":1}"#)));
    }
    let names: BTreeSet<String> = nodes.iter().map(|node| node.name().to_owned()).collect();
    for (node, ear) in nodes.iter().zip(&mut ears) {
        let mut origins = BTreeSet::new();
        for _ in 0..nodes.len() {
            let message = soon("a message arrives", ear.recv()).await.unwrap();
            assert_eq!(message.is_local, message.origin == node.name());
            assert_eq!(message.payload.unwrap().as_str(), r#"{"p":1}"#);
            origins.insert(message.origin);
        }
        assert_eq!(origins, names);
    }
    // One more comes and goes.
    let newcomer = plan(10).start().await.unwrap();
    for node in nodes.iter().chain([&newcomer]) {
        until_peers(node, 11).await;
    }
    newcomer.stop(Duration::from_secs(10)).await;
    for node in &nodes {
        until_peers(node, 10).await;
    }
    stop(nodes).await;
}

async fn a_node_that_does_not_list_a_service_hears_nothing_of_it(folder: Folder) {
    let both = of_service(&folder, "a", r#"{"a": 1, "b": 1}"#).bind().await;
    let only_own = of_service(&folder, "b", r#"{"b": 1}"#)
        .start()
        .await
        .unwrap();
    soon("the node is ready", both.ready()).await.unwrap();
    until_peers(&both, 2).await;
    let mut at_both = Listener::on(&both, "/x/*").await;
    let mut at_own = Listener::on(&only_own, "/x/*").await;
    client(&both)
        .await
        .publish("/x/1", &json!({}))
        .await
        .unwrap();
    client(&only_own)
        .await
        .publish("/x/2", &json!({}))
        .await
        .unwrap();
    assert_eq!(at_own.next().await.path(), "/x/2");
    assert_eq!(at_both.next().await.path(), "/x/1");
    assert_eq!(at_both.next().await.path(), "/x/2");
    stop(vec![both, only_own]).await;
}

/// The others do not wait for the one that goes, although its record was fresh a moment ago.
async fn a_node_starts_while_another_one_stops(folder: Folder) {
    one_comes_while_another_goes(|_| Plan::in_cluster(&folder, 3)).await;
}

async fn a_node_starts_while_one_of_another_service_stops(folder: Folder) {
    one_comes_while_another_goes(|number| {
        let service = if number % 2 == 0 { "a" } else { "b" };
        of_service(&folder, service, r#"{"a": 1, "b": 1}"#)
    })
    .await;
}

async fn one_comes_while_another_goes(plan: impl Fn(usize) -> Plan) {
    let mut nodes = Vec::new();
    for number in 0..4 {
        nodes.push(plan(number).bind().await);
    }
    all_ready(&nodes).await;
    for node in &nodes {
        until_peers(node, 4).await;
    }
    let goes = nodes.remove(2);
    let (comes, ()) = tokio::join!(plan(5).start(), goes.stop(Duration::from_secs(10)));
    nodes.push(comes.unwrap());
    for node in &nodes {
        until_peers(node, 4).await;
        let members = node.orchestrator().members().len();
        assert!((4..=5).contains(&members), "{members} members");
    }
    stop(nodes).await;
}

async fn a_node_can_be_restarted_seven_times_in_a_row(folder: Folder) {
    let stay = cluster(&folder, 4, |plan| plan).await;
    for _ in 0..7 {
        let node = Plan::in_cluster(&folder, 5).with("name", "restless");
        let node = node.start().await.unwrap();
        node.stop(Duration::from_secs(10)).await;
    }
    for node in &stay {
        until_peers(node, 4).await;
    }
    stop(stay).await;
}

/// From the moment a node is ready, what its clients publish is heard everywhere.
async fn nothing_a_newcomer_publishes_is_missed(folder: Folder) {
    let first = Plan::in_cluster(&folder, 1).start().await.unwrap();
    let mut there = Listener::on(&first, "/news/*").await;
    for round in 0..3 {
        let newcomer = Plan::in_cluster(&folder, 1).start().await.unwrap();
        let writer = client(&newcomer).await;
        for number in 0..20 {
            let path = format!("/news/{round}-{number}");
            writer.publish(&path, &json!({})).await.unwrap();
        }
        for number in 0..20 {
            assert_eq!(there.next().await.path(), format!("/news/{round}-{number}"));
        }
        stop(vec![newcomer]).await;
    }
    stop(vec![first]).await;
}

/// Keepalives may live in a store of their own.
async fn records_go_to_the_store_whose_pattern_names_them(folder: Folder) {
    let table = Folder::new();
    let stores = json!([
        {"name": "data", "provider": "sqlite", "isDefault": true, "settings": {"filename": folder.database()}},
        {"name": "table", "provider": "sqlite", "patterns": ["/SYSTEM/DEPLOYMENT/*"], "settings": {"filename": table.database()}},
    ]);
    let plan = || {
        Plan::in_cluster(&folder, 1).with("services.data.config.datastores", &stores.to_string())
    };
    let nodes = vec![plan().start().await.unwrap(), plan().start().await.unwrap()];
    for node in &nodes {
        until_peers(node, 2).await;
    }
    let elsewhere = Plan::in_cluster(&folder, 1).start().await.unwrap();
    let records = client(&elsewhere).await;
    let found: Vec<serde_json::Value> = records
        .get_all("/SYSTEM/DEPLOYMENT/*")
        .await
        .unwrap()
        .into_iter()
        .map(|item: happn_client::Item<serde_json::Value>| item.data)
        .collect();
    assert_eq!(
        found.len(),
        1,
        "only the record of the node that has no store for them: {found:?}"
    );
    stop(nodes).await;
    stop(vec![elsewhere]).await;
}
