//! What a node wants to hear, and who waits until others know.

use std::time::Duration;

use happn_core::SessionEvents;
use serde_json::{Value, json};

use crate::kit::{Client, node};
use crate::{in_cluster, linked, paths, position, publish};

async fn interest(link: &mut Client, add: &[&str], remove: &[&str]) -> Value {
    let change = json!({"add": add, "remove": remove}).to_string();
    link.call("interest", "", &change, "{}").await
}

#[tokio::test]
async fn a_link_gets_what_its_node_is_interested_in_and_nothing_else() {
    let node = node();
    let (mut link, answer) = linked(&node, 7, None).await;
    assert_eq!(answer["interest"], true);
    assert!(!node.peers()[0].is_subscribed);
    interest(&mut link, &["/a/*", "/b/**"], &[]).await;
    assert!(
        node.peers()[0].is_subscribed,
        "however many masks it once announced"
    );
    let mut publisher = Client::of(&node);
    let deep = "/b/1/2/3/4/5/6/7/8/9";
    for path in ["/a/1", "/c/1", deep] {
        publish(&mut publisher, path).await;
    }
    assert_eq!(paths(&link.rest()), ["/a/1", deep]);
    // The bare star and a star of one segment are told apart when one goes.
    interest(&mut link, &["*", "/*"], &["/a/*", "/b/**"]).await;
    interest(&mut link, &[], &["*"]).await;
    for path in ["/a/1", "/c"] {
        publish(&mut publisher, path).await;
    }
    let frames = link.rest();
    assert_eq!(paths(&frames), ["/c"]);
    assert_eq!(frames[0]["sequence"], 3, "numbers count what was sent");
}

#[tokio::test]
async fn until_a_link_that_came_back_says_what_it_wants_it_gets_what_it_wanted() {
    let node = node();
    let (mut link, answer) = linked(&node, 1, None).await;
    interest(&mut link, &["/a/*"], &[]).await;
    let mut publisher = Client::of(&node);
    publish(&mut publisher, "/a/1").await;
    let received = link.rest();
    node.detach(&link.session);
    for path in ["/a/2", "/b/2"] {
        publish(&mut publisher, path).await;
    }
    let (mut again, resumed) = linked(&node, 1, Some(position(&answer, &received))).await;
    assert_eq!(resumed["resumed"], true);
    publish(&mut publisher, "/a/3").await;
    interest(&mut again, &["/b/*"], &[]).await;
    for path in ["/a/4", "/b/4"] {
        publish(&mut publisher, path).await;
    }
    assert_eq!(paths(&again.rest()), ["/a/2", "/a/3", "/b/4"]);
}

#[tokio::test]
async fn only_a_link_has_interests_and_bad_ones_are_refused_as_a_whole() {
    let node = node();
    let mut client = Client::of(&node);
    interest(&mut client, &["*"], &[]).await;
    publish(&mut Client::of(&node), "/a").await;
    assert!(client.rest().is_empty());
    let (mut link, _) = linked(&node, 1, None).await;
    for bad in [
        "null",
        "[]",
        "5",
        r#"{"add":5}"#,
        r#"{"add":["/a","/b,"]}"#,
        r#"{"add":["/a",""]}"#,
        r#"{"remove":[{}]}"#,
    ] {
        let answer = link.call("interest", "", bad, "{}").await;
        assert_eq!(answer["_meta"]["status"], "error", "{bad}");
    }
    publish(&mut Client::of(&node), "/a").await;
    assert!(link.rest().is_empty());
}

/// A client that was told that it is subscribed hears what is published elsewhere from then on.
#[tokio::test(start_paused = true)]
async fn a_subscription_is_answered_once_other_nodes_know_of_it_or_after_a_moment() {
    let node = in_cluster("c");
    let local = node.interest().unwrap();
    let mut client = Client::of(&node);
    client.on("/ALL@/alone/*", "{}").await;
    local.confirm(1);
    client.on("/ALL@/alone/*", "{}").await;
    let id = client.request("on", "/ALL@/new/*", "null", "{}");
    tokio::task::yield_now().await;
    assert!(client.rest().is_empty());
    let told = local.masks(10);
    assert_eq!(told.masks.unwrap().len(), 2);
    local.confirm(told.number);
    assert_eq!(client.next().await["_meta"]["eventId"], id);

    let started = tokio::time::Instant::now();
    let options = r#"{"initialCallback":true}"#;
    let answer = client.on("/SET@/late/*", options).await;
    assert_eq!(answer["_meta"]["status"], "ok");
    assert_eq!(started.elapsed(), Duration::from_secs(1));
    assert_eq!(local.overdue(), told.number + 1);

    client.call("off", "/ALL@/new/*", "null", "{}").await;
    assert_eq!(local.masks(10).masks.unwrap().len(), 2);
    node.detach(&client.session);
    assert!(local.masks(10).masks.unwrap().is_empty());
}

#[tokio::test]
async fn what_other_nodes_subscribe_to_is_no_interest_of_this_one() {
    let node = in_cluster("c");
    let (mut link, _) = linked(&node, 1, None).await;
    link.on("/ALL@*", "{}").await;
    interest(&mut link, &["/a"], &[]).await;
    assert_eq!(node.interest().unwrap().masks(10).number, 0);
}
