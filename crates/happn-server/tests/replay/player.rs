//! Plays one recording, line by line.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use happn_core::{Ending, Node};
use happn_server::Server;

use super::deviations;
use super::newer::is_newer;
use super::script::{self, Line, What};
use super::secure::Security;
use super::setup::{Setup, start};
use super::volatile::Known;
use crate::raw::{DEADLINE, Opcode, RawSocket, encode};

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    pub run: usize,
    pub passed: usize,
    pub deviations: usize,
    pub failures: Vec<String>,
}

pub(super) struct Player {
    pub(super) file: &'static str,
    pub(super) setup: Setup,
    server: Option<Server>,
    pub(super) node: Arc<Node>,
    security: Option<Security>,
    /// Session ids by connection, as login answers told them.
    pub(super) sessions: BTreeMap<u64, String>,
    address: SocketAddr,
    pub(super) sockets: BTreeMap<u64, RawSocket>,
    pub(super) known: Known,
    pub(super) outcome: Outcome,
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
}
