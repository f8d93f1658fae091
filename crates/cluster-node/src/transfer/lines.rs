//! A file, line by line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::transfer::Progress;

/// The longest line of a format with one document a line. A document of a happn client is 10 MB at
/// most, and grows by merges to the 16 MB of a MongoDB document.
pub(crate) const LINE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Reads one line after the other into one buffer.
pub(crate) struct Lines<R = File> {
    input: BufReader<R>,
    buffer: Vec<u8>,
    number: u64,
    progress: Progress,
}

/// What a line holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// Its text, without the line end.
    Text(&'a str),
    /// It is no text, or too long to be held.
    Bad(String),
}

impl Lines {
    /// Opens a file from its start; `progress` counts its bytes.
    pub(crate) fn open(file: &Path, progress: &Progress) -> io::Result<Self> {
        let input = File::open(file)?;
        if let Ok(metadata) = input.metadata() {
            progress.bytes(metadata.len());
        }
        Ok(Self::of(input, progress))
    }
}

impl<R: Read> Lines<R> {
    pub(crate) fn of(input: R, progress: &Progress) -> Self {
        Self {
            input: BufReader::with_capacity(256 * 1024, input),
            buffer: Vec::new(),
            number: 0,
            progress: progress.clone(),
        }
    }

    /// The number of the line that was read last, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The next line, at most `limit` bytes of it; `None` at the end.
    pub(crate) fn next(&mut self, limit: usize) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let read = self.fill(limit)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.buffer.len() > limit {
            return Ok(Some(Line::Bad(format!("it is longer than {limit} bytes"))));
        }
        while let [rest @ .., b'\n' | b'\r'] = &self.buffer[..] {
            let length = rest.len();
            self.buffer.truncate(length);
        }
        Ok(Some(match std::str::from_utf8(&self.buffer) {
            Ok(text) => Line::Text(text.trim_start_matches('\u{feff}')),
            Err(_) => Line::Bad("it is not UTF-8".into()),
        }))
    }

    /// Reads up to the end of the line and keeps a little more than `limit` bytes of it.
    fn fill(&mut self, limit: usize) -> io::Result<usize> {
        let mut read = 0;
        loop {
            let available = self.input.fill_buf()?;
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(available.len(), |end| end + 1);
            if self.buffer.len() <= limit {
                self.buffer.extend_from_slice(&available[..taken]);
            }
            self.input.consume(taken);
            self.progress.advance(taken as u64);
            read += taken;
            if end.is_some() || taken == 0 {
                return Ok(read);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_their_ends_and_keep_their_numbers() {
        let text = "\u{feff}one\r\n\ntwo";
        let mut lines = Lines::of(text.as_bytes(), &Progress::hidden());
        for expected in ["one", "", "two"] {
            assert_eq!(lines.next(9).unwrap(), Some(Line::Text(expected)));
        }
        assert_eq!(lines.number(), 3);
        assert_eq!(lines.next(9).unwrap(), None);
    }

    #[test]
    fn a_line_that_is_too_long_or_no_text_does_not_hide_the_next() {
        let text = b"0123456789012345678901234567890\n\xff\nok\n";
        let mut lines = Lines::of(&text[..], &Progress::hidden());
        let bad = |reason: &str| Some(Line::Bad(reason.into()));
        assert_eq!(lines.next(9).unwrap(), bad("it is longer than 9 bytes"));
        assert_eq!(lines.next(9).unwrap(), bad("it is not UTF-8"));
        assert_eq!(lines.next(9).unwrap(), Some(Line::Text("ok")));
    }
}
