//! The recorded answers of the JavaScript server's HTTP endpoints, asked for again here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests may panic and print"
)]

#[allow(dead_code, reason = "shared with other tests")]
mod raw;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use happn_core::{DataService, MemoryStore, Node, NodeConfig, OpenAuthority, SystemClock};
use happn_server::{Server, ServerConfig};
use raw::{Got, RawSocket};
use serde_json::Value;

/// Scripts that are our own: only their bodies differ.
const SCRIPTS: [&str; 4] = [
    "/primus/primus.js",
    "/browser_primus.js",
    "/browser_crypto.js",
    "/browser_client",
];

/// Differ from run to run, or belong to the connection.
const VOLATILE: [&str; 8] = [
    "date",
    "connection",
    "keep-alive",
    "content-length",
    "transfer-encoding",
    "etag",
    "last-modified",
    "accept-ranges",
];

struct Answer {
    status: u64,
    headers: BTreeMap<String, String>,
    body: String,
}

#[tokio::test]
async fn the_endpoints_of_an_open_node_answer_as_recorded() {
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let clock = Arc::new(SystemClock::new());
    let node = Node::new(
        NodeConfig::named("happn_ref"),
        data,
        Arc::new(OpenAuthority),
        clock,
    );
    let mut config = ServerConfig::on((Ipv4Addr::LOCALHOST, 0).into());
    config.version = "13.12.1".to_owned();
    let server = Server::bind(config, node).await.unwrap();
    let (mut run, mut scripts, mut failures) = (0, 0, Vec::new());
    for line in recorded() {
        run += 1;
        let ours = ask(server.address(), &line["request"]).await;
        if SCRIPTS.contains(&line["request"]["path"].as_str().unwrap()) {
            scripts += 1;
        }
        if let Err(why) = compare(&line["response"], &ours) {
            failures.push(format!("{} -> {why}", line["request"]));
        }
    }
    println!(
        "wire/http-endpoints: {run} run / {} passed / {scripts} documented deviations",
        run - scripts - failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The lines of the open server.
fn recorded() -> Vec<Value> {
    let file = "../../tests/vectors/wire/server-13.12.1/http-endpoints.jsonl";
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| {
            line["label"]
                .as_str()
                .is_some_and(|label| label.starts_with("insecure"))
        })
        .collect()
}

async fn ask(address: SocketAddr, request: &Value) -> Answer {
    let text = |member: &str| request[member].as_str().unwrap_or_default();
    let body = match text("body") {
        "<JSON of 110 KiB>" => format!("{{\"a\":\"{}\"}}", "x".repeat(110 * 1024)),
        body => body.to_owned(),
    };
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
        text("method"),
        text("path")
    );
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        head.push_str(&format!("{name}: {}\r\n", value.as_str().unwrap()));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let whole = format!("{head}\r\n{body}");
    let mut socket = RawSocket::open(address, whole.as_bytes()).await.unwrap();
    let Got::Http(answer) = socket.next().await else {
        panic!("{request} was not answered");
    };
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Answer {
        status,
        headers,
        body: body.to_owned(),
    }
}

fn compare(theirs: &Value, ours: &Answer) -> Result<(), String> {
    if theirs["status"] != ours.status {
        return Err(format!(
            "status {} instead of {}",
            ours.status, theirs["status"]
        ));
    }
    let mut expected: BTreeMap<String, String> = BTreeMap::new();
    for pair in theirs["headers"].as_array().unwrap() {
        let name = pair[0].as_str().unwrap().to_ascii_lowercase();
        expected.insert(name, pair[1].as_str().unwrap().to_owned());
    }
    let mut headers = ours.headers.clone();
    for name in VOLATILE {
        expected.remove(name);
        headers.remove(name);
    }
    if expected != headers {
        return Err(format!("headers {headers:?} instead of {expected:?}"));
    }
    // The text of a server's own failure differs: only the kind of page is promised.
    let is_failure = matches!(ours.status, 400 | 413);
    match theirs["body"].as_str().or(theirs["bodyStart"].as_str()) {
        // The recording cut a long body; of a script it kept the lines that say what it is.
        Some(start) if theirs["bodyStart"].is_string() => {
            let same = is_failure || ours.body.starts_with(start);
            same.then_some(())
                .ok_or_else(|| format!("a body that begins unlike {start:?}"))
        }
        Some(body) if !is_failure && body != ours.body => {
            Err(format!("body {:?} instead of {body:?}", ours.body))
        }
        _ => Ok(()),
    }
}
