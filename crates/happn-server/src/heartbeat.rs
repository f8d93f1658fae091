//! When to ping a client and when to give it up. Pure: a beat comes in, a verdict goes out.

use happn_protocol::Dialect;

/// Beats are counted from the server's start, for all connections alike.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    skipped_max: u32,
    skipped: u32,
    alive: bool,
    /// Beats since the last ping of a client that pings by itself.
    beats_since_legacy_ping: u32,
    legacy_beats_max: u32,
}

/// What to do on a beat.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ping,
    Wait,
    Close,
}

/// A client that pings by itself is silent when it has not pinged for this long.
const LEGACY_SILENCE_MS: u128 = 125_000;

impl Heartbeat {
    pub(crate) fn new(skipped_max: u32, interval: std::time::Duration) -> Self {
        let beats = LEGACY_SILENCE_MS / interval.as_millis().max(1);
        Self {
            skipped_max,
            skipped: 0,
            alive: true,
            beats_since_legacy_ping: 0,
            legacy_beats_max: u32::try_from(beats).unwrap_or(u32::MAX),
        }
    }

    /// A pong or a websocket ping came. Ordinary requests do not count.
    pub(crate) fn answered(&mut self) {
        self.alive = true;
        self.skipped = 0;
    }

    /// The client pinged by itself.
    pub(crate) fn legacy_ping(&mut self) {
        self.beats_since_legacy_ping = 0;
        self.answered();
    }

    pub(crate) fn beat(&mut self, dialect: Dialect) -> Verdict {
        if !dialect.is_current() {
            self.beats_since_legacy_ping += 1;
            if self.beats_since_legacy_ping <= self.legacy_beats_max.saturating_add(1) {
                return Verdict::Wait;
            }
            return self.skip();
        }
        if !self.alive {
            return self.skip();
        }
        self.alive = false;
        Verdict::Ping
    }

    fn skip(&mut self) -> Verdict {
        self.skipped += 1;
        if self.skipped > self.skipped_max {
            Verdict::Close
        } else {
            Verdict::Wait
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn beats(heartbeat: &mut Heartbeat, dialect: Dialect, count: usize) -> Vec<Verdict> {
        (0..count).map(|_| heartbeat.beat(dialect)).collect()
    }

    #[test]
    fn an_unanswered_ping_closes_the_connection_two_beats_later() {
        let mut heartbeat = Heartbeat::new(1, Duration::from_secs(30));
        let verdicts = beats(&mut heartbeat, Dialect::Happn4, 3);
        assert_eq!(verdicts, [Verdict::Ping, Verdict::Wait, Verdict::Close]);
    }

    #[test]
    fn an_answered_ping_is_followed_by_the_next() {
        let mut heartbeat = Heartbeat::new(1, Duration::from_secs(30));
        for _ in 0..5 {
            assert_eq!(heartbeat.beat(Dialect::Happn4), Verdict::Ping);
            heartbeat.answered();
        }
    }

    #[test]
    fn a_silent_connection_without_a_dialect_is_closed_at_210_seconds() {
        let mut heartbeat = Heartbeat::new(1, Duration::from_secs(30));
        let verdicts = beats(&mut heartbeat, Dialect::Happn, 7);
        assert_eq!(
            verdicts
                .iter()
                .position(|verdict| *verdict == Verdict::Close),
            Some(6)
        );
    }
}
