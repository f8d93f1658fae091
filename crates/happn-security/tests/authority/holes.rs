//! Weaknesses of the JavaScript servers that a login or a first message meets, each closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use happn_core::{DataService, MemoryStore, Write, WriteMode};
use happn_paths::Path;
use happn_protocol::Json;
use happn_security::credentials::Passwords;
use happn_security::directory::{HashingPool, PasswordHasher, UserDraft};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::support::{Secure, hashed_by, refusal, secure, secure_with};

/// Each of these ended one of the JavaScript servers.
#[tokio::test]
async fn no_message_before_a_login_ends_anything() {
    let secure = secure_with(|config| config.nested_permissions = true).await;
    secure.user("bob", &[]).await;
    for frame in [
        json!(null),
        json!({"action": "get", "eventId": 9, "path": {"a": 1}}),
        json!({"action": "get", "eventId": 9, "path": 5}),
        json!({"action": "configure-session", "eventId": 9}),
        json!({"action": "configure-session", "eventId": 9, "data": {"protocol": 4}}),
        json!({"action": "login", "eventId": 9}),
        json!({"action": "login", "eventId": 9, "data": {"username": "bob", "password": 5}}),
        json!({"action": "login", "eventId": 9, "data": {"username": "*", "password": "x"}}),
        json!({"action": "login", "eventId": 9, "data": {"username": "__proto__", "password": "x"}}),
        json!({"action": "set", "eventId": 9, "path": "/a", "data": {}, "options": {"onBehalfOf": "bob"}}),
        json!({"action": "get", "eventId": 9, "path": "/a", "options": {"onBehalfOf": "bob"}}),
        json!({"action": "on", "eventId": 9, "path": "/ALL@**"}),
        json!({"action": "change-password", "eventId": 9, "data": {"oldPassword": "a", "newPassword": "b"}}),
        json!({"action": "revoke-token", "eventId": 9}),
        json!({"action": "disconnect-child-sessions", "eventId": 9}),
    ] {
        secure.stranger().send(&frame.to_string());
        // Whoever comes next is served.
        secure.client("bob").await;
    }
}

/// Answers whatever is asked, and counts how often.
struct Counting(Passwords, AtomicU32);

impl PasswordHasher for Counting {
    fn hash(&self, password: &str) -> Result<String, String> {
        PasswordHasher::hash(&self.0, password)
    }

    fn matches(&self, password: &str, stored: Option<&str>) -> bool {
        self.1.fetch_add(1, Ordering::Relaxed);
        PasswordHasher::matches(&self.0, password, stored)
    }
}

/// How long an answer takes would tell who is a user; so the same work is done for everybody.
#[tokio::test]
async fn an_unknown_user_costs_as_much_as_a_wrong_password() {
    let counting = Arc::new(Counting(Passwords::new(1), AtomicU32::new(0)));
    let hashing = HashingPool::new(counting.clone(), 2, 64);
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let secure = hashed_by(&data, hashing, |_| ()).await;
    secure.user("bob", &[]).await;
    let keyed = UserDraft::new("keyed").public_key("-----BEGIN PUBLIC KEY-----");
    secure.directory.upsert_user(keyed, true).await.unwrap();
    for name in ["bob", "nobody", "keyed", "no*body", "a/b"] {
        let before = counting.1.load(Ordering::Relaxed);
        let data = json!({"username": name, "password": "guess"});
        let answer = secure.stranger().login(&data).await;
        assert_eq!(refusal(&answer), (401, "Invalid credentials"), "{name}");
        let hashed = counting.1.load(Ordering::Relaxed) - before;
        assert_eq!(hashed, 1, "{name}");
    }
}

/// Has a key and signs what it is asked to.
struct Owner {
    key: EcdsaKeyPair,
    pem: String,
}

impl Owner {
    fn new() -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
        let secret = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, secret.as_ref(), &random).unwrap();
        // A public key of that curve always begins alike.
        let mut der = STANDARD
            .decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=")
            .unwrap();
        der.extend_from_slice(key.public_key().as_ref());
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(der)
        );
        Self { key, pem }
    }

    fn sign(&self, nonce: &str) -> String {
        let nonce = STANDARD.decode(nonce).unwrap();
        let signature = self.key.sign(&SystemRandom::new(), &nonce).unwrap();
        STANDARD.encode(signature)
    }
}

/// The configuration gives the admin a key only when it is made.
async fn give_admin_a_key(secure: &Secure, pem: &str) {
    let path = "/_SYSTEM/_SECURITY/_USER/_ADMIN";
    let write = Write {
        path: Path::for_own_item(path),
        data: Json::encode(&json!({ "publicKey": pem })).unwrap(),
        mode: WriteMode::Merge,
        at: 1,
        modified_by: None,
    };
    let store = secure.node.data().store_of(path);
    store.upsert(write).await.unwrap();
    secure.directory.forget_everything();
}

/// The reference looked users up without the `*` of a name, but compared the name with it.
#[tokio::test]
async fn no_spelling_of_the_admins_name_gets_around_its_lock() {
    let (locked, open) = (
        secure_with(|config| config.allow_admin_over_network = false).await,
        secure().await,
    );
    let owner = Owner::new();
    for (secure, name, expected) in [
        (&open, "_ADMIN", Ok("_ADMIN")),
        (&locked, "_ADMIN", Err(403)),
        (&locked, "_ADMIN*", Err(401)),
        (&locked, "*_ADMIN", Err(401)),
    ] {
        give_admin_a_key(secure, &owner.pem).await;
        let mut stranger = secure.stranger();
        let key = json!({"publicKey": owner.pem});
        let asked = stranger.call("request-nonce", "", &key, &json!({})).await;
        let digest = owner.sign(asked["data"]["nonce"].as_str().unwrap());
        let data = json!({
            "username": name, "publicKey": owner.pem, "digest": digest, "loginType": "digest",
            "info": {"_local": true},
        });
        let answer: Value = stranger.login(&data).await;
        let who = answer["data"]["user"]["username"].as_str();
        assert_eq!(who.ok_or(refusal(&answer).0), expected, "{name}: {answer}");
    }
}
