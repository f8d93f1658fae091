//! `set`: store, merge, increment or just publish.

use std::sync::Arc;

use happn_paths::{EventKind, Path};
use happn_protocol::response::Meta;
use happn_protocol::{Json, Options, WireError, write_string};

use super::publish_options::PublishOptions;
use super::written::{Pending, Stored, Written};
use super::{Call, Decision, Received, store_failed};
use crate::payload::document_of;
use crate::{Document, Increment, Operation, Write, WriteMode};

/// What a `set` asks for, beyond publishing.
enum Change {
    Publish(Json),
    Upsert {
        data: Json,
        mode: WriteMode,
        modified_by: Option<Arc<str>>,
    },
    Increment {
        gauge: Arc<str>,
        by: serde_json::Number,
    },
}

impl Call<'_> {
    pub(super) fn set(self) -> Received {
        let path = match self.path_for_set() {
            Ok(path) => path,
            Err(error) => return self.fail(error),
        };
        let options = self.request.decode_options();
        let sent = match Options::is_set(options.null_value) {
            true => Some(Json::NULL),
            false => self.data(),
        };
        let change = match change(&options, sent.as_ref()) {
            Ok(change) => change,
            Err(error) => return self.fail(error),
        };
        let merging = matches!(
            change,
            Change::Upsert {
                mode: WriteMode::Merge,
                ..
            }
        );
        let mut publish = PublishOptions::read(&options);
        // A bulk insert is never published.
        publish.no_publish |= options.upsert_type.is_some_and(|raw| raw.get() == "3");
        let decision = self.decide(Operation::Set, path.as_str(), options.on_behalf_of);
        let change = match (&decision, change) {
            // By far the most frequent request: nothing outlives this call.
            (Decision::Granted(granted), Change::Publish(data)) => {
                let written = Written {
                    node: self.node,
                    session: self.session,
                    actor: granted.actor.as_ref(),
                    echo: &self.echo,
                    kind: EventKind::Set,
                    path: path.as_str(),
                    options: &publish,
                    merge_data: None,
                };
                written.succeed(published(data, &path));
                return Received::Done;
            }
            (_, change) => change,
        };
        let pending = Pending {
            node: self.node.clone(),
            session: self.session.clone(),
            actor: None,
            echo: self.echo.clone(),
            kind: EventKind::Set,
            path: path.clone().into(),
            options: publish,
            merge_data: sent.filter(|_| merging),
        };
        self.in_turn(decision, move |granted| {
            run(pending.by(granted), path, change)
        })
    }

    fn path_for_set(&self) -> Result<Path, WireError> {
        let Some(text) = self.request.path_text() else {
            return Err(not_a_string(&self.request.path_printed()));
        };
        Path::for_set(&text).map_err(|error| WireError::plain(error.to_string()))
    }
}

pub(super) fn not_a_string(printed: &str) -> WireError {
    WireError::plain(format!("Bad path [{printed}], must be a string"))
}

fn change(options: &Options<'_>, sent: Option<&Json>) -> Result<Change, WireError> {
    let increment = options.increment.filter(|raw| raw.get() != "null");
    if Options::is_set(options.no_store) && increment.is_none() {
        return Ok(Change::Publish(document_of(sent)));
    }
    if let Some(by) = increment {
        let system = |message| WireError::system(message, "DataService");
        let by = serde_json::from_str(by.get())
            .map_err(|_| system("increment option value must be a number"))?;
        let gauge = sent
            .and_then(|sent| sent.decode::<String>().ok())
            .ok_or_else(|| system("invalid increment counter field name, must be a string"))?;
        return Ok(Change::Increment {
            gauge: gauge.into(),
            by,
        });
    }
    let mode = match Options::is_set(options.merge) {
        true => WriteMode::Merge,
        false => WriteMode::Replace,
    };
    let modified_by = options
        .modified_by
        .and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    Ok(Change::Upsert {
        data: document_of(sent),
        mode,
        modified_by: modified_by.map(Into::into),
    })
}

fn run(pending: Pending, path: Path, change: Change) -> Received {
    let node = pending.node.clone();
    let blocked = match change {
        Change::Publish(data) => {
            pending.finish(Ok(published(data, &path)));
            None
        }
        Change::Upsert {
            data,
            mode,
            modified_by,
        } => {
            let write = Write {
                path,
                data,
                mode,
                at: node.clock().wall_ms(),
                modified_by: pending.author().or(modified_by),
            };
            let under_way = pending.session.begin_write();
            node.data().upsert(write, move |outcome| {
                let _under_way = under_way;
                pending.finish(outcome.map(stored).map_err(|error| store_failed(&error)));
            })
        }
        Change::Increment { gauge, by } => {
            let increment = Increment {
                path,
                gauge: gauge.clone(),
                by,
            };
            let under_way = pending.session.begin_write();
            node.data().increment(increment, move |outcome| {
                let _under_way = under_way;
                let outcome = outcome.map(|total| incremented(&total.value, &gauge));
                pending.finish(outcome.map_err(|error| store_failed(&error)));
            })
        }
    };
    blocked.map_or(Received::Done, Received::Blocked)
}

fn published(data: Json, path: &Path) -> Stored {
    let meta = Meta {
        path: Some(path.clone().into()),
        ..Meta::default()
    };
    Stored { data, meta }
}

fn stored(document: Document) -> Stored {
    Stored {
        meta: meta_of(&document),
        data: document.data,
    }
}

/// The members of `_meta` that a stored document has.
pub(super) fn meta_of(document: &Document) -> Meta {
    Meta {
        path: Some(document.path.clone()),
        created: document.created,
        modified: document.modified,
        modified_by: document.modified_by.clone(),
        ..Meta::default()
    }
}

fn incremented(value: &serde_json::Number, gauge: &str) -> Stored {
    let mut out = format!("{{\"value\":{value},\"gauge\":").into_bytes();
    write_string(&mut out, gauge);
    out.push(b'}');
    Stored {
        data: Json::from_trusted(out),
        meta: Meta::default(),
    }
}
