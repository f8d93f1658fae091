//! What clients see of a door that leads to another server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests stop at what fails, as tests do"
)]

mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use cluster_proxy::{ProxyConfig, RemoteConfig, UpgradeRate};
use happn_tls::Trust;
use serde_json::Value;
use support::{Answer, Door, Received, SOON, Target, answer, ask, certificate, is_closed, soon};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Recorded cases that end otherwise here: ours, why.
const DIFFER: &[(&str, u16, &str)] = &[
    (
        "websocket upgrade on a path that is not /primus",
        404,
        "theirs neither answers nor closes",
    ),
    (
        "upgrade to something else",
        426,
        "theirs closes without a word; a server may ignore such a wish, and this one wants websockets",
    ),
    (
        "target down, http (no answer, no close within 6 s)",
        502,
        "theirs hangs",
    ),
    (
        "target down, websocket",
        502,
        "theirs closes without a word",
    ),
    (
        "response slower than the timeout",
        504,
        "theirs closes without a word",
    ),
    ("get: certificate refused, no answer", 502, "theirs hangs"),
    (
        "websocket: certificate refused",
        502,
        "theirs closes without a word",
    ),
];

fn anywhere() -> ProxyConfig {
    ProxyConfig::new("127.0.0.1", 0)
}

/// A door and its target as a recording has them.
async fn stage(setup: &str) -> (Door, Target) {
    let target_tls = setup.contains("https node").then(certificate);
    let scheme = if target_tls.is_some() {
        "https"
    } else {
        "http"
    };
    let target = Target::start(target_tls).await;
    let mut remote = RemoteConfig::to(target.url(scheme));
    if setup.contains("proxy allowSelfSignedCerts") {
        remote.trust = Trust::Anyone;
    }
    if setup.contains("timeout 1000 ms") {
        remote.answer_max = Duration::from_millis(300);
    }
    let proxy = ProxyConfig {
        tls: setup.starts_with("https proxy").then(certificate),
        ..anywhere()
    };
    (Door::open(proxy, remote).await, target)
}

/// The address of a server that has gone.
async fn nobody() -> cluster_proxy::Target {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    url.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_passed_on_as_recorded_and_never_left_without_an_answer() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/vectors/cluster/proxy-http.jsonl"
    );
    let text = std::fs::read_to_string(file).unwrap();
    let (mut passed, mut deviations, mut failures) = (0, 0, Vec::new());
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let name = case["case"].as_str().unwrap();
        let (mut door, target) = stage(case["setup"].as_str().unwrap()).await;
        if name.starts_with("target down") {
            door = Door::open(anywhere(), RemoteConfig::to(nobody().await)).await;
        }
        let mut stream = door.connect().await;
        let sent = case["client_sends"].as_str().unwrap();
        let got = ask(&mut stream, sent).await.unwrap_or_default();
        let known = DIFFER.iter().find(|(case, ..)| *case == name);
        let differences = match known {
            Some((_, status, _)) => (got.status != *status)
                .then(|| format!("{} instead of {status}", got.status))
                .into_iter()
                .collect(),
            None => [
                in_the_answer(&case["client_receives"], &got),
                in_the_request(&case["target_receives"], target.take().as_ref()),
            ]
            .concat(),
        };
        match differences.is_empty() {
            true if known.is_some() => deviations += 1,
            true => passed += 1,
            false => failures.push(format!("{name}: {}", differences.join("; "))),
        }
    }
    println!("cluster/proxy-http: {passed} passed / {deviations} documented deviations");
    assert_eq!(passed + deviations, 30, "{}", failures.join("\n"));
}

/// Connections are kept, so what says how long a body is may differ, and `date` always does.
fn in_the_answer(recorded: &Value, got: &Answer) -> Vec<String> {
    let theirs = Answer::parse(recorded.as_str().unwrap());
    let of_the_connection = |(name, _): &&(String, String)| {
        !matches!(
            name.as_str(),
            "date"
                | "connection"
                | "content-length"
                | "transfer-encoding"
                | "strict-transport-security"
        )
    };
    let mut differences = Vec::new();
    if (theirs.status, &theirs.body) != (got.status, &got.body) {
        differences.push(format!("answered {got:?} instead of {theirs:?}"));
    }
    for header in theirs.headers.iter().filter(of_the_connection) {
        if !got.headers.contains(header) {
            differences.push(format!("no {header:?} in {got:?}"));
        }
    }
    differences
}

fn in_the_request(recorded: &Value, got: Option<&Received>) -> Vec<String> {
    let Some(got) = got else {
        let nothing = recorded.is_null();
        return Vec::from_iter((!nothing).then(|| format!("nothing instead of {recorded}")));
    };
    let mut differences = Vec::new();
    if recorded["method"] != got.method || recorded["url"] != got.url {
        differences.push(format!("{got:?} instead of {recorded}"));
    }
    let theirs: Vec<&str> = recorded["rawHeaders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect();
    for pair in theirs.chunks(2) {
        let (name, value) = (pair[0], pair[1]);
        let own = matches!(
            name,
            "connection" | "keep-alive" | "te" | "transfer-encoding"
        ) || name.starts_with("x-forwarded")
            || (name, value) == ("content-length", "0");
        let is_there = got.headers.get(name).is_some_and(|own| own == value);
        if !own && !is_there {
            differences.push(format!("no {name}: {value} in {got:?}"));
        }
    }
    let said = |name: &str| got.headers.get(name).and_then(|value| value.to_str().ok());
    if said("x-forwarded-for") != Some("127.0.0.1") || said("te").is_some() {
        differences.push(format!("{got:?} says something else of the client"));
    }
    differences
}

#[tokio::test]
async fn connections_are_kept_on_both_sides() {
    let target = Target::start(None).await;
    let door = Door::open(anywhere(), RemoteConfig::to(target.url("http"))).await;
    let mut stream = door.connect().await;
    for number in 0..3 {
        let request = format!("GET /echo/{number} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(ask(&mut stream, &request).await.unwrap().status, 200);
    }
    assert_eq!(target.connections.load(Ordering::SeqCst), 1);
}

/// A server closes idle connections when it likes; the next request finds a new one.
#[tokio::test]
async fn a_connection_that_the_target_has_closed_is_replaced() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let door = Door::open(anywhere(), RemoteConfig::to(url.parse().unwrap())).await;
    let target = tokio::spawn(async move {
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await.unwrap();
            let page = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            stream.write_all(page).await.unwrap();
        }
    });
    let mut stream = door.connect().await;
    for _ in 0..3 {
        let got = ask(&mut stream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(got.unwrap().body, "ok");
    }
    soon("all three came", target).await.unwrap();
}

#[tokio::test]
async fn a_target_that_takes_no_connection_in_time_is_a_504() {
    // Accepts, but says nothing: no TLS will come of it.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let remote = RemoteConfig {
        connect_max: Duration::from_millis(200),
        ..RemoteConfig::to(url.parse().unwrap())
    };
    let door = Door::open(anywhere(), remote).await;
    let mut stream = door.connect().await;
    let got = ask(&mut stream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(got.status, 504);
    assert!(is_closed(&mut stream).await);
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_is_not_taken_for_whole() {
    let target = Target::start(None).await;
    let remote = RemoteConfig {
        answer_max: Duration::from_millis(200),
        ..RemoteConfig::to(target.url("http"))
    };
    let door = Door::open(anywhere(), remote).await;
    let mut stream = door.connect().await;
    let request = b"GET /stalls HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut text = String::new();
    let _ = soon("the connection ends", stream.read_to_string(&mut text)).await;
    assert!(!text.ends_with("0\r\n\r\n"), "{text}");
}

#[tokio::test]
async fn a_client_says_where_it_is_only_where_the_door_trusts_it() {
    let target = Target::start(None).await;
    for (trusts_forwarded, expected) in [(false, "127.0.0.1"), (true, "203.0.113.9, 127.0.0.1")] {
        let proxy = ProxyConfig {
            trusts_forwarded,
            ..anywhere()
        };
        let door = Door::open(proxy, RemoteConfig::to(target.url("http"))).await;
        let mut stream = door.connect().await;
        let request = "GET /echo HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n";
        ask(&mut stream, request).await.unwrap();
        let received = target.take().unwrap();
        assert_eq!(received.headers["x-forwarded-for"], expected);
    }
}

const UPGRADE: &str = "GET /primus HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
     Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[tokio::test]
async fn after_an_upgrade_bytes_flow_until_the_door_stops_and_idle_time_does_not_matter() {
    let target = Target::start(None).await;
    let remote = RemoteConfig {
        idle_max: Some(Duration::from_millis(50)),
        answer_max: Duration::from_millis(200),
        ..RemoteConfig::to(target.url("http"))
    };
    let door = Door::open(anywhere(), remote).await;
    // This one is idle without being a websocket, and ends meanwhile.
    let mut idle = door.connect().await;
    let mut stream = door.connect().await;
    assert_eq!(ask(&mut stream, UPGRADE).await.unwrap().status, 101);
    soon("it ends", idle.read_to_end(&mut Vec::new()))
        .await
        .unwrap();
    stream.write_all(b"ping").await.unwrap();
    let mut read = [0; 4];
    soon("an echo", stream.read_exact(&mut read)).await.unwrap();
    assert_eq!(&read, b"ping");

    door.proxy.stop().await;
    soon("the stop", door.remote.stop(SOON)).await;
    assert!(is_closed(&mut stream).await);
}

#[tokio::test]
async fn one_upgrade_too_many_is_told_when_to_come_back() {
    let target = Target::start(None).await;
    let proxy = ProxyConfig {
        upgrade_rate: Some(UpgradeRate {
            allowed: 1,
            interval: Duration::from_secs(60),
            retry_after: Some(Duration::from_millis(1500)),
        }),
        ..anywhere()
    };
    let door = Door::open(proxy, RemoteConfig::to(target.url("http"))).await;
    let mut first = door.connect().await;
    assert_eq!(ask(&mut first, UPGRADE).await.unwrap().status, 101);
    let mut second = door.connect().await;
    let got = ask(&mut second, UPGRADE).await.unwrap();
    assert_eq!((got.status, got.header("retry-after")), (429, Some("2")));
    assert!(is_closed(&mut second).await);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_half_a_request_nor_for_a_silent_target() {
    let target = Target::start(None).await;
    let door = Door::open(anywhere(), RemoteConfig::to(target.url("http"))).await;
    let mut half = door.connect().await;
    half.write_all(b"GET / HT").await.unwrap();
    let mut slow = door.connect().await;
    let request = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";
    slow.write_all(request).await.unwrap();
    let reached = async {
        while target.received.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    soon("the request arrives", reached).await;
    door.proxy.stop().await;
    let begun = tokio::time::Instant::now();
    soon("the stop", door.remote.stop(SOON)).await;
    assert!(begun.elapsed() < SOON / 2);
    assert!(is_closed(&mut half).await);
    assert!(answer(&mut slow, true).await.is_none());
}
