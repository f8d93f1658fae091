//! One document a line: what `export` writes and `import` reads.
//!
//! `{"path":"/a","data":{…},"created":1,"modified":2,"modifiedBy":"ann"}`, the last three only
//! where the document has them.

use std::borrow::Cow;
use std::path::Path;

use happn_core::Document;
use happn_protocol::{Json, write_string};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::transfer::Progress;
use crate::transfer::lines::{LINE_BYTES_MAX, Lines};
use crate::transfer::source::{Finder, ReadError, each_line};

/// A document as files hold it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stored<'a> {
    #[serde(borrow)]
    path: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    created: Time,
    #[serde(default)]
    modified: Time,
    #[serde(borrow)]
    modified_by: Option<Cow<'a, str>>,
}

/// Ms since 1970, as a number or as nedb writes a date; anything else is no time.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
pub(crate) enum Time {
    Whole(i64),
    Float(f64),
    Date {
        #[serde(rename = "$$date")]
        date: i64,
    },
    #[default]
    None,
    Other(serde::de::IgnoredAny),
}

impl Time {
    pub(crate) fn ms(&self) -> Option<i64> {
        match self {
            Self::Whole(ms) | Self::Date { date: ms } => Some(*ms),
            Self::Float(ms) if ms.abs() < 9e15 => format!("{ms:.0}").parse().ok(),
            Self::Float(_) | Self::None | Self::Other(_) => None,
        }
    }
}

impl Stored<'_> {
    /// The document, called `path` unless it has a name of its own.
    pub(crate) fn document(&self, path: Option<&str>) -> Result<Document, String> {
        let path = self.path.as_deref().or(path);
        let path = path.ok_or("it has no path")?;
        Ok(Document {
            path: path.into(),
            data: object(self.data)?,
            created: self.created.ms(),
            modified: self.modified.ms(),
            modified_by: self.modified_by.as_deref().map(Into::into),
        })
    }
}

/// The data of a document, which is always an object.
pub(crate) fn object(data: Option<&RawValue>) -> Result<Json, String> {
    let data = data.map(Json::from_raw).filter(Json::is_object);
    data.ok_or_else(|| "its data is not an object".into())
}

pub(crate) fn read(file: &Path, finder: &Finder, progress: &Progress) -> Result<u64, ReadError> {
    let mut lines = Lines::open(file, progress)?;
    each_line(
        &mut lines,
        LINE_BYTES_MAX,
        |line, reason| Ok(finder.skip(line, reason)?),
        |line, text| match parse(text) {
            Ok(document) => Ok(finder.document(document, line)?),
            Err(reason) => Ok(finder.skip(line, reason)?),
        },
    )?;
    Ok(lines.number())
}

fn parse(text: &str) -> Result<Document, String> {
    let stored: Stored<'_> = serde_json::from_str(text).map_err(|error| no_json(&error))?;
    stored.document(None)
}

/// A parser's complaint without its line, which is always 1.
pub(crate) fn no_json(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    format!("it cannot be read: {message}, column {}", error.column())
}

/// The line of a document, with its line end.
pub(crate) fn write(out: &mut Vec<u8>, document: &Document) {
    out.extend_from_slice(b"{\"path\":");
    write_string(out, &document.path);
    out.extend_from_slice(b",\"data\":");
    out.extend_from_slice(document.data.as_bytes());
    for (name, time) in [
        ("created", document.created),
        ("modified", document.modified),
    ] {
        if let Some(time) = time {
            out.extend_from_slice(format!(",\"{name}\":{time}").as_bytes());
        }
    }
    if let Some(author) = &document.modified_by {
        out.extend_from_slice(b",\"modifiedBy\":");
        write_string(out, author);
    }
    out.extend_from_slice(b"}\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let parsed = parse(text);
        let shown = parsed.map(|document| {
            let mut out = Vec::new();
            write(&mut out, &document);
            String::from_utf8(out).unwrap()
        });
        match expected {
            Ok(line) => assert_eq!(shown.unwrap(), format!("{line}\n")),
            Err(reason) => assert_eq!(shown.unwrap_err(), reason),
        }
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        for line in [
            r#"{"path":"/a","data":{"n":1.50,"s":"\u2028"},"created":1,"modified":2,"modifiedBy":"ann"}"#,
            r#"{"path":"a b","data":{}}"#,
            r#"{"path":"/\"","data":{"a":{}},"modified":-5}"#,
        ] {
            check(line, Ok(line));
        }
    }

    #[test]
    fn absent_and_odd_times_are_no_times() {
        let bare = Ok(r#"{"path":"/a","data":{}}"#);
        check(
            r#"{"path":"/a","data":{},"created":null,"extra":[1]}"#,
            bare,
        );
        check(
            r#"{"path":"/a","data":{},"created":"then","modified":{}}"#,
            bare,
        );
        check(
            r#"{"path":"/a","data":{},"created":{"$$date":7},"modified":8.0}"#,
            Ok(r#"{"path":"/a","data":{},"created":7,"modified":8}"#),
        );
    }

    #[test]
    fn a_line_that_is_no_document_says_why() {
        check(r#"{"data":{}}"#, Err("it has no path"));
        check(r#"{"path":"/a"}"#, Err("its data is not an object"));
        check(
            r#"{"path":"/a","data":[1]}"#,
            Err("its data is not an object"),
        );
        check(
            "{",
            Err("it cannot be read: EOF while parsing an object, column 1"),
        );
    }
}
