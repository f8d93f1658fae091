//! Tokens, and how long sessions last.

use happn_security::authority::NODE_SESSION;
use happn_security::credentials::SessionToken;
use happn_security::policy::{Policies, Profiles, SessionType};
use serde_json::{Value, json};

use crate::support::{refusal, secure, secure_with};

#[tokio::test]
async fn a_token_makes_sessions_that_end_together() {
    let secure = secure().await;
    secure.user("bob", &[]).await;
    let mut parent = secure.client("bob").await;
    let login = json!({"token": parent.token});
    let mut child = secure.stranger();
    let answer = child.login(&login).await;
    assert_eq!(answer["data"]["token"], json!(parent.token));
    assert_eq!(answer["data"]["parentId"], json!(**parent.session.id()));
    let answer = parent
        .call("revoke-token", "", &Value::Null, &json!({}))
        .await;
    assert_eq!(answer["_meta"]["status"], "ok");
    for client in [&mut parent, &mut child] {
        assert_eq!(client.next().await["data"]["reason"], "token-revoked");
    }
    let answer = secure.stranger().login(&login).await;
    assert_eq!(refusal(&answer), (403, "token has been revoked"));
}

#[tokio::test]
async fn children_can_be_disconnected_without_revoking() {
    let secure = secure().await;
    secure.user("bob", &[]).await;
    let mut parent = secure.client("bob").await;
    let login = json!({"token": parent.token});
    let mut child = secure.stranger();
    child.login(&login).await;
    let mut other = secure.client("bob").await;
    let action = "disconnect-child-sessions";
    parent.call(action, "", &Value::Null, &json!({})).await;
    assert_eq!(child.next().await["data"]["reason"], "token-revoked");
    assert!(parent.rest().is_empty() && other.rest().is_empty());
    let answer = secure.stranger().login(&login).await;
    assert_eq!(answer["_meta"]["status"], "ok");
}

#[tokio::test]
async fn a_token_is_for_the_type_of_login_that_made_it() {
    let secure = secure().await;
    secure.user("bob", &[]).await;
    let token = secure.http_token("bob").await;
    let answer = secure.stranger().login(&json!({ "token": token })).await;
    let message = "token was created using the login type 0, which does not match how the new \
                   token is to be created";
    assert_eq!(refusal(&answer), (403, message));
    let answer = secure.stranger().login(&json!({"token": "x.y.z"})).await;
    let message = "Invalid credentials: invalid session token";
    assert_eq!(refusal(&answer), (401, message));
}

#[tokio::test]
async fn a_token_of_a_user_of_another_life_can_be_refused() {
    for locked in [true, false] {
        let secure = secure_with(|config| config.lock_token_to_user_id = locked).await;
        secure.user("bob", &[]).await;
        let token = secure.client("bob").await.token;
        secure.directory.delete_user("bob").await.unwrap();
        let login = json!({ "token": token });
        let answer = secure.stranger().login(&login).await;
        assert_ne!(answer["_meta"]["status"], "ok");
        secure.user("bob", &[]).await;
        let answer = secure.stranger().login(&login).await;
        let message = "token userid does not match userid for username: bob";
        match locked {
            true => assert_eq!(refusal(&answer), (403, message)),
            false => assert_eq!(answer["_meta"]["status"], "ok"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_when_its_time_is_over_also_when_it_does_nothing() {
    let secure = secure_with(|config| {
        let profiles = json!([{
            "name": "short",
            "session": {"user.username": "bob"},
            "policy": {"ttl": "2 seconds"},
        }]);
        config.profiles = Profiles::parse(&profiles).unwrap();
    })
    .await;
    secure.user("bob", &[]).await;
    let mut bob = secure.client("bob").await;
    assert_eq!(bob.next().await["data"]["reason"], "token-expired");
}

#[tokio::test]
async fn what_a_session_may_use_up_is_counted() {
    let secure = secure_with(|config| {
        let profiles = json!([{
            "name": "few",
            "session": {"user.username": "bob"},
            "policy": {"usage_limit": 2},
        }]);
        config.profiles = Profiles::parse(&profiles).unwrap();
    })
    .await;
    secure.group("G", json!({"/a": {"actions": ["get"]}})).await;
    secure.user("bob", &["G"]).await;
    let mut bob = secure.client("bob").await;
    for _ in 0..2 {
        assert_eq!(bob.get("/a").await["_meta"]["status"], "ok");
    }
    let answer = bob.get("/a").await;
    assert_eq!(refusal(&answer), (403, "session usage limit reached"));
    assert_eq!(bob.next().await["data"]["reason"], "usage-limit");
}

#[tokio::test]
async fn tokens_of_nodes_log_the_admin_in_where_it_is_kept_away_from_networks() {
    let secure = secure_with(|config| config.allow_admin_over_network = false).await;
    let policy = json!({"ttl": 60_000});
    let token = |id: &str| SessionToken {
        id: id.to_owned(),
        parent_id: id.to_owned(),
        https_cookie: None,
        info: None,
        session_type: SessionType::Stateful,
        timestamp_ms: secure.node.clock().wall_ms(),
        origin: "other".to_owned(),
        policies: Policies::parse(&json!({"0": policy, "1": policy})).ok(),
        username: "_ADMIN".to_owned(),
        userid: None,
    };
    let login = async |id: &str| {
        let token = token(id).encode(&secure.secret).unwrap();
        secure.stranger().login(&json!({ "token": token })).await
    };
    assert_eq!(refusal(&login("0d9a").await).0, 403);
    let answer = login(&format!("{NODE_SESSION}1")).await;
    assert_eq!(answer["data"]["user"]["username"], "_ADMIN");
}

#[tokio::test]
async fn sessions_are_listed_until_they_end() {
    let secure = secure().await;
    secure.user("bob", &[]).await;
    let mut bob = secure.client("bob").await;
    let listed = secure.authority.sessions();
    let names: Vec<_> = listed.iter().map(|session| &*session.username).collect();
    assert_eq!(names, ["bob"]);
    let id = bob.session.id().to_string();
    assert!(secure.authority.end_session(&id, "enough"));
    assert_eq!(bob.next().await["data"]["reason"], "enough");
    secure.node.detach(&bob.session);
    drop(bob);
    assert!(secure.authority.sessions().is_empty());
    assert!(!secure.authority.end_session(&id, "again"));
}
