//! From a password to a token, and what the token is good for.

use std::time::Duration;

use serde_json::json;

use crate::support::{ADMIN_PASSWORD, Caller, SOON, open, secure, secure_with};

#[tokio::test]
async fn a_login_makes_a_token_for_an_hour_and_no_cookie() {
    let secure = secure().await;
    let mut caller = Caller::of(&secure.server).await;
    let answer = caller.try_log_in("_ADMIN", ADMIN_PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["username"], "_ADMIN");
    let left = answer.body["expires"].as_i64().unwrap() - secure.node.clock().wall_ms();
    assert!((3_590_000..=3_600_000).contains(&left), "{left}");
    assert_eq!(answer.header("set-cookie"), "");
    assert_eq!(answer.header("cache-control"), "no-store");
    caller.token = answer.body["token"].as_str().unwrap().to_owned();
    assert_eq!(caller.get("/users").await.status, 200);
}

#[tokio::test]
async fn any_member_of_the_admin_group_may_administer_and_nobody_else() {
    let secure = secure().await;
    secure.user("ann").await;
    secure.user("bob").await;
    let mut admin = secure.admin().await;
    assert_eq!(
        admin
            .put("/users/ann/groups/_ADMIN", &json!(null))
            .await
            .status,
        204
    );
    let mut ann = Caller::of(&secure.server).await;
    ann.token = ann.log_in("ann", "ann").await;
    assert_eq!(ann.get("/users").await.status, 200);

    let mut bob = Caller::of(&secure.server).await;
    let refused = bob.try_log_in("bob", "bob").await;
    assert_eq!(refused.refusal(), (403, "forbidden"), "{}", refused.body);
    // A token of his own does not help him.
    let issued = admin.post("/tokens", &json!({"username": "bob"})).await;
    bob.token = issued.body["token"].as_str().unwrap().to_owned();
    let refused = bob.get("/users").await;
    assert_eq!(refused.refusal(), (403, "forbidden"));
    assert_eq!(
        refused.message(),
        "only members of the group _ADMIN may administer"
    );

    assert_eq!(admin.delete("/users/ann/groups/_ADMIN").await.status, 204);
    assert_eq!(
        ann.get("/users").await.refusal(),
        (403, "forbidden"),
        "at once"
    );
}

#[tokio::test]
async fn wrong_passwords_and_unknown_users_are_refused_alike() {
    let secure = secure().await;
    let mut caller = Caller::of(&secure.server).await;
    for (username, password) in [
        ("_ADMIN", "wrong"),
        ("nobody", "wrong"),
        ("a/b", ""),
        ("", "x"),
    ] {
        let refused = caller.try_log_in(username, password).await;
        assert_eq!(refused.refusal(), (401, "unauthorized"), "{username}");
        assert_eq!(refused.message(), "Invalid credentials", "{username}");
    }
}

#[tokio::test]
async fn who_guesses_is_locked_out() {
    let secure = secure().await;
    let mut caller = Caller::of(&secure.server).await;
    for _ in 0..4 {
        caller.try_log_in("_ADMIN", "guess").await;
    }
    let refused = caller.try_log_in("_ADMIN", ADMIN_PASSWORD).await;
    assert_eq!(refused.refusal(), (403, "forbidden"));
    assert_eq!(refused.message(), "Account locked out");
}

#[tokio::test]
async fn a_token_ends_with_its_time() {
    let secure = secure_with(|setup| {
        setup.api.token_ttl = Duration::from_millis(300);
        // What is asked until then must not be too much on a quick machine.
        setup.api.requests.every = Duration::ZERO;
    })
    .await;
    let mut admin = secure.admin().await;
    let expired = async {
        loop {
            let answer = admin.get("/users").await;
            if answer.status != 200 {
                return answer;
            }
        }
    };
    let refused = tokio::time::timeout(SOON, expired).await.unwrap();
    assert_eq!(refused.refusal(), (401, "unauthorized"), "{}", refused.body);
    assert_eq!(refused.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn what_is_no_token_is_not_let_in() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let good = std::mem::take(&mut admin.token);
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Basic eDp4",
        "Bearer a.b.c",
        "Bearer x y",
        good.as_str(),
    ] {
        let headers = [("authorization", value)];
        let refused = admin.send("GET", "/users", &headers, "").await;
        assert_eq!(refused.refusal(), (401, "unauthorized"), "{value}");
    }
    let refused = admin.get(&format!("/users?happn_token={good}")).await;
    assert_eq!(
        refused.refusal(),
        (401, "unauthorized"),
        "no token in addresses"
    );
    let cookie = format!("happn_token={good}");
    let refused = admin
        .send("GET", "/users", &[("cookie", &cookie)], "")
        .await;
    assert_eq!(
        refused.refusal(),
        (401, "unauthorized"),
        "cookies are not read"
    );
    admin.token = good;
    assert_eq!(admin.get("/users").await.status, 200);
}

#[tokio::test]
async fn a_node_without_users_says_so_and_shows_the_document() {
    let server = open().await;
    let mut caller = Caller::of(&server).await;
    for (method, path) in [
        ("POST", "/login"),
        ("GET", "/users"),
        ("DELETE", "/sessions/x"),
    ] {
        let refused = caller.ask(method, path, &json!({})).await;
        assert_eq!(refused.refusal(), (409, "not-secure"), "{path}");
    }
    let document = caller.get("/openapi.json").await;
    assert_eq!(
        (document.status, &document.body["openapi"]),
        (200, &json!("3.1.0"))
    );
}
