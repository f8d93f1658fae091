//! Several stores in one node, as clients see them.

use std::sync::Arc;

use happn_core::MemoryStore;

use crate::harness::{Folder, Listener, Plan, client, stop};

/// A node whose volatile paths live in memory and the others in a file.
fn plan(folder: &Folder) -> Plan {
    let stores = format!(
        r#"[{{"name": "main", "isDefault": true, "settings": {{"filename": {:?}}}}},
            {{"name": "volatile", "provider": "memory", "patterns": ["/v/*"]}}]"#,
        folder.database()
    );
    Plan::new().with("services.data.config.datastores", &stores)
}

#[tokio::test(flavor = "multi_thread")]
async fn some_paths_live_in_memory_and_others_in_a_file() {
    let folder = Folder::new();
    let node = plan(&folder).start().await.unwrap();
    let writer = client(&node).await;
    for path in ["/v/1", "/v/2", "/kept/1"] {
        writer.set(path, &1).await.unwrap();
    }
    // A mask is searched in the one store that its text leads to.
    assert_eq!(writer.get_paths("/v/*").await.unwrap(), ["/v/1", "/v/2"]);
    assert_eq!(writer.get_paths("/kept/*").await.unwrap(), ["/kept/1"]);
    assert_eq!(writer.count("*/1").await.unwrap(), 1);
    assert_eq!(writer.count("/v*").await.unwrap(), 0);
    stop(vec![node]).await;

    let node = plan(&folder).start().await.unwrap();
    let reader = client(&node).await;
    assert_eq!(reader.count("/v/*").await.unwrap(), 0);
    assert_eq!(reader.count("/kept/*").await.unwrap(), 1);
    assert_eq!(reader.remove("/kept/*").await.unwrap().count, 1);
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_and_routes_change_while_clients_are_served() {
    let folder = Folder::new();
    let node = plan(&folder).start().await.unwrap();
    let mut listener = Listener::on(&node, "/late/*").await;
    let writer = client(&node).await;
    let data = node.core().data();
    writer.set("/late/1", &1).await.unwrap();

    data.add_store("late", Arc::new(MemoryStore::new()))
        .unwrap();
    data.add_data_store_filter("/late/*", "late").unwrap();
    writer.set("/late/2", &2).await.unwrap();
    assert_eq!(writer.get_paths("/late/*").await.unwrap(), ["/late/2"]);

    data.remove_store("late").await.unwrap();
    writer.set("/late/3", &3).await.unwrap();
    let paths = writer.get_paths("/late/*").await.unwrap();
    assert_eq!(paths, ["/late/1", "/late/3"], "items are not moved");
    // Where a write goes makes no difference to its subscribers.
    for expected in ["/late/1", "/late/2", "/late/3"] {
        assert_eq!(listener.next().await.path(), expected);
    }
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_would_answer_too_much_is_refused() {
    let limit = "services.data.config.searchLimits.documents";
    let node = Plan::new().with(limit, "3").start().await.unwrap();
    let client = client(&node).await;
    for number in 0..4 {
        client
            .set(&format!("/many/{number}"), &number)
            .await
            .unwrap();
    }
    let error = client.get_paths("/many/*").await.unwrap_err();
    assert!(error.to_string().contains("exceeds 3 items"), "{error}");
    assert_eq!(client.get_paths("/many/3*").await.unwrap(), ["/many/3"]);
    stop(vec![node]).await;
}
