//! `get` and `count`.

use std::sync::Arc;

use happn_paths::StoreGlob;
use happn_protocol::response::{self, Echo, Meta, ObjectResponse};
use happn_protocol::{Json, Members, Options, WireError};
use serde_json::value::RawValue;

use super::set::meta_of;
use super::{Call, Received, reply, store_failed};
use crate::fields::Fields;
use crate::{BoxFuture, Document, Node, Operation, Query, Session};

/// What is read and how it is shown.
struct Search {
    query: Query,
    fields: Option<Fields>,
}

impl Call<'_> {
    pub(super) fn get(self) -> Received {
        let search = match self.search() {
            Ok(search) => search,
            Err(error) => return self.fail(error),
        };
        let (node, session, echo) = (self.node.clone(), self.session.clone(), self.echo.clone());
        let path = search.query.selector.as_str().to_owned();
        let own_writes = self.own_writes(&path);
        self.authorised(Operation::Get, &path, move || {
            Received::Answer(Box::pin(async move {
                own_writes.await;
                answer_get(node, session, echo, search).await;
            }))
        })
    }

    pub(super) fn count(self) -> Received {
        let search = match self.search() {
            Ok(search) => search,
            Err(error) => return self.fail(error),
        };
        let (node, session, echo) = (self.node.clone(), self.session.clone(), self.echo.clone());
        let own_writes = self.own_writes(search.query.selector.as_str());
        Received::Answer(Box::pin(async move {
            own_writes.await;
            let response = match node.data().count(search.query).await {
                Ok(count) => {
                    let data = format!("{{\"value\":{count}}}").into_bytes();
                    ObjectResponse::ok(Json::from_trusted(data))
                }
                Err(error) => ObjectResponse::error(store_failed(&error)),
            };
            reply(&session, &echo, &response);
        }))
    }

    /// Completes when what this session wrote before is stored: a read sent right behind a write
    /// sees it.
    pub(super) fn own_writes(&self, path: &str) -> BoxFuture<'static, ()> {
        match self.session.is_writing() {
            true => self.node.data().settled(path),
            false => Box::pin(std::future::ready(())),
        }
    }

    fn search(&self) -> Result<Search, WireError> {
        let Some(path) = self.request.path_text() else {
            return Err(WireError::type_error(format!(
                "the path of a {} must be a string, not [{}]",
                self.echo.action,
                self.request.path_printed()
            )));
        };
        let options = self.request.decode_options().map_err(WireError::plain)?;
        let inner = options
            .options
            .and_then(|raw| Members::parse(raw.get()))
            .unwrap_or_default();
        refuse_unsupported(&[
            ("criteria", options.criteria),
            ("aggregate", options.aggregate.or(inner.get("aggregate"))),
            ("collation", options.collation.or(inner.get("collation"))),
            ("sort", options.sort.or(inner.get("sort"))),
        ])?;
        let fields = inner.get("fields").or(options.fields);
        let query = Query {
            selector: StoreGlob::new(&path),
            skip: number(inner.get("skip")).unwrap_or_default(),
            limit: number(inner.get("limit")).filter(|&limit| limit > 0),
            paths_only: Options::is_set(options.path_only)
                || Options::is_set(inner.get("path_only")),
        };
        Ok(Search {
            query,
            fields: fields.and_then(Fields::read),
        })
    }
}

/// Options that this node does not evaluate are refused, never silently dropped: the answer would
/// be another one than asked for.
pub(super) fn refuse_unsupported(options: &[(&str, Option<&RawValue>)]) -> Result<(), WireError> {
    let asked = |raw: Option<&RawValue>| raw.is_some_and(|raw| !matches!(raw.get(), "null" | "{}"));
    match options.iter().find(|(_, raw)| asked(*raw)) {
        None => Ok(()),
        Some((name, _)) => {
            let message = format!("{name} is not supported by the data store of this node");
            Err(WireError::system(message, "DataService"))
        }
    }
}

async fn answer_get(node: Arc<Node>, session: Arc<Session>, echo: Echo, search: Search) {
    let exact = search.query.selector.is_exact();
    let paths_only = search.query.paths_only;
    let documents = match node.data().find(search.query).await {
        Ok(documents) => documents,
        Err(error) => {
            return reply(
                &session,
                &echo,
                &ObjectResponse::error(store_failed(&error)),
            );
        }
    };
    let shown = documents
        .iter()
        .map(|document| show(document, paths_only, search.fields.as_ref()));
    if exact {
        let (data, meta) = shown
            .into_iter()
            .next()
            .unwrap_or((Some(Json::NULL), Meta::default()));
        let response = ObjectResponse {
            data,
            meta,
            ..ObjectResponse::ok(Json::NULL)
        };
        return reply(&session, &echo, &response);
    }
    let items: Vec<_> = shown
        .map(|(data, meta)| item(data.as_ref(), &meta))
        .collect();
    session.send(response::encode_list(&items, &echo));
}

/// The data and `_meta` of a document as the caller asked to see it.
fn show(document: &Document, paths_only: bool, fields: Option<&Fields>) -> (Option<Json>, Meta) {
    let meta = meta_of(document);
    match fields {
        _ if paths_only => (
            None,
            Meta {
                path: meta.path,
                ..Meta::default()
            },
        ),
        Some(fields) => (
            Some(fields.select(&document.data)),
            fields.select_meta(meta),
        ),
        None => (Some(document.data.clone()), meta),
    }
}

/// An element of a list answer.
pub(super) fn item(data: Option<&Json>, meta: &Meta) -> Json {
    let mut out = Vec::with_capacity(data.map_or(2, |data| data.as_bytes().len()) + 128);
    response::write_item(&mut out, data, meta);
    Json::from_trusted(out)
}

fn number(raw: Option<&RawValue>) -> Option<u64> {
    let value: f64 = serde_json::from_str(raw?.get()).ok()?;
    // A negative limit counts as its absolute value, as the document store has it.
    Some(value.abs() as u64)
}
