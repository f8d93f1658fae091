//! The record of what each session did last.

use std::time::Duration;

use happn_security::directory::SessionActivity;
use serde_json::{Value, json};

use crate::support::{Secure, secure, secure_with};

const KEPT_FOR: Duration = Duration::from_secs(3600);

async fn recording() -> Secure {
    let secure = secure_with(|config| config.session_activity_ttl = Some(KEPT_FOR)).await;
    secure.group("G", json!({"/a/*": {"actions": ["*"]}})).await;
    secure.user("bob", &["G"]).await;
    secure
}

async fn of(secure: &Secure, session_id: &str) -> SessionActivity {
    let all = secure.authority.session_activity().await.unwrap();
    let own: Vec<_> = all
        .into_iter()
        .filter(|it| it.session_id == session_id)
        .collect();
    assert_eq!(own.len(), 1, "one record per session");
    own.into_iter().next().unwrap()
}

#[tokio::test]
async fn the_last_request_of_a_session_is_listed_with_what_was_decided() {
    let secure = recording().await;
    let mut bob = secure.client("bob").await;
    let id = bob.session.id().to_string();
    let login = of(&secure, &id).await;
    assert_eq!(
        (&*login.action, login.path, login.authorized),
        ("login", None, true)
    );
    bob.set("/a/1").await;
    bob.get("/b").await;
    let refused = of(&secure, &id).await;
    assert_eq!(
        (&*refused.action, refused.path.as_deref()),
        ("get", Some("/b"))
    );
    assert_eq!(
        (refused.authorized, refused.reason.as_deref()),
        (false, Some("unauthorized"))
    );
    assert!(refused.at.is_some());
    bob.on("/ALL@/a/*").await;
    let allowed = of(&secure, &id).await;
    assert_eq!(
        (&*allowed.action, allowed.path.as_deref()),
        ("on", Some("/a/*"))
    );
    assert!(allowed.authorized && allowed.reason.is_none());
}

#[tokio::test]
async fn the_document_is_that_of_a_javascript_node_and_only_admins_see_it() {
    let secure = recording().await;
    let mut bob = secure.client("bob").await;
    let id = bob.session.id().to_string();
    secure.authority.write_session_activity().await.unwrap();
    let path = format!("/_SYSTEM/_CACHE/cache_session_activity/{id}");
    let mut document = secure.admin().await.get(&path).await;
    document["data"].as_object_mut().unwrap().remove("_meta");
    let recorded = recorded_login();
    let mut expected = recorded["data"].clone();
    expected["key"] = json!(id);
    expected["data"]["id"] = json!(id);
    expected["ttl"] = json!(3_600_000);
    assert_eq!(document["data"].to_string(), expected.to_string());
    assert_eq!(bob.get(&path).await["_meta"]["error"]["code"], 403);
}

/// What a JavaScript node wrote about a session that had only logged in.
fn recorded_login() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/security/documents.json"
    );
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let documents = vectors["documents"].as_array().unwrap();
    let login = |it: &&Value| it["data"]["data"]["action"] == "login";
    documents.iter().find(login).unwrap().clone()
}

#[tokio::test]
async fn requests_write_nothing_themselves() {
    let secure = recording().await;
    let mut bob = secure.client("bob").await;
    for _ in 0..100 {
        bob.get("/a/1").await;
    }
    let listed = secure.directory.list_session_activity().await.unwrap();
    assert_eq!(listed, []);
    secure.authority.write_session_activity().await.unwrap();
    let listed = secure.directory.list_session_activity().await.unwrap();
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn a_record_is_kept_as_long_as_configured() {
    let secure = secure_with(|config| config.session_activity_ttl = Some(Duration::ZERO)).await;
    secure.user("bob", &[]).await;
    let _bob = secure.client("bob").await;
    secure.authority.write_session_activity().await.unwrap();
    assert_eq!(secure.directory.list_session_activity().await.unwrap(), []);
    let mut admin = secure.admin().await;
    let mask = "/_SYSTEM/_CACHE/cache_session_activity/*";
    assert_eq!(admin.found(mask).await.len(), 1);
    secure.directory.sweep_session_activity().await.unwrap();
    assert_eq!(admin.found(mask).await, [""; 0]);
}

#[tokio::test]
async fn nothing_is_recorded_unless_that_is_wanted() {
    let secure = secure().await;
    secure.user("bob", &[]).await;
    secure.client("bob").await.get("/a").await;
    assert_eq!(secure.authority.session_activity().await.unwrap(), []);
}
