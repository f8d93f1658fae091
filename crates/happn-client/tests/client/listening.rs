//! Subscriptions and the events that reach them.

use happn_client::{Events, Initial, SubscribeOptions};
use happn_paths::EventKind;
use serde_json::{Value, json};
use testkit::{ScriptedServer, within};

use super::{connected, exchanged, subscribed};

#[tokio::test]
async fn events_reach_the_subscription_of_their_exact_channel() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = SubscribeOptions::default();
    let (mut all, request) = subscribed(&client, &mut session, "/a/*", options).await;
    assert_eq!(request["path"], "/ALL@/a/*");
    assert_eq!(
        request["options"].to_string(),
        r#"{"event_type":"all","count":0,"timeout":60000}"#
    );
    let options = SubscribeOptions {
        events: Events::Set,
        ..SubscribeOptions::default()
    };
    let (mut set, request) = subscribed(&client, &mut session, "/a/*", options).await;
    assert_eq!(request["path"], "/SET@/a/*");
    session
        .event("/ALL@/a/*", "/a/1", 1, &json!({"n": 1}))
        .await;
    session
        .event("/SET@/a/*", "/a/1", 1, &json!({"n": 2}))
        .await;
    let event = within(all.next()).await.unwrap();
    assert_eq!((event.kind(), event.path()), (EventKind::Set, "/a/1"));
    assert_eq!(event.data::<Value>().unwrap(), json!({"n": 1}));
    let meta = event.meta().unwrap();
    assert_eq!(meta.publication_id.as_deref(), Some("S9-1"));
    assert_eq!((meta.created, meta.modified), (Some(1), Some(2)));
    let event = within(set.next()).await.unwrap();
    assert_eq!(event.data::<Value>().unwrap(), json!({"n": 2}));
    assert!(all.try_next().is_none());
}

#[tokio::test]
async fn equal_listeners_share_one_subscription_on_the_wire_until_the_last_is_off() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = SubscribeOptions::default();
    let (mut first, _) = subscribed(&client, &mut session, "/a", options.clone()).await;
    let mut second = within(client.on("/a", options)).await.unwrap();
    session.event("/ALL@/a", "/a", 1, &json!({})).await;
    assert!(within(first.next()).await.is_some());
    assert!(within(second.next()).await.is_some());

    within(first.off()).await.unwrap();
    let ((), request) = exchanged(&mut session, "off", json!({"id": "REF-1"}), second.off()).await;
    assert_eq!(request["path"], "/ALL@/a");
    assert_eq!(
        request["options"].to_string(),
        r#"{"referenceId":"REF-1","timeout":60000}"#
    );
}

#[tokio::test]
async fn a_dropped_subscription_is_taken_back() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = SubscribeOptions::default();
    let (subscription, _) = subscribed(&client, &mut session, "/a", options).await;
    drop(subscription);
    let request = session.serve("off", json!({"id": "REF-1"})).await;
    assert_eq!(request["options"]["referenceId"], "REF-1");
}

#[tokio::test]
async fn a_subscription_abandoned_before_its_confirmation_is_taken_back_after_it() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let subscribing = tokio::spawn({
        let client = client.clone();
        async move { client.on("/a", SubscribeOptions::default()).await }
    });
    let request = session.request("on").await;
    subscribing.abort();
    assert!(within(subscribing).await.unwrap_err().is_cancelled());
    session.answer(&request, json!({"id": "REF-1"})).await;
    let request = session.serve("off", json!({"id": "REF-1"})).await;
    assert_eq!(request["options"]["referenceId"], "REF-1");
}

#[tokio::test]
async fn a_counted_subscription_ends_after_its_events() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = SubscribeOptions {
        count: 2,
        ..SubscribeOptions::default()
    };
    let (mut subscription, request) = subscribed(&client, &mut session, "/a", options).await;
    assert_eq!(request["options"]["count"], 2);
    for number in 0..3 {
        session.event("/ALL@/a", "/a", number, &json!({})).await;
    }
    session.serve("off", json!({"id": "REF-1"})).await;
    assert!(within(subscription.next()).await.is_some());
    assert!(within(subscription.next()).await.is_some());
    assert!(within(subscription.next()).await.is_none());
}

#[tokio::test]
async fn a_slow_subscription_loses_visibly_and_alone() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = SubscribeOptions {
        buffer: 2,
        ..SubscribeOptions::default()
    };
    let (mut slow, _) = subscribed(&client, &mut session, "/a", options.clone()).await;
    let options = SubscribeOptions {
        merge: true,
        ..SubscribeOptions::default()
    };
    let (mut quick, request) = subscribed(&client, &mut session, "/a", options).await;
    assert_eq!(request["options"]["merge"], true);
    for number in 0..5 {
        session
            .event("/ALL@/a", "/a", number, &json!({"n": number}))
            .await;
    }
    for _ in 0..5 {
        assert_eq!(within(quick.next()).await.unwrap().missed(), 0);
    }
    assert_eq!(slow.lost(), 3);
    assert_eq!(within(slow.next()).await.unwrap().missed(), 0);
    assert_eq!(within(slow.next()).await.unwrap().missed(), 0);
    session.event("/ALL@/a", "/a", 5, &json!({"n": 5})).await;
    let event = within(slow.next()).await.unwrap();
    assert_eq!(event.data::<Value>().unwrap(), json!({"n": 5}));
    assert_eq!(event.missed(), 3);
}

#[tokio::test]
async fn initial_values_are_collected_or_come_first() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    for (initial, option) in [
        (Initial::Collect, "initialCallback"),
        (Initial::Emit, "initialEmit"),
    ] {
        let options = SubscribeOptions {
            initial,
            ..SubscribeOptions::default()
        };
        let script = async {
            let request = session.request("on").await;
            assert_eq!(request["options"][option], true);
            let answer = json!({
                "data": [{"v": "b", "_meta": {"path": "/w/b", "created": 1, "modified": 2}}],
                "_meta": {"status": "ok", "referenceId": "REF-9", "type": "response", "eventId": request["eventId"], "action": "on"},
                "protocol": "happn_4",
            });
            session.send(answer.to_string()).await;
            session
                .event("/ALL@/w/*", "/w/c", 1, &json!({"v": "c"}))
                .await;
        };
        let (subscription, ()) = tokio::join!(within(client.on("/w/*", options)), script);
        let mut subscription = subscription.unwrap();
        if initial == Initial::Collect {
            let item = &subscription.initial()[0];
            assert_eq!(item.data.as_str(), r#"{"v":"b"}"#);
            assert_eq!(item.meta.path.as_deref(), Some("/w/b"));
        } else {
            let event = within(subscription.next()).await.unwrap();
            assert_eq!(event.path(), "/w/b");
            assert_eq!(event.meta().unwrap().modified, Some(2));
        }
        assert_eq!(within(subscription.next()).await.unwrap().path(), "/w/c");
        let ((), request) = exchanged(
            &mut session,
            "off",
            json!({"id": "REF-9"}),
            subscription.off(),
        )
        .await;
        assert_eq!(request["options"]["referenceId"], "REF-9");
    }
}

#[tokio::test]
async fn a_shallow_listener_does_not_hear_the_frame_of_a_deep_one() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let with_depth = |depth| SubscribeOptions {
        depth: Some(depth),
        ..SubscribeOptions::default()
    };
    let (mut shallow, _) = subscribed(&client, &mut session, "/a/**", with_depth(2)).await;
    let (mut deep, request) = subscribed(&client, &mut session, "/a/**", with_depth(4)).await;
    assert_eq!(request["options"]["depth"], 4);
    let event = json!({
        "data": {}, "protocol": "happn_4",
        "_meta": {"action": "/SET@/a/1/2/3", "type": "data", "path": "/a/1/2/3", "channel": "/ALL@/a/**", "depth": 4},
    });
    session.send(event.to_string()).await;
    assert_eq!(within(deep.next()).await.unwrap().path(), "/a/1/2/3");
    assert!(shallow.try_next().is_none());
}

#[tokio::test]
async fn a_refused_subscription_is_an_error_and_can_be_tried_again() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let script = async {
        let request = session.request("on").await;
        let error = json!({"name": "AccessDenied", "code": 403, "message": "unauthorized"});
        session.refuse(&request, error).await;
    };
    let (outcome, ()) = tokio::join!(within(client.on("/a", SubscribeOptions::default())), script);
    assert!(outcome.unwrap_err().is_access_denied());
    subscribed(&client, &mut session, "/a", SubscribeOptions::default()).await;
}

#[tokio::test]
async fn off_path_and_off_all_end_the_streams() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = SubscribeOptions::default();
    let (mut one, _) = subscribed(&client, &mut session, "/a/1", options.clone()).await;
    let (mut two, _) = subscribed(&client, &mut session, "/b", options).await;
    let call = client.off_path("/a/*");
    exchanged(&mut session, "off", json!({"id": "REF-1"}), call).await;
    assert!(within(one.next()).await.is_none());
    assert!(two.try_next().is_none());
    let call = client.off_all();
    let ((), request) = exchanged(&mut session, "off", json!({"id": false}), call).await;
    assert_eq!(request["path"], "*");
    assert_eq!(
        request["options"].to_string(),
        r#"{"referenceId":0,"timeout":60000}"#
    );
    assert!(within(two.next()).await.is_none());
}

#[tokio::test]
async fn an_event_of_consistency_three_is_acknowledged_before_it_is_delivered() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = SubscribeOptions::default();
    let (mut subscription, _) = subscribed(&client, &mut session, "/a", options).await;
    session.event_with("/ALL@/a", "/a", 7, &json!({}), 3).await;
    assert!(within(subscription.next()).await.is_some());
    assert_eq!(
        session.text().await,
        r#"{"action":"ack","eventId":5,"data":"S9-7","sessionId":"S1"}"#
    );
}
