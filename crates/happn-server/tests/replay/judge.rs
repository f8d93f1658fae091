//! What the recorded server sent, held against what ours sends.

use std::time::Duration;

use super::compare::{agree, letters, once_per_subscription, show};
use super::deviations::{self, Deviation, Differs};
use super::identity::Identity;
use super::newer::as_older;
use super::player::Player;
use super::script::{Line, What};
use crate::raw::{DEADLINE, Got, Opcode, encode};

/// Sessions that the program around the recorded server ended, and why.
const ENDED: [(&str, usize, Option<&str>); 3] = [
    ("secure-revoke", 58, Some("because-i-can")),
    ("secure-revoke", 77, None),
    ("secure-revoke", 93, None),
];

impl Player {
    pub(super) async fn expect(&mut self, line: &Line) {
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

    /// What they never answered is expected where it was asked when nothing of theirs follows.
    pub(super) async fn expect_answers_at_once(&mut self, line: &Line, deviation: &Deviation) {
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

    fn fail(&mut self, line: usize, expected: &Got, got: &str) {
        self.outcome.failures.push(format!(
            "{}:{line}\n  theirs {}\n  ours   {got}",
            self.file,
            show(expected)
        ));
    }

    pub(super) fn expect_every_entry_used(&mut self) {
        let listed = deviations::of(self.file).count();
        if self.outcome.failures.is_empty() && listed != self.outcome.deviations {
            let failure = format!("{}: {listed} deviations are listed, not all met", self.file);
            self.outcome.failures.push(failure);
        }
    }

    /// Everything that was sent has been waited for; a last round trip shows what else there is.
    pub(super) async fn expect_nothing_more(&mut self) {
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
