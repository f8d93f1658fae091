//! Secure nodes: one directory, one secret, and rights that are the same everywhere.

use cluster_node::{Node, StartError};
use happn_client::{Client, ClientConfig, ClientError, Credentials, SubscribeOptions};
use happn_security::directory::{
    Directory, DirectoryError, GroupDraft, GroupName, Holder, Password, PermissionSet, UserDraft,
    UserName,
};
use serde_json::json;

use crate::harness::{
    ADMIN_PASSWORD as PASSWORD, Collection, Folder, Plan, SOON, all_ready, client, cluster,
    credentials, soon, stop, until_peers,
};

const ADMIN_PASSWORD: &str = "services.security.config.adminUser.password";

pub(crate) fn secure(plan: Plan) -> Plan {
    plan.with("secure", "true")
        .with("services.security.config.pbkdf2Iterations", "100")
}

pub(crate) async fn log_in(
    node: &Node,
    username: &str,
    password: &str,
) -> Result<Client, ClientError> {
    let address = node.proxy().address().await.expect("the proxy is open");
    let mut config = ClientConfig::new(&address.ip().to_string(), address.port());
    config.credentials = Some(Credentials::Password {
        username: username.to_owned(),
        password: password.to_owned(),
    });
    soon("a login is answered", Client::connect(config)).await
}

pub(crate) fn directory(node: &Node) -> &Directory {
    node.directory().expect("the node is secure")
}

pub(crate) fn staff() -> GroupName {
    GroupName::new("STAFF").unwrap()
}

/// A user who may do everything below `/staff`.
pub(crate) async fn add_ann(node: &Node) {
    let rules = PermissionSet::new().allow("/staff/*", &["get", "set", "on", "remove"]);
    let group = GroupDraft::new("STAFF").permissions(rules);
    let directory = directory(node);
    directory.upsert_group(group, true).await.unwrap();
    let ann = UserDraft::new("ann").password(Password::new("s3cret"));
    directory.upsert_user(ann, true).await.unwrap();
    let name = UserName::new("ann").unwrap();
    directory.link_group(&staff(), &name, None).await.unwrap();
}

pub(crate) async fn may_set(client: &Client, path: &str) -> bool {
    match client.set(path, &json!({"by": "ann"})).await {
        Ok(_) => true,
        Err(error) => {
            assert!(error.to_string().contains("unauthorized"), "{error}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_secure_nodes_are_one_cluster_without_any_password_between_them() {
    let folder = Folder::new();
    let nodes = cluster(&folder, 3, secure).await;
    let made_up = nodes
        .iter()
        .filter(|node| node.made_up_password().is_some());
    assert_eq!(made_up.count(), 1, "one node has made the admin user");
    add_ann(&nodes[0]).await;

    let listener = log_in(&nodes[2], "ann", "s3cret").await.unwrap();
    let mut events = listener
        .on("/staff/*", SubscribeOptions::default())
        .await
        .unwrap();
    let writer = log_in(&nodes[1], "ann", "s3cret").await.unwrap();
    assert!(may_set(&writer, "/staff/1").await);
    assert!(!may_set(&writer, "/other/1").await);
    let event = soon("the event crosses", events.next()).await.unwrap();
    assert_eq!(event.path(), "/staff/1");
    assert!(log_in(&nodes[0], "ann", "wrong").await.is_err());
    assert!(log_in(&nodes[0], "nobody", "s3cret").await.is_err());
    stop(nodes).await;
}

/// Rights that were taken on one node are gone on the others, in sessions that live there.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_on_one_node_is_gone_on_the_others() {
    let interval = "services.replicator.config.securityChangesetReplicateInterval";
    let folder = Folder::new();
    let nodes = cluster(&folder, 2, |plan| secure(plan).with(interval, "50")).await;
    add_ann(&nodes[0]).await;
    let writer = log_in(&nodes[1], "ann", "s3cret").await.unwrap();
    assert!(may_set(&writer, "/staff/1").await);

    let holder = Holder::Group(staff());
    let prohibited = directory(&nodes[0]).upsert_permission(&holder, "/staff/1", "set", false);
    prohibited.await.unwrap();
    let refused = async {
        while may_set(&writer, "/staff/1").await {
            tokio::task::yield_now().await;
        }
    };
    soon("the prohibition reaches the other node", refused).await;
    assert!(may_set(&writer, "/staff/2").await);

    directory(&nodes[0]).delete_user("ann").await.unwrap();
    let ended = async {
        while writer.set("/staff/2", &json!(1)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    soon("the session of a deleted user ends", ended).await;
    assert!(log_in(&nodes[1], "ann", "s3cret").await.is_err());
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_together_on_an_empty_store_agree() {
    for number in [2, 3] {
        let folder = Folder::new();
        agree(number, || Plan::in_cluster(&folder, number)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_together_on_an_empty_collection_agree() {
    for number in [2, 3] {
        let Some(collection) = Collection::new(&format!("agree-{number}")) else {
            return;
        };
        agree(number, || collection.plan(number)).await;
        collection.clear().await;
    }
}

/// Starts so many nodes at once, where there is no user and no secret yet.
async fn agree(number: u32, plan: impl Fn() -> Plan) {
    let start = |_| {
        let settings = secure(plan()).settings();
        tokio::spawn(async move { Node::bind(&settings).await.unwrap() })
    };
    let starting: Vec<_> = (0..number).map(start).collect();
    let mut nodes = Vec::new();
    for start in starting {
        nodes.push(start.await.unwrap());
    }
    // Each logs in to the others with a token that it signed itself.
    all_ready(&nodes).await;
    let made_up: Vec<_> = nodes.iter().filter_map(Node::made_up_password).collect();
    assert_eq!(made_up.len(), 1);
    for node in &nodes {
        let admin = log_in(node, "_ADMIN", made_up[0].reveal()).await;
        assert!(admin.is_ok());
    }
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_admin_password_is_used_once_and_another_one_is_told() {
    let folder = Folder::new();
    let with = |password: &str| secure(Plan::in_cluster(&folder, 1)).with(ADMIN_PASSWORD, password);
    let node = with("first").start().await.unwrap();
    assert_eq!(node.made_up_password(), None);
    let admin = log_in(&node, "_ADMIN", "first").await.unwrap();
    assert!(may_set(&admin, "/anything/at/all").await);
    node.stop(SOON).await;
    let error = with("second").start().await.unwrap_err();
    assert!(
        matches!(error, StartError::Directory(DirectoryError::AdminPassword)),
        "{error:?}"
    );
    let node = secure(Plan::in_cluster(&folder, 1)).start().await.unwrap();
    assert_eq!(node.made_up_password(), None);
    assert!(log_in(&node, "_ADMIN", "first").await.is_ok());
    node.stop(SOON).await;
}

/// The reference makes its admin with a password that everybody knows, also without security.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_node_makes_no_users() {
    let folder = Folder::new();
    let node = Plan::in_cluster(&folder, 1).start().await.unwrap();
    assert!(node.directory().is_none());
    let users = client(&node).await.count("/_SYSTEM/_SECURITY/*").await;
    assert_eq!(users.unwrap(), 0);
    node.stop(SOON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_users_is_there_before_the_first_client() {
    let folder = Folder::new();
    let file = folder.file("users.json");
    let users = r#"{"groups": [{"name": "STAFF", "permissions": {"/staff/*": {"actions": ["*"]}}}],
        "users": [{"username": "ann", "password": "s3cret", "groups": ["STAFF"]}]}"#;
    std::fs::write(&file, users).unwrap();
    let plan = || {
        let plan = secure(Plan::in_cluster(&folder, 1));
        plan.with("provision", &file.display().to_string())
    };
    let node = plan().start().await.unwrap();
    let ann = log_in(&node, "ann", "s3cret").await.unwrap();
    assert!(may_set(&ann, "/staff/1").await);
    node.stop(SOON).await;

    std::fs::write(&file, r#"{"users": [{"username": "a/b"}, {"name": "x"}]}"#).unwrap();
    let error = plan().start().await.unwrap_err();
    assert!(matches!(error, StartError::Provision { .. }), "{error:?}");
}

/// Nodes log in to each other as the administrator, as nobody else may over a network then.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_whose_administrator_is_kept_away_from_networks_is_one_all_the_same() {
    let folder = Folder::of_secure_nodes();
    let key = "disableDefaultAdminNetworkConnections";
    let mut nodes = cluster(&folder, 3, |plan| plan.with(key, "true")).await;
    add_ann(&nodes[0]).await;
    for node in &nodes {
        let refused = log_in(node, "_ADMIN", PASSWORD).await.unwrap_err();
        assert!(
            refused.to_string().contains("over the network"),
            "{refused}"
        );
        let config = ClientConfig {
            credentials: credentials(node),
            ..ClientConfig::default()
        };
        let here = Client::local(node.core().clone(), config).await.unwrap();
        assert!(may_set(&here, "/anything").await);
    }
    crosses(&nodes[0], &nodes[2], "/staff/1").await;
    // So does one that comes back.
    stop(nodes.drain(2..).collect()).await;
    let plan = Plan::in_cluster(&folder, 3).with(key, "true");
    nodes.push(plan.start().await.unwrap());
    for node in &nodes {
        until_peers(node, 3).await;
    }
    crosses(&nodes[2], &nodes[1], "/staff/2").await;
    stop(nodes).await;
}

/// What ann sets on one node she hears on another.
async fn crosses(from: &Node, to: &Node, path: &str) {
    let listener = log_in(to, "ann", "s3cret").await.unwrap();
    let mut events = listener
        .on("/staff/*", SubscribeOptions::default())
        .await
        .unwrap();
    let writer = log_in(from, "ann", "s3cret").await.unwrap();
    assert!(may_set(&writer, path).await);
    let event = soon("the event crosses", events.next()).await.unwrap();
    assert_eq!(event.path(), path);
}

/// A token that a node makes for a login once counted as expired where the clock was ahead, so that
/// nobody heard that node any more.
#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_hours_apart_do_not_part_secure_nodes() {
    let folder = Folder::of_secure_nodes();
    let mut nodes = Vec::new();
    for hours in [0, 3, 20] {
        let ahead = (hours * 3_600_000).to_string();
        let plan = Plan::in_cluster(&folder, 3).with("debug.clockAhead", &ahead);
        nodes.push(plan.bind().await);
    }
    all_ready(&nodes).await;
    add_ann(&nodes[0]).await;
    for (from, to) in [(0, 2), (2, 0), (1, 2), (2, 1)] {
        let path = format!("/staff/{from}-{to}");
        crosses(&nodes[from], &nodes[to], &path).await;
    }
    stop(nodes).await;
}
