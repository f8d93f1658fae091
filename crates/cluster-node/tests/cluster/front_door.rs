//! Doors that lead elsewhere, and doors that close when the cluster falls apart.

use std::time::Duration;

use cluster_orchestrator::State;
use serde_json::Value;

use crate::harness::{Folder, Plan, client, cluster, free_port, listens, soon, stop};

#[tokio::test(flavor = "multi_thread")]
async fn a_door_with_a_target_leads_clients_to_another_server() {
    let behind = Plan::new().start().await.unwrap();
    let target = format!("http://{}", behind.address());
    let plan = Plan::new().with("services.proxy.config.target", &target);
    let node = plan.start().await.unwrap();
    let visitor = client(&node).await;
    visitor.set("/x", &7).await.unwrap();
    let item = client(&behind).await.get::<Value>("/x").await.unwrap();
    assert_eq!(item.unwrap().data["value"], 7);
    assert_eq!(node.core().session_count(), 0);
    stop(vec![node, behind]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_refuses_closes_when_the_others_are_lost_and_opens_again_with_them() {
    let folder = Folder::new();
    let port = free_port().await;
    let refusing = |plan: Plan| {
        plan.with("services.proxy.config.whenUnstable", "refuse")
            .with(
                "services.orchestrator.config.timing.keepAliveThreshold",
                "1500",
            )
    };
    let plan = |minimum| refusing(Plan::in_cluster(&folder, minimum));
    let first = plan(2)
        .with("services.proxy.config.port", &port.to_string())
        .bind()
        .await;
    let second = plan(2).bind().await;
    crate::harness::all_ready(std::slice::from_ref(&first)).await;
    let inside = client(&first).await;
    stop(vec![second]).await;
    soon("the door closes", until(port, false)).await;
    assert_ne!(*first.orchestrator().state().borrow(), State::Stable);
    // Who was inside stays inside.
    inside.set("/x", &1).await.unwrap();

    let third = plan(2).bind().await;
    soon("the door opens", until(port, true)).await;
    stop(vec![first, third]).await;
}

async fn until(port: u16, open: bool) {
    while listens(port).await != open {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_serves_on_unless_told_otherwise() {
    let folder = Folder::new();
    let mut nodes = cluster(&folder, 2, |plan| plan).await;
    stop(nodes.pop().into_iter().collect()).await;
    let mut state = nodes[0].orchestrator().state();
    let lost = state.wait_for(|state| *state != State::Stable);
    drop(soon("the other is missed", lost).await.unwrap());
    client(&nodes[0]).await.set("/x", &1).await.unwrap();
    stop(nodes).await;
}
