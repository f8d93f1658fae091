//! Nodes on a database that tells of newcomers.

use std::time::Duration;

use serde_json::json;
use testkit::ScriptedServer;
use tokio::time::Instant;

use crate::harness::{Plan, client, stop, until_peers};

/// Says where a MongoDB with change streams is; `cargo xtask mongo` sets it.
const REPLICA_URL: &str = "HAPPN_TEST_MONGO_REPLICA_URL";
/// Far below the interval at which the table is read here.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A node that reads the table once a minute, unless it is told to; none without such a database.
fn plan(collection: &str) -> Option<Plan> {
    let Ok(url) = std::env::var(REPLICA_URL) else {
        let hint =
            format!("{REPLICA_URL} is not set; run this by `cargo xtask mongo -- cargo test …`");
        assert!(std::env::var_os("CI").is_none(), "{hint}");
        eprintln!("LEFT OUT: {hint}");
        return None;
    };
    let collection = format!("{collection}-{}", std::process::id());
    let store = json!([{
        "provider": "mongo", "isDefault": true,
        "settings": {"url": url, "database": "happn-test", "collection": collection},
    }]);
    let plan = Plan::new()
        .with("services.data.config.datastores", &store.to_string())
        .with("services.orchestrator.config.timing.memberRefresh", "60000")
        .with("services.orchestrator.config.openSystemPaths", "true");
    Some(plan)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_appears_is_dialed_at_once() {
    let Some(plan) = plan("dialed") else {
        return;
    };
    let node = plan.start().await.unwrap();
    let newcomer = ScriptedServer::start().await;
    let endpoint = newcomer.endpoint();
    let record = json!({"service": "happn-cluster-node", "endpoint": endpoint});
    let path = format!("/SYSTEM/DEPLOYMENT/Test-Deploy/happn-cluster-node/{endpoint}");
    let writer = client(&node).await;
    let since = Instant::now();
    writer.set(&path, &record).await.unwrap();
    newcomer.accept_raw().await;
    eprintln!("dialed after {:?}", since.elapsed());
    assert!(since.elapsed() < AT_ONCE, "{:?}", since.elapsed());
    writer.remove("*").await.unwrap();
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_join_and_leave_are_noticed_at_once() {
    let Some(first) = plan("noticed") else {
        return;
    };
    let first = first.start().await.unwrap();
    for _ in 0..2 {
        let since = Instant::now();
        let second = plan("noticed").unwrap().start().await.unwrap();
        until_peers(&first, 2).await;
        assert!(since.elapsed() < AT_ONCE, "joined {:?}", since.elapsed());
        let since = Instant::now();
        stop(vec![second]).await;
        until_peers(&first, 1).await;
        let mut view = first.orchestrator().view();
        let forgotten = view.wait_for(|view| view.members.len() == 1);
        drop(crate::harness::soon("it is forgotten", forgotten).await);
        assert!(since.elapsed() < AT_ONCE, "left {:?}", since.elapsed());
    }
    client(&first).await.remove("*").await.unwrap();
    stop(vec![first]).await;
}
