//! Losing the connection and coming back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use happn_client::{
    Client, ClientConfig, ClientError, ConnectionState, Credentials, Events, Initial,
    ReconnectPolicy, SubscribeOptions, Subscription,
};
use happn_protocol::Json;
use serde_json::{Value, json};
use testkit::{ScriptedServer, ScriptedSession, within};
use tokio::net::TcpListener;

fn eager(server: &ScriptedServer) -> ClientConfig {
    ClientConfig {
        reconnect: ReconnectPolicy {
            min: Duration::from_millis(5),
            max: Duration::from_millis(20),
            seed: Some(1),
        },
        ..ClientConfig::url(server.endpoint())
    }
}

async fn connected(server: &ScriptedServer) -> (Client, ScriptedSession) {
    let connecting = Client::connect(eager(server));
    let (client, session) = tokio::join!(within(connecting), server.welcome("S1"));
    (client.unwrap(), session)
}

async fn subscribed(
    client: &Client,
    session: &mut ScriptedSession,
    mask: &str,
    options: SubscribeOptions,
) -> Subscription {
    let (subscription, _) = tokio::join!(
        within(client.on(mask, options)),
        session.serve("on", json!({"id": "OLD"})),
    );
    subscription.unwrap()
}

async fn until(client: &Client, wanted: impl Fn(&ConnectionState) -> bool) -> ConnectionState {
    let mut state = client.state();
    let reached = within(state.wait_for(|state| wanted(state))).await;
    reached.unwrap().clone()
}

fn is_down(state: &ConnectionState) -> bool {
    matches!(state, ConnectionState::Disconnected { .. })
}

#[tokio::test]
async fn a_cut_client_comes_back_with_a_new_session_and_all_subscriptions() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let plain = SubscribeOptions::default();
    let mut one = subscribed(&client, &mut session, "/re/one", plain.clone()).await;
    let mut twin = within(client.on("/re/one", plain)).await.unwrap();
    let deep = SubscribeOptions {
        depth: Some(3),
        events: Events::Set,
        meta: Some(Json::parse(r#"{"hello":1}"#).unwrap()),
        ..SubscribeOptions::default()
    };
    let mut deep = subscribed(&client, &mut session, "/re/**", deep).await;
    drop(session);

    let mut session = server.accept().await;
    let configure = session.serve("configure-session", Value::Null).await;
    // Event ids go on, and until the login the old session is named, as JavaScript clients do.
    assert_eq!(
        (&configure["eventId"], &configure["sessionId"]),
        (&json!(6), &json!("S1"))
    );
    session
        .serve("describe", json!({"name": "a", "secure": false}))
        .await;
    session.serve("login", json!({"id": "S2"})).await;
    let again = session.serve("on", json!({"id": "NEW-1"})).await;
    assert_eq!(
        (&again["path"], &again["sessionId"]),
        (&json!("/ALL@/re/one"), &json!("S2"))
    );
    // A JavaScript client forgets depth and event type here.
    let again = session.serve("on", json!({"id": "NEW-2"})).await;
    assert_eq!(again["path"], "/SET@/re/**");
    assert_eq!(
        again["options"].to_string(),
        r#"{"meta":{"hello":1},"event_type":"set","count":0,"depth":3,"timeout":60000}"#
    );
    let state = until(&client, ConnectionState::is_connected).await;
    let expected = ConnectionState::Connected {
        session_id: "S2".into(),
        reconnects: 1,
    };
    assert_eq!(state, expected);

    session
        .event("/ALL@/re/one", "/re/one", 1, &json!({}))
        .await;
    session.event("/SET@/re/**", "/re/one", 1, &json!({})).await;
    for subscription in [&mut one, &mut twin, &mut deep] {
        assert_eq!(within(subscription.next()).await.unwrap().path(), "/re/one");
    }
    let (off, request) = tokio::join!(
        within(deep.off()),
        session.serve("off", json!({"id": "NEW-2"}))
    );
    off.unwrap();
    assert_eq!(request["options"]["referenceId"], "NEW-2");
}

#[tokio::test]
async fn calls_while_down_fail_at_once_and_calls_under_way_fail_with_the_connection() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let cut = async {
        session.request("get").await;
        drop(session);
    };
    let (outcome, ()) = tokio::join!(within(client.get::<Value>("/a")), cut);
    let error = outcome.unwrap_err();
    assert!(matches!(error, ClientError::Disconnected { .. }), "{error}");
    until(&client, is_down).await;
    let error = within(client.set("/a", &1)).await.unwrap_err();
    assert!(matches!(error, ClientError::Disconnected { .. }), "{error}");
    let error = within(client.on("/a", SubscribeOptions::default())).await;
    assert!(matches!(error, Err(ClientError::Disconnected { .. })));
}

#[tokio::test]
async fn a_subscription_dropped_while_down_is_not_made_again() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = SubscribeOptions::default();
    let gone = subscribed(&client, &mut session, "/gone", options.clone()).await;
    let _kept = subscribed(&client, &mut session, "/kept", options).await;
    drop(session);
    until(&client, is_down).await;
    drop(gone);
    let mut session = server.welcome("S2").await;
    let again = session.serve("on", json!({"id": "NEW"})).await;
    assert_eq!(again["path"], "/ALL@/kept");
    until(&client, ConnectionState::is_connected).await;
    let (set, request) = tokio::join!(
        within(client.set("/a", &1)),
        session.serve("set", json!({"value": 1}))
    );
    set.unwrap();
    assert_eq!(request["sessionId"], "S2");
}

/// It used to be forgotten, and the server went on sending events nobody listened to.
#[tokio::test]
async fn a_subscription_dropped_while_it_is_made_again_is_taken_back() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = SubscribeOptions::default();
    let dropped = subscribed(&client, &mut session, "/a", options).await;
    drop(session);
    let mut session = server.welcome("S2").await;
    let request = session.request("on").await;
    drop(dropped);
    session.answer(&request, json!({"id": "NEW"})).await;
    let off = session.serve("off", json!({"id": "NEW"})).await;
    assert_eq!(off["options"]["referenceId"], "NEW");
}

#[tokio::test]
async fn a_subscription_refused_on_return_ends_and_the_others_go_on() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = SubscribeOptions::default();
    let mut refused = subscribed(&client, &mut session, "/a", options.clone()).await;
    let mut kept = subscribed(&client, &mut session, "/b", options).await;
    drop(session);
    let mut session = server.welcome("S2").await;
    let request = session.request("on").await;
    let error = json!({"name": "AccessDenied", "code": 403, "message": "unauthorized"});
    session.refuse(&request, error).await;
    session.serve("on", json!({"id": "NEW"})).await;
    assert!(within(refused.next()).await.is_none());
    session.event("/ALL@/b", "/b", 1, &json!({})).await;
    assert!(within(kept.next()).await.is_some());
}

#[tokio::test]
async fn a_failed_return_is_tried_again_from_the_start() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = SubscribeOptions::default();
    let _kept = subscribed(&client, &mut session, "/b", options).await;
    drop(session);
    // Cut before the upgrade, then at the login, then while subscribing.
    drop(server.accept_raw().await);
    let mut session = server.accept().await;
    session.serve("configure-session", Value::Null).await;
    drop(session);
    let mut session = server.welcome("S2").await;
    let request = session.request("on").await;
    let error = json!({"name": "SystemError", "code": 500, "message": "not now"});
    session.refuse(&request, error).await;
    let mut session = server.welcome("S3").await;
    session.serve("on", json!({"id": "NEW"})).await;
    let state = until(&client, ConnectionState::is_connected).await;
    let expected = ConnectionState::Connected {
        session_id: "S3".into(),
        reconnects: 1,
    };
    assert_eq!(state, expected);
}

#[tokio::test]
async fn a_silent_server_counts_as_lost_and_a_heartbeat_keeps_it() {
    let server = ScriptedServer::start().await;
    let config = ClientConfig {
        silence_limit: Duration::from_millis(300),
        ..eager(&server)
    };
    let (client, session) = tokio::join!(within(Client::connect(config)), server.welcome("S1"));
    let (client, mut session) = (client.unwrap(), session);
    session.send(r#""primus::ping::1""#).await;
    assert_eq!(session.text().await, r#""primus::pong::1""#);
    let state = until(&client, is_down).await;
    let reason = "the server was silent for 300ms".to_owned();
    assert_eq!(state, ConnectionState::Disconnected { reason });
    server.welcome("S2").await;
}

#[tokio::test]
async fn a_bare_close_frame_is_a_loss_and_a_deliberate_close_is_the_end() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    within(session.socket.close(None)).await.unwrap();
    session.closed().await;
    let mut session = server.welcome("S2").await;
    until(&client, ConnectionState::is_connected).await;
    let options = SubscribeOptions::default();
    let mut subscription = subscribed(&client, &mut session, "/a", options).await;

    session
        .send(r#"{"_meta":{"type":"system"},"data":{"reason":"token-revoked"},"eventKey":"server-side-disconnect"}"#)
        .await;
    session.send(r#""primus::server::close""#).await;
    let state = until(&client, ConnectionState::is_final).await;
    let reason = "token-revoked".to_owned();
    assert_eq!(state, ConnectionState::Ended { reason });
    assert!(within(subscription.next()).await.is_none());
    let error = client.set("/a", &1).await.unwrap_err();
    assert_eq!(error.to_string(), "client is disconnected: token-revoked");
}

#[tokio::test]
async fn a_client_can_be_closed_while_it_is_coming_back() {
    let server = ScriptedServer::start().await;
    let (client, session) = connected(&server).await;
    drop(server);
    drop(session);
    until(&client, is_down).await;
    let clone = client.clone();
    within(client.disconnect()).await;
    assert_eq!(*clone.state().borrow(), ConnectionState::Closed);
}

#[tokio::test]
async fn credentials_are_sent_again_and_a_refused_login_keeps_trying() {
    let server = ScriptedServer::start().await;
    let config = ClientConfig {
        credentials: Some(Credentials::Password {
            username: "bob".into(),
            password: "secret".into(),
        }),
        ..eager(&server)
    };
    let (client, session) = tokio::join!(within(Client::connect(config)), server.welcome("S1"));
    let client = client.unwrap();
    drop(session);
    let mut session = server.accept().await;
    session.serve("configure-session", Value::Null).await;
    session
        .serve("describe", json!({"name": "a", "secure": true}))
        .await;
    let login = session.request("login").await;
    assert_eq!(login["data"]["username"], "bob");
    assert_eq!(login["data"]["password"], "secret");
    let error = json!({"name": "AccessDenied", "code": 401, "message": "Invalid credentials"});
    session.refuse(&login, error).await;
    let _session = server.welcome("S2").await;
    until(&client, ConnectionState::is_connected).await;
}

#[tokio::test]
async fn a_server_that_was_away_for_a_while_is_found_again() {
    let server = ScriptedServer::start().await;
    let endpoint = server.endpoint();
    let (client, session) = connected(&server).await;
    drop((server, session));
    until(&client, |state| {
        matches!(state, ConnectionState::Disconnected { reason } if reason.contains("refused"))
    })
    .await;
    let listener = within(TcpListener::bind(endpoint)).await.unwrap();
    let server = ScriptedServer::on(listener);
    let _session = server.welcome("S2").await;
    until(&client, ConnectionState::is_connected).await;
}

#[tokio::test]
async fn a_message_above_the_limit_ends_the_connection() {
    let server = ScriptedServer::start().await;
    let config = ClientConfig {
        max_message_bytes: 1024,
        ..eager(&server)
    };
    let (client, session) = tokio::join!(within(Client::connect(config)), server.welcome("S1"));
    let (client, mut session) = (client.unwrap(), session);
    session.send(format!("\"{}\"", "x".repeat(2048))).await;
    until(&client, is_down).await;
    let _session = server.welcome("S2").await;
    until(&client, ConnectionState::is_connected).await;
}

#[tokio::test]
async fn a_server_that_takes_no_bytes_counts_as_lost() {
    let server = ScriptedServer::start().await;
    let config = ClientConfig {
        write_timeout: Duration::from_millis(100),
        ..eager(&server)
    };
    let (client, session) = tokio::join!(within(Client::connect(config)), server.welcome("S1"));
    let (client, _unread) = (client.unwrap(), session);
    let large = "x".repeat(16 * 1024 * 1024);
    let error = within(client.set("/a", &large)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "client is disconnected: the server took no bytes for 100ms"
    );
}

/// The recorded JavaScript client connects, subscribes, is cut and comes back; up to the new
/// login we send what it sent.
#[tokio::test]
async fn the_frames_of_a_recorded_reconnect_are_sent_again() {
    let vectors = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/wire/reconnect.jsonl"
    );
    let recorded = std::fs::read_to_string(vectors).unwrap();
    let frames = |connection: u64| -> Vec<(bool, String)> {
        recorded
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|line| line["c"] == connection && line["frame"].is_string())
            .map(|line| {
                let frame = line["frame"].as_str().unwrap().to_owned();
                (line["t"] == "c2s", frame)
            })
            .collect()
    };
    let server = ScriptedServer::start().await;
    let script = async {
        let mut session = server.accept().await;
        replay(&mut session, &frames(1)).await;
        session
    };
    let subscribing = async {
        let client = Client::connect(eager(&server)).await.unwrap();
        let one = client.on("/re/one", SubscribeOptions::default()).await;
        let deep = SubscribeOptions {
            depth: Some(3),
            meta: Some(Json::parse(r#"{"hello":1}"#).unwrap()),
            ..SubscribeOptions::default()
        };
        let deep = client.on("/re/**", deep).await;
        let initial = SubscribeOptions {
            initial: Initial::Collect,
            ..SubscribeOptions::default()
        };
        let initial = client.on("/re/init", initial).await;
        (client, [one.unwrap(), deep.unwrap(), initial.unwrap()])
    };
    let (session, _connected) = tokio::join!(within(script), within(subscribing));
    drop(session);
    // Connection 2 is the one a JavaScript client opens and drops; we do without.
    let mut session = server.accept().await;
    replay(&mut session, &frames(3)[..6]).await;
}

async fn replay(session: &mut ScriptedSession, frames: &[(bool, String)]) {
    for (from_client, frame) in frames {
        if *from_client {
            let sent: Value = serde_json::from_str(&session.text().await).unwrap();
            assert_eq!(sent, serde_json::from_str::<Value>(frame).unwrap());
        } else {
            session.send(frame.as_str()).await;
        }
    }
}
