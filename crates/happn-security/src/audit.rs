//! Who changed what in the directory, and who was refused what, for the record.
//!
//! ```text
//! Directory::acting_as ──► every change ──┐
//!                                         ├──► Audit ──► log lines of one target
//! authority ──► every refusal ────────────┘
//! ```

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use happn_core::Clock;

/// The target of the log lines that [`LoggedAudit`] writes.
pub const AUDIT_TARGET: &str = "happn-security-audit";

/// The most refusals that are written down in one second; of the others there is a count.
const REFUSALS_PER_SECOND: u64 = 50;

/// Who does something, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user's name.
    pub name: Arc<str>,
    /// The address, or how the request came.
    pub from: Arc<str>,
}

impl Actor {
    /// Somebody at some place.
    #[must_use]
    pub fn new(name: &str, from: &str) -> Self {
        Self {
            name: name.into(),
            from: from.into(),
        }
    }

    /// The node itself: its start, or a program that embeds it.
    #[must_use]
    pub fn node() -> Self {
        Self::new("(node)", "(node)")
    }
}

/// Something worth a record. Holds no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// The directory was changed.
    Changed {
        /// By whom.
        actor: &'a Actor,
        /// What happened, such as `upsert-user`.
        kind: &'static str,
        /// To whom or what, such as `user ann`.
        object: String,
    },
    /// A login or request was refused.
    Refused {
        /// Whose.
        actor: &'a Actor,
        /// What was asked for, such as `get` or `login`.
        action: &'a str,
        /// Where.
        path: &'a str,
        /// The text of the refusal.
        reason: &'a str,
    },
}

/// Keeps records. Called for every refused request: must not block.
pub trait Audit: Send + Sync + 'static {
    /// Keeps one.
    fn record(&self, record: &Record<'_>);
}

/// Writes records as log lines with the target [`AUDIT_TARGET`]: every change, and so many
/// refusals that somebody who provokes them cannot fill the disk.
pub struct LoggedAudit {
    clock: Arc<dyn Clock>,
    second: Mutex<Second>,
}

/// What was written in one second.
#[derive(Debug, Default)]
struct Second {
    number: u64,
    refusals: u64,
}

impl LoggedAudit {
    /// A log with `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            second: Mutex::default(),
        }
    }
}

impl fmt::Debug for LoggedAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedAudit").finish_non_exhaustive()
    }
}

impl Second {
    /// Counts a refusal at `now`; answers whether to write it, and how many were left out in an
    /// earlier second that is over.
    fn refusal(&mut self, now: Duration) -> (bool, u64) {
        let mut left_out = 0;
        if self.number != now.as_secs() {
            left_out = self.refusals.saturating_sub(REFUSALS_PER_SECOND);
            *self = Self {
                number: now.as_secs(),
                refusals: 0,
            };
        }
        self.refusals += 1;
        (self.refusals <= REFUSALS_PER_SECOND, left_out)
    }
}

impl Audit for LoggedAudit {
    fn record(&self, record: &Record<'_>) {
        match record {
            Record::Changed {
                actor,
                kind,
                object,
            } => {
                let (who, from) = (&actor.name, &actor.from);
                tracing::info!(target: AUDIT_TARGET, %who, %from, kind, object, "changed");
            }
            Record::Refused {
                actor,
                action,
                path,
                reason,
            } => {
                let now = self.clock.monotonic();
                let (is_written, left_out) = {
                    let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
                    second.refusal(now)
                };
                if left_out > 0 {
                    tracing::warn!(target: AUDIT_TARGET, left_out, "refusals were not written");
                }
                if is_written {
                    let (who, from) = (&actor.name, &actor.from);
                    // Names and paths come from outside: Debug keeps line breaks off the log.
                    tracing::warn!(
                        target: AUDIT_TARGET, ?who, %from, action, ?path, reason, "refused"
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_refusals_of_a_second_are_written_and_the_others_counted() {
        let mut second = Second::default();
        let at = Duration::from_millis;
        for _ in 0..REFUSALS_PER_SECOND {
            assert_eq!(second.refusal(at(100)), (true, 0));
        }
        for _ in 0..7 {
            assert_eq!(second.refusal(at(900)), (false, 0));
        }
        assert_eq!(second.refusal(at(1000)), (true, 7));
        assert_eq!(second.refusal(at(1001)), (true, 0));
    }
}
