//! What a caller may see of what a search finds.

use std::sync::Arc;

use happn_protocol::Json;
use happn_query::Pipeline;

use super::search::Search;
use crate::{Computation, Document, Documents, Node, PathFilter, Query, StoreError, item};

/// The documents that a query means and a filter lets through. Without a filter the store does all
/// the work; with one, what depends on the number of documents is done here.
pub(super) struct Visible {
    documents: Documents,
    only: Option<Only>,
}

struct Only {
    filter: Arc<dyn PathFilter>,
    skip: u64,
    /// How many more there may be.
    rest: u64,
}

impl Visible {
    pub(super) fn find(node: &Node, query: Query, filter: Option<Arc<dyn PathFilter>>) -> Self {
        let Some(filter) = filter else {
            return Self {
                documents: node.data().find(query),
                only: None,
            };
        };
        let only = Only {
            filter,
            skip: query.skip,
            rest: query.limit.unwrap_or(u64::MAX),
        };
        let all = Query {
            skip: 0,
            limit: None,
            ..query
        };
        Self {
            documents: node.data().find(all),
            only: Some(only),
        }
    }

    /// The next documents, maybe none of a batch; `None` at the end.
    pub(super) async fn next_batch(&mut self) -> Result<Option<Vec<Document>>, StoreError> {
        if self.only.as_ref().is_some_and(|only| only.rest == 0) {
            return Ok(None);
        }
        let Some(mut batch) = self.documents.next_batch().await? else {
            return Ok(None);
        };
        if let Some(only) = &mut self.only {
            batch.retain(|document| only.lets_through(&document.path));
        }
        Ok(Some(batch))
    }
}

impl Only {
    fn lets_through(&mut self, path: &str) -> bool {
        if self.rest == 0 || !self.filter.admits(path) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.rest -= 1;
        true
    }
}

/// How many documents there are to see.
pub(super) async fn count(
    node: &Node,
    query: Query,
    filter: Option<Arc<dyn PathFilter>>,
) -> Result<u64, StoreError> {
    if filter.is_none() {
        return node.data().count(query).await;
    }
    let paths = Query {
        paths_only: true,
        ..query
    };
    let mut visible = Visible::find(node, paths, filter);
    let mut count = 0;
    while let Some(batch) = visible.next_batch().await? {
        count += batch.len() as u64;
    }
    Ok(count)
}

/// What a pipeline makes of the documents there are to see.
pub(super) async fn aggregate(
    node: &Node,
    query: Query,
    pipeline: Pipeline,
    filter: Option<Arc<dyn PathFilter>>,
) -> Result<Vec<Json>, StoreError> {
    let aggregation = Search::aggregation(query, pipeline);
    if filter.is_none() {
        return node.data().aggregate(aggregation).await;
    }
    let mut computation = Computation::new(aggregation)?;
    let mut visible = Visible::find(node, computation.query().clone(), filter);
    while !computation.is_complete()
        && let Some(batch) = visible.next_batch().await?
    {
        for document in &batch {
            computation.offer(&item(document))?;
        }
    }
    computation.finish()
}
