//! Tokens: made, looked at, taken away and given back.

use serde_json::{Value, json};

use crate::support::{Caller, secure};

async fn token_of(admin: &mut Caller, body: &Value) -> String {
    let issued = admin.post("/tokens", body).await;
    assert_eq!(issued.status, 201, "{}", issued.body);
    issued.body["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_is_made_for_somebody_who_can_log_in_with_it() {
    let secure = secure().await;
    secure.user("ann").await;
    let mut admin = secure.admin().await;
    let issued = admin
        .post("/tokens", &json!({"username": "ann", "ttl": "8 hours"}))
        .await;
    assert_eq!(
        (issued.status, &issued.body["username"]),
        (201, &json!("ann"))
    );
    let token = &issued.body["token"];
    let ann = secure.client(&json!({ "token": token })).await;
    assert_eq!(ann.session.username().as_deref(), Some("ann"));
    let facts = admin
        .post("/tokens/inspect", &json!({ "token": token }))
        .await
        .body;
    let lifetime = facts["expires"].as_i64().unwrap() - facts["issued"].as_i64().unwrap();
    assert_eq!(lifetime, 8 * 3_600_000);
    assert_eq!(facts["expires"], issued.body["expires"]);
    assert_eq!(
        (&facts["origin"], &facts["username"]),
        (&json!("test"), &json!("ann"))
    );
    assert_eq!(
        (&facts["revoked"], &facts["userExists"]),
        (&json!(false), &json!(true))
    );
    assert!(
        !facts.to_string().contains(token.as_str().unwrap()),
        "never the secret"
    );

    let forever = admin.post("/tokens", &json!({"username": "ann"})).await;
    assert_eq!(forever.body["expires"], Value::Null, "as a login of hers");
    let unknown = admin.post("/tokens", &json!({"username": "nobody"})).await;
    assert_eq!(unknown.refusal(), (404, "not-found"));
    for ttl in [json!("soon"), json!(-1), json!([])] {
        let refused = admin
            .post("/tokens", &json!({"username": "ann", "ttl": ttl}))
            .await;
        assert_eq!(refused.refusal(), (400, "invalid"), "{ttl}");
    }
    for text in ["", "a.b.c", "x"] {
        let refused = admin
            .post("/tokens/inspect", &json!({ "token": text }))
            .await;
        assert_eq!(refused.refusal(), (400, "invalid"), "{text}");
    }
    secure.directory.delete_user("ann").await.unwrap();
    let facts = admin
        .post("/tokens/inspect", &json!({ "token": token }))
        .await
        .body;
    assert_eq!(facts["userExists"], false);
}

#[tokio::test]
async fn a_revoked_token_is_refused_until_it_is_restored() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let mut other = Caller::of(&secure.server).await;
    other.token = token_of(&mut admin, &json!({"username": "_ADMIN"})).await;
    assert_eq!(other.get("/users").await.status, 200);
    for by_id in [false, true] {
        let body = json!({"token": other.token, "reason": "lost"});
        assert_eq!(admin.post("/tokens/revoked", &body).await.status, 204);
        assert_eq!(other.get("/users").await.refusal(), (401, "unauthorized"));

        let listed = admin.get("/tokens/revoked").await.body;
        let item = &listed["items"][0];
        assert_eq!(
            (&listed["total"], &item["reason"]),
            (&json!(1), &json!("lost"))
        );
        assert_eq!(
            (&item["username"], &item["until"]),
            (&json!("_ADMIN"), &Value::Null)
        );
        assert!(
            !listed.to_string().contains(&other.token),
            "a restored token would work"
        );

        let body = match by_id {
            true => json!({"id": item["id"]}),
            false => json!({"token": other.token}),
        };
        assert_eq!(
            admin.ask("DELETE", "/tokens/revoked", &body).await.status,
            204
        );
        assert_eq!(other.get("/users").await.status, 200);
        let again = admin.ask("DELETE", "/tokens/revoked", &body).await;
        assert_eq!(again.refusal(), (404, "not-found"));
    }
    for body in [json!({}), json!({"id": "x", "token": "y"})] {
        let refused = admin.ask("DELETE", "/tokens/revoked", &body).await;
        assert_eq!(refused.refusal(), (400, "invalid"), "{body}");
    }
    let long = json!({"token": other.token, "reason": "x".repeat(2000)});
    assert_eq!(
        admin.post("/tokens/revoked", &long).await.refusal(),
        (400, "invalid")
    );
}

#[tokio::test]
async fn an_administrator_can_log_out() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let body = json!({"token": admin.token});
    assert_eq!(admin.post("/tokens/revoked", &body).await.status, 204);
    assert_eq!(admin.get("/users").await.refusal(), (401, "unauthorized"));
}
