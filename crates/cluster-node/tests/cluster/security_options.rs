//! Options of a secure node that show in what is stored.

use happn_security::directory::SessionActivity;
use serde_json::json;

use crate::harness::{Folder, Plan, SOON, soon};
use crate::secure::{add_ann, log_in, may_set, secure};

const SECTION: &str = "services.security.config";

fn plan(folder: &Folder, option: &str, value: &str) -> Plan {
    secure(Plan::in_cluster(folder, 1))
        .with(&format!("{SECTION}.adminUser.password"), "admin")
        .with(&format!("{SECTION}.{option}"), value)
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_groups_that_are_not_persisted_end_with_the_node_and_all_else_stays() {
    let folder = Folder::new();
    let node = plan(&folder, "persistPermissions", "false")
        .start()
        .await
        .unwrap();
    add_ann(&node).await;
    let ann = log_in(&node, "ann", "s3cret").await.unwrap();
    assert!(may_set(&ann, "/staff/1").await);
    drop(ann);
    soon("the node stops", node.stop(SOON)).await;

    let node = plan(&folder, "persistPermissions", "false")
        .start()
        .await
        .unwrap();
    let ann = log_in(&node, "ann", "s3cret").await.unwrap();
    assert!(!may_set(&ann, "/staff/1").await);
    let admin = log_in(&node, "_ADMIN", "admin").await.unwrap();
    admin
        .set("/staff/2", &json!({"by": "admin"}))
        .await
        .unwrap();
    drop((ann, admin));
    soon("the node stops", node.stop(SOON)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sessions_did_last_is_stored_at_the_latest_when_the_node_stops() {
    let folder = Folder::new();
    let node = plan(&folder, "logSessionActivity", "true")
        .start()
        .await
        .unwrap();
    add_ann(&node).await;
    let ann = log_in(&node, "ann", "s3cret").await.unwrap();
    assert!(may_set(&ann, "/staff/1").await);
    drop(ann);
    soon("the node stops", node.stop(SOON)).await;

    let node = plan(&folder, "logSessionActivity", "true")
        .start()
        .await
        .unwrap();
    let authority = node.authority().expect("the node is secure");
    let listed = authority.session_activity().await.unwrap();
    let last = |it: &SessionActivity| {
        it.path.as_deref() == Some("/staff/1") && it.action == "set" && it.authorized
    };
    assert!(listed.iter().any(last), "{listed:?}");
    soon("the node stops", node.stop(SOON)).await;
}
