//! Why a store could not be opened.

use std::path::PathBuf;

/// Each names the file and what is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory for the file is not there and cannot be made.
    #[error("cannot make the directory {}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file cannot be opened or made, or locks do not work where it is.
    #[error("cannot open the database file {}: {reason}", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// The file, or the directory its journal goes to, may only be read.
    #[error("the database file {} cannot be written", file.display())]
    ReadOnly {
        /// The file.
        file: PathBuf,
    },
    /// The file is something else than a SQLite database.
    #[error("the file {} is not a SQLite database", file.display())]
    NotADatabase {
        /// The file.
        file: PathBuf,
    },
    /// The file is a SQLite database, but its content is damaged.
    #[error("the database file {} is damaged: {detail}", file.display())]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// The first damage found.
        detail: String,
    },
    /// The file is a SQLite database that belongs to another program.
    #[error("the database file {} belongs to another program", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// The file was written by a newer version of this crate.
    #[error("the database file {} has schema version {found}, this program knows version {known}", file.display())]
    WrongVersion {
        /// The file.
        file: PathBuf,
        /// The version of the file.
        found: i64,
        /// The version this crate reads and writes.
        known: i64,
    },
    /// Another process kept the file locked for longer than the busy timeout.
    #[error("the database file {} is locked by another process", file.display())]
    Busy {
        /// The file.
        file: PathBuf,
    },
    /// The system gave us no thread.
    #[error("cannot start a thread for the database file {}", file.display())]
    Thread {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
