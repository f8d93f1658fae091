//! Rules of users and groups.

use serde_json::{Value, json};

use crate::support::{Caller, secure};

async fn rules(admin: &mut Caller, of: &str) -> Value {
    let answer = admin.get(&format!("/{of}/permissions")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["items"].clone()
}

#[tokio::test]
async fn rules_are_added_and_taken_away_action_by_action() {
    let secure = secure().await;
    secure.user("ann").await;
    let mut admin = secure.admin().await;
    admin.put("/groups/STAFF", &json!({})).await;
    for of in ["users/ann", "groups/STAFF"] {
        let place = format!("/{of}/permissions");
        let rule = json!({"path": "/a/*", "actions": ["get", "set", "*"], "prohibit": ["remove"]});
        assert_eq!(admin.put(&place, &rule).await.status, 204);
        let other = json!({"path": "/b", "actions": ["on"]});
        assert_eq!(admin.put(&place, &other).await.status, 204);

        let gone = admin.delete(&format!("{place}?path=/a/*&action=*")).await;
        assert_eq!(gone.status, 204, "{}", gone.body);
        let left = json!([
            {"path": "/a/*", "actions": ["get", "set"], "prohibit": ["remove"]},
            {"path": "/b", "actions": ["on"], "prohibit": []},
        ]);
        assert_eq!(
            rules(&mut admin, of).await,
            left,
            "only the rule that says *"
        );

        let query = "path=%2Fa%2F%2A&action=get&action=remove";
        assert_eq!(admin.delete(&format!("{place}?{query}")).await.status, 204);
        let left = json!([
            {"path": "/a/*", "actions": ["set"], "prohibit": []},
            {"path": "/b", "actions": ["on"], "prohibit": []},
        ]);
        assert_eq!(rules(&mut admin, of).await, left);

        assert_eq!(
            admin.delete(&format!("{place}?path=/a/*")).await.status,
            204
        );
        assert_eq!(
            admin
                .delete(&format!("{place}?path=/b&action=set"))
                .await
                .status,
            404
        );
        assert_eq!(
            admin.delete(&format!("{place}?path=/a/*")).await.status,
            404
        );
        let left = json!([{"path": "/b", "actions": ["on"], "prohibit": []}]);
        assert_eq!(rules(&mut admin, of).await, left);
    }
}

#[tokio::test]
async fn a_rule_that_is_not_valid_changes_nothing() {
    let secure = secure().await;
    secure.user("ann").await;
    let mut admin = secure.admin().await;
    let place = "/users/ann/permissions";
    for rule in [
        json!({"path": "/a", "actions": ["get", "fly"]}),
        json!({"path": "/a", "actions": []}),
        json!({"path": "/a"}),
        json!({"path": "", "actions": ["get"]}),
        json!({"path": "/a\n", "actions": ["get"]}),
        json!({"path": "/{{w}}", "actions": ["get"]}),
        json!({"path": "x".repeat(5000), "actions": ["get"]}),
        json!({"actions": ["get"]}),
        json!({"path": "/a", "actions": "get"}),
        json!({"path": "/a", "actions": ["get"], "prohibited": ["set"]}),
    ] {
        let refused = admin.put(place, &rule).await;
        assert_eq!(refused.refusal(), (400, "invalid"), "{rule}");
    }
    assert_eq!(rules(&mut admin, "users/ann").await, json!([]));
    let rule = json!({"path": "/a", "actions": ["get"]});
    for path in ["/users/nobody/permissions", "/groups/NONE/permissions"] {
        assert_eq!(admin.put(path, &rule).await.refusal(), (404, "not-found"));
        assert_eq!(admin.get(path).await.refusal(), (404, "not-found"));
    }
    let refused = admin.delete(place).await;
    assert_eq!(refused.message(), "the parameter path is missing");
}

#[tokio::test]
async fn a_rule_counts_at_once_in_sessions_that_are_logged_in() {
    let secure = secure().await;
    secure.user("ann").await;
    let ann = secure
        .client(&json!({"username": "ann", "password": "ann"}))
        .await;
    let mut admin = secure.admin().await;
    let rule = json!({"path": "/ann/*", "actions": ["get"]});
    assert_eq!(admin.put("/users/ann/permissions", &rule).await.status, 204);
    ann.hears("permission-upserted").await;
}
