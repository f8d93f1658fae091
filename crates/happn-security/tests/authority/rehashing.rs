//! Weak password hashes are replaced at a login.

use std::sync::Arc;
use std::time::Duration;

use happn_core::{DataService, MemoryStore};
use happn_security::directory::{Password, UserDraft, UserName};
use serde_json::json;

use crate::support::{Secure, hashing_with, on, refusal};

/// Two nodes on one store; new hashes of the second take more work.
async fn weak_and_strong() -> (Secure, Secure) {
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let weak = on(&data, |_| ()).await;
    weak.user("bob", &[]).await;
    (weak, hashing_with(&data, 2, |_| ()).await)
}

async fn stored_hash(secure: &Secure) -> Arc<str> {
    secure.directory.forget_everything();
    let user = secure.directory.user("bob").await.unwrap().unwrap();
    user.password_hash().unwrap().clone()
}

/// Waits until the stored hash took as many iterations.
async fn rehashed(secure: &Secure, iterations: u32) -> Arc<str> {
    let wanted = format!("pbkdf2${iterations}$");
    let became = async {
        loop {
            let hash = stored_hash(secure).await;
            if hash.starts_with(&wanted) {
                return hash;
            }
            tokio::task::yield_now().await;
        }
    };
    let within = tokio::time::timeout(Duration::from_secs(10), became);
    within.await.expect("the hash is replaced")
}

#[tokio::test]
async fn a_login_replaces_a_weak_hash_that_every_node_can_check() {
    let (weak, strong) = weak_and_strong().await;
    let before = stored_hash(&weak).await;
    assert!(before.starts_with("pbkdf2$1$"), "{before}");
    strong.client("bob").await;
    let after = rehashed(&weak, 2).await;
    // Five fields, sha512, lower-case hexadecimal: what JavaScript nodes write themselves.
    let fields: Vec<&str> = after.split('$').collect();
    assert_eq!((fields.len(), fields[4]), (5, "sha512"));
    assert_eq!((fields[2].len(), fields[3].len()), (128, 128));
    for node in [&weak, &strong] {
        node.client("bob").await;
    }
    // A node that asks for less keeps what is strong.
    assert_eq!(stored_hash(&weak).await, after);
    let user = weak.directory.user("bob").await.unwrap().unwrap();
    assert_eq!(
        user.members().keys().collect::<Vec<_>>(),
        ["username", "userid"]
    );
}

#[tokio::test]
async fn clients_are_told_nothing_and_keep_their_rights() {
    let (weak, strong) = weak_and_strong().await;
    strong.group("G", json!({"/a": {"actions": ["*"]}})).await;
    strong.link("G", "bob").await;
    let mut bob = strong.client("bob").await;
    rehashed(&weak, 2).await;
    assert_eq!(bob.get("/a").await["_meta"]["status"], "ok");
    assert_eq!(bob.rest(), Vec::<serde_json::Value>::new());
}

#[tokio::test]
async fn a_wrong_password_replaces_nothing() {
    let (weak, strong) = weak_and_strong().await;
    let before = stored_hash(&weak).await;
    let data = json!({"username": "bob", "password": "guess"});
    assert_eq!(refusal(&strong.stranger().login(&data).await).0, 401);
    assert_eq!(stored_hash(&weak).await, before);
}

#[tokio::test]
async fn a_password_that_is_changed_meanwhile_stays_changed() {
    let (weak, strong) = weak_and_strong().await;
    let name = UserName::new("bob").unwrap();
    let old = stored_hash(&strong).await;
    let draft = UserDraft::new("bob").password(Password::new("new"));
    weak.directory.upsert_user(draft, true).await.unwrap();
    let changed = stored_hash(&weak).await;
    let rehash = strong.directory.rehash(&name, Password::new("bob"), old);
    assert_eq!(rehash.await, Ok(None));
    assert_eq!(stored_hash(&weak).await, changed);
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let weak = on(&data, |_| ()).await;
    weak.user("bob", &[]).await;
    let strong = hashing_with(&data, 2, |config| config.rehash_passwords = false).await;
    strong.client("bob").await;
    let hash = stored_hash(&weak).await;
    let name = UserName::new("bob").unwrap();
    let rehashed = strong
        .directory
        .rehash(&name, Password::new("bob"), hash.clone());
    assert!(
        rehashed.await.unwrap().is_some(),
        "{hash} was still the stored one"
    );
}
