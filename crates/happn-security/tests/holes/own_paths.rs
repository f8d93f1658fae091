//! The node's own paths: users, hashes and secrets, the list of its nodes, what they tell each
//! other.

use serde_json::json;

use crate::house::{House, assert_ok, assert_refused, paths};

const OWN: [&str; 5] = [
    "/_SYSTEM/_SECURITY/_USER/bob",
    "/_SYSTEM/_SECURITY/SESSION_TOKEN_SECRET",
    "/SYSTEM/DEPLOYMENT/c/s/e",
    "/__REPLICATE",
    "/a",
];

/// A user who may do everything, as far as rules can say so.
async fn house() -> House {
    let everything = json!({
        "*": {"actions": ["*"]},
        "/_SYSTEM/*": {"actions": ["*"]},
        "/SYSTEM/DEPLOYMENT/*": {"actions": ["*"]},
        "/__REPLICATE": {"actions": ["*"]},
    });
    House::new(everything, &OWN).await
}

#[tokio::test]
async fn no_rule_opens_them_for_reading() {
    let mut bob = house().await.client("bob").await;
    for path in OWN.iter().filter(|path| **path != "/a") {
        assert_refused(&bob.get(path).await);
        assert_refused(&bob.count(path).await);
        assert_refused(&bob.on(&format!("/ALL@{path}")).await);
    }
    for mask in [
        "/_SYSTEM/*",
        "/_SYSTEM/_SECURITY/_USER/*",
        "/SYSTEM/DEPLOYMENT/*",
    ] {
        assert_refused(&bob.get(mask).await);
    }
}

#[tokio::test]
async fn a_mask_that_names_them_shows_nothing_of_them() {
    let mut bob = house().await.client("bob").await;
    for mask in ["*", "/*", "/_*", "/*/_SECURITY/*", "/S*"] {
        let found = paths(&bob.get(mask).await);
        assert!(found.iter().all(|path| path == "/a"), "{mask}: {found:?}");
    }
    assert_eq!(bob.count("*").await["data"]["value"], 1);
    let guess = json!({"secret": {"$regex": "^T"}});
    let asked = json!({"action": "count", "path": "/_*", "options": {"criteria": guess}});
    assert_eq!(bob.ask(asked).await["data"]["value"], 0);
    let pipeline = json!([{"$group": {"_id": "$path"}}]);
    let asked = json!({"action": "get", "path": "*", "options": {"aggregate": pipeline}});
    assert_eq!(
        bob.ask(asked).await["data"]["value"],
        json!([{"_id": "/a"}])
    );
}

#[tokio::test]
async fn nobody_writes_there_not_even_without_a_leading_slash() {
    let house = house().await;
    for user in ["bob", "admin"] {
        let mut client = house.client(user).await;
        for path in OWN.iter().filter(|path| **path != "/a") {
            assert_refused(&client.set(path).await);
            assert_refused(&client.set(&path[1..]).await);
            assert_refused(&client.ask(json!({"action": "remove", "path": path})).await);
        }
        let answer = client.ask(json!({"action": "remove", "path": "*"})).await;
        assert_ok(&answer);
    }
    let mut admin = house.client("admin").await;
    assert_eq!(paths(&admin.get("*").await).len(), OWN.len() - 1);
}

#[tokio::test]
async fn a_subscriber_of_everything_hears_nothing_of_them() {
    let house = house().await;
    let mut bob = house.client("bob").await;
    assert_ok(&bob.on("/ALL@*").await);
    let mut admin = house.client("admin").await;
    assert_ok(&admin.on("/ALL@*").await);
    for path in ["/__REPLICATE", "/_SYSTEM/x", "__REPLICATE", "/b"] {
        house.happens(path);
    }
    assert_eq!(bob.events(), ["/b"]);
    assert_eq!(admin.events().len(), 4);
}

#[tokio::test]
async fn administrators_may_read_them() {
    let house = house().await;
    let mut admin = house.client("admin").await;
    for path in OWN {
        let answer = admin.get(path).await;
        assert_eq!(answer["_meta"]["path"], path);
    }
    assert_eq!(paths(&admin.get("/_SYSTEM/*").await).len(), 2);
    assert_ok(&admin.on("/ALL@/__REPLICATE").await);
}
