//! Nothing a client sends hurts the node or anybody else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests may panic"
)]

#[allow(dead_code, reason = "shared with other tests")]
mod raw;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use happn_core::{
    DataService, MemoryStore, Node, NodeConfig, OpenAuthority, SessionEvent, SessionEvents,
    SystemClock,
};
use happn_server::{Server, ServerConfig};
use raw::{DEADLINE, Got, Opcode, RawSocket, UPGRADE, encode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

async fn serve(
    node: impl FnOnce(&mut NodeConfig),
    server: impl FnOnce(&mut ServerConfig),
) -> (Server, Arc<Node>) {
    let mut node_config = NodeConfig::named("target");
    node(&mut node_config);
    let mut config = ServerConfig::on((Ipv4Addr::LOCALHOST, 0).into());
    server(&mut config);
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let clock = Arc::new(SystemClock::new());
    let node = Node::new(node_config, data, Arc::new(OpenAuthority), clock);
    (Server::bind(config, node.clone()).await.unwrap(), node)
}

async fn plain() -> Server {
    serve(|_| (), |_| ()).await.0
}

/// A websocket that speaks the current dialect.
async fn client(server: &Server) -> RawSocket {
    let mut socket = RawSocket::websocket(server.address()).await;
    let configure = json!({"action": "configure-session", "eventId": "configure",
        "data": {"protocol": "happn_4", "version": "13.12.1"}});
    socket.send_text(&configure.to_string()).await;
    answer(&mut socket, &json!("configure")).await;
    socket
}

/// The answer to `event_id`; whatever comes before it is dropped.
async fn answer(socket: &mut RawSocket, event_id: &Value) -> Value {
    loop {
        match socket.next().await {
            Got::Text(text) => {
                // What is nested too deeply for this reader is nothing a test waits for.
                let value: Value = serde_json::from_str(&text).unwrap_or_default();
                let meta = match &value {
                    Value::Array(items) => &items.last().unwrap()["eventId"],
                    other => &other["_meta"]["eventId"],
                };
                if meta == event_id {
                    return value;
                }
            }
            Got::Close(..) | Got::End => panic!("closed while waiting for {event_id}"),
            _ => {}
        }
    }
}

async fn request(socket: &mut RawSocket, request: Value) -> Value {
    socket.send_text(&request.to_string()).await;
    answer(socket, &request["eventId"]).await
}

async fn assert_answers(socket: &mut RawSocket) {
    let described = request(socket, json!({"action": "describe", "eventId": "alive"})).await;
    assert_eq!(described["data"]["name"], "target");
}

/// What the server still sends before it closes.
async fn until_closed(socket: &mut RawSocket) -> Vec<Got> {
    let mut came = Vec::new();
    loop {
        match socket.next().await {
            Got::End => return came,
            got => came.push(got),
        }
    }
}

#[tokio::test]
async fn frames_that_are_no_requests_are_ignored() {
    let server = plain().await;
    let mut socket = client(&server).await;
    let deep = "[".repeat(100_000);
    let deep_object = r#"{"a":"#.repeat(100_000);
    for text in [
        "",
        "this is not json",
        "null",
        "true",
        "5",
        "1e999",
        "[]",
        "[1,2]",
        "{}",
        "\"hello\"",
        "\"primus::\"",
        "\"primus::foo::bar\"",
        "\"\\ud800\"",
        "{\"action\":",
        "\u{0}",
        &deep,
        &deep_object,
    ] {
        socket.send_text(text).await;
        socket
            .send_raw(&encode(Opcode::Binary, text.as_bytes()))
            .await;
        assert_answers(&mut socket).await;
    }
}

#[tokio::test]
async fn deeply_nested_data_is_answered() {
    let server = plain().await;
    let mut socket = client(&server).await;
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    for options in [
        "{}",
        r#"{"merge":true}"#,
        r#"{"increment":1}"#,
        r#"{"noStore":true}"#,
    ] {
        for data in [&deep, &format!("[{deep}]")] {
            let text = format!(
                r#"{{"action":"set","eventId":"deep","path":"/deep","data":{data},"options":{options}}}"#
            );
            socket.send_text(&text).await;
            assert_answers(&mut socket).await;
        }
    }
    for member in ["options", "path", "sessionId", "action", "eventId"] {
        let text = format!(r#"{{"action":"get","path":"/deep","{member}":{deep}}}"#);
        socket.send_text(&text).await;
        assert_answers(&mut socket).await;
    }
}

#[tokio::test]
async fn a_message_above_the_limit_is_closed_with_1009() {
    let (server, _) = serve(|_| (), |config| config.message_bytes_max = 1000).await;
    let mut socket = client(&server).await;
    socket.send_text(&"x".repeat(2000)).await;
    let came = until_closed(&mut socket).await;
    assert_eq!(came, [Got::Close(Some(1009), String::new())]);
    // Claims to be enormous and sends nothing of it.
    let mut socket = client(&server).await;
    socket
        .send_raw(&[
            0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4,
        ])
        .await;
    assert!(matches!(
        until_closed(&mut socket).await[..],
        [Got::Close(Some(_), _)]
    ));
    // In pieces.
    let mut socket = client(&server).await;
    let mut piece = encode(Opcode::Text, &[b'x'; 600]);
    piece[0] &= 0x7F;
    socket.send_raw(&piece).await;
    socket
        .send_raw(&encode(Opcode::Continuation, &[b'x'; 600]))
        .await;
    let came = until_closed(&mut socket).await;
    assert_eq!(came, [Got::Close(Some(1009), String::new())]);
}

const ACTIONS: [&str; 15] = [
    "set",
    "get",
    "count",
    "remove",
    "on",
    "off",
    "ack",
    "configure-session",
    "describe",
    "login",
    "request-nonce",
    "revoke-token",
    "change-password",
    "disconnect-child-sessions",
    "nonsense",
];

const OPTIONS: [&str; 27] = [
    "noStore",
    "noPublish",
    "noDataResponse",
    "nullValue",
    "merge",
    "increment",
    "upsertType",
    "consistency",
    "publishResults",
    "targetClients",
    "noCluster",
    "meta",
    "tag",
    "timeout",
    "criteria",
    "fields",
    "sort",
    "aggregate",
    "collation",
    "options",
    "path_only",
    "depth",
    "initialCallback",
    "initialEmit",
    "referenceId",
    "refCount",
    "event_type",
];

fn values() -> [Value; 8] {
    [
        json!(null),
        json!(5),
        json!(-1.5),
        json!(true),
        json!("x"),
        json!(""),
        json!([]),
        json!({}),
    ]
}

fn well_formed(action: &str) -> Value {
    let path = if matches!(action, "on" | "off") {
        "/ALL@/a/*"
    } else {
        "/a/b"
    };
    json!({"action": action, "eventId": 1, "path": path, "data": {"a": 1}, "sessionId": "s",
        "options": {}})
}

#[tokio::test]
async fn wrong_types_in_every_member_of_every_action_are_survived() {
    let server = plain().await;
    for action in ACTIONS {
        let mut socket = client(&server).await;
        for member in [
            "action",
            "eventId",
            "path",
            "data",
            "sessionId",
            "options",
            "encrypted",
        ] {
            for value in values() {
                let mut request = well_formed(action);
                request[member] = value;
                socket.send_text(&request.to_string()).await;
            }
            let mut request = well_formed(action);
            request.as_object_mut().unwrap().remove(member);
            socket.send_text(&request.to_string()).await;
            assert_answers(&mut socket).await;
        }
    }
}

#[tokio::test]
async fn wrong_types_in_every_option_are_survived() {
    let server = plain().await;
    for action in ["set", "get", "count", "remove", "on", "off"] {
        let mut socket = client(&server).await;
        for option in OPTIONS {
            for value in values() {
                let mut request = well_formed(action);
                request["options"] = json!({ option: value });
                socket.send_text(&request.to_string()).await;
            }
            assert_answers(&mut socket).await;
        }
    }
}

#[tokio::test]
async fn bad_paths_are_refused() {
    let server = plain().await;
    let mut socket = client(&server).await;
    for path in [
        "",
        "/a/#",
        "/ä",
        "/a;b",
        "/a,b",
        "/a\"b",
        "/a\\b",
        "/a\u{0}b",
        "/\u{2028}\u{1F600}",
    ] {
        for action in ["set", "remove", "on"] {
            let refused = request(
                &mut socket,
                json!({"action": action, "eventId": "bad", "path": path, "data": {}}),
            )
            .await;
            let message = refused["_meta"]["error"]["message"].as_str().unwrap();
            assert!(
                message.starts_with("Bad path"),
                "{action} {path:?}: {message}"
            );
        }
    }
    let starred = json!({"action": "set", "eventId": "star", "path": "/a/*", "data": {}});
    assert_eq!(
        request(&mut socket, starred).await["_meta"]["status"],
        "error"
    );
}

#[tokio::test]
async fn masks_of_thousands_of_segments_match_and_end() {
    let server = plain().await;
    let mut socket = client(&server).await;
    let (stars, path) = ("/*".repeat(5000), "/a".repeat(5000));
    for mask in [
        stars.clone(),
        path.clone(),
        format!("{path}/**"),
        "*".repeat(20_000),
        "/**".repeat(5000),
    ] {
        let on = json!({"action": "on", "eventId": "on", "path": format!("/ALL@{mask}"),
            "options": {"depth": 1_000_000}});
        request(&mut socket, on).await;
        let get = json!({"action": "get", "eventId": "get", "path": mask});
        request(&mut socket, get).await;
    }
    let set = json!({"action": "set", "eventId": "set", "path": path, "data": {}});
    socket.send_text(&set.to_string()).await;
    let Got::Text(event) = socket.next().await else {
        panic!("no event arrived");
    };
    assert!(event.contains(r#""type":"data""#), "{event:.300}");
    assert_answers(&mut socket).await;
}

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

#[tokio::test]
async fn http_garbage_is_answered_or_closed() {
    let server = plain().await;
    let flood = format!("GET / HTTP/1.1\r\n{}\r\n", "X-Flood: 1\r\n".repeat(200_000));
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1_000_000));
    for garbage in [
        "\u{0}\u{1}\u{2}\r\n\r\n",
        "garbage\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        &flood,
        &long,
    ] {
        let mut socket = RawSocket::open(server.address(), b"").await.unwrap();
        socket.send_raw(garbage.as_bytes()).await;
        for got in until_closed(&mut socket).await {
            assert!(
                matches!(&got, Got::Http(head) if head.starts_with("HTTP/1.1 4")),
                "{got:?}"
            );
        }
        assert_answers(&mut client(&server).await).await;
    }
}

#[tokio::test]
async fn a_head_that_never_ends_is_closed_in_time() {
    let (server, _) = serve(
        |_| (),
        |config| config.keep_alive = Duration::from_millis(100),
    )
    .await;
    for start in ["", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nX-Slow: "] {
        let mut socket = RawSocket::open(server.address(), start.as_bytes())
            .await
            .unwrap();
        until_closed(&mut socket).await;
    }
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
