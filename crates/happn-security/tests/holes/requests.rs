//! Requests that reached more than the rules say.

use serde_json::json;

use crate::house::{House, assert_ok, assert_refused, paths};

/// The rules of most tests: all below `/p`, but not `/p/secret`.
async fn house() -> House {
    let permissions = json!({
        "/p/*": {"actions": ["*"]},
        "/p/secret": {"prohibit": ["*"]},
    });
    House::new(permissions, &["/p/1", "/p/2", "/p/secret", "/q/1"]).await
}

#[tokio::test]
async fn count_needs_the_right_to_read_and_a_login() {
    let house = house().await;
    let mut bob = house.client("bob").await;
    assert_refused(&bob.count("/q/*").await);
    assert_refused(&bob.count("/p/secret").await);
    assert_eq!(bob.count("/p/*").await["data"]["value"], 2);
    assert_refused(&house.stranger().count("/p/*").await);
}

#[tokio::test]
async fn count_answers_no_questions_about_hidden_documents() {
    let mut bob = house().await.client("bob").await;
    let asked = json!({"action": "count", "path": "/p/*", "options": {"criteria": {"secret": {"$regex": "^T"}}}});
    assert_eq!(bob.ask(asked).await["data"]["value"], 2);
}

#[tokio::test]
async fn a_wildcard_get_leaves_prohibited_items_out() {
    let mut bob = house().await.client("bob").await;
    assert_eq!(paths(&bob.get("/p/*").await), ["/p/1", "/p/2"]);
    assert_eq!(paths(&bob.get("/p/s*").await), [""; 0]);
    assert_refused(&bob.get("/p/secret").await);
}

#[tokio::test]
async fn a_pipeline_sees_only_what_its_caller_may_see() {
    let mut bob = house().await.client("bob").await;
    let pipeline = json!([{"$group": {"_id": "$path"}}, {"$sort": {"_id": 1}}]);
    let asked = json!({"action": "get", "path": "/p/*", "options": {"aggregate": pipeline}});
    let rows = json!([{"_id": "/p/1"}, {"_id": "/p/2"}]);
    assert_eq!(bob.ask(asked).await["data"]["value"], rows);
    let asked = json!({"action": "get", "path": "/q/*", "options": {"aggregate": pipeline}});
    assert_refused(&bob.ask(asked).await);
}

#[tokio::test]
async fn a_wildcard_remove_keeps_prohibited_items() {
    let house = house().await;
    let mut bob = house.client("bob").await;
    let answer = bob.ask(json!({"action": "remove", "path": "/p/*"})).await;
    assert_eq!(answer["data"]["removed"], 2);
    let mut admin = house.client("admin").await;
    assert_eq!(paths(&admin.get("/p/*").await), ["/p/secret"]);
}

#[tokio::test]
async fn a_wildcard_subscription_delivers_no_prohibited_events_or_values() {
    let house = house().await;
    let mut bob = house.client("bob").await;
    let asked = json!({"action": "on", "path": "/ALL@/p/*", "options": {"initialCallback": true}});
    let answer = bob.ask(asked).await;
    assert_eq!(paths(&answer["data"]), ["/p/1", "/p/2"]);
    let mut admin = house.client("admin").await;
    for path in ["/p/secret", "/p/1", "p/secret"] {
        assert_ok(&admin.set(path).await);
    }
    assert_eq!(bob.events(), ["/p/1"]);
}

#[tokio::test]
async fn an_odd_action_does_not_hide_the_mask_from_the_rules() {
    let permissions = json!({"/*": {"actions": ["on"]}, "/secret": {"prohibit": ["on"]}});
    let house = House::new(permissions, &[]).await;
    let mut bob = house.client("bob").await;
    for channel in ["/set@/secret", "/*@/secret", "/ALL@/secret", "/SET@/secret"] {
        assert_refused(&bob.on(channel).await);
    }
    house.client("admin").await.set("/secret").await;
    assert_eq!(bob.events(), [""; 0]);
}

#[tokio::test]
async fn a_missing_leading_slash_does_not_get_around_a_prohibit() {
    let permissions = json!({"*": {"actions": ["*"]}, "/p/*": {"prohibit": ["on", "set"]}});
    let mut bob = House::new(permissions, &[]).await.client("bob").await;
    assert_refused(&bob.on("/ALL@p/*").await);
    // Subscribers of /p/1 would take it for theirs.
    assert_refused(&bob.set("p/1").await);
    assert_ok(&bob.set("q/1").await);
}

#[tokio::test]
async fn a_nested_subscription_needs_the_right_to_subscribe() {
    let permissions = json!({"/x/*": {"actions": ["get"]}, "/y/1": {"actions": ["on"]}});
    let house = House::new(permissions, &["/x/1"]).await;
    let mut bob = house.client("bob").await;
    assert_refused(&bob.on("/ALL@/x/**").await);
    assert_ok(&bob.on("/ALL@/**").await);
    let mut admin = house.client("admin").await;
    for path in ["/x/1", "/y/1", "/y/2"] {
        admin.set(path).await;
    }
    assert_eq!(bob.events(), ["/y/1"]);
    assert_eq!(paths(&bob.get("/**").await), ["/x/1"]);
}

#[tokio::test]
async fn a_nested_request_with_a_wildcard_in_the_middle_is_one_like_any_other() {
    let permissions = json!({"/x/1/a": {"actions": ["get", "on"]}});
    let house = House::new(permissions, &["/x/1/a", "/x/2/a", "/x/1/b"]).await;
    let mut bob = house.client("bob").await;
    assert_eq!(paths(&bob.get("/**/a").await), ["/x/1/a"]);
    assert_refused(&bob.get("/**/c").await);
}

#[tokio::test]
async fn a_mask_is_covered_to_the_last_path_it_names() {
    // As text, the rule covers the mask; a store lets the star cross segments, the rule does not.
    let permissions = json!({"/w/*/y/z": {"actions": ["get"]}});
    let house = House::new(permissions, &["/w/1/y/z", "/w/1/2/y/z"]).await;
    let mut bob = house.client("bob").await;
    assert_eq!(paths(&bob.get("/w/*/y/z").await), ["/w/1/y/z"]);
    assert_refused(&bob.get("/w/1/2/y/z").await);
}
