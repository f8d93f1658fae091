//! What the listener does for clients good and bad.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers of tests may panic"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cluster_admin::{
    AdminConfig, AdminServer, Answer, AnswerFuture, FetchError, Page, Site, Target, fetch,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SOON: Duration = Duration::from_secs(10);

struct Fixed(&'static str);

impl Page for Fixed {
    fn answer(&self) -> AnswerFuture<'_> {
        Box::pin(std::future::ready(Answer::text(200, self.0)))
    }
}

struct Never;

impl Page for Never {
    fn answer(&self) -> AnswerFuture<'_> {
        Box::pin(std::future::pending())
    }
}

async fn server(change: impl FnOnce(&mut AdminConfig)) -> AdminServer {
    let mut config = AdminConfig::on("127.0.0.1", 0);
    change(&mut config);
    let pages: Vec<(&'static str, Box<dyn Page>)> = vec![
        ("/fixed", Box::new(Fixed("as it is"))),
        ("/never", Box::new(Never)),
    ];
    AdminServer::bind(config, Arc::new(Site::of(pages)))
        .await
        .unwrap()
}

fn target(address: SocketAddr) -> Target {
    address.to_string().parse().unwrap()
}

/// Sends `request` and answers everything that comes back until the end.
async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    rest(&mut stream).await
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(SOON, stream.read_to_end(&mut bytes)).await;
    // A connection that is reset has ended, too.
    let _ = read.expect("the connection ends");
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_page_is_answered_and_nothing_else_is() {
    let server = server(|_| ()).await;
    let found = fetch(&target(server.address()), "/fixed", SOON)
        .await
        .unwrap();
    assert_eq!((found.status, found.body.as_str()), (200, "as it is"));
    let missing = fetch(&target(server.address()), "/other", SOON)
        .await
        .unwrap();
    assert_eq!(missing.status, 404);
    assert!(missing.body.contains("/fixed, /never"), "{}", missing.body);

    let posted =
        "POST /fixed HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let refused = exchange(server.address(), posted).await.to_lowercase();
    assert!(refused.starts_with("http/1.1 405"), "{refused}");
    assert!(refused.contains("allow: get, head"), "{refused}");

    let head = "HEAD /fixed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = exchange(server.address(), head).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(!answer.contains("as it is"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn garbage_ends_its_connection_only() {
    let server = server(|_| ()).await;
    let answer = exchange(server.address(), "\u{1}\u{2}\r\n\r\n").await;
    assert!(!answer.contains("200"), "{answer}");
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
    let answer = exchange(server.address(), &long).await;
    assert!(!answer.contains("200"), "{answer}");
    let found = fetch(&target(server.address()), "/fixed", SOON)
        .await
        .unwrap();
    assert_eq!(found.status, 200);
}

#[tokio::test]
async fn who_sends_half_a_request_is_cut_off() {
    let server = server(|config| config.request_max = Duration::from_millis(100)).await;
    exchange(server.address(), "GET /fixed HTTP/1.1\r\nHost").await;
    let mut idle = TcpStream::connect(server.address()).await.unwrap();
    rest(&mut idle).await;
}

#[tokio::test]
async fn a_connection_ends_although_its_answer_never_comes() {
    let server = server(|config| config.connection_max = Duration::from_millis(100)).await;
    let answer = exchange(server.address(), "GET /never HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(answer, "");
}

#[tokio::test]
async fn more_connections_than_there_is_room_for_are_closed() {
    let server = server(|config| config.connections_max = 1).await;
    let mut first = TcpStream::connect(server.address()).await.unwrap();
    let request = b"GET /fixed HTTP/1.1\r\nHost: x\r\n\r\n";
    first.write_all(request).await.unwrap();
    let mut byte = [0];
    first.read_exact(&mut byte).await.unwrap();
    let mut second = TcpStream::connect(server.address()).await.unwrap();
    assert_eq!(rest(&mut second).await, "");
    drop(first);
    let answered = async {
        while fetch(&target(server.address()), "/fixed", SOON)
            .await
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, answered).await.unwrap();
}

#[tokio::test]
async fn a_stopped_listener_is_gone_and_its_port_is_free() {
    let server = server(|_| ()).await;
    let address = server.address();
    let mut waiting = TcpStream::connect(address).await.unwrap();
    let request = b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n";
    waiting.write_all(request).await.unwrap();
    tokio::time::timeout(SOON, server.stop()).await.unwrap();
    assert_eq!(rest(&mut waiting).await, "");
    let error = fetch(&target(address), "/fixed", SOON).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    TcpListener::bind(address).await.unwrap();
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let config = AdminConfig::on("127.0.0.1", port);
    let error = AdminServer::bind(config, Arc::default()).await.unwrap_err();
    assert!(error.is_taken());
    assert!(error.to_string().contains(&port.to_string()), "{error}");
}

#[tokio::test]
async fn whoever_does_not_answer_or_speaks_something_else_is_told_apart() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target_of_silence = target(silent.local_addr().unwrap());
    let limit = Duration::from_millis(50);
    let error = fetch(&target_of_silence, "/", limit).await.unwrap_err();
    assert!(error.to_string().ends_with("within 50 ms"), "{error}");

    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target_of_other = target(other.local_addr().unwrap());
    let talking = tokio::spawn(async move {
        let (mut stream, _) = other.accept().await.unwrap();
        stream.write_all(b"SSH-2.0-x\r\n").await.unwrap();
        let _ = stream.read(&mut [0; 512]).await;
    });
    let error = fetch(&target_of_other, "/", SOON).await.unwrap_err();
    assert!(matches!(error, FetchError::NotHttp { .. }), "{error}");
    talking.await.unwrap();
}
