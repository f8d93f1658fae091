//! Files of `happn-db-provider-nedb`: every version of a document is a line, the last one counts.
//!
//! Read twice, so that neither versions that were overwritten nor documents that were deleted ever
//! reach the store, and no more than the ids are held: first which line has the last version of
//! each document, then those lines.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use crate::transfer::jsonl::{Stored, no_json};
use crate::transfer::lines::{LINE_BYTES_MAX, Lines};
use crate::transfer::source::{Finder, NobodyListens, ReadError, each_line};
use crate::transfer::{Progress, dates};

/// What every line says of itself.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "_id")]
    id: Option<Cow<'a, str>>,
    #[serde(default, rename = "$$deleted")]
    deleted: bool,
    #[serde(rename = "$$indexCreated")]
    index_created: Option<serde::de::IgnoredAny>,
    #[serde(rename = "$$indexRemoved")]
    index_removed: Option<serde::de::IgnoredAny>,
}

/// The line of each document's last version.
type Last = HashMap<Box<str>, u64>;

pub(crate) fn read(file: &Path, finder: &Finder, progress: &Progress) -> Result<u64, ReadError> {
    let mut lines = Lines::open(file, progress)?;
    let last = last_versions(&mut lines, finder)?;
    let end = lines.number();
    let mut lines = Lines::open(file, progress)?;
    each_line(
        &mut lines,
        LINE_BYTES_MAX,
        |_, _| Ok(()),
        |line, text| match head(text) {
            Ok(Some((id, false))) if last.get(id.as_ref()) == Some(&line) => {
                Ok(hand_on(finder, line, &id, text)?)
            }
            _ => Ok(()),
        },
    )?;
    Ok(end)
}

fn last_versions(lines: &mut Lines, finder: &Finder) -> Result<Last, ReadError> {
    let mut last = Last::new();
    each_line(
        lines,
        LINE_BYTES_MAX,
        |line, reason| Ok(finder.skip(line, reason)?),
        |line, text| {
            match head(text) {
                Ok(Some((id, true))) => drop(last.remove(id.as_ref())),
                Ok(Some((id, false))) => drop(last.insert(id.into(), line)),
                Ok(None) => {}
                Err(reason) => finder.skip(line, reason)?,
            }
            Ok(())
        },
    )?;
    Ok(last)
}

/// Whose version a line is, and whether it deletes; none when it is about an index.
fn head(text: &str) -> Result<Option<(Cow<'_, str>, bool)>, String> {
    let head: Head<'_> = serde_json::from_str(text).map_err(|error| no_json(&error))?;
    if head.index_created.is_some() || head.index_removed.is_some() {
        return Ok(None);
    }
    let id = head.id.ok_or("it has no _id")?;
    Ok(Some((id, head.deleted)))
}

fn hand_on(finder: &Finder, line: u64, id: &str, text: &str) -> Result<(), NobodyListens> {
    let stored = serde_json::from_str::<Stored<'_>>(text).map_err(|error| no_json(&error));
    match stored.and_then(|stored| stored.document(Some(id))) {
        Ok(mut document) => {
            document.data = dates::as_text(document.data);
            finder.document(document, line)
        }
        Err(reason) => finder.skip(line, reason),
    }
}
