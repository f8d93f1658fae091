//! What a secure node asks of its authority, and what it makes of the answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing test may panic"
)]

mod guard;
#[allow(dead_code, reason = "shared with other tests")]
mod kit;

use guard::{Guard, secure_node};
use happn_core::{Drained, Ending, SessionEvents};
use kit::Client;
use serde_json::{Value, json};

async fn logged_in(guard: &Guard, username: &str) -> Client {
    let mut client = Client::of(&guard.node());
    log_in(&mut client, username).await;
    client
}

async fn log_in(client: &mut Client, username: &str) -> Value {
    let data = json!({"username": username, "info": {"clusterName": "c", "name": "n"}});
    client.call("login", "", &data.to_string(), "{}").await
}

fn error(answer: &Value) -> &Value {
    &answer["_meta"]["error"]
}

/// The paths that a `get` of a mask answers.
async fn found(client: &mut Client, mask: &str, options: &str) -> Vec<String> {
    client.request("get", mask, "null", options);
    paths(&client.next().await)
}

fn paths(answer: &Value) -> Vec<String> {
    let items = answer.as_array().unwrap().iter();
    let paths = items.filter_map(|item| item["_meta"]["path"].as_str());
    paths.map(str::to_owned).collect()
}

#[tokio::test]
async fn before_a_login_nothing_of_the_data_is_touched_and_the_session_ends() {
    let guard = secure_node();
    for action in ["get", "set", "remove", "on", "count"] {
        let mut client = Client::of(&guard.node());
        let answer = client.call(action, "/a", "{}", "{}").await;
        assert_eq!(
            *error(&answer),
            json!({"name": "AccessDenied", "code": 403, "message": "no policy attached to session"}),
            "{action}"
        );
        let told = client.next().await;
        assert_eq!(told["eventKey"], "server-side-disconnect", "{action}");
        assert_eq!(told["data"]["reason"], "no-session-policy", "{action}");
    }
    let mut client = Client::of(&guard.node());
    let answer = client
        .call("get", "/a", "null", r#"{"onBehalfOf":"bob"}"#)
        .await;
    assert_eq!(error(&answer)["code"], 403);
}

#[tokio::test]
async fn who_is_no_node_of_the_cluster_after_all_is_sent_away_from_a_secure_node_only() {
    let guard = secure_node();
    let mut claimant = logged_in(&guard, "_ADMIN").await;
    guard.node().refuse(claimant.session.id());
    let told = claimant.next().await;
    assert_eq!(told["eventKey"], "server-side-disconnect");
    let ended = claimant.session.outbox().drain(&mut Vec::new());
    assert_eq!(ended, Drained::Ended(Ending::Final));

    let open = kit::node();
    let mut claimant = Client::of(&open);
    log_in(&mut claimant, "_ADMIN").await;
    open.refuse(claimant.session.id());
    assert!(claimant.rest().is_empty());
}

/// A node's session, logged in with a numbered link.
async fn link_of(guard: &Guard) -> Client {
    let mut link = Client::of(&guard.node());
    let login = r#"{"username":"_ADMIN","info":{"clusterName":"c","name":"n","link":{"version":1,"masks":1}}}"#;
    link.call("login", "", login, "{}").await;
    link
}

#[tokio::test]
async fn a_node_hears_what_it_may_subscribe_to_and_a_refusal_changes_nothing() {
    let guard = secure_node();
    let mut link = link_of(&guard).await;
    guard.refuse("/b");
    let both = r#"{"add":["/a","/b"]}"#;
    let answer = link.call("interest", "", both, "{}").await;
    assert_eq!(error(&answer)["code"], 403);
    let mut publisher = logged_in(&guard, "ann").await;
    let options = r#"{"noStore":true}"#;
    publisher.call("set", "/a", "{}", options).await;
    assert!(link.rest().is_empty());
    guard.allow("/b");
    guard.be_slow();
    link.call("interest", "", both, "{}").await;
    publisher.call("set", "/b", "{}", options).await;
    let heard = link.rest();
    assert_eq!(heard[0]["link"]["path"], "/b", "{heard:?}");
}

#[tokio::test]
async fn what_needs_no_data_is_answered_before_a_login() {
    let guard = secure_node();
    let mut client = Client::of(&guard.node());
    for action in ["describe", "off", "ack", "disconnect-child-sessions"] {
        let answer = client.call(action, "/ALL@/a", "null", "{}").await;
        assert_eq!(answer["_meta"]["status"], "ok", "{action}");
    }
    let answer = client.call("revoke-token", "", "null", "{}").await;
    assert_eq!(error(&answer)["message"], "token not defined");
}

#[tokio::test]
async fn a_refusal_reaches_the_client_with_its_reason_and_may_end_the_session() {
    let guard = secure_node();
    let mut client = logged_in(&guard, "bob").await;
    guard.refuse("/secret");
    for action in ["get", "set", "remove", "on", "count"] {
        let answer = client.call(action, "/secret", "{}", "{}").await;
        assert_eq!(error(&answer)["message"], "unauthorized", "{action}");
    }
    guard.expire();
    let answer = client.call("get", "/open", "null", "{}").await;
    assert_eq!(error(&answer)["message"], "expired session token");
    assert_eq!(client.next().await["data"]["reason"], "token-expired");
}

#[tokio::test]
async fn a_refused_login_leaves_the_earlier_one() {
    let guard = secure_node();
    let mut client = logged_in(&guard, "bob").await;
    let answer = log_in(&mut client, "nobody").await;
    assert_eq!(
        *error(&answer),
        json!({"name": "AccessDenied", "code": 401, "message": "Invalid credentials"})
    );
    let answer = client.call("set", "/a", "1", "{}").await;
    assert_eq!(answer["_meta"]["modifiedBy"], "bob");
}

#[tokio::test]
async fn decisions_that_take_time_keep_the_order_of_writes() {
    let guard = secure_node();
    let mut client = logged_in(&guard, "bob").await;
    guard.be_slow();
    for number in 0..20 {
        client.call("set", "/a", &number.to_string(), "{}").await;
    }
    let answer = client.call("get", "/a", "null", "{}").await;
    assert_eq!(answer["data"]["value"], 19);
}

#[tokio::test]
async fn events_and_documents_name_who_wrote_them() {
    let guard = secure_node();
    let mut client = logged_in(&guard, "bob").await;
    client.on("/ALL@/a", "{}").await;
    let answer = client
        .call("set", "/a", "1", r#"{"modifiedBy":"somebody else"}"#)
        .await;
    assert_eq!(answer["_meta"]["modifiedBy"], "bob");
    let event = client.next().await;
    let id = client.session.id().to_string();
    assert_eq!(
        event["_meta"]["eventOrigin"],
        json!({"username": "bob", "id": id})
    );
}

#[tokio::test]
async fn what_is_done_for_somebody_else_is_decided_and_signed_as_him() {
    let guard = secure_node();
    let mut client = logged_in(&guard, "bob").await;
    client.on("/ALL@/a", "{}").await;
    let options = r#"{"onBehalfOf":"mary"}"#;
    let answer = client.call("set", "/a", "1", options).await;
    assert_eq!(answer["_meta"]["modifiedBy"], "mary");
    let event = client.next().await;
    let hidden = json!({"username": "mary", "id": "hidden-mary"});
    assert_eq!(event["_meta"]["eventOrigin"], hidden);
    assert_eq!(event["_meta"]["sessionId"], "hidden-mary");
    assert_eq!(event["_meta"]["publicationId"], "hidden-mary-3");
    let answer = client
        .call("set", "/a", "2", r#"{"onBehalfOf":"nobody"}"#)
        .await;
    assert_eq!(error(&answer)["reason"], "on behalf of user does not exist");
    let answer = client
        .call("set", "/a", "3", r#"{"onBehalfOf":"_ADMIN"}"#)
        .await;
    assert_eq!(answer["_meta"]["modifiedBy"], "bob");
}

#[tokio::test]
async fn a_mask_shows_only_what_the_session_may_see() {
    let guard = secure_node();
    let mut client = logged_in(&guard, "bob").await;
    for path in ["/p/1", "/p/2", "/p/3", "/p/4"] {
        client.call("set", path, "{}", "{}").await;
    }
    guard.hide("/p/2");
    let seen = found(&mut client, "/p/*", "{}").await;
    assert_eq!(seen, ["/p/1", "/p/3", "/p/4"]);
    let options = r#"{"sort":{"path":1},"options":{"skip":1,"limit":1}}"#;
    assert_eq!(found(&mut client, "/p/*", options).await, ["/p/3"]);
    let answer = client.call("count", "/p/*", "null", "{}").await;
    assert_eq!(answer["data"]["value"], 3);
    let options = r#"{"aggregate":[{"$sort":{"path":1}},{"$project":{"path":1,"_id":0}}]}"#;
    let answer = client.call("get", "/p/*", "null", options).await;
    let seen = json!([{"path": "/p/1"}, {"path": "/p/3"}, {"path": "/p/4"}]);
    assert_eq!(answer["data"]["value"], seen);
    let answer = client.on("/ALL@/p/*", r#"{"initialCallback":true}"#).await;
    assert_eq!(paths(&answer["data"]), ["/p/1", "/p/3", "/p/4"]);
    client.call("set", "/p/2", "{}", "{}").await;
    client.call("set", "/p/1", "{}", "{}").await;
    let events = client.rest();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["_meta"]["path"], "/p/1");
    let answer = client.call("remove", "/p/*", "null", "{}").await;
    assert_eq!(answer["data"]["removed"], 3);
    let answer = client.call("get", "/p/2", "null", "{}").await;
    assert_eq!(answer["_meta"]["path"], "/p/2");
}

#[tokio::test]
async fn a_subscription_with_an_odd_prefix_is_refused() {
    let guard = secure_node();
    guard.refuse("/secret");
    let mut client = logged_in(&guard, "bob").await;
    for odd in [
        "/set@/open",
        "/*@/open",
        "SET@/open",
        "/x@*",
        "/open",
        "/set@/secret",
    ] {
        let answer = client.on(odd, "{}").await;
        assert_eq!(error(&answer)["code"], 403, "{odd}");
    }
    for path in ["/open", "/secret"] {
        guard.allow(path);
        client.call("set", path, "{}", "{}").await;
    }
    assert_eq!(client.rest(), [json!(null); 0]);
    assert_eq!(client.on("/SET@/open", "{}").await["_meta"]["status"], "ok");
}

#[tokio::test]
async fn a_pipeline_reaches_no_other_documents() {
    let guard = secure_node();
    let mut client = logged_in(&guard, "bob").await;
    client.call("set", "/p/1", "{}", "{}").await;
    client.call("set", "/p/2", "{}", "{}").await;
    guard.hide("/p/2");
    let join = r#"{"from":"happn","localField":"_id","foreignField":"_id","as":"all"}"#;
    for stage in [
        format!(r#"{{"$lookup":{join}}}"#),
        r#"{"$unionWith":"happn"}"#.to_owned(),
        r#"{"$out":"other"}"#.to_owned(),
        r#"{"$merge":"other"}"#.to_owned(),
        r#"{"$facet":{"all":[{"$unionWith":"happn"}]}}"#.to_owned(),
    ] {
        let options = format!(r#"{{"aggregate":[{stage}]}}"#);
        let answer = client.call("get", "/p/*", "null", &options).await;
        assert_eq!(answer["_meta"]["status"], "error", "{stage}");
    }
    let options = r#"{"aggregate":[{"$group":{"_id":null,"n":{"$sum":1}}}]}"#;
    let answer = client.call("get", "/p/*", "null", options).await;
    assert_eq!(answer["data"]["value"], json!([{"_id": null, "n": 1}]));
}

#[tokio::test]
async fn subscriptions_that_may_not_stay_end_silently_and_others_are_narrowed() {
    let guard = secure_node();
    let mut client = logged_in(&guard, "bob").await;
    for channel in ["/ALL@/a", "/ALL@/b", "/ALL@/p/*"] {
        client.on(channel, "{}").await;
    }
    guard.refuse("/a");
    guard.hide("/p/2");
    guard.recheck(client.session.id()).await;
    let mut writer = Client::of(&guard.node());
    writer.call("login", "", r#"{"username":"w"}"#, "{}").await;
    for path in ["/b", "/p/1", "/p/2"] {
        writer.call("set", path, "{}", "{}").await;
    }
    guard.allow("/a");
    writer.call("set", "/a", "{}", "{}").await;
    let events = client.rest();
    let paths: Vec<_> = events.iter().map(|event| &event["_meta"]["path"]).collect();
    assert_eq!(paths, ["/b", "/p/1"]);
}

#[tokio::test]
async fn another_login_on_the_session_does_not_inherit_its_subscriptions() {
    let guard = secure_node();
    let mut client = logged_in(&guard, "bob").await;
    client.on("/ALL@/a", "{}").await;
    guard.refuse("/a");
    log_in(&mut client, "mary").await;
    guard.allow("/a");
    client.call("set", "/a", "1", "{}").await;
    assert!(client.rest().is_empty());
}

#[tokio::test]
async fn only_who_may_be_a_node_is_believed_to_be_one() {
    let guard = secure_node();
    let _bob = logged_in(&guard, "bob").await;
    assert!(guard.node().peers().is_empty());
    let _node = logged_in(&guard, "_ADMIN").await;
    assert_eq!(guard.node().peers().len(), 1);
}

#[tokio::test]
async fn the_cookie_is_told_to_browsers_and_after_a_login() {
    let guard = secure_node();
    let mut client = Client::of(&guard.node());
    let answer = client.call("describe", "", "null", "{}").await;
    assert_eq!(answer["data"], json!({"name": "test", "secure": true}));
    let answer = log_in(&mut client, "bob").await;
    assert_eq!(answer["data"]["cookieName"], "happn_token");
    assert_eq!(
        answer["data"]["happn"],
        json!({"name": "test", "secure": true})
    );
    assert_eq!(answer["data"]["user"], json!({"username": "bob"}));
    let answer = client.call("describe", "", "null", "{}").await;
    assert_eq!(answer["data"]["cookieName"], "happn_token");
}

#[tokio::test]
async fn an_account_request_is_answered_before_what_follows_from_it() {
    let guard = secure_node();
    let mut client = logged_in(&guard, "bob").await;
    let answer = client.call("revoke-token", "", "null", "{}").await;
    assert_eq!(
        (&answer["data"], &answer["_meta"]["status"]),
        (&Value::Null, &json!("ok"))
    );
    assert_eq!(client.next().await["data"]["reason"], "token-revoked");
}

#[tokio::test]
async fn changes_are_told_to_clients_that_know_the_message() {
    let guard = secure_node();
    let change = json!({"whatHappnd": "link-group", "changedData": {}});
    let mut client = logged_in(&guard, "bob").await;
    guard.tell(client.session.id(), &change);
    let told = client.next().await;
    assert_eq!(told["eventKey"], "security-data-changed");
    assert_eq!(
        (&told["data"], &told["protocol"]),
        (&change, &json!("happn_4"))
    );
    client.send(r#"{"action":"configure-session","data":{"protocol":"happn_2"}}"#);
    client.rest();
    guard.tell(client.session.id(), &change);
    assert!(client.rest().is_empty());
}

#[tokio::test]
async fn the_program_around_the_node_needs_no_login() {
    let guard = secure_node();
    let node = guard.node();
    let session = node.attach_trusted(happn_core::Connection::in_process());
    assert_eq!(session.username().as_deref(), Some("_ADMIN"));
    guard.refuse("/a");
    let mut client = Client::with(&node, session);
    let answer = client.call("set", "/a", "1", "{}").await;
    assert_eq!(answer["_meta"]["modifiedBy"], "_ADMIN");
}
