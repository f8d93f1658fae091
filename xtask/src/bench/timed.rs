//! Events that carry their number and when they were published.

use std::time::Duration;

use anyhow::Context;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::client::{Socket, frames, set_of, subscribe};

/// Publishes at a steady pace until it is dropped. Numbers begin with 0.
pub(super) async fn publish(
    socket: Socket,
    path: String,
    (per_second, padding): (f64, usize),
    started: Instant,
) -> anyhow::Result<()> {
    let (mut sink, mut answers) = socket.split();
    let padding = "x".repeat(padding);
    let sending = async {
        let mut number: u64 = 0;
        let mut tick = tokio::time::interval(TICK);
        let began = Instant::now();
        loop {
            tick.tick().await;
            let due = began.elapsed().as_secs_f64() * per_second;
            let mut fed = false;
            while (number as f64) < due {
                let at = started.elapsed().as_micros();
                let data = format!(r#"{{"n":{number},"at":{at},"x":"{padding}"}}"#);
                sink.feed(set_of(&path, &data, r#","noStore":true"#))
                    .await?;
                number += 1;
                fed = true;
            }
            if fed {
                sink.flush().await?;
            }
        }
    };
    let draining = async {
        loop {
            frames(&mut answers).await?;
        }
    };
    tokio::select! {
        ended = sending => ended,
        ended = draining => ended,
    }
}

/// How often a publisher looks whether something is due.
const TICK: Duration = Duration::from_millis(1);

/// One event that was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) number: u64,
    pub(super) published: Duration,
    pub(super) heard: Duration,
}

/// A client that hears timed events.
pub(super) struct Listener {
    socket: Socket,
    started: Instant,
}

impl Listener {
    /// Subscribes a client that has logged in.
    pub(super) async fn on(
        mut socket: Socket,
        path: &str,
        started: Instant,
    ) -> anyhow::Result<Self> {
        subscribe(&mut socket, path).await?;
        Ok(Self { socket, started })
    }

    /// Waits for events and answers those that are there. Cancel-safe: it waits only while it has
    /// none.
    pub(super) async fn next(&mut self) -> anyhow::Result<Vec<Heard>> {
        let mut heard = Vec::new();
        let mut next = self.socket.next().await;
        loop {
            let message = next.context("the node closed the connection")??;
            if let Message::Text(text) = message {
                heard.extend(read(&text, self.started.elapsed()));
            }
            match self.socket.next().now_or_never() {
                Some(message) => next = message,
                None if heard.is_empty() => next = self.socket.next().await,
                None => return Ok(heard),
            }
        }
    }
}

/// Reads an event; anything else is a heartbeat.
fn read(text: &str, heard: Duration) -> Option<Heard> {
    let number = digits(text, r#"{"n":"#)?;
    let published = digits(text, r#","at":"#)?;
    Some(Heard {
        number,
        published: Duration::from_micros(published),
        heard,
    })
}

fn digits(text: &str, before: &str) -> Option<u64> {
    let (_, rest) = text.split_once(before)?;
    let end = rest.find(|it: char| !it.is_ascii_digit())?;
    rest[..end].parse().ok()
}

/// What a share of the `sorted` times is below.
pub(super) fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let at = (sorted.len() as f64 * share) as usize;
    let at = at.min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

pub(super) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_what_so_many_are_below() {
        let sorted: Vec<_> = (0..100).map(Duration::from_millis).collect();
        assert_eq!(quantile(&sorted, 0.5), Duration::from_millis(50));
        assert_eq!(quantile(&sorted, 0.99), Duration::from_millis(99));
        assert_eq!(quantile(&[], 0.5), Duration::ZERO);
    }

    #[test]
    fn an_event_tells_its_number_and_its_time() {
        let heard = Duration::from_secs(1);
        let expected = Heard {
            number: 7,
            published: Duration::from_micros(250),
            heard,
        };
        let text = r#"{"data":{"n":7,"at":250,"x":""},"_meta":{"at":1}}"#;
        assert_eq!(read(text, heard), Some(expected));
        assert_eq!(read("\"primus::ping::1\"", heard), None);
    }
}
