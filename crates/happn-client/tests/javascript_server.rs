//! Our client against the real JavaScript server.
//!
//! Needs Node and the packages of `interop/`, which `cargo xtask test` installs. Where they are
//! missing these tests say so and check nothing, except in CI, where that is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use happn_client::{
    Client, ClientConfig, ConnectionState, Consistency, Event, Events, Initial, PeerDialer,
    ReconnectPolicy, SubscribeOptions, Subscription, Wrapped, WriteOptions,
};
use happn_core::{LinkLogin, PeerConnector, PeerLogin};
use happn_paths::{EventKind, Mask};
use happn_protocol::Json;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Starting Node on a busy machine takes its time.
const DEADLINE: Duration = Duration::from_secs(60);

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("in time")
}

/// A JavaScript server in a process of its own; killed when dropped.
struct JavascriptServer {
    _process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl JavascriptServer {
    /// Starts the server, or answers `None`, loudly, when it is not installed.
    async fn start() -> Option<Self> {
        let interop = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../interop");
        if !interop.join("node_modules/happn-3").exists() {
            let missing = "SKIPPED: happn-3 is not installed; `cargo xtask test` installs it";
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            eprintln!("{missing}");
            return None;
        }
        let mut process = Command::new("node")
            .arg("server.js")
            .current_dir(interop)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node can be started");
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut server = Self {
            _process: process,
            input,
            output,
            port: 0,
        };
        let line = server.line_with("listening ").await;
        server.port = line.trim_start_matches("listening ").parse().unwrap();
        Some(server)
    }

    async fn restart(&mut self) {
        self.input.write_all(b"restart\n").await.unwrap();
        self.line_with("restarted").await;
    }

    async fn line_with(&mut self, start: &str) -> String {
        loop {
            let line = soon(self.output.next_line()).await.unwrap();
            let line = line.expect("the server goes on");
            if line.starts_with(start) {
                return line;
            }
        }
    }

    async fn client(&self) -> Client {
        let config = ClientConfig {
            reconnect: ReconnectPolicy {
                min: Duration::from_millis(20),
                max: Duration::from_millis(200),
                seed: Some(1),
            },
            ..ClientConfig::new("127.0.0.1", self.port)
        };
        soon(Client::connect(config)).await.unwrap()
    }
}

async fn next(subscription: &mut Subscription) -> Event {
    soon(subscription.next()).await.expect("an event")
}

#[tokio::test]
async fn what_is_set_can_be_read_counted_listed_and_removed() {
    let Some(server) = JavascriptServer::start().await else {
        return;
    };
    let client = server.client().await;
    let written = client.set("/data/a", &json!({"x": 1})).await.unwrap();
    assert_eq!(written.data::<Value>().unwrap(), json!({"x": 1}));
    client.set("/data/b", "text").await.unwrap();
    let merge = WriteOptions {
        merge: true,
        ..WriteOptions::default()
    };
    client
        .set_with("/data/a", &json!({"y": 2}), &merge)
        .await
        .unwrap();

    let item = client.get::<Value>("/data/a").await.unwrap().unwrap();
    assert_eq!(item.data, json!({"x": 1, "y": 2}));
    assert!(item.meta.created <= item.meta.modified);
    let text = client.get::<Wrapped<String>>("/data/b").await.unwrap();
    assert_eq!(text.unwrap().data.value, "text");
    assert!(client.get::<Value>("/data/none").await.unwrap().is_none());

    let items = client.get_all::<Value>("/data/*").await.unwrap();
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(|item| item.data.get("_meta").is_none()));
    let mut paths = client.get_paths("/data/*").await.unwrap();
    paths.sort();
    assert_eq!(paths, ["/data/a", "/data/b"]);
    assert_eq!(client.get_paths("/data/a").await.unwrap(), ["/data/a"]);
    assert_eq!(client.count("/data/*").await.unwrap(), 2);

    assert_eq!(client.remove("/data/a").await.unwrap().count, 1);
    assert_eq!(client.remove("/data/a").await.unwrap().count, 0);
    assert_eq!(client.count("/data/*").await.unwrap(), 1);
    let total = client.increment("/data/g", "counter", 3).await.unwrap();
    assert_eq!(total.as_i64(), Some(3));
}

#[tokio::test]
async fn events_arrive_with_their_meta_and_in_order() {
    let Some(server) = JavascriptServer::start().await else {
        return;
    };
    let client = server.client().await;
    let other = server.client().await;
    let deep = SubscribeOptions {
        depth: Some(2),
        ..SubscribeOptions::default()
    };
    let mut deep = client.on("/ev/**", deep).await.unwrap();
    let removals = SubscribeOptions {
        events: Events::Remove,
        ..SubscribeOptions::default()
    };
    let mut removals = client.on("/ev/*", removals).await.unwrap();

    for number in 0..100 {
        other.publish("/ev/a", &json!({"n": number})).await.unwrap();
    }
    other.set("/ev/a/b/c", &1).await.unwrap();
    let custom = WriteOptions {
        meta: Some(Json::parse(r#"{"mine":7}"#).unwrap()),
        ..WriteOptions::default()
    };
    other
        .set_with("/ev/a/b", &json!(null), &custom)
        .await
        .unwrap();
    other.remove("/ev/a").await.unwrap();

    for number in 0..100 {
        assert_eq!(next(&mut deep).await.data::<Value>().unwrap()["n"], number);
    }
    // `/ev/a/b/c` is three levels down and does not arrive.
    let event = next(&mut deep).await;
    assert_eq!((event.kind(), event.path()), (EventKind::Set, "/ev/a/b"));
    assert_eq!(event.meta().unwrap().other["mine"], 7);
    assert_eq!(event.data::<Value>().unwrap(), json!({"value": null}));
    assert_eq!(next(&mut deep).await.kind(), EventKind::Remove);
    assert_eq!(next(&mut removals).await.path(), "/ev/a");
    assert!(removals.try_next().is_none());

    deep.off().await.unwrap();
    removals.off().await.unwrap();
    let results = WriteOptions {
        publish_results: true,
        ..WriteOptions::default()
    };
    let written = other.set_with("/ev/a", &1, &results).await.unwrap();
    assert_eq!(written.meta.publish_results.unwrap().queued, 0);
}

#[tokio::test]
async fn initial_values_and_acknowledged_publications_work() {
    let Some(server) = JavascriptServer::start().await else {
        return;
    };
    let client = server.client().await;
    client.set("/in/a", &json!({"n": 1})).await.unwrap();
    for initial in [Initial::Collect, Initial::Emit] {
        let options = SubscribeOptions {
            initial,
            ..SubscribeOptions::default()
        };
        let mut subscription = client.on("/in/*", options).await.unwrap();
        let path = match initial {
            Initial::Emit => next(&mut subscription).await.path().to_owned(),
            _ => subscription.initial()[0].meta.path.clone().unwrap(),
        };
        assert_eq!(path, "/in/a");
        subscription.off().await.unwrap();
    }

    let mut subscription = client
        .on("/in/*", SubscribeOptions::default())
        .await
        .unwrap();
    for consistency in [Consistency::Deferred, Consistency::Acknowledged] {
        let options = WriteOptions {
            consistency,
            ..WriteOptions::default()
        };
        let written = client.set_with("/in/a", &2, &options).await.unwrap();
        let results = soon(written.publication.unwrap().wait()).await.unwrap();
        assert_eq!(results.successful, 1);
        let acknowledged = (consistency == Consistency::Acknowledged).then_some(1);
        assert_eq!(results.acknowledged, acknowledged);
        next(&mut subscription).await;
    }
}

#[tokio::test]
async fn a_restarted_server_is_found_again_and_all_subscriptions_with_it() {
    let Some(mut server) = JavascriptServer::start().await else {
        return;
    };
    let client = server.client().await;
    let deep = SubscribeOptions {
        depth: Some(7),
        ..SubscribeOptions::default()
    };
    let mut deep = client.on("/re/**", deep).await.unwrap();
    let mut one = client
        .on("/re/one", SubscribeOptions::default())
        .await
        .unwrap();
    let mut state = client.state();
    server.restart().await;
    let back = |state: &ConnectionState| matches!(state, ConnectionState::Connected { reconnects, .. } if *reconnects > 0);
    soon(state.wait_for(back)).await.unwrap();
    client.publish("/re/one", &1).await.unwrap();
    client.publish("/re/1/2/3/4/5/6/7", &1).await.unwrap();
    assert_eq!(next(&mut one).await.path(), "/re/one");
    assert_eq!(next(&mut deep).await.path(), "/re/one");
    assert_eq!(next(&mut deep).await.path(), "/re/1/2/3/4/5/6/7");
    assert_eq!(deep.lost(), 0);
}

#[tokio::test]
async fn a_link_to_a_javascript_peer_hears_what_its_clients_do() {
    let Some(server) = JavascriptServer::start().await else {
        return;
    };
    let client = server.client().await;
    let login = PeerLogin {
        info: Json::parse(r#"{"name":"b","clusterName":"c","serviceName":"s"}"#).unwrap(),
        link: LinkLogin::default(),
    };
    let connecting = PeerDialer::default().connect(format!("127.0.0.1:{}", server.port), login);
    let mut link = soon(connecting).await.unwrap();
    assert!(!link.peer_name().is_empty());
    soon(link.subscribe(vec![Mask::parse("*")])).await.unwrap();
    let options = WriteOptions {
        consistency: Consistency::Acknowledged,
        meta: Some(Json::parse(r#"{"mine":7}"#).unwrap()),
        ..WriteOptions::default()
    };
    let written = client
        .set_with("/p/a", &json!({"n": 1}), &options)
        .await
        .unwrap();
    let results = soon(written.publication.unwrap().wait()).await.unwrap();
    assert_eq!(results.acknowledged, Some(1));
    client.remove("/p/*").await.unwrap();
    let mut events = Vec::new();
    while events.len() < 2 {
        soon(link.receive(&mut events)).await.unwrap();
    }
    assert_eq!((events[0].kind, &*events[0].path), (EventKind::Set, "/p/a"));
    assert_eq!(events[0].created, written.meta.created);
    assert_eq!(events[0].custom.len(), 1);
    assert_eq!(
        (events[1].kind, &*events[1].path),
        (EventKind::Remove, "/p/*")
    );
    soon(link.close(true)).await;
}
