//! The loops that write the own record and read the table.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use happn_core::{Changes, Clock, Membership, MembershipError};
use tokio::sync::{Notify, mpsc};
use tracing::{debug, error, info, warn};

use super::bounded::within;
use super::holder::HolderCheck;
use super::measured::Measured;
use super::run::Message;
use crate::config::Timing;

/// The shortest pause between two reads or writes, however many reasons there are to hurry.
const PAUSE_MIN: Duration = Duration::from_millis(100);

/// Writes the own record at every interval.
pub(super) struct Beating {
    pub(super) membership: Arc<dyn Membership>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) timing: Timing,
    pub(super) messages: mpsc::Sender<Message>,
    pub(super) refresh: Arc<Notify>,
    pub(super) holder: HolderCheck,
    /// The own record may be in the table.
    pub(super) announced: Arc<AtomicBool>,
    pub(super) measured: Arc<Measured>,
}

impl Beating {
    pub(super) async fn run(self) {
        if let Some(refusal) = self.holder.run(&*self.membership, &*self.clock).await {
            error!(%refusal, "this node must not start");
            let _ = self.messages.send(Message::Refused(refusal)).await;
            return;
        }
        self.announced.store(true, Ordering::Relaxed);
        let interval = self.timing.keep_alive;
        let mut trouble = Trouble::new("written");
        let mut is_first = true;
        loop {
            let started = self.clock.monotonic();
            let answer = call(&*self.clock, self.timing, self.membership.beat()).await;
            let took = self.clock.monotonic().saturating_sub(started);
            self.measured.beat(took, answer.is_ok());
            let was_well = trouble.is_over();
            trouble.note(answer.as_ref().err());
            // The first read follows the first write, so that a lone node finds itself at once;
            // and when the store is back, the table is read without waiting for its turn.
            if is_first || (!was_well && trouble.is_over()) {
                self.refresh.notify_one();
            }
            is_first = false;
            let problem = answer.err().map(|error| error.to_string());
            if self.messages.send(Message::Beat(problem)).await.is_err() {
                return;
            }
            let took = self.clock.monotonic().saturating_sub(started);
            let pause = interval.saturating_sub(took).max(PAUSE_MIN.min(interval));
            self.clock.sleep(pause).await;
        }
    }
}

/// Reads the table at every interval and when asked to.
pub(super) struct Reading {
    pub(super) membership: Arc<dyn Membership>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) timing: Timing,
    pub(super) messages: mpsc::Sender<Message>,
    pub(super) refresh: Arc<Notify>,
    pub(super) measured: Arc<Measured>,
}

impl Reading {
    pub(super) async fn run(self) {
        let mut trouble = Trouble::new("read");
        self.refresh.notified().await;
        loop {
            let started = self.clock.monotonic();
            let began = self.clock.wall_ms();
            let answer = call(&*self.clock, self.timing, self.membership.beats()).await;
            if let Ok(beats) = &answer {
                self.measured.table(beats, began, self.clock.wall_ms());
            }
            trouble.note(answer.as_ref().err());
            if self.messages.send(Message::Table(answer)).await.is_err() {
                return;
            }
            // Logins can ask for reads as often as they like; they do not get them.
            self.clock.sleep(PAUSE_MIN).await;
            let took = self.clock.monotonic().saturating_sub(started);
            let pause = self.timing.member_refresh.saturating_sub(took);
            within(&*self.clock, pause, self.refresh.notified()).await;
        }
    }
}

/// Has the table read as soon as the store tells of a newcomer. Where it cannot tell, and while it
/// does not, the reads come at their interval.
pub(super) struct Watching {
    pub(super) membership: Arc<dyn Membership>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) timing: Timing,
    pub(super) refresh: Arc<Notify>,
}

impl Watching {
    pub(super) async fn run(self) {
        loop {
            match call(&*self.clock, self.timing, self.membership.watch()).await {
                Ok(Some(changes)) => {
                    debug!("newcomers are told by the store");
                    self.follow(changes).await;
                    debug!("newcomers are not told any more; asking again");
                }
                Ok(None) => return,
                Err(error) => debug!(%error, "newcomers cannot be told; asking again"),
            }
            self.clock.sleep(self.timing.member_refresh).await;
        }
    }

    async fn follow(&self, mut changes: Changes) {
        while changes.next().await.is_some() {
            self.refresh.notify_one();
        }
    }
}

/// A store that does not answer within a threshold may as well be down.
async fn call<T>(
    clock: &dyn Clock,
    timing: Timing,
    future: impl Future<Output = Result<T, MembershipError>>,
) -> Result<T, MembershipError> {
    let limit = timing.keep_alive_threshold;
    let answer = within(clock, limit, future).await;
    answer.unwrap_or_else(|| {
        let ms = limit.as_millis();
        Err(MembershipError(format!("no answer within {ms} ms")))
    })
}

/// Logs the beginning and the end of an outage, not each failed call.
struct Trouble {
    verb: &'static str,
    failures: u32,
}

impl Trouble {
    fn new(verb: &'static str) -> Self {
        Self { verb, failures: 0 }
    }

    fn is_over(&self) -> bool {
        self.failures == 0
    }

    fn note(&mut self, error: Option<&MembershipError>) {
        let verb = self.verb;
        match error {
            Some(error) => {
                if self.is_over() {
                    warn!(%error, "the table of nodes cannot be {verb}; going on with what is known");
                }
                self.failures = self.failures.saturating_add(1);
            }
            None if self.is_over() => {}
            None => {
                let failures = std::mem::take(&mut self.failures);
                info!(failures, "the table of nodes can be {verb} again");
            }
        }
    }
}
