//! Plays one recording, line by line.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use happn_core::{
    DataService, Ending, MemoryStore, Node, NodeConfig, OpenAuthority, SystemClock,
    UnconfiguredCleanup,
};
use happn_server::{Server, ServerConfig};

use super::compare::{agree, letters, once_per_subscription, show};
use super::deviations::{self, Deviation, Differs};
use super::identity::Identity;
use super::newer::{as_older, is_newer};
use super::script::{self, Line, What};
use super::secure::{Scenario, Security};
use super::volatile::Known;
use crate::raw::{DEADLINE, Got, Opcode, RawSocket, encode};

/// How the node of one recording is configured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setup {
    /// The node's name, where it is not the usual one.
    pub name: Option<&'static str>,
    /// What `/version` answers, where it is not the usual one.
    pub version: Option<&'static str>,
    /// Interval and threshold.
    pub unconfigured_cleanup_ms: Option<(u64, u64)>,
    pub acknowledge_timeout_ms: Option<u64>,
    pub ping_interval_ms: Option<u64>,
    pub message_bytes_max: Option<usize>,
    /// Recorded on a secure server, with these users.
    pub secure: Option<Scenario>,
    /// Recorded on a server of the newer generation.
    pub is_newer: bool,
    /// The only lines to play, first and last; the others need another server.
    pub lines: Option<(usize, usize)>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    pub run: usize,
    pub passed: usize,
    pub deviations: usize,
    pub failures: Vec<String>,
}

struct Player {
    file: &'static str,
    setup: Setup,
    server: Option<Server>,
    node: Arc<Node>,
    security: Option<Security>,
    /// Session ids by connection, as login answers told them.
    sessions: BTreeMap<u64, String>,
    address: SocketAddr,
    sockets: BTreeMap<u64, RawSocket>,
    known: Known,
    outcome: Outcome,
    /// The last note: a few say how the next frame is to be sent.
    note: String,
}

/// Plays `file` against a fresh node.
pub async fn play(file: &'static str, mut setup: Setup) -> Outcome {
    setup.is_newer = is_newer(file);
    let (server, node, security) = start(setup, None, (Ipv4Addr::LOCALHOST, 0).into()).await;
    let mut player = Player {
        file,
        setup,
        address: server.address(),
        server: Some(server),
        node,
        security,
        sessions: BTreeMap::new(),
        sockets: BTreeMap::new(),
        known: Known::default(),
        outcome: Outcome::default(),
        note: String::new(),
    };
    for line in script::read(file) {
        let played = setup
            .lines
            .is_none_or(|(first, last)| (first..=last).contains(&line.number));
        match line.what {
            What::Note(note) => player.note(note).await,
            _ if !played => {}
            _ if line.from_client => player.send(&line).await,
            _ => player.expect(&line).await,
        }
    }
    player.expect_every_entry_used();
    player.expect_nothing_more().await;
    player.stop(Ending::Reconnect).await;
    player.outcome
}

pub(super) async fn start(
    setup: Setup,
    policy: Option<&serde_json::Value>,
    address: SocketAddr,
) -> (Server, Arc<Node>, Option<Security>) {
    let mut node = NodeConfig::named(setup.name.unwrap_or("happn_ref"));
    let mut config = ServerConfig::on(address);
    config.version = setup.version.unwrap_or("13.12.1").to_owned();
    if let Some((interval, threshold)) = setup.unconfigured_cleanup_ms {
        node.unconfigured_cleanup = Some(UnconfiguredCleanup {
            interval: Duration::from_millis(interval),
            threshold: Duration::from_millis(threshold),
            is_logged: true,
        });
    }
    if let Some(ms) = setup.acknowledge_timeout_ms {
        node.acknowledge_timeout = Duration::from_millis(ms);
    }
    if let Some(ms) = setup.ping_interval_ms {
        config.ping_interval = Some(Duration::from_millis(ms));
    }
    if let Some(bytes) = setup.message_bytes_max {
        config.message_bytes_max = bytes;
    }
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let security = match setup.secure {
        Some(scenario) => {
            let recorded = (scenario, setup.is_newer);
            Some(Security::start(recorded, policy, &data, &node.name).await)
        }
        None => None,
    };
    let node = match &security {
        Some(security) => Node::new(
            node,
            data,
            security.authority.clone(),
            security.clock.clone(),
        ),
        None => Node::new(
            node,
            data,
            Arc::new(OpenAuthority),
            Arc::new(SystemClock::new()),
        ),
    };
    let server = Server::bind(config, node.clone()).await.unwrap();
    (server, node, security)
}

impl Player {
    async fn note(&mut self, note: String) {
        match note.as_str() {
            "server starts again" => {
                let (server, node, _) = start(self.setup, None, self.address).await;
                (self.server, self.node) = (Some(server), node);
            }
            text if text.starts_with("server stop() (default") => {
                self.stop(Ending::Reconnect).await;
            }
            text if text.starts_with("server stop({reconnect:false})") => {
                self.stop(Ending::Final).await;
            }
            text if text.starts_with("profile policy") => {
                self.stop(Ending::Reconnect).await;
                let policy = serde_json::from_str(text.trim_start_matches("profile policy "));
                let any_port = (Ipv4Addr::LOCALHOST, 0).into();
                let started = start(self.setup, Some(&policy.unwrap()), any_port).await;
                self.address = started.0.address();
                (self.server, self.node, self.security) = (Some(started.0), started.1, started.2);
            }
            text if text.starts_with("TCP connection is cut")
                || text.starts_with("connection cut")
                || text == "request while down" =>
            {
                for (_, mut socket) in std::mem::take(&mut self.sockets) {
                    socket.finish().await;
                }
            }
            _ => {}
        }
        if let Some(security) = &self.security {
            security.follow(&note).await;
        }
        self.note = note;
    }

    async fn stop(&mut self, ending: Ending) {
        let Some(server) = self.server.take() else {
            return;
        };
        // Sessions end while the recorded clients answer their close frames.
        let stopping = tokio::spawn(async move { server.stop(ending, DEADLINE).await });
        drop(stopping);
    }

    async fn send(&mut self, line: &Line) {
        if let What::Http(head) = &line.what {
            match RawSocket::open(self.address, head.as_bytes()).await {
                Ok(socket) => drop(self.sockets.insert(line.connection, socket)),
                Err(error) => println!("{}:{}: {error}", self.file, line.number),
            }
            return;
        }
        let replaced = match &self.security {
            Some(security) => security.instead(line, &mut self.known).await,
            None => Some(String::new()),
        };
        let Some(replaced) = replaced else {
            return;
        };
        let frame = match replaced.as_str() {
            "" => self.frame(line),
            text => Some(encode(Opcode::Text, self.known.substitute(text).as_bytes())),
        };
        let Some(socket) = self.sockets.get_mut(&line.connection) else {
            return;
        };
        match frame {
            Some(frame) => socket.send_raw(&frame).await,
            None => socket.finish().await,
        }
        let deviation = deviations::of(self.file).find(|entry| entry.line == line.number);
        if let Some(deviation) = deviation {
            self.expect_answers_at_once(line, deviation).await;
        }
    }

    /// What they never answered is expected where it was asked when nothing of theirs follows.
    async fn expect_answers_at_once(&mut self, line: &Line, deviation: &Deviation) {
        let Differs::AlsoAnswers(event_ids) = deviation.what else {
            panic!("{deviation:?} is about nothing a server sends");
        };
        println!("{}:{} deviates: {}", self.file, line.number, deviation.why);
        self.outcome.run += 1;
        self.outcome.deviations += 1;
        for event_id in event_ids {
            self.expect_answer(line.connection, line.number, event_id)
                .await;
        }
    }

    /// The bytes to send, or none for the end of the stream.
    fn frame(&self, line: &Line) -> Option<Vec<u8>> {
        Some(match &line.what {
            What::Frame(text) if text.contains('\u{FFFD}') => {
                encode(Opcode::Text, &vec![0xFF; text.chars().count()])
            }
            What::Frame(text) if self.note == "unmasked client frame" => {
                let mut frame = vec![0x81, text.len() as u8];
                frame.extend(text.as_bytes());
                frame
            }
            What::Frame(text) => encode(Opcode::Text, self.known.substitute(text).as_bytes()),
            What::Fragment { first, last, text } => {
                let opcode = if *first {
                    Opcode::Text
                } else {
                    Opcode::Continuation
                };
                let mut frame = encode(opcode, text.as_bytes());
                if !last {
                    frame[0] &= 0x7F;
                }
                frame
            }
            What::Binary(bytes) => encode(Opcode::Binary, bytes),
            What::Ping(payload) => encode(Opcode::Ping, payload.as_bytes()),
            What::Close(code, reason) => {
                let mut payload = code.map_or_else(Vec::new, |code| code.to_be_bytes().to_vec());
                payload.extend(reason.as_bytes());
                encode(Opcode::Close, &payload)
            }
            What::Tcp => return None,
            other => panic!("{other:?} is nothing a client sends"),
        })
    }

    async fn expect(&mut self, line: &Line) {
        self.outcome.run += 1;
        self.do_what_the_application_did(line);
        let deviation = deviations::of(self.file).find(|entry| entry.line == line.number);
        let failed_before = self.outcome.failures.len();
        match deviation {
            None => {
                self.expect_frame(line.connection, line.number, &self.recorded(line))
                    .await;
            }
            Some(deviation) => self.expect_deviation(line, deviation).await,
        }
        match deviation {
            _ if self.outcome.failures.len() > failed_before => {}
            None => self.outcome.passed += 1,
            Some(deviation) => {
                println!("{}:{} deviates: {}", self.file, line.number, deviation.why);
                self.outcome.deviations += 1;
            }
        }
    }

    /// Recorded sessions were ended by a call of the program around the server.
    fn do_what_the_application_did(&self, line: &Line) {
        let reason = r#""data":{"reason":"x"}"#;
        let listed = ENDED
            .iter()
            .find(|(file, number, _)| (*file, *number) == (self.file, line.number));
        let ended = match &line.what {
            What::Frame(text) if text.contains(reason) => Some(Some("x")),
            _ => listed.map(|(_, _, reason)| *reason),
        };
        if let Some(reason) = ended {
            let session = self.sessions.get(&line.connection).expect("a login before");
            assert!(self.node.end_session(session, reason));
        }
    }

    async fn expect_deviation(&mut self, line: &Line, deviation: &Deviation) {
        let theirs_in_full = self.recorded(line);
        match deviation.what {
            // Should it come nevertheless, nobody will have expected it.
            Differs::Absent => {}
            Differs::AlsoAnswers(event_ids) => {
                for event_id in event_ids {
                    self.expect_answer(line.connection, line.number, event_id)
                        .await;
                }
                self.expect_frame(line.connection, line.number, &theirs_in_full)
                    .await;
            }
            Differs::Instead(ours) => {
                let ours = Got::Text(ours.to_owned());
                self.expect_frame(line.connection, line.number, &ours).await;
            }
            Differs::AlsoSends(ours) => {
                let ours = Got::Text(ours.to_owned());
                self.expect_frame(line.connection, line.number, &ours).await;
                self.expect_frame(line.connection, line.number, &theirs_in_full)
                    .await;
            }
            Differs::Succeeds(event_id) => {
                self.expect_answer(line.connection, line.number, event_id)
                    .await;
            }
            Differs::Unordered => match self.find(line.connection, &theirs_in_full).await {
                Found::Differs(got) if letters(&got) == letters(&theirs_in_full) => {
                    self.learn(line.connection, &theirs_in_full, &got);
                }
                Found::Differs(got) => self.fail(line.number, &theirs_in_full, &show(&got)),
                _ => self.fail(line.number, &theirs_in_full, "the same, or nothing"),
            },
            Differs::OncePerSubscription => {
                let Got::Text(text) = &theirs_in_full else {
                    panic!("{deviation:?} is about a frame that is no text");
                };
                let ours_in_full = Got::Text(once_per_subscription(text));
                self.expect_frame(line.connection, line.number, &ours_in_full)
                    .await;
            }
            Differs::Reads { theirs, ours } => {
                let reworded = |text: &String| {
                    assert!(text.contains(theirs), "{deviation:?} does not quote {text}");
                    text.replacen(theirs, ours, 1)
                };
                let ours_in_full = match &theirs_in_full {
                    Got::Text(text) => Got::Text(reworded(text)),
                    Got::Http(text) => Got::Http(reworded(text)),
                    other => panic!("{deviation:?} is about {other:?}"),
                };
                self.expect_frame(line.connection, line.number, &ours_in_full)
                    .await;
            }
        }
    }

    fn recorded(&self, line: &Line) -> Got {
        match &line.what {
            What::Http(head) => Got::Http(head.clone()),
            What::Frame(text) if self.setup.is_newer && self.setup.secure.is_some() => {
                Got::Text(as_older(text))
            }
            What::Frame(text) => Got::Text(text.clone()),
            What::Pong(payload) => Got::Pong(payload.clone().into_bytes()),
            What::Close(code, reason) => Got::Close(*code, reason.clone()),
            What::Tcp => Got::End,
            other => panic!("{other:?} is nothing a server sends"),
        }
    }

    async fn expect_answer(&mut self, connection: u64, line: usize, event_id: &str) {
        let wanted = Identity::Response(event_id.to_owned());
        let Some(socket) = self.sockets.get_mut(&connection) else {
            return;
        };
        loop {
            let place = socket
                .waiting
                .iter()
                .position(|got| Identity::of(got) == wanted);
            if let Some(place) = place {
                socket.waiting.remove(place);
                // What it published came before the answer.
                let publication = format!("-{event_id}");
                socket.waiting.retain(|got| !matches!(Identity::of(got), Identity::Event { publication: id, .. } if id == publication));
                return;
            }
            if !socket.wait(DEADLINE).await {
                let failure = format!("{}:{line}: no answer to {event_id}", self.file);
                self.outcome.failures.push(failure);
                return;
            }
        }
    }

    async fn expect_frame(&mut self, connection: u64, number: usize, expected: &Got) {
        match self.find(connection, expected).await {
            Found::Yes(got) => self.learn(connection, expected, &got),
            Found::Differs(got) => self.fail(number, expected, &show(&got)),
            Found::No(waiting) => {
                self.fail(number, expected, &format!("nothing; waiting: {waiting}"));
            }
        }
    }

    /// Takes the frame that answers to `expected` out of what has arrived, waiting for it.
    async fn find(&mut self, connection: u64, expected: &Got) -> Found {
        let identity = Identity::of(expected);
        let without_authors = self
            .setup
            .secure
            .is_some_and(|scenario| !scenario.keeps_authors());
        let without = |got: &Got| match got {
            Got::Text(text) if without_authors => Got::Text(without_author(text)),
            other => other.clone(),
        };
        let Some(socket) = self.sockets.get_mut(&connection) else {
            return match identity {
                Identity::End => Found::Yes(Got::End),
                _ => Found::No("no connection".to_owned()),
            };
        };
        loop {
            let mut reachable = Vec::new();
            for (at, got) in socket.waiting.iter().enumerate() {
                let found = Identity::of(got);
                if found == identity {
                    reachable.push(at);
                }
                if !found.may_swap(&identity) {
                    break;
                }
            }
            let same = reachable
                .iter()
                .copied()
                .find(|&at| agree(&self.known, expected, &without(&socket.waiting[at])));
            if let Some(got) = same.and_then(|at| socket.waiting.remove(at)) {
                return Found::Yes(without(&got));
            }
            if let Some(got) = reachable.first().and_then(|&at| socket.waiting.remove(at)) {
                return Found::Differs(without(&got));
            }
            if !socket.wait(DEADLINE).await {
                let waiting: Vec<_> = socket.waiting.iter().map(show).collect();
                return Found::No(waiting.join(" | "));
            }
        }
    }

    fn learn(&mut self, connection: u64, expected: &Got, got: &Got) {
        if let (Got::Text(theirs), Got::Text(ours)) = (expected, got) {
            self.known.learn(theirs, ours);
            let login = ours.split_once(r#"{"data":{"msgCount":"#);
            let id = login.and_then(|(_, rest)| rest.split_once(r#""id":""#));
            if let Some((_, id)) = id {
                self.sessions.insert(connection, id[..36].to_owned());
            }
        }
    }

    fn fail(&mut self, line: usize, expected: &Got, got: &str) {
        self.outcome.failures.push(format!(
            "{}:{line}\n  theirs {}\n  ours   {got}",
            self.file,
            show(expected)
        ));
    }

    fn expect_every_entry_used(&mut self) {
        let listed = deviations::of(self.file).count();
        if self.outcome.failures.is_empty() && listed != self.outcome.deviations {
            let failure = format!("{}: {listed} deviations are listed, not all met", self.file);
            self.outcome.failures.push(failure);
        }
    }

    /// Everything that was sent has been waited for; a last round trip shows what else there is.
    async fn expect_nothing_more(&mut self) {
        for (connection, socket) in &mut self.sockets {
            let over = |got: &Got| matches!(got, Got::End | Got::Close(..));
            socket.send_raw(&encode(Opcode::Ping, b"the end")).await;
            while !socket
                .waiting
                .iter()
                .any(|got| over(got) || matches!(got, Got::Pong(payload) if payload == b"the end"))
                && socket.wait(Duration::from_secs(1)).await
            {}
            let beats = self.setup.ping_interval_ms.is_some();
            for got in &socket.waiting {
                let expected = over(got)
                    || matches!(got, Got::Pong(payload) if payload == b"the end")
                    || (beats && Identity::of(got) == Identity::Heartbeat);
                if !expected {
                    self.outcome.failures.push(format!(
                        "{}: nobody expected this on connection {connection}: {}",
                        self.file,
                        show(got)
                    ));
                }
            }
        }
    }
}

/// Sessions that the program around the recorded server ended, and why.
const ENDED: [(&str, usize, Option<&str>); 3] = [
    ("secure-revoke", 58, Some("because-i-can")),
    ("secure-revoke", 77, None),
    ("secure-revoke", 93, None),
];

/// Recorded on a store that does not keep the author of a document; ours does.
fn without_author(text: &str) -> String {
    let mut left = text.to_owned();
    while let Some(at) = left.find(",\"modifiedBy\":\"") {
        let value = at + ",\"modifiedBy\":\"".len();
        let Some(end) = left[value..].find('"') else {
            break;
        };
        left.replace_range(at..value + end + 1, "");
    }
    left
}

enum Found {
    Yes(Got),
    Differs(Got),
    No(String),
}
