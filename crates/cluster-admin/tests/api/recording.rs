//! Who did what, or was refused it, and from where: without secrets.

use serde_json::{Value, json};

use crate::support::{ADMIN_PASSWORD, Caller, secure};

#[tokio::test]
async fn changes_are_recorded_with_who_and_from_where() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    secure.records.take();
    admin.put("/groups/STAFF", &json!({})).await;
    admin
        .put(
            "/users/ann",
            &json!({"password": "s3cret", "groups": ["STAFF"]}),
        )
        .await;
    let rule = json!({"path": "/a", "actions": ["get"], "prohibit": ["set"]});
    admin.put("/users/ann/permissions", &rule).await;
    admin
        .delete("/users/ann/permissions?path=/a&action=set")
        .await;
    let issued = admin.post("/tokens", &json!({"username": "ann"})).await;
    let token = issued.body["token"].as_str().unwrap();
    admin
        .post("/tokens/revoked", &json!({ "token": token }))
        .await;
    admin.delete("/users/ann").await;
    let records = secure.records.take();
    assert_eq!(
        records,
        [
            "_ADMIN 127.0.0.1: upsert-group: group STAFF",
            "_ADMIN 127.0.0.1: upsert-user: user ann",
            "_ADMIN 127.0.0.1: link-group: user ann, group STAFF",
            "_ADMIN 127.0.0.1: permission-upserted: user ann, get on /a",
            "_ADMIN 127.0.0.1: permission-upserted: user ann, prohibit set on /a",
            "_ADMIN 127.0.0.1: permission-removed: user ann, set on /a",
            "_ADMIN 127.0.0.1: issue-token: token of ann",
            "_ADMIN 127.0.0.1: token-revoked: token of ann",
            "_ADMIN 127.0.0.1: delete-user: user ann",
        ]
    );
}

#[tokio::test]
async fn refusals_are_recorded_without_passwords_and_tokens() {
    let secure = secure().await;
    secure.user("bob").await;
    let mut admin = secure.admin().await;
    let issued = admin.post("/tokens", &json!({"username": "bob"})).await;
    secure.records.take();

    let mut caller = Caller::of(&secure.server).await;
    caller.try_log_in("_ADMIN", "s3cret guess").await;
    caller.try_log_in("bob", "bob").await;
    caller.delete("/users/bob").await;
    caller.token = "s3cret token".to_owned();
    caller.get("/users?name=x").await;
    caller.token = issued.body["token"].as_str().unwrap().to_owned();
    caller.put("/groups/MINE", &json!({})).await;
    let page = [("origin", "https://evil.example.com")];
    admin.send("DELETE", "/users/bob", &page, "").await;
    let records = secure.records.take();
    let no_admin = "only members of the group _ADMIN may administer";
    assert_eq!(
        records,
        [
            "_ADMIN 127.0.0.1: refused login : Invalid credentials".to_owned(),
            format!("bob 127.0.0.1: refused login : {no_admin}"),
            " 127.0.0.1: refused DELETE /api/v1/users/bob: a token is needed: Authorization: \
             Bearer TOKEN"
                .to_owned(),
            " 127.0.0.1: refused GET /api/v1/users: invalid token format or null token".to_owned(),
            format!("bob 127.0.0.1: refused PUT /api/v1/groups/MINE: {no_admin}"),
            " 127.0.0.1: refused DELETE /api/v1/users/bob: pages of another origin may not ask \
             for anything here"
                .to_owned(),
        ]
    );
}

#[tokio::test]
async fn no_secret_is_in_any_record_or_refusal() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let mut said = String::new();
    for (method, path, body) in [
        ("PUT", "/users/ann", json!({"password": ["s3cret"]})),
        ("PUT", "/users/ann", json!({"password": {"s3cret": 1}})),
        (
            "POST",
            "/login",
            json!({"username": "x", "password": 5, "pass": "s3cret"}),
        ),
        (
            "POST",
            "/login",
            json!({"username": {"x": "s3cret"}, "password": "s3cret"}),
        ),
        ("POST", "/tokens/inspect", json!({"token": "s3cret"})),
        ("PUT", "/users/_ADMIN", json!({"password": "s3cret"})),
        (
            "POST",
            "/provision",
            json!({"users": [{"username": "a/b", "password": "s3cret"}]}),
        ),
        (
            "POST",
            "/provision",
            json!({"users": [{"username": "a", "password": ["s3cret"]}]}),
        ),
    ] {
        let refused = admin.ask(method, path, &body).await;
        assert!((400..500).contains(&refused.status), "{}", refused.body);
        said.push_str(&refused.body.to_string());
    }
    let media_type = [("content-type", "application/json")];
    let broken = admin
        .send("PUT", "/users/ann", &media_type, "{\"password\": s3cret}")
        .await;
    said.push_str(&broken.body.to_string());
    said.push_str(&secure.records.take().join("\n"));
    assert!(
        !said.contains("s3cret") && !said.contains(ADMIN_PASSWORD),
        "{said}"
    );
    assert_eq!(
        admin.get("/users/ann").await.body["error"]["problems"],
        Value::Null
    );
}

#[tokio::test]
async fn of_a_long_address_only_the_beginning_is_recorded() {
    let secure = secure().await;
    let mut caller = Caller::of(&secure.server).await;
    caller.get(&format!("/users/{}", "x".repeat(10_000))).await;
    let records = secure.records.take();
    assert!(records.len() == 1 && records[0].len() < 400, "{records:?}");
}
