//! `get` and `count`.

use std::sync::Arc;

use happn_protocol::response::{Echo, ListBuilder, Meta, ObjectResponse};
use happn_protocol::{Json, WireError};
use happn_query::{Fields, Pipeline};

use super::search::{Search, search_failed};
use super::set::meta_of;
use super::visible::{self, Visible};
use super::{Call, Received, reply};
use crate::{BoxFuture, Document, Node, Operation, PathFilter, Query, Session, StoreError};

impl Call<'_> {
    pub(super) fn get(self) -> Received {
        let (search, on_behalf_of) = match self.search() {
            Ok(search) => search,
            Err(error) => return self.fail(error),
        };
        let (node, session, echo) = (self.node.clone(), self.session.clone(), self.echo.clone());
        let path = search.query.selector.as_str().to_owned();
        let own_writes = self.own_writes(&path);
        let decision = self.decide(Operation::Get, &path, on_behalf_of);
        self.once(decision, move |granted| {
            Received::Answer(Box::pin(async move {
                own_writes.await;
                let only = granted.only;
                if let Err(error) = answer_get(&node, &session, &echo, search, only).await {
                    fail(&session, &echo, &error);
                }
            }))
        })
    }

    pub(super) fn count(self) -> Received {
        let (query, on_behalf_of) = match self.search() {
            Ok((search, on_behalf_of)) => (search.query, on_behalf_of),
            Err(error) => return self.fail(error),
        };
        let (node, session, echo) = (self.node.clone(), self.session.clone(), self.echo.clone());
        let own_writes = self.own_writes(query.selector.as_str());
        let decision = self.decide(Operation::Count, query.selector.as_str(), on_behalf_of);
        self.once(decision, move |granted| {
            Received::Answer(Box::pin(async move {
                own_writes.await;
                match visible::count(&node, query, granted.only).await {
                    Ok(count) => {
                        let data = format!("{{\"value\":{count}}}").into_bytes();
                        let response = ObjectResponse::ok(Json::from_trusted(data));
                        reply(&session, &echo, &response);
                    }
                    Err(error) => fail(&session, &echo, &error),
                }
            }))
        })
    }

    /// Completes when what this session wrote before is stored: a read sent right behind a write
    /// sees it.
    pub(super) fn own_writes(&self, path: &str) -> BoxFuture<'static, ()> {
        match self.session.is_writing() {
            true => self.node.data().settled(path),
            false => Box::pin(std::future::ready(())),
        }
    }
}

fn fail(session: &Session, echo: &Echo, error: &StoreError) {
    let error: WireError = search_failed(error);
    reply(session, echo, &ObjectResponse::error(error));
}

async fn answer_get(
    node: &Arc<Node>,
    session: &Session,
    echo: &Echo,
    search: Search,
    only: Option<Arc<dyn PathFilter>>,
) -> Result<(), StoreError> {
    let Search { query, pipeline } = search;
    match pipeline {
        Some(pipeline) => {
            let response = aggregate(node, query, pipeline, only).await?;
            reply(session, echo, &response);
        }
        None if query.selector.is_exact() => {
            let response = one(node, query).await?;
            reply(session, echo, &response);
        }
        None => {
            let list = list(node, query, only).await?;
            session.send(list.finish(echo));
        }
    }
    Ok(())
}

async fn aggregate(
    node: &Node,
    query: Query,
    pipeline: Pipeline,
    only: Option<Arc<dyn PathFilter>>,
) -> Result<ObjectResponse, StoreError> {
    let bounds = query.bounds;
    let rows = visible::aggregate(node, query, pipeline, only).await?;
    let mut data = b"{\"value\":[".to_vec();
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            data.push(b',');
        }
        data.extend_from_slice(row.as_bytes());
        bounds.check(at as u64 + 1, data.len() as u64)?;
    }
    data.extend_from_slice(b"]}");
    Ok(ObjectResponse::ok(Json::from_trusted(data)))
}

async fn one(node: &Node, query: Query) -> Result<ObjectResponse, StoreError> {
    let (fields, paths_only) = (query.fields.clone(), query.paths_only);
    let mut documents = node.data().find(query);
    let mut document = None;
    while document.is_none()
        && let Some(batch) = documents.next_batch().await?
    {
        document = batch.into_iter().next();
    }
    let (data, meta) = match &document {
        Some(document) => show(document, paths_only, &fields),
        None => (Some(Json::NULL), Meta::default()),
    };
    Ok(ObjectResponse {
        data,
        meta,
        ..ObjectResponse::ok(Json::NULL)
    })
}

/// The list is encoded while batches come in, so that an answer is held once.
async fn list(
    node: &Node,
    query: Query,
    only: Option<Arc<dyn PathFilter>>,
) -> Result<ListBuilder, StoreError> {
    let (fields, paths_only, bounds) = (query.fields.clone(), query.paths_only, query.bounds);
    let mut documents = Visible::find(node, query, only);
    let mut list = ListBuilder::new();
    let mut count = 0;
    while let Some(batch) = documents.next_batch().await? {
        for document in batch {
            let (data, meta) = show(&document, paths_only, &fields);
            list.push(data.as_ref(), &meta);
            count += 1;
            bounds.check(count, list.size() as u64)?;
        }
    }
    Ok(list)
}

/// The data and `_meta` of a document as the caller asked to see it.
fn show(document: &Document, paths_only: bool, fields: &Fields) -> (Option<Json>, Meta) {
    let meta = meta_of(document);
    match fields.is_everything() {
        _ if paths_only => (
            None,
            Meta {
                path: meta.path,
                ..Meta::default()
            },
        ),
        true => (Some(document.data.clone()), meta),
        false => (
            Some(fields.select(&document.data)),
            Meta {
                path: meta.path,
                created: meta.created.filter(|_| fields.shows("created")),
                modified: meta.modified.filter(|_| fields.shows("modified")),
                modified_by: meta.modified_by.filter(|_| fields.shows("modifiedBy")),
                ..Meta::default()
            },
        ),
    }
}
