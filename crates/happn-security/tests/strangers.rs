//! Logins as strangers may send them: nothing panics, nothing is let in, nothing grows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers of tests may panic"
)]

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use happn_core::{
    Admission, Authority as _, Connection, DataService, LoginRequest, MemoryStore, Refusal,
    SystemClock, Via,
};
use happn_protocol::Json;
use happn_security::authority::{AuthorityConfig, SecurityAuthority};
use happn_security::credentials::{LockoutConfig, Passwords, jsonpack};
use happn_security::directory::{
    Directory, HashingPool, NameFolding, Password, StartUp, UserDraft,
};
use proptest::prelude::*;
use ring::hmac;
use serde_json::{Value, json};

const PEM: &str =
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----";

/// Knows the user `joe`, with a password and a key that is none.
async fn authority() -> Arc<SecurityAuthority> {
    let clock = Arc::new(SystemClock::new());
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let hashing = HashingPool::new(Arc::new(Passwords::new(1)), 2, 64);
    let directory = Directory::new(data, clock.clone(), hashing, NameFolding::default());
    let start = StartUp {
        admin_password: Some(Password::new("secret")),
        ..StartUp::default()
    };
    let started = directory.start(start).await.unwrap();
    let joe = UserDraft::new("joe")
        .password(Password::new("secret"))
        .public_key(PEM);
    directory.upsert_user(joe, true).await.unwrap();
    let secret = started.token_secret;
    let config = AuthorityConfig {
        lockout: LockoutConfig {
            enabled: false,
            ..LockoutConfig::default()
        },
        ..AuthorityConfig::of_node("n")
    };
    SecurityAuthority::new(config, directory, secret, clock)
}

fn connection(ip: &str) -> Connection {
    Connection {
        url: String::new(),
        headers: Vec::new(),
        encrypted: false,
        ip: ip.to_owned(),
        port: 1,
        secure: false,
    }
}

async fn login(
    authority: &SecurityAuthority,
    data: &Value,
    via: Via,
) -> Result<Admission, Refusal> {
    let request = LoginRequest {
        session_id: "s".into(),
        data: Json::encode(data).unwrap(),
        connection: connection("10.0.0.1"),
        via,
    };
    authority.login(request).await
}

/// Anything where a text should be.
fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        r"\PC{0,20}".prop_map(Value::from),
        r"[a-zA-Z0-9_.=-]{0,60}".prop_map(Value::from),
        Just(json!({"a": {"b": []}})),
        Just(json!([[], {}])),
        Just(json!(PEM)),
        Just(json!("_ADMIN*")),
        Just(json!("__proto__")),
        Just(json!("joe")),
        Just(json!("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.ImEi.AAAA")),
    ]
}

fn message() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "username",
        "password",
        "digest",
        "publicKey",
        "token",
        "type",
        "authType",
        "loginType",
        "info",
        "protocol",
        "__proto__",
    ]);
    let members = prop::collection::vec((name, anything()), 0..8);
    members.prop_map(|members| {
        let members = members.into_iter();
        members
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_login_of_a_stranger_is_let_in(messages in prop::collection::vec(message(), 20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let authority = authority().await;
            let nonce = authority.nonce(PEM, &connection("10.0.0.1"));
            prop_assert!(nonce.is_ok());
            for (nth, message) in messages.iter().enumerate() {
                let via = [Via::Socket, Via::Http][nth % 2];
                let verdict = login(&authority, message, via).await;
                let refused = verdict.expect_err("nobody knows the password").error;
                prop_assert!(matches!(refused.code, Some(401 | 403)), "{message}: {refused:?}");
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_token_of_a_stranger_is_a_credential(token in r"[A-Za-z0-9_.=-]{0,80}|\PC{0,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let authority = authority().await;
            let refused = authority.bearer(&token).await.expect_err("it is signed by nobody");
            prop_assert_eq!(refused.error.code, Some(401));
            Ok(())
        })?;
    }
}

/// Also those that anybody can sign, and one that is signed with a key that everybody knows.
#[tokio::test]
async fn a_token_of_any_algorithm_that_we_have_not_signed_is_no_credential() {
    let authority = authority().await;
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let session = json!({"id": "s", "type": 1, "timestamp": 1, "parentId": "s", "origin": "n",
        "policy": {"0": {}, "1": {}}, "isToken": true, "username": "_ADMIN"});
    let packed = Value::String(jsonpack::pack(&session)).to_string();
    let public = hmac::Key::new(hmac::HMAC_SHA256, PEM.as_bytes());
    for header in [
        json!({"typ": "JWT", "alg": "none"}),
        json!({"typ": "JWT", "alg": "None"}),
        json!({"typ": "JWT", "alg": "HS256"}),
        json!({"typ": "JWT", "alg": "hs256"}),
        json!({"typ": "JWT", "alg": "HS512"}),
        json!({"typ": "JWT", "alg": "RS256"}),
        json!({"typ": "JWT", "alg": "ES256"}),
        json!({"typ": "JWT", "alg": ["HS256"]}),
        json!({"typ": "JWT"}),
        json!("HS256"),
    ] {
        let header = header.to_string();
        let signed = format!(
            "{}.{}",
            encode(header.as_bytes()),
            encode(packed.as_bytes())
        );
        let signature = hmac::sign(&public, signed.as_bytes());
        for signature in ["", "AAAA", &encode(signature.as_ref()), &"A".repeat(43)] {
            let token = format!("{signed}.{signature}");
            let message = json!({"token": token});
            let refused = login(&authority, &message, Via::Socket).await.unwrap_err();
            assert_eq!(refused.error.code, Some(401), "{header}");
            let refused = authority.bearer(&token).await.unwrap_err();
            assert_eq!(refused.error.code, Some(401), "{header}");
        }
        for token in [&signed[..], "..", "...", &format!("{signed}..")] {
            assert!(authority.bearer(token).await.is_err(), "{token}");
        }
    }
}

#[tokio::test]
async fn credentials_of_any_size_are_refused_like_wrong_ones() {
    let authority = authority().await;
    let endless = "x".repeat(3 * 1024 * 1024);
    for member in [
        "password",
        "digest",
        "token",
        "publicKey",
        "username",
        "authType",
    ] {
        let mut message = json!({"username": "joe", "digest": "AAAA", "publicKey": PEM});
        message[member] = json!(endless);
        let refused = login(&authority, &message, Via::Socket).await.unwrap_err();
        assert_eq!(refused.error.code, Some(401), "{member}");
    }
    let refused = authority.bearer(&endless).await.unwrap_err();
    assert_eq!(refused.error.code, Some(401));
}

#[tokio::test]
async fn who_knows_the_password_is_let_in_between_all_that() {
    let authority = authority().await;
    let message = json!({"username": "joe", "password": "secret"});
    assert!(login(&authority, &message, Via::Socket).await.is_ok());
}
