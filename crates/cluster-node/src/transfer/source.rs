//! What readers find in files.

use std::fmt;
use std::io;
use std::path::Path;

use happn_core::Document;
use tokio::sync::mpsc;

use crate::transfer::lines::{Line, Lines};
use crate::transfer::{Progress, TransferError, jsonl, loki, nedb};

/// A file's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The snapshot and the operations that `happn-db-provider-loki` keeps.
    Loki,
    /// The lines that `happn-db-provider-nedb` appends.
    Nedb,
    /// One document a line, as `cluster-node export` writes.
    Jsonl,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loki => "loki",
            Self::Nedb => "nedb",
            Self::Jsonl => "jsonl",
        })
    }
}

/// A line that was not taken, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skip {
    /// From 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// One thing found.
#[derive(Debug, PartialEq)]
pub(crate) enum Found {
    /// A document as it shall be stored, and its line.
    Document(Document, u64),
    /// A line that was not taken.
    Skip(Skip),
}

/// Where a reader puts what it finds; waits while the writer is behind.
pub(crate) struct Finder {
    found: mpsc::Sender<Found>,
}

/// The writer has given up, so there is no need to read on.
#[derive(Debug)]
pub(crate) struct NobodyListens;

impl Finder {
    pub(crate) fn new(found: mpsc::Sender<Found>) -> Self {
        Self { found }
    }

    pub(crate) fn document(&self, document: Document, line: u64) -> Result<(), NobodyListens> {
        self.send(Found::Document(document, line))
    }

    pub(crate) fn skip(&self, line: u64, reason: impl Into<String>) -> Result<(), NobodyListens> {
        let reason = reason.into();
        self.send(Found::Skip(Skip { line, reason }))
    }

    fn send(&self, found: Found) -> Result<(), NobodyListens> {
        self.found.blocking_send(found).map_err(|_| NobodyListens)
    }
}

/// Why reading ended early.
#[derive(Debug)]
pub(crate) enum ReadError {
    File(io::Error),
    Format { line: u64, reason: String },
    NobodyListens,
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<NobodyListens> for ReadError {
    fn from(_: NobodyListens) -> Self {
        Self::NobodyListens
    }
}

/// Finds everything in a file and answers how many lines it has. Blocks.
pub(crate) fn read(
    format: Format,
    file: &Path,
    finder: &Finder,
    progress: &Progress,
) -> Result<u64, TransferError> {
    let outcome = match format {
        Format::Loki => loki::read(file, finder, progress),
        Format::Nedb => nedb::read(file, finder, progress),
        Format::Jsonl => jsonl::read(file, finder, progress),
    };
    match outcome {
        Ok(lines) => Ok(lines),
        // Whoever gave up has the reason.
        Err(ReadError::NobodyListens) => Ok(0),
        Err(ReadError::File(source)) => Err(TransferError::File {
            file: file.to_owned(),
            source,
        }),
        Err(ReadError::Format { line, reason }) => Err(TransferError::Format {
            file: file.to_owned(),
            line,
            reason,
        }),
    }
}

/// Walks over the lines that hold something; reports those that cannot be read.
pub(crate) fn each_line(
    lines: &mut Lines,
    limit: usize,
    mut skip: impl FnMut(u64, String) -> Result<(), ReadError>,
    mut line: impl FnMut(u64, &str) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    loop {
        let number = lines.number() + 1;
        match lines.next(limit)? {
            None => return Ok(()),
            Some(Line::Text(text)) if text.trim().is_empty() => {}
            Some(Line::Text(text)) => line(number, text)?,
            Some(Line::Bad(reason)) => skip(number, reason)?,
        }
    }
}
