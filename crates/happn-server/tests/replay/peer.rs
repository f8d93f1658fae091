//! Plays a recorded link between two nodes: the one that connected says what it said then, the
//! one that was connected to is a node of ours.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use happn_core::{Ending, EventSink, Node};
use happn_protocol::Json;
use happn_server::Server;
use serde_json::{Value, json};

use super::compare::{agree, show};
use super::player::Outcome;
use super::secure::Scenario;
use super::setup::{Setup, start};
use super::volatile::Known;
use crate::raw::{DEADLINE, Got, Opcode, RawSocket, encode};

/// Which link of which recording.
#[derive(Clone, Copy, Debug)]
pub struct Recorded {
    /// Below the repository's cluster vectors.
    pub file: &'static str,
    pub scenario: &'static str,
    /// `dialer->server`, by the names in the recording.
    pub link: &'static str,
    /// Who sent what the dialer said.
    pub dialer: &'static str,
    /// Further sockets that were recorded are left out.
    pub connections: u64,
    /// The users, where both nodes were secure.
    pub secure: Option<Scenario>,
}

/// What was done at the node that was connected to, by the words of the recording, and the request
/// with which it is done again, where the recording does not hold it.
pub type Acts<'a> = &'a [(&'a str, Value)];

struct Links<'a> {
    recorded: Recorded,
    name: &'static str,
    server: Option<Server>,
    node: Arc<Node>,
    acts: VecDeque<&'a (&'a str, Value)>,
    address: std::net::SocketAddr,
    sockets: BTreeMap<u64, RawSocket>,
    client: Client,
    /// The node's own.
    service: Client,
    known: Known,
    outcome: Outcome,
}

/// Plays what is recorded against a fresh node called `name`.
pub async fn play_link(recorded: Recorded, name: &'static str, acts: Acts<'_>) -> Outcome {
    let setup = Setup {
        name: Some(name),
        version: Some("13.1.3-prerelease-1"),
        secure: recorded.secure,
        ..Setup::default()
    };
    let (server, node, _security) = start(setup, None, ([127, 0, 0, 1], 0).into()).await;
    let is_secure = recorded.secure.is_some();
    let mut service = Client::log_in(server.address(), is_secure).await;
    // It has subscribed to what nodes tell each other.
    service.event_id += 1;
    let mut links = Links {
        recorded,
        name,
        acts: acts.iter().collect(),
        address: server.address(),
        sockets: BTreeMap::new(),
        client: Client::log_in(server.address(), is_secure).await,
        server: Some(server),
        node,
        service,
        known: Known::default(),
        outcome: Outcome::default(),
    };
    for (at, line) in lines(recorded.file).iter().enumerate() {
        if line["scenario"] == recorded.scenario {
            links.play(at + 1, line).await;
        }
    }
    assert!(
        links.acts.is_empty(),
        "not in the recording: {:?}",
        links.acts
    );
    links.stop();
    links.outcome
}

fn lines(file: &str) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors/cluster")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

impl Links<'_> {
    async fn play(&mut self, number: usize, line: &Value) {
        if let Some(step) = line["step"].as_str() {
            if step.starts_with(&format!("{} stop", self.name)) {
                self.stop();
            }
            let request = self.request(step, line);
            match request {
                Some(request) if step.starts_with("service") => self.service_says(&request).await,
                Some(request) => drop(self.client.ask(&request).await),
                None => {}
            }
            return;
        }
        let connection = line["conn"].as_u64().unwrap_or(u64::MAX);
        if line["link"] != self.recorded.link || connection > self.recorded.connections {
            return;
        }
        let frame = line["frame"].as_str().unwrap_or_default();
        let kind = line["kind"].as_str().unwrap_or_default();
        // Beats of the heart come when they come; `heartbeat` of the wire vectors is about them.
        if frame.contains("primus::ping::") || frame.contains("primus::pong::") {
            return;
        }
        match line["dir"] == self.recorded.dialer {
            true => self.send(connection, kind, frame).await,
            false => self.expect(number, connection, kind, frame).await,
        }
    }

    /// What a client of our node does at this step.
    fn request(&mut self, step: &str, line: &Value) -> Option<Value> {
        if self.acts.front().is_some_and(|(known, _)| *known == step) {
            return self.acts.pop_front().map(|(_, request)| request.clone());
        }
        let is_here = step.ends_with(&format!(" on {}", self.name));
        line.get("request").filter(|_| is_here).cloned()
    }

    /// No client of a secure node says what nodes tell each other, so the node does.
    async fn service_says(&mut self, request: &Value) {
        if self.recorded.secure.is_none() {
            self.service.ask(request).await;
            return;
        }
        let data = Json::encode(&request["data"]).unwrap();
        let path = request["path"].as_str().unwrap();
        self.node.originate(path, &data);
    }

    /// Sessions end while the recorded nodes answer their close frames.
    fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            drop(tokio::spawn(async move {
                server.stop(Ending::Reconnect, DEADLINE).await;
            }));
        }
    }

    async fn send(&mut self, connection: u64, kind: &str, frame: &str) {
        if kind == "http" {
            // An earlier socket was cut by then.
            for (_, mut earlier) in std::mem::take(&mut self.sockets) {
                earlier.finish().await;
            }
            // Some recordings leave the empty line out.
            let head = format!("{}\r\n\r\n", frame.trim_end());
            let socket = RawSocket::open(self.address, head.as_bytes()).await;
            self.sockets.insert(connection, socket.unwrap());
            return;
        }
        let Some(socket) = self.sockets.get_mut(&connection) else {
            return;
        };
        match kind {
            "close" => socket.send_raw(&encode(Opcode::Close, &[])).await,
            _ => socket.send_text(&self.known.substitute(frame)).await,
        }
    }

    async fn expect(&mut self, number: usize, connection: u64, kind: &str, frame: &str) {
        let expected = match kind {
            "http" => Got::Http(frame.to_owned()),
            "close" => Got::Close(None, String::new()),
            _ => Got::Text(frame.to_owned()),
        };
        self.outcome.run += 1;
        let Some(socket) = self.sockets.get_mut(&connection) else {
            return;
        };
        let got = match socket.waiting.is_empty() && !socket.wait(DEADLINE).await {
            true => return self.fail(number, &expected, "nothing"),
            false => socket.next().await,
        };
        if !agree(&self.known, &expected, &got) {
            return self.fail(number, &expected, &show(&got));
        }
        if let (Got::Text(theirs), Got::Text(ours)) = (&expected, &got) {
            self.known.learn(theirs, ours);
        }
        self.outcome.passed += 1;
    }

    fn fail(&mut self, line: usize, expected: &Got, got: &str) {
        let file = self.recorded.file;
        let failure = format!("{file}:{line}\n  theirs {}\n  ours   {got}", show(expected));
        // Told at once, because what follows may not come to an end.
        println!("{failure}");
        self.outcome.failures.push(failure);
    }
}

/// The client at our node whose doings were recorded.
struct Client {
    socket: RawSocket,
    session: String,
    event_id: u64,
}

impl Client {
    async fn log_in(address: std::net::SocketAddr, is_secure: bool) -> Self {
        let mut client = Self {
            socket: RawSocket::websocket(address).await,
            session: String::new(),
            event_id: 0,
        };
        let protocol = json!({"protocol": "happn_4", "browser": false});
        client
            .ask(&json!({"action": "configure-session", "data": protocol}))
            .await;
        client
            .ask(&json!({"action": "describe", "data": null}))
            .await;
        let mut login =
            json!({"info": {"_browser": false, "_local": false}, "protocol": "happn_4"});
        if is_secure {
            login["username"] = "_ADMIN".into();
            login["password"] = "happn".into();
        }
        let answer = client.ask(&json!({"action": "login", "data": login})).await;
        client.session = answer["data"]["id"].as_str().unwrap().to_owned();
        client
    }

    /// Sends a request with the next number and waits for its answer.
    async fn ask(&mut self, request: &Value) -> Value {
        let mut request = request.clone();
        let given = request["eventId"].as_u64();
        self.event_id = given.unwrap_or(self.event_id + 1);
        request["eventId"] = self.event_id.into();
        if !self.session.is_empty() {
            request["sessionId"] = self.session.as_str().into();
        }
        self.socket.send_text(&request.to_string()).await;
        loop {
            let arrived = !self.socket.waiting.is_empty() || self.socket.wait(DEADLINE).await;
            assert!(arrived, "no answer to {request}");
            let Got::Text(text) = self.socket.next().await else {
                continue;
            };
            let answer: Value = serde_json::from_str(&text).unwrap_or_default();
            let meta = &answer["_meta"];
            if meta["eventId"] == self.event_id && meta["type"] == "response" {
                return answer;
            }
        }
    }
}
