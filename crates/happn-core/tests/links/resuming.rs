//! What is kept for a link that is slow or gone, and how it goes on.

use std::time::Duration;

use happn_core::{Drained, Ending, EventSink, LinkLimits};
use happn_protocol::Json;
use happn_protocol::link::LINK_FRAME_MAX;
use serde_json::json;

use crate::kit::{Client, node};
use crate::{limited, linked, paths, position, publish, subscribed};

#[tokio::test]
async fn what_is_published_while_a_link_is_down_follows_when_it_comes_back() {
    let node = node();
    let (mut link, answer) = subscribed(&node).await;
    let mut publisher = Client::of(&node);
    for number in 0..3 {
        publish(&mut publisher, &format!("/before/{number}")).await;
    }
    let received = link.rest();
    node.detach(&link.session);
    publish(&mut publisher, "/meanwhile/1").await;
    publish(&mut publisher, "/meanwhile/2").await;
    assert_eq!(
        (node.links()[0].is_attached, node.links()[0].waiting),
        (false, 2)
    );

    let resume = position(&answer, &received);
    let (mut again, resumed) = linked(&node, 1, Some(resume)).await;
    assert_eq!(
        (&resumed["resumed"], &resumed["token"]),
        (&json!(true), &answer["token"])
    );
    let mut rest = again.rest();
    // Its own subscription is not made again yet; the old one's still matches.
    publish(&mut publisher, "/back").await;
    again.on("/ALL@*", "{}").await;
    publish(&mut publisher, "/after").await;
    rest.extend(again.rest());
    assert_eq!(
        paths(&rest),
        ["/meanwhile/1", "/meanwhile/2", "/back", "/after"]
    );
}

/// The frame that was cut off half-way comes again; the one before does not.
#[tokio::test]
async fn a_link_goes_back_to_where_its_node_says_it_stopped() {
    let node = node();
    let (mut link, answer) = subscribed(&node).await;
    let mut publisher = Client::of(&node);
    for path in ["/1", "/2", "/3"] {
        publish(&mut publisher, path).await;
    }
    let received = link.rest();
    let resume = position(&answer, &received[..1]);
    // The old connection is not known to be dead yet.
    let (mut again, _) = linked(&node, 1, Some(resume)).await;
    assert_eq!(paths(&again.rest()), ["/2", "/3"]);
    let mut left = Vec::new();
    let ended = link.session.outbox().drain(&mut left);
    assert_eq!(ended, Drained::Ended(Ending::Overflow));
    node.detach(&link.session);
    publish(&mut publisher, "/4").await;
    assert_eq!(paths(&again.rest()), ["/4"]);
}

#[tokio::test]
async fn what_made_room_is_a_gap_of_known_size() {
    let node = limited(|links| links.events_max = 2);
    let (mut link, answer) = subscribed(&node).await;
    let mut publisher = Client::of(&node);
    publish(&mut publisher, "/0").await;
    let received = link.rest();
    node.detach(&link.session);
    for number in 1..=5 {
        publish(&mut publisher, &format!("/{number}")).await;
    }
    let (mut again, _) = linked(&node, 1, Some(position(&answer, &received))).await;
    let frames = again.rest();
    assert_eq!(frames[0], json!({"gap": {"lost": 3}}));
    assert_eq!(paths(&frames[1..]), ["/4", "/5"]);
    assert_eq!(node.kept_for_links().0, 2);
}

#[tokio::test]
async fn a_link_that_is_too_slow_loses_the_oldest_and_keeps_its_connection() {
    let node = limited(|links| links.bytes_max = 1000);
    let (mut link, _) = subscribed(&node).await;
    let mut publisher = Client::of(&node);
    for number in 0..100 {
        publish(&mut publisher, &format!("/{number}")).await;
    }
    let (events, bytes) = node.kept_for_links();
    assert!(bytes <= 1000 && events > 1, "{events} {bytes}");
    let frames = link.rest();
    let lost = frames[0]["gap"]["lost"].as_u64().unwrap() as usize;
    assert_eq!((lost, frames.len() - 1), (100 - events, events));
    assert_eq!(node.refused_frames(), 0);
}

#[tokio::test]
async fn a_token_nobody_gave_and_a_position_nobody_can_have_start_a_new_link() {
    let node = node();
    let (link, answer) = subscribed(&node).await;
    node.detach(&link.session);
    for resume in [
        json!({"token": "guessed", "sequence": 0, "received": 0}),
        json!({"token": answer["token"], "sequence": 0, "received": 1_000}),
        json!({"token": answer["token"], "sequence": u64::MAX, "received": 0}),
    ] {
        let (_client, link) = linked(&node, 1, Some(resume)).await;
        assert_eq!(link["resumed"], false);
        assert_ne!(link["token"], answer["token"]);
    }
}

#[tokio::test]
async fn nothing_is_kept_for_a_node_that_said_good_bye() {
    let node = node();
    let (mut link, answer) = subscribed(&node).await;
    link.call("link", "", r#"{"sequence":0,"leave":true}"#, "{}")
        .await;
    node.detach(&link.session);
    publish(&mut Client::of(&node), "/a").await;
    assert_eq!((node.links(), node.kept_for_links()), (vec![], (0, 0)));
    let (_again, link) = linked(&node, 1, Some(position(&answer, &[]))).await;
    assert_eq!(link["resumed"], false);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_for_a_node_that_stays_away_for_too_long() {
    let node = node();
    let (link, _) = subscribed(&node).await;
    node.detach(&link.session);
    let mut publisher = Client::of(&node);
    publish(&mut publisher, "/a").await;
    assert_eq!(node.kept_for_links().0, 1);
    tokio::time::sleep(LinkLimits::default().retention + Duration::from_secs(1)).await;
    assert_eq!((node.links(), node.kept_for_links()), (vec![], (0, 0)));
    publish(&mut publisher, "/b").await;
    assert_eq!(node.kept_for_links(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_silent_node_is_cut_off_within_seconds_and_waited_for() {
    let node = node();
    let (mut link, _) = subscribed(&node).await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(2)).await;
        link.call("link", "", r#"{"sequence":0}"#, "{}").await;
    }
    assert!(!link.session.outbox().has_overflowed());
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert!(link.session.outbox().has_overflowed());
    node.detach(&link.session);
    assert_eq!(node.links().len(), 1);
}

#[tokio::test]
async fn what_a_node_has_confirmed_is_not_kept() {
    let node = node();
    let (mut link, _) = subscribed(&node).await;
    let mut publisher = Client::of(&node);
    for path in ["/1", "/2", "/3"] {
        publish(&mut publisher, path).await;
    }
    assert_eq!((link.rest().len(), node.kept_for_links().0), (3, 3));
    link.call("link", "", r#"{"sequence":2}"#, "{}").await;
    assert_eq!(node.kept_for_links().0, 1);
    // What nobody can have received yet, somebody says he has.
    link.call("link", "", r#"{"sequence":18446744073709551615}"#, "{}")
        .await;
    assert_eq!(node.kept_for_links().0, 0);
    publish(&mut publisher, "/4").await;
    assert_eq!(paths(&link.rest()), ["/4"]);
}

/// Otherwise anybody could take all places by coming and going.
#[tokio::test]
async fn when_all_places_are_taken_the_link_that_waited_longest_makes_room() {
    let node = node();
    let (first, first_answer) = subscribed(&node).await;
    let (mut living, _) = subscribed(&node).await;
    node.detach(&first.session);
    let mut last = None;
    for _ in 0..127 {
        let (passer_by, answer) = subscribed(&node).await;
        node.detach(&passer_by.session);
        last = Some(answer);
    }
    assert_eq!(node.links().len(), 128);
    let (_, again) = linked(&node, 1, Some(position(&first_answer, &[]))).await;
    assert_eq!(again["resumed"], false);
    let (_, again) = linked(&node, 1, Some(position(&last.unwrap(), &[]))).await;
    assert_eq!(again["resumed"], true);
    publish(&mut Client::of(&node), "/a").await;
    assert_eq!(paths(&living.rest()), ["/a"]);
}

/// Its node would cut the connection, come back, ask for it and cut the connection again.
#[tokio::test]
async fn an_event_that_no_node_would_take_is_a_gap_and_the_link_goes_on() {
    let node = node();
    let (mut link, answer) = subscribed(&node).await;
    let large = format!("\"{}\"", "x".repeat(LINK_FRAME_MAX)).into_bytes();
    let large = Json::from_trusted(large);
    let mut publisher = Client::of(&node);
    publish(&mut publisher, "/before").await;
    assert_eq!(node.originate("/large", &large).delivered, 0);
    publish(&mut publisher, "/after").await;
    let frames = link.rest();
    assert_eq!(frames[0], json!({"gap": {"lost": 1}}));
    assert_eq!(paths(&frames[1..]), ["/before", "/after"]);

    node.detach(&link.session);
    node.originate("/large", &large);
    publish(&mut publisher, "/meanwhile").await;
    let resume = json!({"token": answer["token"], "sequence": 2, "received": 3});
    let (mut again, resumed) = linked(&node, 1, Some(resume)).await;
    assert_eq!(resumed["resumed"], true);
    let frames = again.rest();
    assert_eq!(frames[0], json!({"gap": {"lost": 1}}));
    assert_eq!(paths(&frames[1..]), ["/meanwhile"]);
    assert_eq!(node.link_counts().lost, 2);
}

#[tokio::test]
async fn an_event_larger_than_all_that_is_kept_passes_or_is_a_gap_of_known_size() {
    let node = limited(|links| links.bytes_max = 1000);
    let (mut link, answer) = subscribed(&node).await;
    let large = Json::from_trusted(format!("\"{}\"", "x".repeat(5000)).into_bytes());
    node.originate("/large", &large);
    let received = link.rest();
    assert_eq!(paths(&received), ["/large"]);

    node.detach(&link.session);
    let mut publisher = Client::of(&node);
    publish(&mut publisher, "/1").await;
    node.originate("/large", &large);
    publish(&mut publisher, "/2").await;
    let (mut again, resumed) = linked(&node, 1, Some(position(&answer, &received))).await;
    assert_eq!(resumed["resumed"], true);
    let frames = again.rest();
    assert_eq!(frames[0], json!({"gap": {"lost": 2}}));
    assert_eq!(paths(&frames[1..]), ["/2"]);
}

#[tokio::test(start_paused = true)]
async fn a_link_shows_how_old_what_was_not_confirmed_is_and_what_was_not_wanted() {
    let node = node();
    let (mut link, _) = linked(&node, 1, None).await;
    let change = r#"{"add":["/a/*","/b"]}"#;
    link.call("interest", "", change, "{}").await;
    let mut publisher = Client::of(&node);
    for path in ["/a/1", "/c", "/b", "/a/2/3"] {
        publish(&mut publisher, path).await;
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let options = r#"{"noStore":true,"noCluster":true}"#;
    publisher.call("set", "/d", "{}", options).await;
    let shown = node.links().remove(0);
    assert_eq!((shown.masks, shown.withheld, shown.waiting), (2, 2, 2));
    assert_eq!(shown.lag, Some(Duration::from_secs(4)));
    assert_eq!(paths(&link.rest()), ["/a/1", "/b"]);
    assert_eq!(node.links()[0].lag, Some(Duration::from_secs(4)));
    link.call("link", "", r#"{"sequence":1}"#, "{}").await;
    assert_eq!(node.links()[0].lag, Some(Duration::from_secs(2)));
    link.call("link", "", r#"{"sequence":2}"#, "{}").await;
    let shown = node.links().remove(0);
    assert_eq!((shown.lag, shown.withheld, shown.waiting), (None, 2, 0));
}
