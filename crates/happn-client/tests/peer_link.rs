//! The link to a peer: login, subscriptions, events, and how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use happn_client::{Credentials, PeerCredentials, PeerDialer, PeerDialerConfig};
use happn_core::{
    ConnectError, LinkError, LinkLogin, PeerConnector, PeerLink, PeerLogin, ReplicatedEvent,
};
use happn_paths::Mask;
use happn_protocol::Json;
use serde_json::{Value, json};
use testkit::{ScriptedServer, ScriptedSession, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn login() -> PeerLogin {
    let info = r#"{"name":"node-b","clusterName":"c","serviceName":"s","endpoint":"127.0.0.3:1"}"#;
    PeerLogin {
        info: Json::parse(info).unwrap(),
        link: LinkLogin::default(),
    }
}

async fn linked(server: &ScriptedServer) -> (Box<dyn PeerLink>, ScriptedSession) {
    linked_with(server, PeerDialerConfig::default()).await
}

async fn linked_with(
    server: &ScriptedServer,
    config: PeerDialerConfig,
) -> (Box<dyn PeerLink>, ScriptedSession) {
    let dialer = PeerDialer::new(config);
    let connecting = dialer.connect(server.endpoint(), login());
    let (link, session) = tokio::join!(within(connecting), server.welcome("S1"));
    (link.unwrap(), session)
}

async fn next_event(link: &mut Box<dyn PeerLink>) -> ReplicatedEvent {
    let mut events = Vec::new();
    within(link.receive(&mut events)).await.unwrap();
    assert_eq!(events.len(), 1);
    events.remove(0)
}

async fn refused_by(script: impl AsyncFnOnce(ScriptedServer)) -> ConnectError {
    let server = ScriptedServer::start().await;
    let config = PeerDialerConfig {
        connect_timeout: Duration::from_millis(200),
        call_timeout: Duration::from_millis(200),
        ..PeerDialerConfig::default()
    };
    let dialer = PeerDialer::new(config);
    let connecting = dialer.connect(server.endpoint(), login());
    let (link, ()) = tokio::join!(within(connecting), script(server));
    link.err().expect("the peer is not to be reached")
}

/// What B's JavaScript client sent to A in the recorded session is what we send.
#[tokio::test]
async fn the_frames_of_a_recorded_link_are_sent_again() {
    let events = sends_as_recorded("peer-link.jsonl", "b->a", "b2a").await;
    assert_eq!(&*events[0].path, "/vec/one");
    assert!(
        events
            .iter()
            .any(|event| event.custom.iter().any(|it| it.0 == "custom"))
    );
}

/// What a node of ours sent to one of the reference when they formed one cluster.
#[tokio::test]
async fn the_frames_of_a_link_in_a_mixed_cluster_are_sent_again() {
    let events = sends_as_recorded("mixed-link.jsonl", "rust-b->js-a", "r2j").await;
    assert_eq!(&*events[0].path, "/mixed/js-a");
    assert!(events.iter().any(|event| &*event.path == "/__REPLICATE"));
}

/// The same with both nodes secure: ours logs in with a token and knows no password, and what theirs
/// tells of users and groups arrives.
#[tokio::test]
async fn the_frames_of_a_link_in_a_secure_mixed_cluster_are_sent_again() {
    let events = sends_as_recorded("secure-mixed-link.jsonl", "rust-b->js-a", "r2j").await;
    let told = events
        .iter()
        .filter(|event| event.data.as_str().contains("/security/dataChanged"));
    assert!(
        told.count() >= 8,
        "a batch for every change but the revocation"
    );
    let set = events.iter().find(|event| &*event.path == "/mixed/js-a");
    let origin = set.unwrap().event_origin.as_ref().unwrap();
    assert!(origin.as_str().contains(r#""username":"_ADMIN""#));
}

/// The credentials of a recorded login.
#[derive(Debug)]
struct RecordedToken(String);

impl PeerCredentials for RecordedToken {
    fn fresh(&self) -> Option<Credentials> {
        Some(Credentials::Token(self.0.clone()))
    }
}

/// Plays the node that was connected to, and answers the events that it sent.
async fn sends_as_recorded(file: &str, link: &str, dialer: &str) -> Vec<ReplicatedEvent> {
    let lines = recorded(file, link);
    let sent = lines.iter().filter(|line| line["dir"] == dialer);
    let login: Value = sent
        .map(|line| serde_json::from_str(line["frame"].as_str().unwrap()).unwrap())
        .find(|frame: &Value| frame["action"] == "login")
        .unwrap();
    let token = login["data"]["token"].as_str().map(str::to_owned);
    let mut info = login["data"]["info"].as_object().unwrap().clone();
    info.shift_remove("_browser");
    info.shift_remove("_local");
    let offer = info.shift_remove("link");
    let login = PeerLogin {
        info: Json::encode(&info).unwrap(),
        link: offer.map_or_else(LinkLogin::default, |offer| LinkLogin {
            instance: offer["instance"].as_str().unwrap().to_owned(),
            masks: 1,
        }),
    };

    let server = ScriptedServer::start().await;
    // Beats come when they come, so none do here.
    let mut dialer_of_ours = PeerDialer::new(PeerDialerConfig {
        beat_interval: Duration::from_secs(600),
        ..PeerDialerConfig::default()
    });
    if let Some(token) = token {
        dialer_of_ours = dialer_of_ours.with_credentials(Arc::new(RecordedToken(token)));
    }
    let mut linking = Some(tokio::spawn(
        dialer_of_ours.connect(server.endpoint(), login),
    ));
    let mut session = server.accept().await;
    assert!(session.target.starts_with("/primus?_primuscb="));
    let (mut link, mut subscribing) = (None, None);
    let (mut compared, mut published) = (0, 0);
    for line in &lines {
        let frame = line["frame"].as_str().unwrap();
        let theirs = line["dir"] != dialer;
        if theirs {
            session.send(frame).await;
            published += usize::from(frame.contains("publicationId"));
        } else if frame.contains("primus::pong") {
            assert_eq!(session.text().await, frame);
        } else {
            if frame.contains(r#""action":"on""#) {
                let linked = within(linking.take().unwrap()).await.unwrap();
                let mut peer: Box<dyn PeerLink> = linked.unwrap();
                subscribing = Some(tokio::spawn(async move {
                    peer.subscribe(vec![Mask::parse("*")]).await.unwrap();
                    peer
                }));
            }
            let sent = session.text().await;
            assert_eq!(comparable(&sent), comparable(frame));
            compared += 1;
        }
        if subscribing.is_some() && theirs {
            link = Some(within(subscribing.take().unwrap()).await.unwrap());
        }
    }
    assert!(compared >= 5, "login, subscription and acknowledgement");
    let mut events = Vec::new();
    let mut link = link.unwrap();
    while events.len() < published {
        within(link.receive(&mut events)).await.unwrap();
    }
    events
}

/// The text frames of the link's first connection, beats left out.
fn recorded(file: &str, link: &str) -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/cluster");
    let text = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let is_beat = |line: &Value| {
        let frame = line["frame"].as_str().unwrap();
        let of_session = frame.contains(r#""sessionId""#);
        of_session && frame.contains(r#""action":"describe""#)
    };
    lines
        .filter(|line: &Value| line["scenario"] != "secure" && line["link"] == link)
        .filter(|line| line["conn"] == 1 && line["kind"] == "text" && !is_beat(line))
        .collect()
}

/// The client's version differs, and the number of what comes behind a beat.
fn comparable(frame: &str) -> Value {
    let mut frame: Value = serde_json::from_str(frame).unwrap();
    match frame["action"].as_str() {
        Some("configure-session") => frame["data"]["version"] = Value::Null,
        Some("ack") => frame["eventId"] = Value::Null,
        _ => {}
    }
    frame
}

#[tokio::test]
async fn a_deep_mask_is_subscribed_with_its_depth() {
    let server = ScriptedServer::start().await;
    let (mut link, mut session) = linked(&server).await;
    let masks = vec![Mask::parse("/a/**"), Mask::parse("/b/*")];
    let script = async {
        let first = session.serve("on", json!({"id": "r-1"})).await;
        assert_eq!(first["path"], "/ALL@/a/**");
        assert_eq!(
            first["options"].to_string(),
            r#"{"event_type":"all","count":0,"depth":5,"timeout":60000}"#
        );
        let second = session.serve("on", json!({"id": "r-2"})).await;
        assert_eq!(
            second["options"].to_string(),
            r#"{"event_type":"all","count":0,"timeout":60000}"#
        );
        assert_eq!(second["sessionId"], "S1");
    };
    let (subscribed, ()) = tokio::join!(within(link.subscribe(masks)), script);
    subscribed.unwrap();
}

#[tokio::test]
async fn a_refused_subscription_says_so() {
    let server = ScriptedServer::start().await;
    let (mut link, mut session) = linked(&server).await;
    let script = async {
        let request = session.request("on").await;
        let error = json!({"name": "AccessDenied", "code": 403, "message": "unauthorized"});
        session.refuse(&request, error).await;
    };
    let (subscribed, ()) = tokio::join!(within(link.subscribe(vec![Mask::parse("*")])), script);
    assert_eq!(
        subscribed,
        Err(LinkError::Refused("unauthorized".to_owned()))
    );
}

#[tokio::test]
async fn heartbeats_are_answered_and_consistency_three_is_acknowledged() {
    let server = ScriptedServer::start().await;
    let (mut link, mut session) = linked(&server).await;
    session.send(r#""primus::ping::77""#).await;
    assert_eq!(session.text().await, r#""primus::pong::77""#);
    session
        .event_with("/ALL@*", "/a", 4, &json!({"v": 1}), 3)
        .await;
    let acknowledgement = session.text().await;
    assert_eq!(
        acknowledgement,
        r#"{"action":"ack","eventId":4,"data":"S9-4","sessionId":"S1"}"#
    );
    assert_eq!(&*next_event(&mut link).await.publication_id, "S9-4");
}

#[tokio::test]
async fn a_slow_receiver_loses_nothing_even_with_a_tiny_buffer() {
    let server = ScriptedServer::start().await;
    let config = PeerDialerConfig {
        event_buffer: 1,
        ..PeerDialerConfig::default()
    };
    let (mut link, mut session) = linked_with(&server, config).await;
    let sending = tokio::spawn(async move {
        for number in 0..2_000 {
            session
                .event("/ALL@*", "/a", number, &json!({"v": 1}))
                .await;
        }
        session
    });
    let mut events = Vec::new();
    while events.len() < 2_000 {
        within(link.receive(&mut events)).await.unwrap();
        tokio::task::yield_now().await;
    }
    for (number, event) in events.iter().enumerate() {
        assert_eq!(*event.publication_id, format!("S9-{number}"));
    }
    within(sending).await.unwrap();
}

#[tokio::test]
async fn events_between_subscription_and_confirmation_do_not_block_it() {
    let server = ScriptedServer::start().await;
    let config = PeerDialerConfig {
        event_buffer: 1,
        ..PeerDialerConfig::default()
    };
    let (mut link, mut session) = linked_with(&server, config).await;
    let script = async {
        let request = session.request("on").await;
        for number in 0..100 {
            session.event("/ALL@*", "/a", number, &json!({})).await;
        }
        session.answer(&request, json!({"id": "r"})).await;
        session.event("/ALL@*", "/a", 100, &json!({})).await;
    };
    let (subscribed, ()) = tokio::join!(within(link.subscribe(vec![Mask::parse("*")])), script);
    subscribed.unwrap();
    let mut events = Vec::new();
    while events.len() < 101 {
        within(link.receive(&mut events)).await.unwrap();
    }
    let order: Vec<_> = events
        .iter()
        .map(|e| e.publication_id.to_string())
        .collect();
    let expected: Vec<_> = (0..=100).map(|number| format!("S9-{number}")).collect();
    assert_eq!(order, expected);
}

#[tokio::test]
async fn a_cut_connection_is_lost_after_its_last_event() {
    let server = ScriptedServer::start().await;
    let (mut link, mut session) = linked(&server).await;
    session.event("/ALL@*", "/a", 1, &json!({})).await;
    drop(session);
    assert_eq!(&*next_event(&mut link).await.path, "/a");
    let end = within(link.receive(&mut Vec::new())).await;
    assert!(matches!(end, Err(LinkError::Lost(_))), "{end:?}");
}

#[tokio::test]
async fn a_session_ended_on_purpose_names_the_reason() {
    let server = ScriptedServer::start().await;
    let (mut link, mut session) = linked(&server).await;
    session
        .send(r#"{"_meta":{"type":"system"},"data":{"reason":"reconnect-false"},"eventKey":"server-side-disconnect"}"#)
        .await;
    session.send(r#""primus::server::close""#).await;
    let end = within(link.receive(&mut Vec::new())).await;
    assert_eq!(end, Err(LinkError::Ended("reconnect-false".to_owned())));
    session.closed().await;
}

#[tokio::test]
async fn a_silent_peer_is_lost() {
    let server = ScriptedServer::start().await;
    let config = PeerDialerConfig {
        unnumbered_silence_limit: Duration::from_millis(100),
        ..PeerDialerConfig::default()
    };
    let (mut link, _session) = linked_with(&server, config).await;
    let end = within(link.receive(&mut Vec::new())).await;
    let reason = "the server was silent for 100ms".to_owned();
    assert_eq!(end, Err(LinkError::Lost(reason)));
}

#[tokio::test]
async fn closing_and_dropping_say_goodbye() {
    let server = ScriptedServer::start().await;
    let (link, mut session) = linked(&server).await;
    tokio::join!(within(link.close(true)), session.closed());
    let (link, mut session) = linked(&server).await;
    drop(link);
    session.closed().await;
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let error = refused_by(async |server: ScriptedServer| drop(server)).await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_ignores_the_upgrade_is_unreachable() {
    let error = refused_by(async |server: ScriptedServer| {
        let mut stream = server.accept_raw().await;
        let mut request = Vec::new();
        within(stream.read_to_end(&mut request)).await.unwrap();
    })
    .await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
    assert!(
        error.to_string().ends_with("no answer within 200ms"),
        "{error}"
    );
}

#[tokio::test]
async fn a_web_server_is_no_happn_node() {
    let error = refused_by(async |server: ScriptedServer| {
        let mut stream = server.accept_raw().await;
        let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    })
    .await;
    assert!(matches!(error, ConnectError::NotHappn { .. }), "{error}");
}

/// A network that is cut does so, and a node that starts or stops; both are worth another try soon.
#[tokio::test]
async fn a_peer_that_closes_before_it_answers_is_unreachable() {
    let error = refused_by(async |server: ScriptedServer| {
        let mut stream = server.accept_raw().await;
        // Whoever leaves requests unread resets the connection, which is another error.
        let request = stream.read(&mut [0; 4096]).await.unwrap();
        assert!(request > 0);
        stream.shutdown().await.unwrap();
    })
    .await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_login_answer_without_a_session_comes_from_no_happn_node() {
    let error = refused_by(async |server: ScriptedServer| {
        let mut session = server.accept().await;
        session.serve("configure-session", Value::Null).await;
        session.serve("describe", Value::Null).await;
        session.serve("login", json!({"hello": 1})).await;
    })
    .await;
    assert!(matches!(error, ConnectError::NotHappn { .. }), "{error}");
}

#[tokio::test]
async fn a_refused_login_is_told_apart_from_an_unreachable_peer() {
    let error = refused_by(async |server: ScriptedServer| {
        let mut session = server.accept().await;
        session.serve("configure-session", Value::Null).await;
        session
            .serve("describe", json!({"name": "a", "secure": true}))
            .await;
        let request = session.request("login").await;
        let error = json!({"name": "AccessDenied", "code": 401, "message": "Invalid credentials"});
        session.refuse(&request, error).await;
    })
    .await;
    let ConnectError::Refused { reason, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(reason, "Invalid credentials");
}

#[tokio::test]
async fn a_peer_that_ends_the_session_at_the_login_has_refused_it() {
    let error = refused_by(async |server: ScriptedServer| {
        let mut session = server.accept().await;
        session.request("configure-session").await;
        session.send(r#""primus::server::close""#).await;
    })
    .await;
    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn a_peer_that_never_answers_the_login_is_unreachable() {
    let error = refused_by(async |server: ScriptedServer| {
        let mut session = server.accept().await;
        session.request("configure-session").await;
        session.closed().await;
    })
    .await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
}
