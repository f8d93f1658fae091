//! The options of sessions and their transport, from the configuration to the client.

use std::net::SocketAddr;
use std::sync::Arc;

use cluster_node::Node;
use happn_core::{Layer, Message, Session};
use happn_protocol::{Json, WireError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Plan, SOON, client, soon};

const UPGRADE: &str = "GET /primus HTTP/1.1\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Host: localhost\r\n\r\n";

async fn address(node: &Node) -> SocketAddr {
    node.proxy().address().await.expect("the proxy is open")
}

/// Everything that comes until the other side ends the connection.
async fn said_until_the_end(node: &Node, request: &str) -> String {
    let mut stream = TcpStream::connect(address(node).await).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    soon("the connection ends", stream.read_to_end(&mut said))
        .await
        .unwrap();
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn a_connection_that_never_logs_in_is_ended_and_others_stay() {
    let cleanup = "services.session.config.unconfiguredSessionCleanup";
    let node = Plan::new()
        .with(&format!("{cleanup}.interval"), "50")
        .with(&format!("{cleanup}.threshold"), "200");
    let node = node.start().await.unwrap();
    let client = client(&node).await;
    let said = said_until_the_end(&node, UPGRADE).await;
    assert!(said.contains("101 Switching Protocols"), "{said}");
    assert!(said.contains("primus::server::close"), "{said}");
    assert!(client.session_id().is_some());
    assert_eq!(client.count("/none/*").await.unwrap(), 0);
    node.stop(SOON).await;
}

#[tokio::test]
async fn an_idle_connection_of_http_is_kept_as_long_as_configured() {
    let node = Plan::new().with("services.transport.config.keepAliveTimeout", "1000");
    let node = node.start().await.unwrap();
    let request = "GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let said = said_until_the_end(&node, request).await;
    assert!(said.contains("Keep-Alive: timeout=1\r\n"), "{said}");
    assert!(said.ends_with("pong"), "{said}");
    node.stop(SOON).await;
}

#[tokio::test]
async fn an_unanswered_ping_ends_a_connection_after_the_allowed_beats() {
    let options = "services.session.config.primusOpts";
    let node = Plan::new()
        .with(&format!("{options}.pingInterval"), "100")
        .with(&format!("{options}.allowSkippedHeartBeats"), "0");
    let node = node.start().await.unwrap();
    // Only who speaks the newest dialect is pinged.
    let configure = r#"{"action":"configure-session","data":{"protocol":"happn_4"}}"#;
    let length = 0x80 | u8::try_from(configure.len()).unwrap();
    let mut frame = vec![0x81, length, 0, 0, 0, 0];
    frame.extend_from_slice(configure.as_bytes());
    let mut stream = TcpStream::connect(address(&node).await).await.unwrap();
    stream.write_all(UPGRADE.as_bytes()).await.unwrap();
    stream.write_all(&frame).await.unwrap();
    let mut said = Vec::new();
    soon("the connection ends", stream.read_to_end(&mut said))
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&said);
    assert_eq!(said.matches("primus::ping::").count(), 1, "{said}");
    assert!(!said.contains("primus::server::close"), "it may come back");
    node.stop(SOON).await;
}

/// Turns every number that is set into its double.
struct Doubling;

impl Layer for Doubling {
    fn inbound(&self, _session: &Session, message: &mut Message) -> Result<(), WireError> {
        let number: Option<u64> = message.get("data").and_then(|data| data.decode().ok());
        if let Some(doubled) = number.and_then(|number| Json::encode(&(2 * number)).ok()) {
            message.set("data", doubled);
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_program_around_the_node_puts_a_layer_before_it() {
    let settings = Plan::new().settings();
    let node = Node::bind_with(&settings, |core| core.layer(Arc::new(Doubling)));
    let node = node.await.unwrap();
    soon("the node is ready", node.ready()).await.unwrap();
    let client = client(&node).await;
    let stored: serde_json::Value = client.set("/a", &21).await.unwrap().data().unwrap();
    assert_eq!(stored["value"], 42);
    node.stop(SOON).await;
}
