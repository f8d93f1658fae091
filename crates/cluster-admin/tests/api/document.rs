//! The document and what is really answered.

use serde_json::{Value, json};

use crate::support::{Caller, secure};

const VERBS: [&str; 4] = ["GET", "PUT", "POST", "DELETE"];

#[tokio::test]
async fn every_route_of_the_document_is_answered_and_no_other_verb_is() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let document = admin.get("/openapi.json").await.body;
    let mut stranger = Caller::of(&secure.server).await;
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 15);
    for (path, operations) in paths {
        let place = path
            .replace("{name}", "n")
            .replace("{group}", "g")
            .replace("{id}", "i");
        for verb in VERBS {
            let operation = &operations[verb.to_lowercase()];
            let needs_token = operation["security"] != json!([]);
            let answer = stranger.ask(verb, &place, &Value::Null).await;
            match (operation.is_null(), needs_token) {
                (true, _) => assert_eq!(answer.status, 405, "{verb} {place}"),
                (false, true) => assert_eq!(answer.status, 401, "{verb} {place}"),
                (false, false) => assert!([200, 415].contains(&answer.status), "{verb} {place}"),
            }
            if operation.is_null() {
                continue;
            }
            let body = &operation["requestBody"];
            let answer = admin.ask(verb, &place, &Value::Null).await;
            match body.is_null() {
                true => assert_ne!(answer.status, 405, "{verb} {place}"),
                false => assert_eq!(answer.status, 415, "{verb} {place}"),
            }
        }
    }
}

/// Answers are what the document says they are.
#[tokio::test]
async fn answers_have_the_shapes_of_the_document() {
    let secure = secure().await;
    secure.user("ann").await;
    let _ann = secure
        .client(&json!({"username": "ann", "password": "ann"}))
        .await;
    let mut admin = secure.admin().await;
    let document = admin.get("/openapi.json").await.body;
    let file = json!({
        "groups": [{"name": "STAFF", "custom_data": 1, "permissions": {"/s": {"actions": ["on"]}}}],
        "users": [{"username": "ann", "publicKey": "k", "groups": ["STAFF"], "custom_data": {}}],
        "lookupTables": [{"name": "DEVICES", "paths": ["/d"], "permissions": [
            {"group": "STAFF", "regex": "^/a", "actions": ["get"], "path": "/d"}
        ]}],
    });
    let token = admin
        .post("/tokens", &json!({"username": "ann"}))
        .await
        .body["token"]
        .clone();
    let by_token = json!({ "token": token });
    admin.post("/tokens/revoked", &by_token).await;
    for (verb, path, shown, body) in [
        ("post", "/provision", "/provision", file),
        ("get", "/users", "/users", Value::Null),
        ("get", "/users/{name}", "/users/ann", Value::Null),
        (
            "put",
            "/users/{name}",
            "/users/ann",
            json!({"password": "x"}),
        ),
        ("get", "/groups", "/groups", Value::Null),
        ("put", "/groups/{name}", "/groups/STAFF", json!({})),
        (
            "get",
            "/groups/{name}/permissions",
            "/groups/STAFF/permissions",
            Value::Null,
        ),
        (
            "get",
            "/groups/{name}/lookup-permissions",
            "/groups/STAFF/lookup-permissions",
            Value::Null,
        ),
        ("get", "/lookup-tables", "/lookup-tables", Value::Null),
        (
            "get",
            "/lookup-tables/{name}",
            "/lookup-tables/DEVICES",
            Value::Null,
        ),
        ("get", "/sessions", "/sessions", Value::Null),
        ("post", "/tokens", "/tokens", json!({"username": "ann"})),
        (
            "post",
            "/tokens/inspect",
            "/tokens/inspect",
            by_token.clone(),
        ),
        ("get", "/tokens/revoked", "/tokens/revoked", Value::Null),
    ] {
        let answer = admin.ask(&verb.to_uppercase(), shown, &body).await;
        assert!(answer.status < 300, "{verb} {shown}: {}", answer.body);
        let response = &document["paths"][path][verb]["responses"][answer.status.to_string()];
        let schema = &response["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{verb} {path} {}", answer.status);
        check(&document, schema, &answer.body, shown);
    }
}

/// As much of JSON Schema as the document uses.
fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return check(
            document,
            &document["components"]["schemas"][name],
            value,
            place,
        );
    }
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    };
    match &schema["type"] {
        Value::Null => {}
        Value::Array(kinds) => assert!(kinds.iter().any(|it| is(it.as_str().unwrap())), "{place}"),
        kind => assert!(is(kind.as_str().unwrap()), "{place}: {value} is no {kind}"),
    }
    if let Some(items) = value.as_array() {
        assert!(
            !items.is_empty() || place.contains("prohibit"),
            "{place} shows nothing"
        );
        for item in items {
            check(document, &schema["items"], item, &format!("{place}[]"));
        }
    }
    let (Some(members), Some(known)) = (value.as_object(), schema["properties"].as_object()) else {
        return;
    };
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(
            members.contains_key(required.as_str().unwrap()),
            "{place}: no {required}"
        );
    }
    for (name, value) in members {
        let known = known.get(name);
        let known = known.unwrap_or_else(|| panic!("{place}: {name} is not in the document"));
        check(document, known, value, &format!("{place}.{name}"));
    }
}
