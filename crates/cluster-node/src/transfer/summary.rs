//! What an import did.

use std::fmt;

use crate::transfer::source::Skip;

/// Skipped lines that are told one by one; the others are only counted.
const SKIPS_TOLD_MAX: usize = 20;

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Lines of the file.
    pub lines: u64,
    /// Documents written.
    pub written: u64,
    /// Those of the written ones that belong to the server: users, groups, permissions.
    pub system: u64,
    /// Documents of the server that were left out, because a node makes them itself or because it
    /// was asked for.
    pub left_out: u64,
    /// Lines that could not be taken.
    pub skipped: u64,
    /// The first of them.
    pub skips: Vec<Skip>,
}

impl Imported {
    pub(crate) fn skip(&mut self, skip: Skip) {
        self.skipped += 1;
        if self.skips.len() < SKIPS_TOLD_MAX {
            self.skips.push(skip);
        }
    }
}

impl fmt::Display for Imported {
    /// A few lines for people, without a line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  read      {}", count(self.lines, "line"))?;
        write!(f, "  written   {}", count(self.written, "document"))?;
        if self.system > 0 {
            write!(
                f,
                ", {} of them of the server (below /_SYSTEM)",
                self.system
            )?;
        }
        if self.left_out > 0 {
            write!(
                f,
                "\n  left out  {} of the server",
                count(self.left_out, "document")
            )?;
        }
        if self.skipped > 0 {
            write!(f, "\n  skipped   {}", count(self.skipped, "line"))?;
        }
        for Skip { line, reason } in &self.skips {
            write!(f, "\n    line {line}: {reason}")?;
        }
        match self.skipped - self.skips.len() as u64 {
            0 => Ok(()),
            more => write!(f, "\n    and {more} more"),
        }
    }
}

/// `1 line`, `2 lines`.
pub(crate) fn count(number: u64, word: &str) -> String {
    match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    }
}
