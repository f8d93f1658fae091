//! What can be chosen about a store.

use std::path::PathBuf;
use std::time::Duration;

/// How a store is opened. [`SqliteConfig::new`] gives every member but the file its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteConfig {
    /// The database file; it and its directory are made when missing. SQLite keeps two more files
    /// beside it, `<filename>-wal` and `<filename>-shm`, while anyone has it open.
    pub filename: PathBuf,
    /// What an answered write survives.
    pub synchronous: Synchronous,
    /// Threads that answer lists and counts, each with its own connection; at least 1. Single
    /// documents have another.
    pub readers: usize,
    /// The most writes that wait. One more is answered `Overloaded`.
    pub queue_max: usize,
    /// The most bytes of paths and data that wait to be written. A single larger write is taken
    /// when nothing else waits.
    pub queue_bytes_max: usize,
    /// The most reads that wait. One more is answered `Overloaded`.
    pub read_queue_max: usize,
    /// The most writes in one transaction; the others wait for the next.
    pub batch_max: usize,
    /// How long to wait for another process that is writing, before a write is answered
    /// `Unavailable`.
    pub busy_timeout: Duration,
}

/// What an answered write survives. Either way the file is never damaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// The loss of power: every commit is forced to the disk.
    #[default]
    Full,
    /// The death of the process. A loss of power may take the last commits along.
    Normal,
}

impl SqliteConfig {
    /// The defaults, for `filename`.
    #[must_use]
    pub fn new(filename: impl Into<PathBuf>) -> Self {
        Self {
            filename: filename.into(),
            synchronous: Synchronous::Full,
            // One long list must not keep short reads waiting; more would only add memory.
            readers: 2,
            // About half a second of work for the writer.
            queue_max: 32_768,
            queue_bytes_max: 64 * 1024 * 1024,
            read_queue_max: 4096,
            // Beyond a thousand the commit no longer shows in the cost of a write, while the
            // first of them waits longer and other processes are kept out.
            batch_max: 1024,
            busy_timeout: Duration::from_secs(5),
        }
    }
}

impl Synchronous {
    pub(crate) fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
        }
    }
}
