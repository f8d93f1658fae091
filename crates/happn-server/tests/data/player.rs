//! Plays the cases of one file on one store.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use happn_core::{
    BoxFuture, Clock, DataService, Ending, Node, NodeConfig, OpenAuthority, SystemClock,
};
use happn_server::{Server, ServerConfig};
use serde_json::{Value, json};

use super::case::{self, Case};
use super::deviations;
use super::engine::{Engine, Opened};
use super::requests::{self, CALL_TIMEOUT_MS};
use crate::raw::{DEADLINE, Got, RawSocket};

/// What came of a file.
#[derive(Debug, Default)]
pub struct Outcome {
    pub run: usize,
    pub passed: usize,
    pub deviations: usize,
    /// Cases for a secure server.
    pub secure: usize,
    pub failures: Vec<String>,
}

/// Plays `file` on a fresh store; none when there is no server for it.
pub async fn play(file: &'static str, engine: Engine) -> Option<Outcome> {
    let opened = engine.open().await?;
    let stage = Stage::set_up(&opened).await;
    let mut outcome = Outcome::default();
    let cases = case::read(file);
    deviations::check_entries(file, &cases);
    for case in &cases {
        if case.secure {
            outcome.secure += 1;
            continue;
        }
        outcome.run += 1;
        match stage.play(file, engine, case).await {
            Ok(None) => outcome.passed += 1,
            Ok(Some(why)) => {
                println!("{file}, {}: deviates: {why}", case.name);
                outcome.deviations += 1;
            }
            Err(failure) => outcome
                .failures
                .push(format!("{file}, {}: {failure}", case.name)),
        }
    }
    stage.server.stop(Ending::Final, DEADLINE).await;
    opened.store.close().await;
    Some(outcome)
}

/// A node whose wall clock is set by hand.
struct Stage {
    server: Server,
    clock: Arc<SteppedClock>,
}

impl Stage {
    async fn set_up(opened: &Opened) -> Self {
        let clock = Arc::new(SteppedClock {
            now: AtomicI64::new(time_of(0)),
            system: SystemClock::new(),
        });
        let node = Node::new(
            NodeConfig::named("happn_ref"),
            DataService::new(opened.store.clone()),
            Arc::new(OpenAuthority),
            clock.clone(),
        );
        let config = ServerConfig::on((Ipv4Addr::LOCALHOST, 0).into());
        Self {
            server: Server::bind(config, node).await.unwrap(),
            clock,
        }
    }

    /// Runs one case: nothing if it passed, the reasons if it is a documented deviation.
    async fn play(
        &self,
        file: &str,
        engine: Engine,
        case: &Case,
    ) -> Result<Option<String>, String> {
        let mut client = Client::connect(&self.server).await;
        self.clear(&mut client, case).await;
        let mut listener = Client::connect(&self.server).await;
        for subscription in &case.subscribe {
            let options = subscription["options"].as_object().cloned();
            let frame = requests::subscription(&subscription["path"], options.unwrap_or_default());
            listener.call(&frame).await;
        }
        for (at, op) in case.setup.iter().enumerate() {
            self.clock.set(time_of(at + 1));
            if let Some(frame) = requests::frame(&concrete(op, &client)) {
                client.call(&frame).await;
            }
        }
        listener.events(0).await;
        self.clock.set(time_of(case.setup.len() + 1));
        let request = requests::frame(&concrete(&case.op, &client)).unwrap();
        client.next_call();
        check_request(case, &request, &client)?;

        let theirs = Answer::recorded(case).concrete(&client);
        let mut expected = theirs.clone();
        let why = deviations::apply(file, engine, case, &mut expected);
        if why.is_some() && expected == theirs {
            return Err("is listed as a deviation, but is none".to_owned());
        }
        let expected = expected.concrete(&client);
        let frame = match expected.frame {
            Some(_) => Some(client.ask(&request).await),
            None => client.ask_in_vain(&request).await,
        };
        let events = listener.events(expected.events.len()).await;
        let ours = Answer { frame, events };
        // As text: the order of members counts.
        match ours.to_string() == expected.to_string() {
            true => Ok(why),
            false => Err(format!("\n  theirs {expected}\n  ours   {ours}")),
        }
    }

    /// Removes what the case before left, and what a mask does not reach.
    async fn clear(&self, client: &mut Client, case: &Case) {
        let ops = case.setup.iter().chain([&case.op]);
        let paths = ops.map(|op| op["path"].clone());
        for path in paths.chain([json!("*")]) {
            let frame = json!({"action": "remove", "path": path, "data": null});
            client.call(&frame).await;
        }
    }
}

/// What clients see of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The frame with the answer.
    pub frame: Option<Value>,
    /// `{data, meta}` of each event the second client gets.
    pub events: Vec<Value>,
}

impl Answer {
    fn recorded(case: &Case) -> Self {
        Self {
            frame: case.response.clone().or_else(|| refused_by_client(case)),
            events: case.events.clone(),
        }
    }

    fn concrete(&self, client: &Client) -> Self {
        let events = self.events.iter().map(|event| concrete(event, client));
        Self {
            frame: self.frame.as_ref().map(|frame| concrete(frame, client)),
            events: events.collect(),
        }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.frame {
            Some(frame) => write!(f, "{frame}")?,
            None => write!(f, "no answer")?,
        }
        self.events
            .iter()
            .try_for_each(|event| write!(f, " | {event}"))
    }
}

/// The JavaScript client checks some paths itself; a server that is asked says the same.
fn refused_by_client(case: &Case) -> Option<Value> {
    let error = case.error.as_ref().filter(|_| case.request.is_none())?;
    Some(deviations::refusal(error, "set"))
}

/// The frame we make of a call must be the one the JavaScript client made of it.
fn check_request(case: &Case, request: &Value, client: &Client) -> Result<(), String> {
    let Some(recorded) = &case.request else {
        return Ok(());
    };
    let recorded = concrete(recorded, client);
    let sent = client.addressed(request);
    match recorded == sent {
        true => Ok(()),
        false => Err(format!("\n  they send {recorded}\n  we send   {sent}")),
    }
}

/// Puts live values in the place of the recording's tokens.
fn concrete(value: &Value, client: &Client) -> Value {
    match value {
        Value::String(text) => match text.as_str() {
            "<eventId>" => json!(client.event_id),
            "<callTimeout>" => json!(CALL_TIMEOUT_MS),
            text => match time_token(text) {
                Some(at) => json!(time_of(at)),
                None => json!(
                    text.replace("<sessionId>", &client.session_id)
                        .replace("<eventId>", &client.event_id.to_string())
                ),
            },
        },
        Value::Array(items) => items.iter().map(|item| concrete(item, client)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), concrete(member, client)))
            .collect(),
        other => other.clone(),
    }
}

/// The identities of items that an aggregation shows are the store's own.
fn hide_identities(frame: &mut Value) {
    let rows = frame
        .pointer_mut("/data/value")
        .and_then(Value::as_array_mut);
    for row in rows.into_iter().flatten() {
        let id = row.get_mut("_id").filter(|id| {
            let id = id.as_str().unwrap_or_default();
            id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        if let Some(id) = id {
            *id = json!("<oid>");
        }
    }
}

/// The number of the operation whose time `<T3>` or `{{T3}}` stands for.
fn time_token(text: &str) -> Option<usize> {
    let within = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    let number = within("<T", ">").or_else(|| within("{{T", "}}"))?;
    number.parse().ok()
}

/// When operation `number` runs, ms since 1970.
fn time_of(number: usize) -> i64 {
    1_795_444_427_000 + 10 * number as i64
}

/// A client that sends what it is told.
struct Client {
    socket: RawSocket,
    session_id: String,
    event_id: u64,
    events: Vec<Value>,
}

impl Client {
    async fn connect(server: &Server) -> Self {
        let mut client = Self {
            socket: RawSocket::websocket(server.address()).await,
            session_id: String::new(),
            event_id: 0,
            events: Vec::new(),
        };
        let configuration = json!({"protocol": "happn_4", "version": "13.12.1", "browser": false});
        let configure = json!({"action": "configure-session", "data": configuration});
        client.call(&configure).await;
        let login = json!({"action": "login", "data": {"info": {}}});
        let session = client.call(&login).await;
        client.session_id = session["data"]["id"].as_str().unwrap().to_owned();
        client
    }

    async fn call(&mut self, frame: &Value) -> Value {
        self.next_call();
        self.ask(frame).await
    }

    fn next_call(&mut self) {
        self.event_id += 1;
    }

    fn addressed(&self, frame: &Value) -> Value {
        let mut frame = frame.clone();
        frame["eventId"] = json!(self.event_id);
        frame["sessionId"] = json!(self.session_id);
        frame
    }

    async fn ask(&mut self, frame: &Value) -> Value {
        let text = self.addressed(frame).to_string();
        self.socket.send_text(&text).await;
        self.answer(self.event_id..=self.event_id).await
    }

    /// For a request that is not to be answered: what comes before the answers to later ones,
    /// which wait for everything that was written before them.
    async fn ask_in_vain(&mut self, frame: &Value) -> Option<Value> {
        let in_vain = self.event_id;
        let text = self.addressed(frame).to_string();
        self.socket.send_text(&text).await;
        for _ in 0..3 {
            self.next_call();
            let later = json!({"action": "get", "path": "/t/*", "data": null});
            let text = self.addressed(&later).to_string();
            self.socket.send_text(&text).await;
            let frame = self.answer(in_vain..=self.event_id).await;
            if frame["_meta"]["eventId"] == json!(in_vain) {
                return Some(frame);
            }
        }
        None
    }

    async fn answer(&mut self, event_ids: RangeInclusive<u64>) -> Value {
        loop {
            let mut frame = self.receive().await;
            let meta = match &mut frame {
                Value::Array(items) => items.last_mut().unwrap(),
                frame => &mut frame["_meta"],
            };
            let awaited = meta["eventId"]
                .as_u64()
                .is_some_and(|id| event_ids.contains(&id));
            if meta["type"] == "response" && awaited {
                if let Some(reference) = meta.get_mut("referenceId") {
                    *reference = json!("<referenceId>");
                }
                hide_identities(&mut frame);
                return frame;
            }
            if meta["type"] == "data" {
                self.events
                    .push(json!({"data": frame["data"], "meta": frame["_meta"]}));
            }
        }
    }

    async fn receive(&mut self) -> Value {
        loop {
            match self.socket.next().await {
                Got::Text(text) if text.starts_with(['{', '[']) => {
                    return serde_json::from_str(&text).unwrap();
                }
                Got::Close(..) | Got::End => panic!("the server closed the connection"),
                _ => {}
            }
        }
    }

    /// The events that have come since the last time, once there are `expected`, and any that
    /// come until a further request is answered.
    async fn events(&mut self, expected: usize) -> Vec<Value> {
        for _ in 0..ROUNDS_MAX {
            self.call(&json!({"action": "describe"})).await;
            if self.events.len() >= expected {
                break;
            }
        }
        std::mem::take(&mut self.events)
    }
}

/// Requests a listener sends while it waits for events.
const ROUNDS_MAX: usize = 1000;

/// The system's clock, but for the wall clock.
struct SteppedClock {
    now: AtomicI64,
    system: SystemClock,
}

impl SteppedClock {
    fn set(&self, now: i64) {
        self.now.store(now, Ordering::Relaxed);
    }
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
