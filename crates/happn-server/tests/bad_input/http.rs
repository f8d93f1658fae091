//! HTTP that is none, too long or too slow.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use happn_server::Server;

use crate::harness::{assert_answers, client, plain, serve, until_closed};
use crate::raw::{Got, RawSocket};

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
        |config| config.keep_alive = Some(Duration::from_millis(100)),
    )
    .await;
    for start in ["", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nX-Slow: "] {
        let mut socket = RawSocket::open(server.address(), start.as_bytes())
            .await
            .unwrap();
        until_closed(&mut socket).await;
    }
}

/// What a server answers to `head`, followed by `body`.
async fn answer_to(server: &Server, head: &str, body: &str) -> String {
    let length = body.len();
    let text =
        format!("{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    let mut socket = RawSocket::open(server.address(), text.as_bytes())
        .await
        .unwrap();
    let Got::Http(answer) = socket.next().await else {
        panic!("{head} was not answered");
    };
    answer
}

#[tokio::test]
async fn methods_nobody_expects_are_answered() {
    let server = plain().await;
    for method in ["DELETE", "TRACE", "PATCH", "CONNECT", "BREW", "get"] {
        for path in ["/ping", "/browser_primus.js", "/nothing", "/primus"] {
            let answer = answer_to(&server, &format!("{method} {path} HTTP/1.1"), "").await;
            assert!(answer.starts_with("HTTP/1.1 "), "{method} {path}: {answer}");
            assert!(
                !answer.starts_with("HTTP/1.1 5"),
                "{method} {path}: {answer}"
            );
        }
    }
    assert_answers(&mut client(&server).await).await;
}

#[tokio::test]
async fn bodies_that_are_too_large_or_no_json_are_refused_by_name() {
    let server = plain().await;
    let post = "POST /ping HTTP/1.1\r\nContent-Type: application/json; charset=utf-8";
    let large = format!("\"{}\"", "x".repeat(100 * 1024));
    let answer = answer_to(&server, post, &large).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("request entity too large"), "{answer}");
    for body in ["{", "nonsense", "{\"a\":}", "\u{0}"] {
        let answer = answer_to(&server, post, body).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{body}: {answer}");
        assert!(answer.contains("not valid JSON"), "{body}: {answer}");
    }
    assert!(answer_to(&server, post, "{}").await.ends_with("pong"));
    // Nobody said that it is JSON, and nobody asked for it.
    assert!(
        answer_to(&server, "POST /ping HTTP/1.1", "{")
            .await
            .ends_with("pong")
    );
}

#[tokio::test]
async fn a_body_in_endless_pieces_is_cut_off() {
    let server = plain().await;
    let head = "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
        Transfer-Encoding: chunked\r\n\r\n";
    let mut socket = RawSocket::open(server.address(), head.as_bytes())
        .await
        .unwrap();
    let piece = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    for _ in 0..100 {
        socket.send_raw(piece.as_bytes()).await;
    }
    let came = until_closed(&mut socket).await;
    assert!(
        matches!(&came[..], [Got::Http(answer)] if answer.starts_with("HTTP/1.1 413")),
        "{came:?}"
    );
}

#[tokio::test]
async fn a_body_that_never_comes_is_given_up() {
    let timeout = Duration::from_millis(50);
    let (server, _) = serve(|_| (), |config| config.body_timeout = timeout).await;
    let head = "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
        Content-Length: 10\r\n\r\n{";
    let mut socket = RawSocket::open(server.address(), head.as_bytes())
        .await
        .unwrap();
    let came = until_closed(&mut socket).await;
    assert!(
        matches!(&came[..], [Got::Http(answer)] if answer.starts_with("HTTP/1.1 408")),
        "{came:?}"
    );
}

const REQUESTS: [&str; 3] = [
    "GET /browser_client HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"a\"\r\n\r\n",
    "POST /ping HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
        Content-Length: 7\r\n\r\n{\"a\":1}",
    "GET /primus?a=b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
];

/// Request `number` with a few bytes changed, put in, taken out or doubled; the same for the same
/// number.
fn damaged(number: u64) -> Vec<u8> {
    let mut state = number + 1;
    let mut roll = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    let mut bytes = REQUESTS[roll(REQUESTS.len())].as_bytes().to_vec();
    for _ in 0..=roll(4) {
        let at = roll(bytes.len());
        match roll(4) {
            0 => bytes[at] = roll(256) as u8,
            1 => bytes.insert(at, b"\r\n\0 :/%\xff"[roll(8)]),
            2 => drop(bytes.remove(at)),
            _ => bytes.extend_from_within(at..),
        }
    }
    bytes
}

#[tokio::test]
async fn damaged_requests_end_in_an_answer_or_a_close() {
    let quick = Duration::from_millis(100);
    let (server, _) = serve(
        |_| (),
        |config| {
            config.keep_alive = Some(quick);
            config.body_timeout = quick;
            // What is sent behind such an upgrade hides that this side has ended.
            config.silence = quick;
        },
    )
    .await;
    let address = server.address();
    // Fewer at a time than a listener's backlog holds: a connection that the kernel drops is
    // dialed anew a second later, which is not what is tested.
    stream::iter(0..1000)
        .for_each_concurrent(100, |number| async move {
            let mut socket = RawSocket::open(address, b"").await.unwrap();
            socket.send_raw(&damaged(number)).await;
            // What became a websocket ends with this side.
            socket.finish().await;
            for got in until_closed(&mut socket).await {
                if let Got::Http(answer) = got {
                    assert!(!answer.starts_with("HTTP/1.1 5"), "{number}: {answer}");
                }
            }
        })
        .await;
    let mut socket = client(&server).await;
    assert_answers(&mut socket).await;
}
