//! Clients that want too much, or take nothing.

use std::time::Duration;

use happn_core::{SessionEvent, SessionEvents};
use happn_server::Server;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::harness::{answer, assert_answers, client, plain, request, serve};
use crate::raw::{DEADLINE, Got, Opcode, RawSocket, UPGRADE, encode};

async fn subscribe(socket: &mut RawSocket, count: usize) {
    for number in 0..count {
        let on = json!({"action": "on", "eventId": number, "path": format!("/ALL@/many/{number}")});
        socket.send_text(&on.to_string()).await;
    }
}

#[tokio::test]
async fn a_hundred_thousand_subscriptions_of_one_socket_are_served_and_let_go() {
    const COUNT: usize = 100_000;
    let server = plain().await;
    let mut socket = client(&server).await;
    subscribe(&mut socket, COUNT).await;
    let last = answer(&mut socket, &json!(COUNT - 1)).await;
    assert_eq!(last["_meta"]["status"], "ok");
    let set = json!({"action": "set", "eventId": "set", "path": "/many/77", "data": {},
        "options": {"publishResults": true}});
    let stored = request(&mut socket, set.clone()).await;
    assert_eq!(stored["_meta"]["publishResults"]["successful"], 1);
    let off = json!({"action": "off", "eventId": "off", "path": "*"});
    let removed = request(&mut socket, off).await;
    assert_eq!(removed["data"]["removed"].as_array().unwrap().len(), COUNT);
    let stored = request(&mut socket, set).await;
    assert_eq!(stored["_meta"]["publishResults"]["successful"], 0);
}

#[tokio::test]
async fn subscriptions_beyond_the_limit_are_refused() {
    let (server, _) = serve(|config| config.limits.subscriptions_max = 10, |_| ()).await;
    let mut socket = client(&server).await;
    subscribe(&mut socket, 11).await;
    assert_eq!(
        answer(&mut socket, &json!(9)).await["_meta"]["status"],
        "ok"
    );
    assert_eq!(
        answer(&mut socket, &json!(10)).await["_meta"]["status"],
        "error"
    );
    let off = json!({"action": "off", "eventId": "off", "path": "/ALL@/many/3"});
    request(&mut socket, off).await;
    let on = json!({"action": "on", "eventId": "again", "path": "/ALL@/many/3"});
    assert_eq!(request(&mut socket, on).await["_meta"]["status"], "ok");
}

#[tokio::test]
async fn a_half_open_socket_is_closed_by_the_heartbeat() {
    let interval = Some(Duration::from_millis(20));
    let (server, node) = serve(|_| (), |config| config.ping_interval = interval).await;
    let mut events = node.watch();
    let mut socket = client(&server).await;
    let came = loop {
        match socket.next().await {
            Got::Text(text) => assert!(text.starts_with("\"primus::ping::"), "{text}"),
            other => break other,
        }
    };
    assert_eq!(came, Got::Close(None, String::new()));
    // It does not answer the close either.
    detached(&mut events).await;
    assert_eq!(node.session_count(), 0);
}

async fn detached(events: &mut tokio::sync::broadcast::Receiver<SessionEvent>) {
    let gone =
        async { while !matches!(events.recv().await.unwrap(), SessionEvent::Detached { .. }) {} };
    tokio::time::timeout(DEADLINE, gone)
        .await
        .expect("no session ended in time");
}

#[tokio::test]
async fn a_client_that_never_reads_is_ended_and_others_lose_nothing() {
    let (server, node) = serve(
        |config| {
            config.limits.outbox_frames_max = 10_000;
            config.limits.outbox_bytes_max = 1024 * 1024;
        },
        |config| config.write_timeout = Duration::from_secs(60),
    )
    .await;
    let on = r#"{"action":"on","eventId":"on","path":"/ALL@/news"}"#;
    let mut deaf = TcpStream::connect(server.address()).await.unwrap();
    deaf.write_all(UPGRADE).await.unwrap();
    deaf.write_all(&encode(Opcode::Text, on.as_bytes()))
        .await
        .unwrap();
    let mut listener = client(&server).await;
    request(&mut listener, serde_json::from_str(on).unwrap()).await;
    let mut publisher = client(&server).await;
    let mut events = node.watch();
    let text = "x".repeat(64 * 1024);
    let mut published = 0;
    // What the system buffers for a connection is a few MB; the rest waits in the outbox.
    while node.session_count() == 3 {
        let set = json!({"action": "set", "eventId": published, "path": "/news", "data": text,
            "options": {"noStore": true, "noDataResponse": true}});
        request(&mut publisher, set).await;
        let Got::Text(event) = listener.next().await else {
            panic!("the listener was closed");
        };
        assert!(
            event.contains(&format!("-{published}\"")),
            "event {published} is missing"
        );
        published += 1;
        assert!(
            published < 2000,
            "128 MB wait for a client that reads nothing"
        );
        if node.refused_frames() > 0 {
            detached(&mut events).await;
        }
    }
    assert!(node.refused_frames() > 0);
    assert_answers(&mut listener).await;
    drop(deaf);
}

/// Places used to be given back when a connection became a websocket, so that the cap did not
/// hold for the connections that matter. Now a websocket keeps its place until it is gone.
#[tokio::test]
async fn websockets_count_against_the_cap_on_connections() {
    let (server, _node) = serve(|_| (), |config| config.connections_max = 2).await;
    let first = client(&server).await;
    let _second = client(&server).await;
    assert!(!is_admitted(&server).await, "no place is left");
    drop(first);
    let readmitted = async {
        while !is_admitted(&server).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, readmitted)
        .await
        .expect("the place is free again");
}

async fn is_admitted(server: &Server) -> bool {
    match RawSocket::open(server.address(), UPGRADE).await {
        Ok(mut socket) => matches!(socket.next().await, Got::Http(_)),
        Err(_) => false,
    }
}
