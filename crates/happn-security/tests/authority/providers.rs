//! Other ways of checking credentials.

use std::collections::BTreeMap;
use std::sync::Arc;

use happn_core::{Authority as _, BoxFuture, Connection, LoginRequest, Refusal, Via};
use happn_protocol::Json;
use happn_security::authority::{AuthProvider, AuthProviders};
use happn_security::directory::UserDraft;
use serde_json::{Value, json};

use crate::support::{Secure, connection, refusal, secure_with};

const INVALID: (u64, &str) = (401, "Invalid credentials");

fn providers(without_directory: bool, default: &str) -> AuthProviders {
    let parrot: Arc<dyn AuthProvider> = Arc::new(Parrot);
    let others = BTreeMap::from([("parrot".to_owned(), parrot)]);
    AuthProviders::new(others, without_directory, default).unwrap()
}

struct Parrot;

impl AuthProvider for Parrot {
    fn authenticate(
        &self,
        data: &Json,
        _connection: &Connection,
    ) -> BoxFuture<'static, Result<Arc<str>, Refusal>> {
        let data: Value = data.decode().unwrap();
        let invalid = || Err(Refusal::denied(401, INVALID.1));
        Box::pin(async move {
            match (data["ticket"].as_str(), data["password"].as_str()) {
                (Some("for ever"), _) => std::future::pending().await,
                (Some(name), _) => Ok(name.into()),
                (None, Some("polly")) => Ok("bob".into()),
                _ => invalid(),
            }
        })
    }
}

/// Logs in as `name` and answers as whom, or why not.
async fn login(secure: &Secure, data: Value) -> Result<String, (u64, String)> {
    let answer = secure.stranger().login(&data).await;
    match answer["data"]["user"]["username"].as_str() {
        Some(name) => Ok(name.to_owned()),
        None => {
            let (code, message) = refusal(&answer);
            Err((code, message.to_owned()))
        }
    }
}

fn invalid<T>() -> Result<T, (u64, String)> {
    Err((INVALID.0, INVALID.1.to_owned()))
}

#[tokio::test]
async fn another_provider_checks_who_names_it_but_never_the_admin() {
    let secure = secure_with(|config| config.providers = providers(false, "happn")).await;
    secure.user("bob", &[]).await;
    let named = |name: &str, password: &str| {
        let data = json!({"username": name, "password": password, "authType": "parrot"});
        login(&secure, data)
    };
    assert_eq!(named("anybody", "polly").await.as_deref(), Ok("bob"));
    assert_eq!(named("bob", "bob").await, invalid());
    assert_eq!(named("_ADMIN", "polly").await, invalid());
    assert_eq!(named("_ADMIN", "happn").await.as_deref(), Ok("_ADMIN"));
}

#[tokio::test]
async fn the_default_checks_who_names_nobody_and_the_directory_can_still_be_named() {
    let secure = secure_with(|config| config.providers = providers(false, "parrot")).await;
    secure.user("bob", &[]).await;
    let polly = json!({"username": "bob", "password": "polly"});
    assert_eq!(login(&secure, polly).await.as_deref(), Ok("bob"));
    let own = json!({"username": "bob", "password": "bob"});
    assert_eq!(login(&secure, own).await, invalid());
    let named = json!({"username": "bob", "password": "bob", "authType": "happn"});
    assert_eq!(login(&secure, named).await.as_deref(), Ok("bob"));
    let unknown = json!({"username": "bob", "password": "polly", "authType": "nobody"});
    assert_eq!(login(&secure, unknown).await.as_deref(), Ok("bob"));
}

#[tokio::test]
async fn a_user_may_have_a_provider_of_its_own() {
    let secure = secure_with(|config| config.providers = providers(false, "happn")).await;
    secure.user("bob", &[]).await;
    let draft = UserDraft::new("bob").member("authType", json!("parrot"));
    secure.directory.upsert_user(draft, true).await.unwrap();
    let polly = json!({"username": "bob", "password": "polly"});
    assert_eq!(login(&secure, polly).await.as_deref(), Ok("bob"));
    let own = json!({"username": "bob", "password": "bob"});
    assert_eq!(login(&secure, own).await, invalid());
}

#[tokio::test]
async fn without_the_directory_nobody_but_the_admin_is_checked_by_it() {
    let secure = secure_with(|config| config.providers = providers(true, "parrot")).await;
    secure.user("bob", &[]).await;
    let named = json!({"username": "bob", "password": "bob", "authType": "happn"});
    assert_eq!(login(&secure, named).await, invalid());
    let admin = json!({"username": "_ADMIN", "password": "happn"});
    assert_eq!(login(&secure, admin).await.as_deref(), Ok("_ADMIN"));
    // A token is the node's own, whoever checked the login it was made at.
    let mut bob = secure.stranger();
    bob.login(&json!({"username": "bob", "password": "polly"}))
        .await;
    let token = json!({"token": bob.token});
    assert_eq!(login(&secure, token).await.as_deref(), Ok("bob"));
}

#[tokio::test]
async fn a_provider_is_asked_for_credentials_of_any_shape_and_names_no_admin() {
    let secure = secure_with(|config| config.providers = providers(false, "happn")).await;
    secure.user("bob", &[]).await;
    let ticket = json!({"ticket": "bob", "authType": "parrot"});
    assert_eq!(login(&secure, ticket).await.as_deref(), Ok("bob"));
    let admin = json!({"ticket": "_ADMIN", "authType": "parrot"});
    assert_eq!(login(&secure, admin).await, invalid());
    let nobody = json!({"ticket": "nobody", "authType": "parrot"});
    assert_eq!(login(&secure, nobody).await, invalid());
}

#[tokio::test]
async fn choosing_can_be_forbidden() {
    let secure = secure_with(|config| {
        config.providers = providers(false, "happn");
        config.allow_choosing_provider = false;
    })
    .await;
    secure.user("bob", &[]).await;
    let chosen = json!({"username": "bob", "password": "polly", "authType": "parrot"});
    let (code, message) = login(&secure, chosen).await.unwrap_err();
    assert_eq!(code, 401);
    assert!(message.contains("disallows choosing"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_answers_is_given_up() {
    let secure = secure_with(|config| config.providers = providers(false, "happn")).await;
    let data = json!({"ticket": "for ever", "authType": "parrot"});
    let request = LoginRequest {
        session_id: "s".into(),
        data: Json::encode(&data).unwrap(),
        connection: connection("10.0.0.1"),
        via: Via::Socket,
    };
    let refused = secure.authority.login(request).await.unwrap_err().error;
    assert!(refused.message.contains("in time"), "{refused:?}");
}

#[test]
fn a_default_that_is_nobody_is_told_with_those_that_there_are() {
    let told = |without_directory, default: &str| {
        let parrot: Arc<dyn AuthProvider> = Arc::new(Parrot);
        let others = BTreeMap::from([("parrot".to_owned(), parrot)]);
        let made = AuthProviders::new(others, without_directory, default);
        made.err().map(|error| error.to_string())
    };
    let expected = "there is no provider called ldap, only: happn, parrot";
    assert_eq!(told(false, "ldap").as_deref(), Some(expected));
    let expected = "there is no provider called happn, only: parrot";
    assert_eq!(told(true, "happn").as_deref(), Some(expected));
    assert_eq!(told(true, "parrot"), None);
    let none = AuthProviders::new(BTreeMap::new(), true, "happn")
        .err()
        .unwrap();
    assert!(none.to_string().ends_with("none at all"), "{none}");
}
