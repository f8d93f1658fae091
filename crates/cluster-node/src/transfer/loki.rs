//! Files of `happn-db-provider-loki`: a snapshot in the first line, then one operation a line.
//!
//! Operations change what was there before, so they are played in memory and only the outcome is
//! handed on: a file read again gives the same again. What has to fit into memory is what also had
//! to fit into the memory of the provider that wrote the file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use happn_core::{Document, Increment, increment_gauge, merge_members};
use happn_paths::StoreGlob;
use happn_query::{Collation, Criteria, Item};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::transfer::Progress;
use crate::transfer::jsonl::{Stored, Time, no_json, object};
use crate::transfer::lines::{LINE_BYTES_MAX, Line, Lines};
use crate::transfer::source::{Finder, ReadError, each_line};

pub(crate) fn read(file: &Path, finder: &Finder, progress: &Progress) -> Result<u64, ReadError> {
    let mut lines = Lines::open(file, progress)?;
    let mut replay = Replay::default();
    // The snapshot is one line, whatever its size.
    let complaints = match lines.next(usize::MAX)? {
        Some(Line::Text(text)) => replay
            .snapshot(text)
            .map_err(|reason| no_snapshot(&reason))?,
        Some(Line::Bad(reason)) => return Err(no_snapshot(&reason)),
        None => return Err(no_snapshot("the file is empty")),
    };
    for reason in complaints {
        finder.skip(1, reason)?;
    }
    each_line(
        &mut lines,
        LINE_BYTES_MAX,
        |line, reason| Ok(finder.skip(line, reason)?),
        |line, text| match replay.operation(line, text) {
            Ok(()) => Ok(()),
            Err(reason) => Ok(finder.skip(line, reason)?),
        },
    )?;
    progress.documents();
    for (document, line) in replay.documents.into_values() {
        progress.advance(1);
        finder.document(document, line)?;
    }
    Ok(lines.number())
}

fn no_snapshot(reason: &str) -> ReadError {
    let reason = format!(
        "this is no snapshot of loki: {reason}; after a crash the file that begins with temp_ \
         beside it may be whole"
    );
    ReadError::Format { line: 1, reason }
}

/// The state that a file leads to.
#[derive(Debug, Default)]
struct Replay {
    /// Each with the line that changed it last.
    documents: BTreeMap<Arc<str>, (Document, u64)>,
    /// The latest time that the file has told so far. Operations on documents that were there
    /// already have no time of their own, but happened after this one.
    latest: Option<i64>,
}

#[derive(Deserialize)]
struct First<'a> {
    #[serde(borrow)]
    snapshot: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Snapshot<'a> {
    #[serde(borrow)]
    collections: Vec<Collection<'a>>,
}

#[derive(Deserialize)]
struct Collection<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    operation: Operation<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation<'a> {
    #[serde(borrow)]
    operation_type: Cow<'a, str>,
    #[serde(borrow, default)]
    arguments: Vec<&'a RawValue>,
}

/// The second argument of an UPSERT.
#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(default, rename = "_meta")]
    meta: Meta,
}

#[derive(Default, Deserialize)]
struct Meta {
    #[serde(default)]
    created: Time,
    #[serde(default)]
    modified: Time,
}

/// The third argument of an UPSERT.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options<'a> {
    merge: Option<bool>,
    #[serde(borrow)]
    modified_by: Option<Cow<'a, str>>,
}

impl Replay {
    /// Takes the first line and answers what of it cannot be taken.
    fn snapshot(&mut self, line: &str) -> Result<Vec<String>, String> {
        let first: First<'_> = serde_json::from_str(line).map_err(|error| no_json(&error))?;
        let snapshot = serde_json::from_str::<Snapshot<'_>>(&first.snapshot);
        let mut complaints = Vec::new();
        for collection in snapshot.map_err(|error| no_json(&error))?.collections {
            match &*collection.name {
                "happn" => {
                    let taken = collection.data.iter().map(|raw| self.insert(1, raw.get()));
                    complaints.extend(taken.filter_map(Result::err));
                }
                "archives" if !collection.data.is_empty() => complaints.push(format!(
                    "{} archives: their files are not read",
                    collection.data.len()
                )),
                _ => {}
            }
        }
        Ok(complaints)
    }

    fn operation(&mut self, line: u64, text: &str) -> Result<(), String> {
        let entry: Entry<'_> = serde_json::from_str(text).map_err(|error| no_json(&error))?;
        let Operation {
            operation_type,
            arguments,
        } = entry.operation;
        let argument = |at: usize| arguments.get(at).map_or("null", |raw| raw.get());
        match &*operation_type {
            "UPSERT" => self.upsert(line, argument(0), argument(1), argument(2)),
            "INSERT" | "UPDATE" => self.insert(line, argument(0)),
            "INCREMENT" => self.increment(line, argument(0), argument(1), argument(2)),
            "REMOVE" => self.remove(argument(0), argument(1)),
            other => Err(format!("unknown operation {other:?}")),
        }
    }

    /// A whole document with its times.
    fn insert(&mut self, line: u64, document: &str) -> Result<(), String> {
        let stored: Stored<'_> = parsed(document)?;
        let document = stored.document(None)?;
        self.put(document, line);
        Ok(())
    }

    fn upsert(&mut self, line: u64, path: &str, sent: &str, options: &str) -> Result<(), String> {
        let path: Arc<str> = text(path, "path")?.into();
        let sent: Sent<'_> = parsed(sent)?;
        let options: Option<Options<'_>> = parsed(options)?;
        let options = options.unwrap_or_default();
        let stored = self.documents.get(&path).map(|(document, _)| document);
        let sent_data = object(sent.data)?;
        let data = match stored {
            Some(stored) if options.merge == Some(true) => {
                merge_members(&stored.data, &sent_data).map_err(|error| error.to_string())?
            }
            _ => sent_data,
        };
        let created = match stored {
            Some(stored) => stored.created,
            None => sent.meta.created.ms().or(self.latest),
        };
        let author = options.modified_by.as_deref().map(Into::into);
        let document = Document {
            data,
            created,
            modified: sent.meta.modified.ms().or(self.latest),
            modified_by: author.or_else(|| stored.and_then(|stored| stored.modified_by.clone())),
            path,
        };
        self.put(document, line);
        Ok(())
    }

    fn increment(&mut self, line: u64, path: &str, gauge: &str, by: &str) -> Result<(), String> {
        let path = text(path, "path")?;
        let increment = Increment {
            path: happn_paths::Path::for_remove(&path).map_err(|error| error.to_string())?,
            gauge: text(gauge, "gauge")?.into(),
            by: parsed(by)?,
        };
        let stored = self.documents.get(&*path).map(|(document, _)| document);
        let data = stored.map(|document| &document.data);
        let (data, _) = increment_gauge(data, &increment).map_err(|error| error.to_string())?;
        let document = Document {
            path: (&*path).into(),
            data,
            created: stored.map_or(self.latest, |stored| stored.created),
            modified: self.latest,
            modified_by: stored.and_then(|stored| stored.modified_by.clone()),
        };
        self.put(document, line);
        Ok(())
    }

    fn remove(&mut self, path: &str, criteria: &str) -> Result<(), String> {
        let selector = StoreGlob::new(&text(path, "path")?);
        let criteria = Criteria::parse_stored_names(criteria)
            .and_then(|criteria| criteria.check_evaluable().map(|()| criteria))
            .map_err(|error| {
                format!("what it removed stays, for its criteria cannot be used: {error}")
            })?;
        let prefix = selector.literal_prefix();
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let candidates = self.documents.range::<str, _>(from);
        let meant: Vec<Arc<str>> = candidates
            .take_while(|(path, _)| path.starts_with(prefix))
            .filter(|(path, _)| selector.matches(path))
            .filter(|(_, (document, _))| criteria.is_all() || matches(&criteria, document))
            .map(|(path, _)| path.clone())
            .collect();
        for path in meant {
            self.documents.remove(&path);
        }
        Ok(())
    }

    fn put(&mut self, document: Document, line: u64) {
        self.latest = self.latest.max(document.created).max(document.modified);
        self.documents
            .insert(document.path.clone(), (document, line));
    }
}

fn matches(criteria: &Criteria, document: &Document) -> bool {
    let item = Item {
        path: &document.path,
        created: document.created,
        modified: document.modified,
        modified_by: document.modified_by.as_deref(),
        data: document.data.as_str(),
    };
    criteria.matches(&item.document(), &Collation::default())
}

fn parsed<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| no_json(&error))
}

fn text<'a>(json: &'a str, what: &str) -> Result<Cow<'a, str>, String> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    let text: Result<Text<'a>, _> = serde_json::from_str(json);
    text.map(|text| text.0)
        .map_err(|_| format!("its {what} is not a text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = r#"{"snapshot":"{\"collections\":[{\"name\":\"happn\",\"data\":[]}]}"}"#;

    /// Plays operations written as `TYPE arguments` and answers what is there then.
    fn play(operations: &[&str]) -> Vec<String> {
        let mut replay = Replay::default();
        assert!(replay.snapshot(EMPTY).unwrap().is_empty());
        for (number, operation) in operations.iter().enumerate() {
            let (kind, arguments) = operation.split_once(' ').unwrap();
            let line = format!(
                r#"{{"operation":{{"operationType":"{kind}","arguments":[{arguments}]}}}}"#
            );
            replay.operation(number as u64 + 2, &line).unwrap();
        }
        let shown = |(document, line): (Document, u64)| {
            let times = (document.created, document.modified);
            format!("{} {} {times:?} from {line}", document.path, document.data)
        };
        replay.documents.into_values().map(shown).collect()
    }

    #[test]
    fn upserts_replace_or_merge_and_time_goes_on() {
        assert_eq!(
            play(&[
                r#"UPSERT "/a",{"data":{"x":1},"_meta":{"created":5,"modified":5}},{}"#,
                r#"UPSERT "/b",{"data":{"x":1},"_meta":{"created":9,"modified":9}},null"#,
                r#"UPSERT "/a",{"data":{"y":2},"_meta":{"path":"/a"}},{"merge":true}"#,
                r#"UPSERT "/b",{"data":{"y":2},"_meta":{"path":"/b"}},{}"#,
            ]),
            [
                r#"/a {"x":1,"y":2} (Some(5), Some(9)) from 4"#,
                r#"/b {"y":2} (Some(9), Some(9)) from 5"#,
            ]
        );
    }

    #[test]
    fn gauges_add_up_and_inserts_stand_as_they_are() {
        assert_eq!(
            play(&[
                r#"INCREMENT "/g","c",2"#,
                r#"INCREMENT "/g","c",0.5"#,
                r#"INSERT {"path":"/i","data":{},"created":1,"modified":2,"$loki":3}"#,
                r#"UPDATE {"path":"/i","data":{"u":1},"created":1,"modified":4,"meta":{}}"#,
            ]),
            [
                r#"/g {"c":{"value":2.5}} (None, None) from 3"#,
                r#"/i {"u":1} (Some(1), Some(4)) from 5"#,
            ]
        );
    }

    #[test]
    fn removals_take_masks_and_criteria_by_stored_names() {
        let set = |path: &str, data: &str| format!(r#"UPSERT "{path}",{{"data":{data}}},{{}}"#);
        let [a, b, c] = [
            set("/r/1", r#"{"n":1}"#),
            set("/r/2", r#"{"n":2}"#),
            set("/s", r#"{"n":3}"#),
        ];
        let after = |removal: &str| play(&[&a, &b, &c, removal]).len();
        assert_eq!(after(r#"REMOVE "/r/*",null"#), 1);
        assert_eq!(after(r#"REMOVE "/s""#), 2);
        assert_eq!(after(r#"REMOVE "/none/*",null"#), 3);
        assert_eq!(after(r#"REMOVE "*",{"data.n":{"$gte":2}}"#), 1);
        assert_eq!(
            after(r#"REMOVE "/r/*",{"$or":[{"data.n":1},{"path":"/s"}]}"#),
            2
        );
    }

    #[test]
    fn a_line_that_cannot_be_played_says_why_and_changes_nothing() {
        let mut replay = Replay::default();
        replay.snapshot(EMPTY).unwrap();
        let mut check = |line: &str, reason: &str| {
            let complaint = replay.operation(2, line).unwrap_err();
            assert!(complaint.starts_with(reason), "{complaint}");
        };
        check("{", "it cannot be read");
        check(r#"{"operation":{}}"#, "it cannot be read");
        let operation = |kind: &str, arguments: &str| {
            format!(r#"{{"operation":{{"operationType":"{kind}","arguments":[{arguments}]}}}}"#)
        };
        check(&operation("DROP", ""), "unknown operation \"DROP\"");
        check(&operation("UPSERT", "5"), "its path is not a text");
        check(
            &operation("UPSERT", r#""/a",{"data":3}"#),
            "its data is not an object",
        );
        check(
            &operation("INCREMENT", r#""/a","c","x""#),
            "it cannot be read",
        );
        // A regular expression is written as an empty object, so what it said is lost.
        check(
            &operation("REMOVE", r#""/a/*",{"data.n":{"$regex":{}}}"#),
            "what it removed stays",
        );
        assert!(replay.documents.is_empty());
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        for line in [
            "{}",
            "[",
            r#"{"snapshot":"{}"}"#,
            r#"{"_id":"/a","path":"/a","data":{}}"#,
        ] {
            assert!(Replay::default().snapshot(line).is_err(), "{line}");
        }
    }
}
