//! Logins by digest: a nonce counts once, for the key that asked for it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use happn_security::directory::UserDraft;
use k256::ecdsa::signature::Signer as _;
use k256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

use crate::support::{Client, Secure, refusal, secure};

const INVALID: (u64, &str) = (401, "Invalid credentials");
const NO_NONCE: &str = "nonce expired or public key invalid";

/// A key pair, the public half as PEM.
struct Keys {
    signing: SigningKey,
    pem: String,
}

impl Keys {
    fn new(seed: u8) -> Self {
        let signing = SigningKey::from_slice(&[seed; 32]).unwrap();
        let point = signing.verifying_key().to_sec1_point(false);
        let mut info = b"\x30\x56\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x0a\x03\x42\x00".to_vec();
        info.extend_from_slice(point.as_bytes());
        let encoded = STANDARD.encode(info);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----\n");
        Self { signing, pem }
    }

    fn sign(&self, nonce: &str) -> String {
        let signature: Signature = self.signing.sign(&STANDARD.decode(nonce).unwrap());
        STANDARD.encode(signature.to_der())
    }
}

/// A node with a user of each name, each with a key.
async fn with_users(users: &[(&str, &Keys)]) -> Secure {
    let secure = secure().await;
    for (name, keys) in users {
        let draft = UserDraft::new(name).public_key(&keys.pem);
        secure.directory.upsert_user(draft, true).await.unwrap();
    }
    secure
}

async fn nonce(client: &mut Client, keys: &Keys) -> String {
    let data = json!({"publicKey": keys.pem});
    let answer = client.call("request-nonce", "", &data, &json!({})).await;
    answer["data"]["nonce"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
        .to_owned()
}

fn login(name: &str, keys: &Keys, digest: &str) -> Value {
    json!({"username": name, "publicKey": keys.pem, "digest": digest})
}

fn is_ok(answer: &Value) -> bool {
    answer["_meta"]["status"] == "ok"
}

#[tokio::test]
async fn a_digest_that_somebody_has_overheard_is_worth_nothing() {
    let keys = Keys::new(1);
    let secure = with_users(&[("ann", &keys)]).await;
    let mut ann = secure.stranger_at("10.0.0.1");
    let digest = keys.sign(&nonce(&mut ann, &keys).await);
    assert!(is_ok(&ann.login(&login("ann", &keys, &digest)).await));

    let mut thief = secure.stranger_at("10.0.0.2");
    let answer = thief.login(&login("ann", &keys, &digest)).await;
    assert_eq!(refusal(&answer), (401, NO_NONCE));
    // Not even while a fresh nonce waits.
    let _ = nonce(&mut thief, &keys).await;
    let answer = thief.login(&login("ann", &keys, &digest)).await;
    assert_eq!(refusal(&answer), INVALID);
}

#[tokio::test]
async fn a_nonce_is_for_one_key_and_a_key_for_one_user() {
    let (of_ann, of_bob) = (Keys::new(1), Keys::new(2));
    let secure = with_users(&[("ann", &of_ann), ("bob", &of_bob)]).await;
    let mut bob = secure.stranger_at("10.0.0.2");
    let asked = nonce(&mut bob, &of_ann).await;
    // Bob's signature of Ann's nonce, as either of them, and with either key.
    let digest = of_bob.sign(&asked);
    for (name, keys) in [
        ("ann", &of_ann),
        ("ann", &of_bob),
        ("bob", &of_bob),
        ("bob", &of_ann),
    ] {
        let answer = bob.login(&login(name, keys, &digest)).await;
        assert_eq!(refusal(&answer).0, 401, "{name}: {answer}");
    }
    // All that has not used the nonce up.
    let mut ann = secure.stranger_at("10.0.0.1");
    let digest = of_ann.sign(&asked);
    assert!(is_ok(&ann.login(&login("ann", &of_ann, &digest)).await));
}

#[tokio::test]
async fn of_two_logins_with_one_digest_at_one_time_one_gets_in() {
    let keys = Keys::new(1);
    let secure = with_users(&[("ann", &keys)]).await;
    let mut clients: Vec<_> = (1..9)
        .map(|last| secure.stranger_at(&format!("10.0.0.{last}")))
        .collect();
    let digest = keys.sign(&nonce(&mut clients[0], &keys).await);
    let mut logins = Vec::new();
    for mut client in clients {
        let data = login("ann", &keys, &digest);
        logins.push(tokio::spawn(async move { client.login(&data).await }));
    }
    let mut admitted = 0;
    for login in logins {
        admitted += usize::from(is_ok(&login.await.unwrap()));
    }
    assert_eq!(admitted, 1);
}
