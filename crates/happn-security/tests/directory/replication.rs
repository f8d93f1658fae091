//! What nodes tell each other, as the JavaScript node does it, both ways.

use std::sync::Arc;

use cluster_replicator::{Unpacked, take_apart};
use happn_core::{DataStore, MemoryStore, SecurityChange};
use happn_protocol::Json;
use happn_security::directory::{
    Change, ChangeKind, Concern, Directory, GroupDraft, Holder, LookupPermission, LookupTable,
    Password, PermissionSet, UserDraft,
};
use serde_json::{Value, json};

use crate::support::{Recorder, directory, group, table, user, vectors};

/// A change as it is recorded: the kind, its data and what came with it.
type Told = (String, Value, Option<Value>);

/// Times and ids differ in every run; passwords are never told.
fn masked(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| *name != "password")
            .map(|(name, value)| {
                let differs = ["created", "modified", "timestamp", "userid"];
                let masked = match differs.contains(&name.as_str()) {
                    true => json!("differs"),
                    false => masked(value),
                };
                (name.clone(), masked)
            })
            .collect(),
        Value::Array(items) => items.iter().map(masked).collect(),
        other => other.clone(),
    }
}

fn recorded(operation: &Value) -> Vec<Told> {
    let messages = operation["published"].as_array().unwrap().iter();
    let kinds = messages.flat_map(|message| message["payload"].as_object().unwrap());
    kinds
        .flat_map(|(kind, entries)| {
            entries.as_object().unwrap().values().map(|entry| {
                let additional = entry.get("additionalInfo").map(masked);
                (kind.clone(), masked(&entry["changedData"]), additional)
            })
        })
        .collect()
}

fn told(change: &Change) -> Told {
    let SecurityChange {
        kind,
        data,
        additional,
    } = &change.told;
    let value = |json: &Json| masked(&json.decode().unwrap());
    (kind.clone(), value(data), additional.as_ref().map(value))
}

/// Does what was done on the JavaScript node under this heading.
async fn perform(directory: &Directory, operation: &str) {
    let (g1, g2, u1) = (group("G1"), group("G2"), user("u1"));
    let (of_g1, of_u1) = (Holder::Group(g1.clone()), Holder::User(u1.clone()));
    let t1 = || table("T1");
    let lookup = || LookupPermission {
        regex: "^/_data/(.*)".to_owned(),
        actions: vec!["get".to_owned()],
        table: t1(),
        path: "/d/{{$1}}".to_owned(),
    };
    let set = PermissionSet::new;
    match operation {
        "groups.upsertGroup with permissions" => {
            let rules = set()
                .allow("/r/*", &["get", "on"])
                .prohibit("/r/*", &["remove"]);
            let draft = GroupDraft::new("G1")
                .custom_data(json!({"c": 1}))
                .permissions(rules);
            directory.upsert_group(draft, true).await.map(drop)
        }
        "groups.upsertGroup without permissions" => directory
            .upsert_group(GroupDraft::new("G2"), true)
            .await
            .map(drop),
        "users.upsertUser new, with permissions" => {
            let draft = UserDraft::new("u1")
                .password(Password::new("plainPW"))
                .custom_data(json!({"x": 1}))
                .permissions(set().allow("/mine/*", &["set"]));
            directory.upsert_user(draft, true).await.map(drop)
        }
        "users.upsertUser existing, no password" => {
            let draft = UserDraft::new("u1").custom_data(json!({"x": 2}));
            directory.upsert_user(draft, true).await.map(drop)
        }
        "groups.linkGroup" => directory.link_group(&g1, &u1, None).await,
        "groups.linkGroup with data" => {
            let data = json!({"data": {"role": "x"}}).as_object().cloned();
            directory.link_group(&g2, &u1, data).await
        }
        "groups.upsertPermission" => {
            directory
                .upsert_permission(&of_g1, "/r/extra", "set", true)
                .await
        }
        "groups.upsertPermission prohibit" => {
            directory
                .upsert_permission(&of_g1, "/r/extra", "get", false)
                .await
        }
        "groups.removePermission" => {
            let removed = directory
                .remove_permission(&of_g1, "/r/extra", "set", true)
                .await;
            removed.map(|removed| assert_eq!(removed, 1))
        }
        "groups.removePermission of a missing one" => {
            let removed = directory
                .remove_permission(&of_g1, "/nothing", "set", true)
                .await;
            removed.map(|removed| assert_eq!(removed, 0))
        }
        "users.upsertPermission" => {
            directory
                .upsert_permission(&of_u1, "/mine/2", "get", true)
                .await
        }
        "users.removePermission" => directory
            .remove_permission(&of_u1, "/mine/2", "get", true)
            .await
            .map(drop),
        "users.upsertPermissions" => {
            let rules = set().allow("/mine/3", &["on"]);
            directory.upsert_permissions(&of_u1, rules).await
        }
        "lookupTables.upsertLookupTable" => {
            let paths = vec!["/d/1".to_owned()];
            directory
                .upsert_lookup_table(LookupTable { name: t1(), paths })
                .await
        }
        "lookupTables.upsertLookupPermission" => directory
            .upsert_lookup_permission(&g1, lookup())
            .await
            .map(drop),
        "lookupTables.insertPath" => directory.insert_lookup_path(&t1(), "/d/2").await,
        "lookupTables.removePath" => {
            let removed = directory.remove_lookup_path(&t1(), "d/2").await;
            removed.map(|removed| assert!(removed))
        }
        "groups.upsertGroup removing a permission" => {
            let json = json!({"/r/*": {"actions": ["on"], "remove": true}});
            let rules = serde_json::from_value(json).unwrap();
            let draft = GroupDraft::new("G1").permissions(rules);
            directory.upsert_group(draft, true).await.map(drop)
        }
        "lookupTables.removeLookupPermission" => directory
            .remove_lookup_permission(&g1, &lookup())
            .await
            .map(drop),
        "lookupTables.deleteLookupTable" => directory.delete_lookup_table(&t1()).await.map(drop),
        "two users linked to one group in one interval" => {
            let u2 = UserDraft::new("u2").password(Password::new("p"));
            directory.upsert_user(u2, true).await.unwrap();
            directory.link_group(&g1, &u1, None).await
        }
        "groups.unlinkGroup" => directory.unlink_group(&g2, &u1).await.map(drop),
        "users.deleteUser" => {
            directory.link_group(&g1, &user("u2"), None).await.unwrap();
            directory.unlink_group(&g1, &u1).await.unwrap();
            directory.delete_user("u2").await.map(drop)
        }
        "groups.deleteGroup" => {
            directory.link_group(&g1, &u1, None).await.unwrap();
            directory.delete_group(&g1).await
        }
        other => panic!("what is {other}?"),
    }
    .unwrap();
}

/// Those that the JavaScript node cannot tell.
fn is_about_tokens(operation: &str) -> bool {
    operation.contains("Token")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_operation_tells_what_the_reference_tells_without_passwords() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    let recorder = Recorder::on(&directory);
    let file = vectors("replication");
    let mut compared = 0;
    for operation in file["operations"].as_array().unwrap() {
        let name = operation["operation"].as_str().unwrap();
        if is_about_tokens(name) {
            continue;
        }
        perform(&directory, name).await;
        let changes = recorder.take();
        for change in &changes {
            assert!(!change.told.data.as_str().contains("assword"), "{name}");
            let additional = change.told.additional.as_ref().map(Json::as_str);
            assert!(
                !additional.unwrap_or_default().contains("assword"),
                "{name}"
            );
            // What is told is understood by whoever is told.
            assert_eq!(Change::read(change.told.clone()).unwrap(), *change);
        }
        let all: Vec<Told> = changes.iter().map(told).collect();
        let expected = recorded(operation);
        // Before the recorded ones there may be those that prepare.
        let last = &all[all.len().saturating_sub(expected.len())..];
        assert_eq!(last, expected, "{name}");
        compared += expected.len();
    }
    assert_eq!(compared, 24);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revocations_are_told_like_everything_else() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    let recorder = Recorder::on(&directory);
    let session = Json::from_static(r#"{"id":"s","parentId":"s"}"#);
    directory
        .revoke_token("a.b.c", session.clone(), "x", 0)
        .await
        .unwrap();
    directory.restore_token("a.b.c").await.unwrap();
    let changes = recorder.take();
    let (_, data, _) = told(&changes[0]);
    let session_told = json!({"id": "s", "parentId": "s"});
    let expected = json!({
        "token": "a.b.c", "session": session_told, "reason": "x", "timestamp": "differs", "ttl": 0
    });
    assert_eq!(data, expected);
    let concern = Concern::Token {
        token: "a.b.c".into(),
        session,
    };
    assert_eq!(changes[0].concern, concern);
    assert_eq!(told(&changes[1]).1, json!({"token": "a.b.c"}));
}

/// The changes in one recorded message, as the replicator hands them over.
fn arriving(payload: &Value) -> Vec<SecurityChange> {
    let payload = Json::encode(payload).unwrap();
    let unpacked = take_apart(Some(&payload)).into_iter();
    unpacked
        .filter_map(|it| match it {
            Unpacked::Change(change) => Some(change),
            Unpacked::Skipped { .. } => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_of_a_javascript_node_is_understood() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    let mut understood = 0;
    for operation in vectors("replication")["operations"].as_array().unwrap() {
        for message in operation["published"].as_array().unwrap() {
            for change in arriving(&message["payload"]) {
                let change = directory.apply(change).unwrap();
                assert!(change.is_replicated());
                assert_ne!(change.concern, Concern::Everything);
                understood += 1;
            }
        }
    }
    assert_eq!(understood, 24);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_foreign_node_may_send_has_the_recorded_effect() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    let file = vectors("replication");
    let cases = file["accepted_by_javascript_nodes"]["cases"]
        .as_array()
        .unwrap();
    let mut kinds = Vec::new();
    for case in cases {
        for change in arriving(&case["payload"]) {
            match directory.apply(change) {
                Ok(change) => kinds.push(change.kind),
                // It makes a JavaScript node exit.
                Err(error) => assert_eq!(
                    error.to_string(),
                    "the security change link-group cannot be read: it does not say which user, \
                     group, table or token"
                ),
            }
        }
    }
    let expected = [
        // Plainly, and inside a kind that JavaScript nodes unpack.
        ChangeKind::TokenRevoked,
        ChangeKind::TokenRevoked,
        ChangeKind::TokenRestored,
        ChangeKind::LinkGroup,
        ChangeKind::LinkGroup,
        ChangeKind::PermissionUpserted,
        ChangeKind::PermissionUpserted,
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_on_one_node_counts_on_the_other() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let (one, other) = (directory(&store), directory(&store));
    let recorder = Recorder::on(&one);
    one.revoke_token("t", Json::NULL, "gone", 0).await.unwrap();
    assert!(one.is_revoked("t") && !other.is_revoked("t"));
    other.apply(recorder.take().remove(0).told).unwrap();
    assert!(other.is_revoked("t"));
    one.restore_token("t").await.unwrap();
    other.apply(recorder.take().remove(0).told).unwrap();
    assert!(!one.is_revoked("t") && !other.is_revoked("t"));
}
