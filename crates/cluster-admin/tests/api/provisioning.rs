//! A whole file at once.

use serde_json::json;

use crate::support::secure;

#[tokio::test]
async fn a_file_is_applied_once_and_again_changes_nothing() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let file = json!({
        "groups": [{"name": "STAFF", "permissions": {"/staff/*": {"actions": ["get"]}}}],
        "users": [{"username": "ann", "password": "s3cret", "groups": ["STAFF"]}],
        "lookupTables": [{"name": "DEVICES", "paths": ["/device/1"]}],
    });
    let applied = admin.post("/provision", &file).await;
    assert_eq!(applied.status, 200, "{}", applied.body);
    let changed = applied.body["changed"].as_array().unwrap();
    assert_eq!(
        changed[0],
        json!({"kind": "group", "name": "STAFF", "change": "made"})
    );
    assert_eq!(changed.len(), 4);
    assert_eq!(
        admin.get("/users/ann").await.body["groups"],
        json!(["STAFF"])
    );
    let again = admin.post("/provision", &file).await;
    assert_eq!((again.status, &again.body["changed"]), (200, &json!([])));
}

#[tokio::test]
async fn a_file_with_errors_is_answered_with_all_of_them_and_writes_nothing() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let file = json!({
        "groups": [{"name": "GOOD"}],
        "users": [
            {"username": "ann", "password": "s3cret", "groups": ["NONE"]},
            {"username": "bob"},
        ],
    });
    secure.records.take();
    let refused = admin.post("/provision", &file).await;
    assert_eq!(refused.refusal(), (400, "invalid"));
    assert_eq!(
        refused.problems(),
        [
            "users[0].groups[0]: there is no group NONE, neither here nor stored",
            "users[1]: validation failure: no password or publicKey specified for a new user",
        ]
    );
    let shapes = json!({"users": [{"username": "ann", "pasword": "s3cret"}, 1], "gruops": []});
    let refused = admin.post("/provision", &shapes).await;
    assert_eq!(refused.problems().len(), 3, "{}", refused.body);
    assert!(!refused.body.to_string().contains("s3cret"));
    assert_eq!(admin.get("/groups/GOOD").await.status, 404);
    assert_eq!(admin.get("/users").await.body["total"], 1);
    assert_eq!(
        secure.records.take(),
        Vec::<String>::new(),
        "nothing was changed"
    );
}
