//! Documents in and out of stores: `cluster-node import` and `cluster-node export`.
//!
//! A reader per format finds documents in a file, one thread of its own, and sends them through a
//! bounded channel to a writer, which keeps a bounded number of writes under way. Documents keep
//! their times and their author, so doing it twice gives the same.
//!
//! Reading order: [`import`] → `source` (what a reader finds) → `loki`, `nedb`, `jsonl`;
//! [`export`].

mod dates;
mod export;
mod import;
mod jsonl;
mod lines;
mod loki;
mod nedb;
mod progress;
mod source;
mod summary;

use std::io;
use std::path::PathBuf;

use happn_core::StoreError;

use crate::start_error::StartError;

pub use export::{ExportRequest, ExportTo, Exported, export};
pub use import::{ImportRequest, SystemItems, import};
pub use progress::Progress;
pub use source::{Format, Skip};
pub use summary::Imported;

/// Why a transfer ended before its time. What had been written until then stays written; the
/// transfer can simply be run again.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A store cannot be opened.
    #[error(transparent)]
    Open(#[from] StartError),
    /// There is no store of that name.
    #[error("there is no data store {name}; the configuration has {known}")]
    NoSuchStore {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The store would be gone with this process.
    #[error("the data store {name} is a memory store, which only lives inside a running node")]
    Memory {
        /// Its name.
        name: String,
    },
    /// The file cannot be read or written.
    #[error("file {}", file.display())]
    File {
        /// Its path as given.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not of the format that it was said to be.
    #[error("file {}, line {line}: {reason}", file.display())]
    Format {
        /// Its path as given.
        file: PathBuf,
        /// Where, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// The store stopped answering.
    #[error("the data store stopped answering after {done} documents")]
    Store {
        /// Documents finished before.
        done: u64,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// The thread that reads the file panicked.
    #[error("reading the file failed")]
    Reader(#[source] tokio::task::JoinError),
}

#[cfg(test)]
mod tests;
