//! A node on a store, with a clock set by hand, and a client without a socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use happn_core::{
    BoxFuture, Clock, Connection, DataService, DataStore, Drained, Node, NodeConfig, OpenAuthority,
    Received, Session, SystemClock,
};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(30);

/// A client whose frames are handed over by hand.
pub struct Client {
    node: Arc<Node>,
    session: Arc<Session>,
    clock: Arc<SteppedClock>,
    event_id: u32,
}

impl Client {
    pub fn new(store: Arc<dyn DataStore>) -> Self {
        let clock = Arc::new(SteppedClock {
            now: AtomicI64::new(1_700_000_000_000),
            system: SystemClock::new(),
        });
        let node = Node::new(
            NodeConfig::named("test"),
            DataService::new(store),
            Arc::new(OpenAuthority),
            clock.clone(),
        );
        let session = node.attach(Connection {
            url: "/primus".into(),
            headers: Vec::new(),
            encrypted: false,
            ip: "127.0.0.1".into(),
            port: 1,
            secure: false,
        });
        Self {
            node,
            session,
            clock,
            event_id: 0,
        }
    }

    /// Sets the node's wall clock, ms since 1970.
    pub fn at(&self, now: i64) {
        self.clock.now.store(now, Ordering::Relaxed);
    }

    /// Speaks the current dialect.
    pub async fn configure(&mut self) {
        let frame = json!({"action": "configure-session", "data": {"protocol": "happn_4"}});
        self.call(frame).await;
    }

    /// Sends a request and waits for its answer.
    pub async fn call(&mut self, mut frame: Value) -> Value {
        self.event_id += 1;
        frame["eventId"] = json!(self.event_id);
        let bytes = Bytes::from(frame.to_string());
        match self.node.receive(&self.session, &bytes) {
            Received::Done | Received::Control(_) => {}
            Received::Answer(rest) | Received::Blocked(rest) => drop(tokio::spawn(rest)),
        }
        let answer = tokio::time::timeout(DEADLINE, self.answer());
        answer.await.expect("an answer within the deadline")
    }

    async fn answer(&mut self) -> Value {
        loop {
            let mut frames = Vec::new();
            while self.session.outbox().drain(&mut frames) == Drained::Frames {}
            for frame in frames {
                let frame: Value = serde_json::from_slice(frame.payload()).unwrap();
                let meta = match &frame {
                    Value::Array(items) => items.last().unwrap().clone(),
                    frame => frame["_meta"].clone(),
                };
                if meta["eventId"] == self.event_id && meta["type"] == "response" {
                    return frame;
                }
            }
            self.session.outbox().ready().await;
        }
    }
}

struct SteppedClock {
    now: AtomicI64,
    system: SystemClock,
}

impl Clock for SteppedClock {
    fn wall_ms(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.system.sleep(duration)
    }
}
