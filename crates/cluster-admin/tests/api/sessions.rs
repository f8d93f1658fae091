//! Who is logged in, and ending that.

use serde_json::json;

use crate::support::secure;

#[tokio::test]
async fn sessions_of_this_node_are_listed_with_what_is_known_of_them() {
    let secure = secure().await;
    secure.user("ann").await;
    secure.user("bob").await;
    let before = secure.node.clock().wall_ms();
    let info = json!({"name": "desk"});
    let ann = json!({"username": "ann", "password": "ann", "info": info});
    let ann = secure.client(&ann).await;
    let _bob = secure
        .client(&json!({"username": "bob", "password": "bob"}))
        .await;
    let mut admin = secure.admin().await;
    let all = admin.get("/sessions").await;
    assert_eq!(all.body["total"], 2, "{}", all.body);
    let hers = admin.get("/sessions?user=ann").await;
    assert_eq!(hers.body["total"], 1);
    let session = &hers.body["items"][0];
    let since = session["since"].as_i64().unwrap();
    assert!(
        (before - 1000..=secure.node.clock().wall_ms()).contains(&since),
        "{session}"
    );
    let expected = json!({
        "id": ann.id(), "username": "ann", "authType": "password", "address": "10.1.2.3",
        "since": since, "protocol": "happn_4", "info": session["info"],
    });
    assert_eq!(*session, expected);
    assert_eq!(session["info"]["name"], "desk");
    let page = admin.get("/sessions?limit=1&skip=1").await;
    assert_eq!(page.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_that_is_ended_takes_its_token_and_its_children_with_it() {
    let secure = secure().await;
    secure.user("ann").await;
    let ann = secure
        .client(&json!({"username": "ann", "password": "ann"}))
        .await;
    let mut admin = secure.admin().await;
    let issued = secure.authority.sessions();
    assert_eq!(issued.len(), 1);
    let token = {
        let facts = admin.post("/tokens", &json!({"username": "ann"})).await;
        facts.body["token"].as_str().unwrap().to_owned()
    };
    let child = secure.client(&json!({ "token": token })).await;
    let sibling = secure.client(&json!({ "token": token })).await;
    let listed = admin.get("/sessions?user=ann").await;
    assert_eq!(listed.body["items"][1]["authType"], "token");

    let ended = admin.delete(&format!("/sessions/{}", child.id())).await;
    assert_eq!(ended.status, 204, "{}", ended.body);
    child.hears("token-revoked").await;
    sibling.hears("token-revoked").await;
    let facts = admin
        .post("/tokens/inspect", &json!({ "token": token }))
        .await;
    assert_eq!(facts.body["revoked"], true);

    assert_eq!(
        admin
            .delete(&format!("/sessions/{}", ann.id()))
            .await
            .status,
        204
    );
    ann.hears("token-revoked").await;
    let refused = admin.delete("/sessions/no-such-session").await;
    assert_eq!(refused.refusal(), (404, "not-found"));
}

#[tokio::test]
async fn a_token_that_must_not_be_revoked_keeps_its_session() {
    let secure = crate::support::secure_with(|setup| {
        setup.authority.allow_revoking_without_ttl = false;
    })
    .await;
    secure.user("ann").await;
    let ann = secure
        .client(&json!({"username": "ann", "password": "ann"}))
        .await;
    let mut admin = secure.admin().await;
    let refused = admin.delete(&format!("/sessions/{}", ann.id())).await;
    assert_eq!(refused.refusal(), (409, "conflict"), "{}", refused.body);
    assert!(refused.message().contains("ttl"), "{}", refused.body);
}
