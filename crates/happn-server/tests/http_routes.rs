//! What a server has for browsers, and what can be mounted beside it.

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

use happn_core::{Arrival, DataService, MemoryStore, Node, NodeConfig, OpenAuthority, SystemClock};
use happn_server::mount::{Bytes, Request, Response, StatusCode};
use happn_server::{Server, ServerConfig};
use raw::{Got, RawSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn serve() -> Server {
    serve_with(|config| config.message_bytes_max = 1000).await
}

async fn serve_with(change: impl FnOnce(&mut ServerConfig)) -> Server {
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let clock = Arc::new(SystemClock::new());
    let node = Node::new(NodeConfig::named("n"), data, Arc::new(OpenAuthority), clock);
    let mut config = ServerConfig::on((Ipv4Addr::LOCALHOST, 0).into());
    change(&mut config);
    Server::bind(config, node).await.unwrap()
}

/// Head and body of the answer to `request`, the start of a head.
async fn ask(server: &Server, request: &str, body: &str) -> (String, String) {
    let length = body.len();
    let text = format!(
        "{request}\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let mut socket = RawSocket::open(server.address(), text.as_bytes())
        .await
        .unwrap();
    let Got::Http(answer) = socket.next().await else {
        panic!("{request} was not answered");
    };
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.unwrap_or_else(|| panic!("no {name} in {head}")).1
}

#[tokio::test]
async fn the_client_is_whole_and_says_what_it_is() {
    let server = serve().await;
    let (head, body) = ask(&server, "GET /browser_client HTTP/1.1", "").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(header(&head, "content-type"), "application/javascript");
    assert_eq!(header(&head, "content-length"), body.len().to_string());
    let version = env!("CARGO_PKG_VERSION");
    assert!(body.starts_with(&format!("//happn client v{version}\r\n//protocol v4\r\n")));
    assert!(body.contains("window.HappnClient = HappnClient"));
    assert!(!body.contains("{{"), "a placeholder is left");
}

#[tokio::test]
async fn a_script_is_sent_once_and_confirmed_afterwards() {
    let server = serve().await;
    for path in [
        "/browser_client",
        "/browser_primus.js",
        "/browser_crypto.js",
    ] {
        let (head, body) = ask(&server, &format!("GET {path} HTTP/1.1"), "").await;
        let etag = header(&head, "etag");
        let (only_head, nothing) = ask(&server, &format!("HEAD {path} HTTP/1.1"), "").await;
        assert_eq!(header(&only_head, "content-length"), body.len().to_string());
        assert_eq!(header(&only_head, "etag"), etag);
        assert_eq!(nothing, "");
        let again = format!("GET {path} HTTP/1.1\r\nIf-None-Match: {etag}");
        let (confirmed, nothing) = ask(&server, &again, "").await;
        assert!(confirmed.starts_with("HTTP/1.1 304"), "{confirmed}");
        assert_eq!(nothing, "");
    }
}

#[tokio::test]
async fn a_mounted_handler_gets_the_whole_request_and_the_client_its_answer() {
    let server = serve().await;
    let echo = async |request: Request<Bytes>| {
        let arrival = request.extensions().get::<Arrival>().unwrap();
        assert!(arrival.address.ip().is_loopback());
        let (method, uri) = (request.method(), request.uri());
        let mut response = Response::new(format!("{method} {uri} {:?}", request.body()).into());
        *response.status_mut() = StatusCode::ACCEPTED;
        response
    };
    server.mount("/echo", echo).unwrap();
    let (head, body) = ask(&server, "PUT /echo/a?b=c HTTP/1.1", "hello").await;
    assert!(head.starts_with("HTTP/1.1 202"), "{head}");
    assert_eq!(body, "PUT /echo/a?b=c b\"hello\"");
    let json = "POST /echo HTTP/1.1\r\nContent-Type: application/json";
    assert_eq!(ask(&server, json, "[1]").await.1, "POST /echo b\"[1]\"");
    let (head, _) = ask(&server, json, "[1").await;
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
    let (head, _) = ask(&server, "POST /echo HTTP/1.1", &"x".repeat(1001)).await;
    assert!(head.starts_with("HTTP/1.1 413"), "{head}");
    assert!(server.unmount("/echo"));
    let (head, _) = ask(&server, "GET /echo HTTP/1.1", "").await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
}

#[tokio::test]
async fn over_tls_browsers_are_told_to_stay_there() {
    let server = serve().await;
    for (path, encrypted, expected) in [
        ("/version", true, true),
        ("/nothing", true, true),
        ("/browser_client", true, true),
        ("/browser_primus.js", true, false),
        ("/primus/spec", true, false),
        ("/version", false, false),
    ] {
        let (mut near, far) = tokio::io::duplex(1024 * 1024);
        let mut arrival = Arrival::direct((Ipv4Addr::LOCALHOST, 1).into());
        arrival.encrypted = encrypted;
        server.ingress().accept(Box::new(far), arrival);
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        near.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        near.read_to_string(&mut answer).await.unwrap();
        let told =
            answer.contains("Strict-Transport-Security: max-age=15552000; includeSubDomains");
        assert_eq!(told, expected, "{path}: {answer:.500}");
    }
}

#[tokio::test]
async fn a_connection_serves_requests_until_it_has_been_idle_for_too_long() {
    let idle = Duration::from_millis(200);
    let server = serve_with(|config| config.keep_alive = Some(idle)).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    for method in ["GET", "HEAD", "OPTIONS", "GET"] {
        let request = format!("{method} /ping HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let body = if method == "HEAD" { "" } else { "pong" };
        let mut answer = String::new();
        while !answer.ends_with(&format!("\r\n\r\n{body}")) {
            let byte = tokio::time::timeout(raw::DEADLINE, stream.read_u8()).await;
            answer.push(byte.unwrap().unwrap().into());
        }
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(header(&answer, "connection"), "keep-alive");
        assert_eq!(header(&answer, "content-length"), "4");
    }
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(raw::DEADLINE, stream.read_to_end(&mut rest)).await;
    assert_eq!(closed.unwrap().unwrap(), 0);
}
