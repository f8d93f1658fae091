//! What a front door's rules do to its clients, and what the node's own port does without them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of tests may panic"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use happn_core::{
    Arrival, DataService, DoorRules, MemoryStore, Node, NodeConfig, OpenAuthority, SystemClock,
    UpgradeLimit,
};
use happn_server::{Server, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// Lets everybody in, or nobody.
#[derive(Debug)]
struct Limit(Option<Duration>);

impl UpgradeLimit for Limit {
    fn admit(&self) -> Result<(), Duration> {
        self.0.map_or(Ok(()), Err)
    }
}

fn rules(limit: Option<Duration>) -> DoorRules {
    DoorRules {
        idle_max: Some(Duration::from_secs(5)),
        trusts_forwarded: false,
        upgrades: Arc::new(Limit(limit)),
    }
}

async fn server() -> Server {
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let config = NodeConfig::named("door");
    let clock = Arc::new(SystemClock::new());
    let node = Node::new(config, data, Arc::new(OpenAuthority), clock);
    let address: SocketAddr = ([127, 0, 0, 1], 0).into();
    Server::bind(ServerConfig::on(address), node).await.unwrap()
}

/// A client that came through a door with `rules`.
fn through_the_door(server: &Server, rules: DoorRules) -> DuplexStream {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let arrival = Arrival {
        address: ([203, 0, 113, 9], 4711).into(),
        encrypted: true,
        door: Some(Arc::new(rules)),
    };
    server.ingress().accept(Box::new(far), arrival);
    near
}

fn upgrade(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         X-Forwarded-For: 192.0.2.1\r\n\r\n"
    )
}

/// Sends `request` and reads until the node closes.
async fn answer(mut client: DuplexStream, request: &str) -> String {
    client.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    let reading = client.read_to_string(&mut text);
    tokio::time::timeout(Duration::from_secs(10), reading)
        .await
        .unwrap()
        .unwrap();
    text
}

#[tokio::test]
async fn an_upgrade_over_the_limit_is_told_when_to_come_back() {
    let server = server().await;
    let client = through_the_door(&server, rules(Some(Duration::from_millis(1500))));
    let told = answer(client, &upgrade("/primus")).await;
    assert!(
        told.starts_with("HTTP/1.1 429 Too Many Requests\r\n"),
        "{told}"
    );
    assert!(
        told.to_ascii_lowercase().contains("\r\nretry-after: 2\r\n"),
        "{told}"
    );
}

#[tokio::test]
async fn an_upgrade_elsewhere_is_not_found_and_closed() {
    let server = server().await;
    let client = through_the_door(&server, rules(None));
    let told = answer(client, &upgrade("/other")).await;
    assert!(told.starts_with("HTTP/1.1 404 Not Found\r\n"), "{told}");
    assert!(told.contains("Cannot GET /other"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_is_closed_after_the_doors_limit() {
    let server = server().await;
    let start = tokio::time::Instant::now();
    let nothing = answer(through_the_door(&server, rules(None)), "").await;
    assert_eq!(nothing, "");
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn a_door_that_trusts_nobody_ignores_forwarding_headers() {
    let server = server().await;
    for (trusts_forwarded, seen) in [(false, "203.0.113.9"), (true, "192.0.2.1")] {
        let rules = DoorRules {
            trusts_forwarded,
            ..rules(None)
        };
        let mut client = through_the_door(&server, rules);
        let login = frame(r#"{"action":"login","eventId":1,"data":{"info":{}},"sessionId":null}"#);
        let configure = frame(
            r#"{"action":"configure-session","eventId":0,"data":{"protocol":"happn_4"},"sessionId":null}"#,
        );
        client
            .write_all(upgrade("/primus").as_bytes())
            .await
            .unwrap();
        client.write_all(&configure).await.unwrap();
        client.write_all(&login).await.unwrap();
        let text = read_until(&mut client, "\"ip\":").await;
        assert!(text.contains(seen), "{trusts_forwarded}: {text}");
    }
}

/// A masked text frame of up to 125 bytes; the mask is zero.
fn frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 126);
    let mut bytes = vec![0x81, 0x80 | length, 0, 0, 0, 0];
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

async fn read_until(client: &mut DuplexStream, wanted: &str) -> String {
    let mut text = String::new();
    let mut bytes = [0; 4096];
    while !text.contains(wanted) {
        let read = tokio::time::timeout(Duration::from_secs(10), client.read(&mut bytes));
        let count = read.await.expect("more arrives in time").unwrap();
        assert!(count > 0, "closed after {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    text
}
