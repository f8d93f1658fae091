//! What changes of the directory do to sessions that are logged in.

use std::sync::{Arc, Mutex};

use happn_core::{ChangeReplication, DataService, MemoryStore, SecurityChange, SecurityChanges};
use happn_protocol::Json;
use happn_security::directory::{GroupDraft, GroupName, Holder};
use serde_json::{Value, json};

use crate::support::{Secure, on, refusal, secure};

async fn with_bob(secure: &Secure) {
    let rules = json!({"/a/*": {"actions": ["on", "get"]}, "/b/*": {"actions": ["on"]}});
    secure.group("G", rules).await;
    secure.user("bob", &["G"]).await;
}

fn what(frame: &Value) -> &str {
    frame["data"]["whatHappnd"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_rule_that_goes_takes_its_subscriptions_with_it() {
    let secure = secure().await;
    with_bob(&secure).await;
    let (mut bob, mut admin) = (secure.client("bob").await, secure.admin().await);
    for channel in ["/ALL@/a/1", "/ALL@/b/1"] {
        assert_eq!(bob.on(channel).await["_meta"]["status"], "ok");
    }
    let holder = Holder::Group(GroupName::new("G").unwrap());
    let removed = secure
        .directory
        .remove_permission(&holder, "/a/*", "on", true);
    removed.await.unwrap();
    let told = bob.next().await;
    assert_eq!(what(&told), "permission-removed");
    let data = json!({"groupName": "G", "path": "/a/*", "action": "on"});
    assert_eq!(told["data"]["changedData"], data);
    for path in ["/a/1", "/b/1"] {
        admin.set(path).await;
    }
    let events = bob.rest();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["_meta"]["path"], "/b/1");
    assert!(admin.rest().is_empty(), "who is not concerned is not told");
}

#[tokio::test]
async fn a_prohibit_narrows_a_subscription_that_stays() {
    let secure = secure().await;
    with_bob(&secure).await;
    let (mut bob, mut admin) = (secure.client("bob").await, secure.admin().await);
    bob.on("/ALL@/a/*").await;
    let holder = Holder::Group(GroupName::new("G").unwrap());
    let upserted = secure
        .directory
        .upsert_permission(&holder, "/a/secret", "on", false);
    upserted.await.unwrap();
    assert_eq!(what(&bob.next().await), "permission-upserted");
    for path in ["/a/secret", "/a/1"] {
        admin.set(path).await;
    }
    let events = bob.rest();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["_meta"]["path"], "/a/1");
}

#[tokio::test]
async fn a_group_that_is_joined_counts_at_once() {
    let secure = secure().await;
    with_bob(&secure).await;
    secure.group("H", json!({"/h": {"actions": ["get"]}})).await;
    let mut bob = secure.client("bob").await;
    assert_eq!(refusal(&bob.get("/h").await), (403, "unauthorized"));
    secure.link("H", "bob").await;
    assert_eq!(bob.get("/h").await["_meta"]["status"], "ok");
    assert_eq!(what(&bob.next().await), "link-group");
}

#[tokio::test]
async fn clients_are_always_told_the_permissions_of_a_group_that_changed() {
    let secure = secure().await;
    with_bob(&secure).await;
    let mut bob = secure.client("bob").await;
    let upserted = secure.directory.upsert_group(GroupDraft::new("G"), true);
    upserted.await.unwrap();
    let told = bob.next().await;
    assert_eq!(what(&told), "upsert-group");
    assert_eq!(told["data"]["changedData"]["permissions"], json!({}));
}

#[tokio::test]
async fn a_user_that_is_deleted_is_disconnected() {
    let secure = secure().await;
    with_bob(&secure).await;
    let mut bob = secure.client("bob").await;
    assert!(secure.directory.delete_user("bob").await.unwrap());
    let reason = "security directory update: user deleted";
    assert_eq!(bob.next().await["data"]["reason"], reason);
}

/// Keeps what would be sent to other nodes.
#[derive(Default)]
struct Outgoing(Mutex<Vec<SecurityChange>>);

impl ChangeReplication for Outgoing {
    fn replicate(&self, change: SecurityChange) {
        self.0.lock().unwrap().push(change);
    }
}

/// As it arrives on another node.
fn arrived(change: &SecurityChange) -> SecurityChange {
    let mut data: Value = change.data.decode().unwrap();
    data["replicated"] = true.into();
    SecurityChange {
        data: Json::encode(&data).unwrap(),
        ..change.clone()
    }
}

#[tokio::test]
async fn changes_of_another_node_take_effect_here() {
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let (here, there) = (on(&data, |_| ()).await, on(&data, |_| ()).await);
    let outgoing = Arc::new(Outgoing::default());
    with_bob(&there).await;
    there.directory.replicate_with(outgoing.clone());
    let mut bob = here.client("bob").await;
    bob.on("/ALL@/a/1").await;
    let holder = Holder::Group(GroupName::new("G").unwrap());
    let removed = there
        .directory
        .remove_permission(&holder, "/a/*", "on", true);
    removed.await.unwrap();
    there
        .authority
        .revoke_token(&bob.token, "test")
        .await
        .unwrap();
    let sent = outgoing.0.lock().unwrap().clone();
    let kinds: Vec<_> = sent.iter().map(|change| change.kind.as_str()).collect();
    assert_eq!(kinds, ["permission-removed", "token-revoked"]);
    here.authority.apply(arrived(&sent[0])).await.unwrap();
    let told = bob.next().await;
    assert_eq!(what(&told), "permission-removed");
    assert_eq!(told["data"]["changedData"]["replicated"], true);
    assert_eq!(refusal(&bob.on("/ALL@/a/1").await).0, 403);
    here.authority.apply(arrived(&sent[1])).await.unwrap();
    assert_eq!(bob.next().await["data"]["reason"], "token-revoked");
    let strange = SecurityChange {
        kind: "nonsense".to_owned(),
        data: Json::EMPTY_OBJECT,
        additional: None,
    };
    assert!(here.authority.apply(strange).await.is_err());
}

#[tokio::test]
async fn what_was_missed_is_found_when_everything_is_read_anew() {
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let (here, there) = (on(&data, |_| ()).await, on(&data, |_| ()).await);
    with_bob(&there).await;
    there.user("ann", &["G"]).await;
    let (mut bob, mut ann) = (here.client("bob").await, here.client("ann").await);
    ann.on("/ALL@/a/1").await;
    there.directory.delete_user("bob").await.unwrap();
    let holder = Holder::Group(GroupName::new("G").unwrap());
    let removed = there
        .directory
        .remove_permission(&holder, "/a/*", "on", true);
    removed.await.unwrap();
    here.authority.reload().await;
    assert_eq!(
        bob.next().await["data"]["reason"],
        "security directory update: user deleted"
    );
    here.admin().await.set("/a/1").await;
    assert!(ann.rest().is_empty());
}
