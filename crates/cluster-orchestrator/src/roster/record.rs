//! Whether a record in the table moves.

use std::time::Duration;

/// A member's record, as observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    mark: i64,
    changed_at: Duration,
    unchanged_reads: u32,
    /// The mark changed while we watched, so the record is no remnant.
    pub(super) proven: bool,
    /// The mark did not change for a threshold. Decided when the table is read and not in
    /// between: while the table cannot be read, nobody dies.
    pub(super) stale: bool,
}

/// Reads without a change that a verdict needs; after a pause in reading, the first one cannot
/// tell a dead node from one that shared the outage.
const UNCHANGED_READS_MIN: u32 = 2;

/// A record that did not move for so long is a remnant that only delays those who start.
const REMNANT_AFTER: Duration = Duration::from_secs(3600);

impl Record {
    pub(super) fn first_seen(now: Duration, mark: i64) -> Self {
        Self {
            mark,
            changed_at: now,
            unchanged_reads: 0,
            proven: false,
            stale: false,
        }
    }

    /// Whether the record may be removed by somebody else than its node.
    pub(super) fn is_remnant(&self, now: Duration) -> bool {
        self.stale && now.saturating_sub(self.changed_at) >= REMNANT_AFTER
    }

    /// Takes the mark of another read; true if it brought a stale record back.
    pub(super) fn observe(&mut self, now: Duration, mark: i64, threshold: Duration) -> bool {
        if mark == self.mark {
            self.unchanged_reads += 1;
            self.stale |= self.unchanged_reads >= UNCHANGED_READS_MIN
                && now.saturating_sub(self.changed_at) > threshold;
            return false;
        }
        let revived = self.stale;
        *self = Self {
            proven: true,
            ..Self::first_seen(now, mark)
        };
        revived
    }
}
