//! The client's verbs, as the server sees them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use happn_client::{
    Client, ClientConfig, ClientError, ConnectionState, Consistency, Events, Initial, QueryOptions,
    SubscribeOptions, Subscription, Wrapped, WriteOptions,
};
use happn_paths::EventKind;
use serde_json::{Value, json};
use testkit::{ScriptedServer, ScriptedSession, within};

async fn connected(server: &ScriptedServer) -> (Client, ScriptedSession) {
    connected_with(server, ClientConfig::url(server.endpoint())).await
}

async fn connected_with(
    server: &ScriptedServer,
    config: ClientConfig,
) -> (Client, ScriptedSession) {
    let (client, session) = tokio::join!(within(Client::connect(config)), server.welcome("S1"));
    (client.unwrap(), session)
}

async fn subscribed(
    client: &Client,
    session: &mut ScriptedSession,
    mask: &str,
    options: SubscribeOptions,
) -> (Subscription, Value) {
    let (subscription, request) = tokio::join!(
        within(client.on(mask, options)),
        session.serve("on", json!({"id": "REF-1"})),
    );
    (subscription.unwrap(), request)
}

/// Runs `call` against a server that answers its request with `data`, and returns what it sent.
async fn exchanged<T>(
    session: &mut ScriptedSession,
    action: &str,
    data: Value,
    call: impl Future<Output = Result<T, ClientError>>,
) -> (T, Value) {
    let (outcome, request) = tokio::join!(within(call), session.serve(action, data));
    (outcome.unwrap(), request)
}

#[tokio::test]
async fn a_login_sends_the_frames_of_the_javascript_client() {
    let server = ScriptedServer::start().await;
    let config = ClientConfig::url(server.endpoint());
    let script = async {
        let mut session = server.accept().await;
        assert!(session.target.starts_with("/primus?_primuscb="));
        let configure = session.serve("configure-session", Value::Null).await;
        assert_eq!(
            configure.to_string(),
            r#"{"action":"configure-session","eventId":1,"data":{"protocol":"happn_4","version":"13.12.1","browser":false}}"#
        );
        let describe = session.serve("describe", json!({"secure": false})).await;
        assert_eq!(
            describe.to_string(),
            r#"{"action":"describe","eventId":2,"data":null}"#
        );
        let login = session.serve("login", json!({"id": "S1"})).await;
        assert_eq!(
            login.to_string(),
            r#"{"action":"login","eventId":3,"data":{"info":{"_browser":false,"_local":false},"protocol":"happn_4"},"options":{"timeout":60000}}"#
        );
    };
    let (client, ()) = tokio::join!(within(Client::connect(config)), script);
    assert_eq!(client.unwrap().session_id().as_deref(), Some("S1"));
}

#[tokio::test]
async fn a_set_is_answered_with_what_was_stored() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let script = async {
        let request = session.request("set").await;
        assert_eq!(
            request.to_string(),
            r#"{"action":"set","eventId":4,"path":"/a/b","data":{"x":1},"sessionId":"S1","options":{"timeout":60000}}"#
        );
        session
            .send(r#"{"data":{"x":1},"_meta":{"path":"/a/b","created":5,"modified":6,"published":true,"type":"response","status":"ok","eventId":4,"sessionId":"S1","action":"set"},"protocol":"happn_4"}"#)
            .await;
    };
    let data = json!({"x": 1});
    let (written, ()) = tokio::join!(within(client.set("/a/b", &data)), script);
    let written = written.unwrap();
    assert_eq!(written.data::<Value>().unwrap(), json!({"x": 1}));
    assert_eq!(
        (written.meta.created, written.meta.modified),
        (Some(5), Some(6))
    );
    assert_eq!(written.meta.published, Some(true));
}

#[tokio::test]
async fn publish_increment_remove_and_count_send_what_the_javascript_client_sends() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;

    let call = client.publish("/p", &json!(null));
    let ((), request) = exchanged(&mut session, "set", json!({"value": null}), call).await;
    assert_eq!(
        request["options"].to_string(),
        r#"{"nullValue":true,"noStore":true,"noDataResponse":true,"timeout":60000}"#
    );

    let answer = json!({"value": 7, "gauge": "counter"});
    let call = client.increment("/i", "counter", 2);
    let (total, request) = exchanged(&mut session, "set", answer, call).await;
    assert_eq!(total.as_i64(), Some(7));
    assert_eq!(request["data"], "counter");
    assert_eq!(request["options"]["increment"], 2);

    let call = client.remove("/r/*");
    let (removed, request) = exchanged(&mut session, "remove", json!({"removed": 3}), call).await;
    assert_eq!((removed.count, &request["data"]), (3, &Value::Null));

    let call = client.count("/c/*");
    let (count, request) = exchanged(&mut session, "count", json!({"value": 9}), call).await;
    assert_eq!((count, &request["path"]), (9, &json!("/c/*")));
}

#[tokio::test]
async fn reading_tells_missing_single_and_many_items_apart() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let call = client.get::<Value>("/none");
    let (item, _) = exchanged(&mut session, "get", Value::Null, call).await;
    assert!(item.is_none());

    let call = client.get::<Wrapped<u8>>("/one");
    let (item, _) = exchanged(&mut session, "get", json!({"value": 5}), call).await;
    assert_eq!(item.unwrap().data.value, 5);

    let options = QueryOptions {
        limit: Some(2),
        ..QueryOptions::default()
    };
    let script = async {
        let request = session.request("get").await;
        assert_eq!(request["options"]["options"], json!({"limit": 2}));
        let meta = json!({"type": "response", "status": "ok", "eventId": request["eventId"], "action": "get"});
        let first = json!({"x": 1, "_meta": {"path": "/m/1", "created": 1}});
        session.send(json!([first, meta]).to_string()).await;
    };
    let (items, ()) = tokio::join!(
        within(client.get_all_with::<Value>("/m/*", &options)),
        script
    );
    let items = items.unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].data, json!({"x": 1}));
    assert_eq!(items[0].meta.path.as_deref(), Some("/m/1"));

    let script = async {
        let request = session.request("get").await;
        assert_eq!(request["options"]["options"], json!({"path_only": true}));
        let meta = json!({"type": "response", "status": "ok", "eventId": request["eventId"], "action": "get"});
        let paths = json!([{"_meta": {"path": "/m/1"}}, {"_meta": {"path": "/m/2"}}, meta]);
        session.send(paths.to_string()).await;
    };
    let (paths, ()) = tokio::join!(within(client.get_paths("/m/*")), script);
    assert_eq!(paths.unwrap(), ["/m/1", "/m/2"]);
}

#[tokio::test]
async fn errors_of_the_server_keep_name_code_and_message() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let script = async {
        let request = session.request("get").await;
        let error =
            json!({"name": "AccessDenied", "code": 403, "message": "unauthorized", "reason": "r"});
        session.refuse(&request, error).await;
    };
    let (outcome, ()) = tokio::join!(within(client.get::<Value>("/a")), script);
    let Err(ClientError::Server(error)) = outcome else {
        panic!("refused")
    };
    assert_eq!(error.to_string(), "AccessDenied: unauthorized");
    assert_eq!(error.code, Some(403));
    assert_eq!(error.object.decode::<Value>().unwrap()["reason"], "r");
}

#[tokio::test]
async fn bad_paths_are_refused_before_anything_is_sent() {
    let server = ScriptedServer::start().await;
    let (client, _session) = connected(&server).await;
    let wildcard = client.set("/a/*", &1).await.unwrap_err();
    assert!(
        wildcard
            .to_string()
            .contains("cannot contain the * wildcard")
    );
    let characters = client.on("/a#", SubscribeOptions::default()).await;
    assert!(matches!(characters, Err(ClientError::Path(_))));
}

#[tokio::test]
async fn a_call_without_an_answer_times_out_and_the_connection_stays() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = WriteOptions {
        timeout: Some(Duration::from_millis(50)),
        ..WriteOptions::default()
    };
    let error = within(client.set_with("/a", &1, &options))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "api request timed out path: /a action: set"
    );
    session.request("set").await;
    let call = client.set("/a", &2);
    exchanged(&mut session, "set", json!({"value": 2}), call).await;
}

#[tokio::test]
async fn answers_find_their_callers_in_any_order() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let script = async {
        let first = session.request("get").await;
        let second = session.request("get").await;
        for request in [second, first] {
            let data = json!({"of": request["path"]});
            session.answer(&request, data).await;
        }
    };
    let (a, b, ()) = tokio::join!(
        within(client.get::<Value>("/a")),
        within(client.get::<Value>("/b")),
        script
    );
    assert_eq!(a.unwrap().unwrap().data, json!({"of": "/a"}));
    assert_eq!(b.unwrap().unwrap().data, json!({"of": "/b"}));
}

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
async fn an_acknowledged_publication_reports_its_end() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = WriteOptions {
        consistency: Consistency::Acknowledged,
        ..WriteOptions::default()
    };
    let data = json!({});
    let call = client.set_with("/a", &data, &options);
    let (written, request) = exchanged(&mut session, "set", json!({}), call).await;
    assert_eq!(
        request["options"].to_string(),
        r#"{"consistency":3,"timeout":60000}"#
    );
    session
        .send(r#"{"id":"S1-4","action":"publication-ack","result":{"successful":1,"failed":0,"skipped":0,"acknowledged":1,"queued":1},"status":"ok","_meta":{"type":"ack","eventId":4},"protocol":"happn_4"}"#)
        .await;
    let results = within(written.publication.unwrap().wait()).await.unwrap();
    assert_eq!((results.successful, results.acknowledged), (1, Some(1)));

    let call = client.set_with("/a", &data, &options);
    let (written, _) = exchanged(&mut session, "set", json!({}), call).await;
    session
        .send(r#"{"id":"S1-5","action":"publication-ack","result":{"successful":2},"status":"error","_meta":{"type":"ack","eventId":5},"error":"unacknowledged publication","protocol":"happn_4"}"#)
        .await;
    let error = within(written.publication.unwrap().wait())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "unacknowledged publication");
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

#[tokio::test]
async fn dropping_the_last_handle_closes_the_socket_and_ends_subscriptions() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = SubscribeOptions::default();
    let (mut subscription, _) = subscribed(&client, &mut session, "/a", options).await;
    let clone = client.clone();
    drop(client);
    assert!(clone.state().borrow().is_connected());
    drop(clone);
    session.closed().await;
    assert!(within(subscription.next()).await.is_none());
}

#[tokio::test]
async fn a_disconnected_client_refuses_calls_at_once() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let clone = client.clone();
    tokio::join!(within(client.disconnect()), session.closed());
    assert_eq!(*clone.state().borrow(), ConnectionState::Closed);
    let error = clone.set("/a", &1).await.unwrap_err();
    assert_eq!(error.to_string(), "client is disconnected: closed");
}

#[tokio::test]
async fn frames_that_make_no_sense_are_ignored() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    for nonsense in [
        "",
        "null",
        "{",
        "[]",
        "7",
        "\"hello\"",
        "{\"_meta\":{}}",
        "[[[[",
    ] {
        session.send(nonsense).await;
    }
    let call = client.set("/a", &1);
    exchanged(&mut session, "set", json!({"value": 1}), call).await;
}

#[tokio::test]
async fn addresses_that_cannot_work_say_why() {
    let error = Client::connect(ClientConfig::url("gopher://h:1")).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "bad address gopher://h:1: unknown scheme gopher"
    );
    let server = ScriptedServer::start().await;
    let config = ClientConfig::url(server.endpoint());
    drop(server);
    let error = within(Client::connect(config)).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
}
