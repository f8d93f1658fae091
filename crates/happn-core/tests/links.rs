//! Numbered links of other nodes: what a node sends them, keeps for them, and lets go.

#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

mod kit;

use std::sync::Arc;
use std::time::Duration;

use happn_core::{Drained, Ending, LinkLimits, MemoryStore, Node, NodeConfig, SessionEvents};
use kit::{Client, node, node_on};
use serde_json::{Value, json};

const LOGIN: &str = r#""name":"node-b","clusterName":"c","serviceName":"s","endpoint":"h:1""#;

/// A node's session, logged in with what it says about an earlier link.
async fn linked(node: &Arc<Node>, masks: u32, resume: Option<Value>) -> (Client, Value) {
    let mut client = Client::of(node);
    let mut link = json!({"version": 1, "masks": masks, "instance": "i"});
    if let Some(resume) = resume {
        link["resume"] = resume;
    }
    let login = format!(r#"{{"info":{{{LOGIN},"link":{link}}}}}"#);
    let answer = client.call("login", "", &login, "{}").await;
    let link = answer["data"]["link"].clone();
    (client, link)
}

/// A link to everything.
async fn subscribed(node: &Arc<Node>) -> (Client, Value) {
    let (mut client, link) = linked(node, 1, None).await;
    client.on("/ALL@*", "{}").await;
    (client, link)
}

async fn publish(publisher: &mut Client, path: &str) {
    let answer = publisher
        .call("set", path, "{}", r#"{"noStore":true}"#)
        .await;
    assert_eq!(answer["_meta"]["status"], "ok");
}

fn paths(frames: &[Value]) -> Vec<&str> {
    frames
        .iter()
        .map(|frame| frame["link"]["path"].as_str().unwrap_or("a gap"))
        .collect()
}

/// Where a link stopped that received `frames`, all of them since its start.
fn position(link: &Value, frames: &[Value]) -> Value {
    let last = frames
        .last()
        .map_or(0, |frame| frame["sequence"].as_u64().unwrap());
    json!({"token": link["token"], "sequence": last, "received": frames.len()})
}

fn limited(change: impl FnOnce(&mut LinkLimits)) -> Arc<Node> {
    let mut config = NodeConfig::named("test");
    change(&mut config.links);
    node_on(Arc::new(MemoryStore::new()), config)
}

#[tokio::test]
async fn an_event_crosses_a_numbered_link_once_whatever_the_masks() {
    let node = node();
    let (mut link, answer) = linked(&node, 3, None).await;
    assert_eq!(
        (&answer["version"], &answer["resumed"]),
        (&json!(1), &json!(false))
    );
    for mask in ["/ALL@/a/*", "/ALL@/*/b", "/ALL@/a/b"] {
        link.on(mask, "{}").await;
    }
    let mut publisher = Client::of(&node);
    let options = r#"{"consistency":2,"meta":{"mine":1,"depth":9}}"#;
    publisher.call("set", "/a/b", r#"{"v":1}"#, options).await;
    let merge = r#"{"merge":true}"#;
    publisher.call("set", "/a/b", r#"{"w":2}"#, merge).await;
    publish(&mut publisher, "/a/c").await;
    publish(&mut publisher, "/c/c").await;
    let frames = link.rest();
    assert_eq!(paths(&frames), ["/a/b", "/a/b", "/a/c"]);
    let numbers: Vec<_> = frames
        .iter()
        .map(|frame| frame["sequence"].clone())
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
    let event = &frames[0]["link"];
    assert_eq!(event["custom"], json!({"mine": 1, "depth": 9}));
    assert_eq!(
        (&event["action"], &event["data"]),
        (&json!("SET"), &json!({"v": 1}))
    );
    assert_eq!(event["sessionId"], **publisher.session.id());
    assert_eq!(frames[1]["link"]["merge"], json!({"w": 2}));
    assert_eq!(frames[1]["link"]["data"], json!({"v": 1, "w": 2}));
}

#[tokio::test]
async fn a_node_that_announced_its_masks_counts_as_subscribed_with_the_last_one() {
    let node = node();
    let (mut link, _) = linked(&node, 2, None).await;
    link.on("/ALL@/a/*", "{}").await;
    assert!(!node.peers()[0].is_subscribed);
    link.on("/ALL@/b/*", "{}").await;
    assert!(node.peers()[0].is_subscribed);
}

#[tokio::test]
async fn a_node_of_the_reference_gets_ordinary_events_and_no_link() {
    let node = node();
    let mut peer = Client::of(&node);
    let answer = peer
        .call("login", "", &format!(r#"{{"info":{{{LOGIN}}}}}"#), "{}")
        .await;
    assert_eq!(answer["data"]["link"], Value::Null);
    peer.on("/ALL@*", "{}").await;
    assert!(node.peers()[0].is_subscribed);
    publish(&mut Client::of(&node), "/a").await;
    assert_eq!(peer.next().await["_meta"]["channel"], "/ALL@*");
    assert!(node.links().is_empty());
}

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
async fn hostile_offers_are_logins_like_any_other() {
    let node = node();
    for link in [
        "null",
        "[]",
        r#""x""#,
        "5",
        "{}",
        r#"{"constructor":{"prototype":1}}"#,
        r#"{"version":1}"#,
        r#"{"version":-1,"masks":1}"#,
        r#"{"version":1,"masks":1e99}"#,
        r#"{"version":1,"masks":1,"resume":[]}"#,
    ] {
        let mut client = Client::of(&node);
        let login = format!(r#"{{"info":{{{LOGIN},"link":{link}}}}}"#);
        let answer = client.call("login", "", &login, "{}").await;
        assert_eq!(answer["_meta"]["status"], "ok", "{link}");
        assert_eq!(answer["data"]["link"], Value::Null, "{link}");
    }
    // Without a cluster it is no node.
    let mut client = Client::of(&node);
    let login = r#"{"info":{"link":{"version":1,"masks":1}}}"#;
    let answer = client.call("login", "", login, "{}").await;
    assert_eq!(answer["data"]["link"], Value::Null);
    assert!(node.links().is_empty());
}

#[tokio::test]
async fn a_newer_version_is_answered_with_ours() {
    let node = node();
    let mut client = Client::of(&node);
    let login = format!(r#"{{"info":{{{LOGIN},"link":{{"version":9,"masks":1,"new":{{}}}}}}}}"#);
    let answer = client.call("login", "", &login, "{}").await;
    assert_eq!(answer["data"]["link"]["version"], 1);
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

#[tokio::test]
async fn a_client_that_is_no_link_has_no_use_for_its_requests() {
    let node = node();
    let mut client = Client::of(&node);
    client.request("link", "", r#"{"sequence":1}"#, "{}");
    let answer = client.call("describe", "", "null", "{}").await;
    assert_eq!(
        answer["data"]["name"], "test",
        "the other one is not answered"
    );
}

/// Events of a link are numbered across all paths; those of other nodes never enter one.
#[tokio::test]
async fn targets_and_local_events_do_not_cross() {
    let node = node();
    let (mut link, _) = subscribed(&node).await;
    let mut publisher = Client::of(&node);
    let own = publisher.session.id().clone();
    publisher
        .call("set", "/a", "{}", r#"{"noCluster":true}"#)
        .await;
    let targets = format!(r#"{{"targetClients":["{own}"]}}"#);
    publisher.call("set", "/b", "{}", &targets).await;
    publish(&mut publisher, "/c").await;
    assert_eq!(paths(&link.rest()), ["/c"]);
}

#[tokio::test]
async fn a_publisher_can_wait_until_its_event_is_delivered_elsewhere() {
    let node = node();
    let (mut link, _) = subscribed(&node).await;
    let mut publisher = Client::of(&node);
    publisher
        .call("set", "/a", "{}", r#"{"consistency":3}"#)
        .await;
    let event = link.next().await["link"].clone();
    assert_eq!(event["consistency"], 3);
    assert!(publisher.rest().is_empty(), "nobody has acknowledged yet");
    let id = event["publicationId"].to_string();
    link.call("ack", "", &id, "{}").await;
    let report = publisher.next().await;
    assert_eq!(
        (&report["status"], &report["result"]["acknowledged"]),
        (&json!("ok"), &json!(1))
    );
}

/// Both were ended at once before, and what a client published last was not for the link any more.
#[tokio::test]
async fn links_end_after_the_last_client() {
    let node = node();
    let (mut link, _) = subscribed(&node).await;
    let mut publisher = Client::of(&node);
    node.end_sessions(&Ending::Reconnect);
    publisher.request("set", "/last", "{}", r#"{"noStore":true}"#);
    assert_eq!(paths(&link.rest()), ["/last"]);
    node.detach(&publisher.session);
    let mut left = Vec::new();
    let drained = link.session.outbox().drain(&mut left);
    assert_eq!(drained, Drained::Ended(Ending::Reconnect));
}

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
    client.send(r#"{"action":"interest","eventId":9,"data":{"add":["*"]}}"#);
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

fn in_cluster(name: &str) -> Arc<Node> {
    let config = NodeConfig {
        cluster: Some(happn_core::ClusterRules {
            name: name.to_owned(),
            open_system_paths: false,
            interest_wait_max: Some(Duration::from_secs(1)),
        }),
        ..NodeConfig::named("test")
    };
    node_on(Arc::new(MemoryStore::new()), config)
}

/// In the reference, anybody raises any topic on all nodes, and forges members of the cluster.
#[tokio::test]
async fn clients_do_not_write_where_only_nodes_have_business() {
    let node = in_cluster("c");
    let mut client = Client::of(&node);
    let forged = r#"{"topic":"/security/dataChanged","payload":null,"origin":"x"}"#;
    for (action, path) in [
        ("set", "/__REPLICATE"),
        ("set", "/SYSTEM/DEPLOYMENT/d/s/10.0.0.9:1"),
        ("remove", "/SYSTEM/DEPLOYMENT/*"),
        ("remove", "/SYSTEM/*"),
    ] {
        let answer = client
            .call(action, path, forged, r#"{"noStore":true}"#)
            .await;
        assert_eq!(answer["_meta"]["status"], "error", "{action} {path}");
        let error = &answer["_meta"]["error"];
        assert_eq!(
            (&error["name"], &error["code"]),
            (&json!("AccessDenied"), &json!(403))
        );
    }
    let answer = client.call("set", "/SYSTEM/mine", "{}", "{}").await;
    assert_eq!(answer["_meta"]["status"], "ok");
}

#[tokio::test]
async fn nodes_of_another_cluster_get_no_events() {
    let node = in_cluster("another");
    let (mut link, _) = subscribed(&node).await;
    let mut publisher = Client::of(&node);
    publish(&mut publisher, "/a").await;
    assert!(link.rest().is_empty());
    assert_eq!(node.kept_for_links().0, 0);
}

#[tokio::test]
async fn an_event_of_the_node_itself_reaches_clients_and_other_nodes() {
    use happn_core::EventSink;

    let node = in_cluster("c");
    let (mut link, _) = subscribed(&node).await;
    let mut client = Client::of(&node);
    client.on("/ALL@*", "{}").await;
    let data = happn_protocol::Json::parse(r#"{"topic":"t"}"#).unwrap();
    assert_eq!(node.originate("/__REPLICATE", &data).delivered, 2);
    let event = client.next().await;
    let meta = &event["_meta"];
    assert_eq!(
        (&event["data"], &meta["path"]),
        (&json!({"topic": "t"}), &json!("/__REPLICATE"))
    );
    assert_eq!(meta["action"], "/SET@/__REPLICATE");
    assert_eq!(paths(&link.rest()), ["/__REPLICATE"]);
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

#[tokio::test]
async fn clients_that_listen_are_told_of_a_gap() {
    use happn_core::EventSink;

    let node = node();
    let (mut link, _) = subscribed(&node).await;
    let (mut listener, mut other) = (Client::of(&node), Client::of(&node));
    listener.on("/ALL@/a/*", "{}").await;
    node.announce_gap("node-b", Some(7));
    node.announce_gap("node-c", None);
    for (origin, lost) in [("node-b", json!(7)), ("node-c", json!(null))] {
        let told = json!({
            "_meta": {"type": "system"},
            "data": {"origin": origin, "lost": lost},
            "eventKey": "replication-gap"
        });
        assert_eq!(listener.next().await, told);
    }
    assert!(link.rest().is_empty() && other.rest().is_empty());
}
