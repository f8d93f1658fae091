//! Lookup tables and the permissions that ask them.

use serde_json::{Value, json};

use crate::support::secure;

#[tokio::test]
async fn tables_are_filled_shown_emptied_and_removed() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let made = admin
        .put("/lookup-tables/DEVICES", &json!({"paths": ["/device/1"]}))
        .await;
    assert_eq!(
        (made.status, &made.body["paths"]),
        (201, &json!(["device/1"]))
    );
    let more = admin
        .put("/lookup-tables/DEVICES", &json!({"paths": ["device/2"]}))
        .await;
    assert_eq!(
        (more.status, &more.body["paths"]),
        (200, &json!(["device/1", "device/2"]))
    );
    let path = json!({"path": "/device/3"});
    assert_eq!(
        admin
            .put("/lookup-tables/DEVICES/paths", &path)
            .await
            .status,
        204
    );
    let removed = admin
        .delete("/lookup-tables/DEVICES/paths?path=/device/1")
        .await;
    assert_eq!(removed.status, 204);
    let removed = admin
        .delete("/lookup-tables/DEVICES/paths?path=/device/1")
        .await;
    assert_eq!(removed.refusal(), (404, "not-found"));
    let shown = admin.get("/lookup-tables/DEVICES").await;
    assert_eq!(
        shown.body,
        json!({"name": "DEVICES", "paths": ["device/2", "device/3"]})
    );
    let listed = admin.get("/lookup-tables").await;
    assert_eq!(listed.body, json!({"items": ["DEVICES"], "total": 1}));
    assert_eq!(admin.delete("/lookup-tables/DEVICES").await.status, 204);
    for answer in [
        admin.get("/lookup-tables/DEVICES").await,
        admin.delete("/lookup-tables/DEVICES").await,
    ] {
        assert_eq!(answer.refusal(), (404, "not-found"));
    }
}

#[tokio::test]
async fn lookup_permissions_are_granted_shown_and_revoked() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    admin.put("/groups/STAFF", &json!({})).await;
    let place = "/groups/STAFF/lookup-permissions";
    let permission = |regex: &str| json!({"table": "DEVICES", "regex": regex, "actions": ["get"], "path": "/device/{{$1}}"});
    for regex in ["^/a/(.*)", "^/b/(.*)"] {
        assert_eq!(admin.put(place, &permission(regex)).await.status, 204);
    }
    let listed = admin.get(place).await;
    assert_eq!(
        listed.body["items"],
        json!([permission("^/a/(.*)"), permission("^/b/(.*)")])
    );
    let query = "table=DEVICES&regex=%5E%2Fa%2F%28.%2A%29&path=%2Fdevice%2F%7B%7B%241%7D%7D";
    assert_eq!(admin.delete(&format!("{place}?{query}")).await.status, 204);
    assert_eq!(
        admin.delete(&format!("{place}?{query}")).await.refusal(),
        (404, "not-found")
    );
    assert_eq!(
        admin.delete(&format!("{place}?table=DEVICES")).await.status,
        204
    );
    assert_eq!(admin.get(place).await.body["items"], json!([]));

    for wrong in [
        json!({"table": "D", "regex": "(", "actions": ["get"], "path": "/x"}),
        json!({"table": "D", "regex": "(?=a)", "actions": ["get"], "path": "/x"}),
        json!({"table": "a/b", "regex": "a", "actions": ["get"], "path": "/x"}),
        json!({"table": "D", "regex": "a", "actions": ["fly"], "path": "/x"}),
        json!({"table": "D", "regex": "a", "actions": ["get"]}),
    ] {
        assert_eq!(
            admin.put(place, &wrong).await.refusal(),
            (400, "invalid"),
            "{wrong}"
        );
    }
    let unknown = admin
        .put("/groups/NONE/lookup-permissions", &permission("^/a/(.*)"))
        .await;
    assert_eq!(unknown.refusal(), (404, "not-found"));
}

#[tokio::test]
async fn a_table_and_a_group_of_one_name_are_a_conflict() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    admin.put("/groups/BOTH", &json!({})).await;
    let refused = admin
        .put("/lookup-tables/BOTH", &json!({"paths": ["/x"]}))
        .await;
    assert_eq!(refused.refusal(), (409, "conflict"));
    for paths in [json!([]), json!([""]), json!(["a\nb"])] {
        let refused = admin
            .put("/lookup-tables/T", &json!({ "paths": paths }))
            .await;
        assert_eq!(refused.refusal(), (400, "invalid"), "{paths}");
    }
    assert_eq!(
        admin.get("/lookup-tables").await.body["items"],
        json!([]) as Value
    );
}
