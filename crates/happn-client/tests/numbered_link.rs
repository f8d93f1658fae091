//! A numbered link as the node that follows it keeps it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use happn_client::{PeerDialer, PeerDialerConfig};
use happn_core::{Gap, LinkError, LinkLogin, PeerConnector, PeerLink, PeerLogin};
use happn_protocol::Json;
use serde_json::{Value, json};
use testkit::{ScriptedServer, ScriptedSession, within};

fn login() -> PeerLogin {
    let info = r#"{"name":"node-b","clusterName":"c","serviceName":"s","endpoint":"127.0.0.3:1"}"#;
    PeerLogin {
        info: Json::parse(info).unwrap(),
        link: LinkLogin {
            instance: "i".to_owned(),
            masks: 1,
        },
    }
}

/// A link called `token`, what its node sees of it, and what was offered.
async fn linked(
    dialer: &PeerDialer,
    server: &ScriptedServer,
    token: &str,
) -> (Box<dyn PeerLink>, ScriptedSession, Value) {
    let answering = async {
        let mut session = server.accept().await;
        session.serve("configure-session", Value::Null).await;
        let description = json!({"name": "node-a", "secure": false});
        session.serve("describe", description.clone()).await;
        let link = json!({
            "version": 1, "token": token, "resumed": false, "instance": "a", "interest": true,
        });
        let answer = json!({"id": "S1", "protocol": "happn_4", "happn": description, "link": link});
        let request = session.serve("login", answer).await;
        (session, request["data"]["info"]["link"].clone())
    };
    let connecting = dialer.connect(server.endpoint(), login());
    let (link, (session, offer)) = tokio::join!(within(connecting), answering);
    (link.unwrap(), session, offer)
}

async fn event(session: &mut ScriptedSession, sequence: u64, data: &str) {
    let event = json!({
        "link": {
            "action": "SET", "path": "/a", "sessionId": "S9", "publicationId": "S9-1",
            "consistency": 2, "data": data,
        },
        "sequence": sequence,
    });
    // The first member tells what it is.
    session.send(event.to_string()).await;
}

#[tokio::test]
async fn what_was_received_is_confirmed_soon_and_not_with_the_next_beat() {
    let server = ScriptedServer::start().await;
    let dialer = PeerDialer::new(PeerDialerConfig {
        beat_interval: Duration::from_secs(3600),
        ..PeerDialerConfig::default()
    });
    let (mut link, mut session, _) = linked(&dialer, &server, "t").await;
    for sequence in [3, 5] {
        event(&mut session, sequence, "x").await;
    }
    let mut events = Vec::new();
    while events.len() < 2 {
        within(link.receive(&mut events)).await.unwrap();
    }
    let receiving = async {
        let mut none = Vec::new();
        link.receive(&mut none).await
    };
    tokio::select! {
        ended = receiving => panic!("nothing came: {ended:?}"),
        beat = session.request("link") => assert_eq!(beat["data"]["sequence"], 5),
    }
}

#[tokio::test]
async fn behind_an_event_that_is_too_large_a_new_link_begins() {
    let server = ScriptedServer::start().await;
    let dialer = PeerDialer::new(PeerDialerConfig {
        max_message_bytes: 2000,
        ..PeerDialerConfig::default()
    });
    let (mut link, mut session, _) = linked(&dialer, &server, "t").await;
    event(&mut session, 1, "x").await;
    let mut events = Vec::new();
    within(link.receive(&mut events)).await.unwrap();
    assert_eq!(events.len(), 1);
    event(&mut session, 2, &"x".repeat(3000)).await;
    let end = within(link.receive(&mut events)).await;
    assert!(matches!(end, Err(LinkError::Lost(_))), "{end:?}");
    drop(link);
    let (mut link, _session, offer) = linked(&dialer, &server, "u").await;
    assert_eq!(offer["resume"], Value::Null, "{offer}");
    assert_eq!(link.take_gap(), Some(Gap { lost: None }));
}

#[tokio::test]
async fn a_link_that_broke_is_asked_for_where_it_stopped() {
    let server = ScriptedServer::start().await;
    let dialer = PeerDialer::new(PeerDialerConfig::default());
    let (mut link, mut session, _) = linked(&dialer, &server, "t").await;
    event(&mut session, 7, "x").await;
    drop(session);
    let mut events = Vec::new();
    within(link.receive(&mut events)).await.unwrap();
    assert!(within(link.receive(&mut events)).await.is_err());
    drop(link);
    let (_link, _session, offer) = linked(&dialer, &server, "t").await;
    let expected = json!({"token": "t", "sequence": 7, "received": 1});
    assert_eq!(offer["resume"], expected);
}
