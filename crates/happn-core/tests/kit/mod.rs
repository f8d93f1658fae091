//! A node in memory and clients without sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test kit fails loudly"
)]
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use happn_core::{
    Connection, DataService, DataStore, Drained, MemoryStore, Node, NodeConfig, OpenAuthority,
    Received, Session, SystemClock,
};
use serde_json::Value;

/// How long anything may take before a test gives up.
const DEADLINE: Duration = Duration::from_secs(10);

pub(crate) fn node() -> Arc<Node> {
    node_on(Arc::new(MemoryStore::new()), NodeConfig::named("test"))
}

pub(crate) fn node_on(store: Arc<dyn DataStore>, config: NodeConfig) -> Arc<Node> {
    let clock = Arc::new(SystemClock::new());
    Node::new(
        config,
        DataService::new(store),
        Arc::new(OpenAuthority),
        clock,
    )
}

/// A client whose frames are handed over by hand.
pub(crate) struct Client {
    pub(crate) node: Arc<Node>,
    pub(crate) session: Arc<Session>,
    event_id: u32,
    frames: std::collections::VecDeque<Value>,
}

impl Client {
    /// A client that speaks the current dialect.
    pub(crate) fn of(node: &Arc<Node>) -> Self {
        let session = node.attach(Connection {
            url: "/primus".into(),
            headers: Vec::new(),
            encrypted: false,
            ip: "127.0.0.1".into(),
            port: 1,
            secure: false,
        });
        Self::with(node, session)
    }

    /// The same for a session that is attached already.
    pub(crate) fn with(node: &Arc<Node>, session: Arc<Session>) -> Self {
        let mut client = Self {
            node: node.clone(),
            session,
            event_id: 0,
            frames: Default::default(),
        };
        client.send(r#"{"action":"configure-session","data":{"protocol":"happn_4"}}"#);
        client.arrived();
        client.frames.clear();
        client
    }

    /// Hands a frame in; what has to be awaited runs beside.
    pub(crate) fn send(&self, frame: &str) {
        match self
            .node
            .receive(&self.session, &Bytes::from(frame.to_owned()))
        {
            Received::Done | Received::Control(_) => {}
            Received::Answer(rest) | Received::Blocked(rest) => drop(tokio::spawn(rest)),
        }
    }

    /// Sends a request and answers its event id.
    pub(crate) fn request(&mut self, action: &str, path: &str, data: &str, options: &str) -> u32 {
        self.event_id += 1;
        let id = self.event_id;
        self.send(&format!(
            r#"{{"action":"{action}","eventId":{id},"path":"{path}","data":{data},"options":{options}}}"#
        ));
        id
    }

    /// Sends a request and waits for its answer; events that come before it stay queued.
    pub(crate) async fn call(
        &mut self,
        action: &str,
        path: &str,
        data: &str,
        options: &str,
    ) -> Value {
        let id = self.request(action, path, data, options);
        let mut events: Vec<Value> = Vec::new();
        loop {
            let frame = self.next().await;
            if frame["_meta"]["eventId"] == id && frame["_meta"]["type"] == "response" {
                // They came before whatever has not been looked at.
                for event in events.into_iter().rev() {
                    self.frames.push_front(event);
                }
                return frame;
            }
            events.push(frame);
        }
    }

    pub(crate) async fn on(&mut self, channel: &str, options: &str) -> Value {
        self.call("on", channel, "null", options).await
    }

    /// The next frame of any kind.
    pub(crate) async fn next(&mut self) -> Value {
        tokio::time::timeout(DEADLINE, async {
            loop {
                self.arrived();
                if let Some(frame) = self.frames.pop_front() {
                    return frame;
                }
                self.session.outbox().ready().await;
            }
        })
        .await
        .expect("a frame within the deadline")
    }

    /// Everything that has arrived and was not looked at.
    pub(crate) fn rest(&mut self) -> Vec<Value> {
        self.arrived();
        self.frames.drain(..).collect()
    }

    fn arrived(&mut self) {
        let mut frames = Vec::new();
        while self.session.outbox().drain(&mut frames) == Drained::Frames {}
        let parsed = frames
            .iter()
            .map(|frame| serde_json::from_slice(frame.payload()).unwrap());
        self.frames.extend(parsed);
    }
}
