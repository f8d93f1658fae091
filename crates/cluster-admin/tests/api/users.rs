//! Users and groups.

use serde_json::{Value, json};

use crate::support::{ADMIN_PASSWORD, Caller, secure};

#[tokio::test]
async fn a_user_is_made_shown_changed_and_removed() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    admin.put("/groups/STAFF", &json!({})).await;
    admin.put("/groups/NIGHT", &json!({})).await;
    let body = json!({
        "password": "s3cret", "groups": ["STAFF"], "custom_data": {"n": 1},
        "permissions": {"/ann/*": {"actions": ["get", "set"]}},
    });
    let made = admin.put("/users/ann", &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["username"], "ann");
    assert_eq!(made.body["groups"], json!(["STAFF"]));
    assert_eq!(made.body["custom_data"], json!({"n": 1}));
    assert!(made.body["created"].is_i64() && made.body["modified"].is_i64());
    assert!(!made.body.to_string().contains("s3cret"));

    let body = json!({"groups": ["NIGHT"], "publicKey": "k"});
    let changed = admin.put("/users/ann", &body).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.body["groups"], json!(["NIGHT"]), "exactly these");
    assert_eq!(changed.body["publicKey"], "k");
    assert_eq!(
        changed.body["custom_data"],
        json!({"n": 1}),
        "what is not said stays"
    );
    assert_eq!(admin.get("/users/ann").await.body, changed.body);

    let mut ann = Caller::of(&secure.server).await;
    let known = ann.try_log_in("ann", "s3cret").await;
    assert_eq!(known.status, 403, "the password still is hers");
    admin.put("/users/ann", &json!({"password": "other"})).await;
    assert_eq!(ann.try_log_in("ann", "s3cret").await.status, 401);

    let removed = admin.delete("/users/ann").await;
    assert_eq!((removed.status, removed.body), (204, Value::Null));
    for answer in [
        admin.get("/users/ann").await,
        admin.delete("/users/ann").await,
    ] {
        assert_eq!(answer.refusal(), (404, "not-found"));
        assert_eq!(answer.message(), "there is no user ann");
    }
}

#[tokio::test]
async fn a_user_is_made_completely_or_not_at_all() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    for (body, problem) in [
        (
            json!({}),
            "validation failure: no password or publicKey specified for a new user",
        ),
        (
            json!({"groups": []}),
            "validation failure: no password or publicKey specified for a new user",
        ),
        (json!({"password": ""}), ""),
        (
            json!({"password": "x", "groups": ["NONE", "a/b"]}),
            "the user cannot be in these groups",
        ),
        (
            json!({"password": "x", "permissions": {"/a": {"actions": ["fly"]}}}),
            "the permissions are not valid",
        ),
    ] {
        let refused = admin.put("/users/ann", &body).await;
        assert_eq!(refused.refusal(), (400, "invalid"), "{body}");
        assert!(refused.message().contains(problem), "{}", refused.body);
        assert_eq!(admin.get("/users/ann").await.status, 404, "{body}");
    }
    let refused = admin
        .put("/users/ann", &json!({"password": "x", "groups": ["NONE"]}))
        .await;
    assert_eq!(refused.problems(), ["there is no group NONE"]);
}

#[tokio::test]
async fn the_nodes_own_users_and_groups_stay() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let refused = admin.put("/users/_ADMIN", &json!({"password": "x"})).await;
    assert_eq!(refused.refusal(), (400, "invalid"));
    for path in [
        "/users/_ADMIN",
        "/groups/_ADMIN",
        "/users/_ADMIN/groups/_ADMIN",
    ] {
        let refused = admin.delete(path).await;
        assert_eq!(
            refused.refusal(),
            (409, "conflict"),
            "{path}: {}",
            refused.body
        );
    }
    let rule = json!({"path": "*", "prohibit": ["*"]});
    let refused = admin.put("/groups/_ADMIN/permissions", &rule).await;
    assert_eq!(refused.refusal(), (409, "conflict"));
    let mut again = Caller::of(&secure.server).await;
    again.log_in("_ADMIN", ADMIN_PASSWORD).await;
}

#[tokio::test]
async fn lists_are_by_mask_and_in_parts() {
    let secure = secure().await;
    for name in ["ann", "annabel", "bob", "joanna"] {
        secure.user(name).await;
    }
    let mut admin = secure.admin().await;
    let names = |answer: &Value| {
        let items = answer["items"].as_array().unwrap().clone();
        let name = |item: &Value| item["username"].as_str().unwrap().to_owned();
        items.iter().map(name).collect::<Vec<_>>()
    };
    for (query, expected, total) in [
        ("?name=ann", vec!["ann"], 1),
        ("?name=ann*", vec!["ann", "annabel"], 2),
        ("?name=*ann*", vec!["ann", "annabel", "joanna"], 3),
        ("?name=*ann*&skip=1&limit=1", vec!["annabel"], 3),
        ("?name=no%2Fbody", vec![], 0),
        ("?skip=9", vec![], 5),
    ] {
        let listed = admin.get(&format!("/users{query}")).await;
        assert_eq!(names(&listed.body), expected, "{query}");
        assert_eq!(listed.body["total"], total, "{query}");
    }
    let shown = admin.get("/users?name=_ADMIN").await;
    assert_eq!(shown.body["items"][0]["groups"], json!(["_ADMIN"]));
    assert!(!shown.body.to_string().contains("pbkdf2"), "{}", shown.body);
}

#[tokio::test]
async fn names_are_decoded_once_and_slashes_in_them_are_none() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let body = json!({"password": "x"});
    let made = admin.put("/users/j%C3%B6rg%20%2541", &body).await;
    assert_eq!(
        (made.status, &made.body["username"]),
        (201, &json!("jörg %41"))
    );
    assert_eq!(admin.get("/users/j%C3%B6rg%20%2541").await.status, 200);
    for path in [
        "/users/a%2Fb",
        "/users/a%2fgroups%2fSTAFF",
        "/users/%2e%2e%2fx",
    ] {
        let refused = admin.put(path, &body).await;
        assert_eq!(refused.refusal(), (400, "invalid"), "{path}");
        assert!(
            refused.message().contains("forward slash"),
            "{}",
            refused.body
        );
    }
    for path in ["/users/%zz", "/users/%ff", "/users/%"] {
        assert_eq!(admin.get(path).await.refusal(), (400, "invalid"), "{path}");
    }
    for path in [
        "/users//",
        "/users/",
        "//users",
        "/users/a/b",
        "/users/../users",
        "/nothing",
        "",
    ] {
        assert_eq!(
            admin.get(path).await.refusal(),
            (404, "not-found"),
            "{path}"
        );
    }
    assert_eq!(admin.get("/users/a%00b").await.refusal(), (400, "invalid"));
    let long = format!("/users/{}", "x".repeat(300));
    assert_eq!(admin.get(&long).await.refusal(), (400, "invalid"));
}

#[tokio::test]
async fn groups_are_made_shown_changed_and_removed() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let body = json!({"custom_data": {"n": 1}, "permissions": {"/s/*": {"actions": ["get"]}}});
    let made = admin.put("/groups/STAFF", &body).await;
    assert_eq!((made.status, &made.body["name"]), (201, &json!("STAFF")));
    let rules = json!({"permissions": {"/t": {"actions": ["on"]}}});
    let changed = admin.put("/groups/STAFF", &rules).await;
    assert_eq!(
        (changed.status, &changed.body["custom_data"]),
        (200, &json!({"n": 1}))
    );
    let rules = admin.get("/groups/STAFF/permissions").await.body;
    assert_eq!(
        rules["items"],
        json!([
            {"path": "/s/*", "actions": ["get"], "prohibit": []},
            {"path": "/t", "actions": ["on"], "prohibit": []},
        ])
    );
    let listed = admin.get("/groups?name=ST*").await;
    assert_eq!(
        (
            listed.body["items"][0]["name"].as_str(),
            &listed.body["total"]
        ),
        (Some("STAFF"), &json!(1))
    );

    secure.user("ann").await;
    assert_eq!(
        admin
            .put("/users/ann/groups/STAFF", &Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(
        admin.get("/users/ann").await.body["groups"],
        json!(["STAFF"])
    );
    for path in ["/users/nobody/groups/STAFF", "/users/ann/groups/NONE"] {
        assert_eq!(
            admin.put(path, &Value::Null).await.refusal(),
            (404, "not-found"),
            "{path}"
        );
        assert_eq!(
            admin.delete(path).await.refusal(),
            (404, "not-found"),
            "{path}"
        );
    }
    assert_eq!(admin.delete("/users/ann/groups/STAFF").await.status, 204);
    let refused = admin.delete("/users/ann/groups/STAFF").await;
    assert_eq!(
        refused.refusal(),
        (404, "not-found"),
        "she has left already"
    );

    assert_eq!(admin.delete("/groups/STAFF").await.status, 204);
    for answer in [
        admin.get("/groups/STAFF").await,
        admin.delete("/groups/STAFF").await,
        admin.get("/groups/STAFF/permissions").await,
    ] {
        assert_eq!(answer.refusal(), (404, "not-found"));
    }
    let refused = admin.put("/groups/MY_ADMIN", &json!({})).await;
    assert_eq!(refused.refusal(), (400, "invalid"));
}
