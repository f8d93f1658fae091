//! Walking over the documents a selector names.

use std::sync::Arc;

use happn_core::{BATCH, Computation, Document, Query, Removal, Search, StoreError, item};
use happn_protocol::Json;
use happn_query::{Collation, Item};
use rusqlite::{Connection, Row, Rows, Statement};

use crate::failure::store_error;
use crate::plan::Plan;

const WHOLE_AT: &str =
    "SELECT path, data, created, modified, modified_by FROM documents WHERE path = ?1";
const WHOLE_FROM: &str = "SELECT path, data, created, modified, modified_by FROM documents \
     WHERE path >= ?1 ORDER BY path";
const PATHS_FROM: &str = "SELECT path FROM documents WHERE path >= ?1 ORDER BY path";

/// Bytes of data in a batch, about: documents may be large.
const BATCH_BYTES: usize = 1024 * 1024;

/// Rows between two looks at whether the answer is still wanted, when none of them is.
const WANTED_EVERY: u32 = 256;

/// Reads single documents with a statement that is at hand.
pub(crate) struct Single<'c>(Statement<'c>);

/// Hands the documents of `search` to `send` in batches, until it says no.
pub(crate) fn find(
    connection: &Connection,
    mut search: Search,
    wanted: impl Fn() -> bool,
    mut send: impl FnMut(Vec<Document>) -> bool,
) -> Result<(), StoreError> {
    if let Some(found) = first(connection, search.query())? {
        search.criteria_are_met();
        search.order_is_met();
        let found = found.into_iter().map(|document| search.offer(document));
        let found: Vec<_> = found
            .filter_map(Result::transpose)
            .collect::<Result<_, _>>()?;
        if !found.is_empty() {
            send(found);
        }
        return Ok(());
    }
    let plan = Plan::find(search.query());
    if plan.decides {
        search.criteria_are_met();
    }
    if plan.reversed {
        search.order_is_met();
    }
    let mut batch = Batch::default();
    let mut goes_on = true;
    walk(connection, &plan, &mut search, wanted, |search, row| {
        let found = match plan.paths_only {
            true => search.offer_item(&path_item(row)?, || path_alone(row).map_err(failed))?,
            false => search.offer_item(&row_item(row)?, || document(row).map_err(failed))?,
        };
        if let Some(full) = found.and_then(|document| batch.add(document)) {
            goes_on = send(full);
        }
        Ok(goes_on)
    })?;
    if !goes_on {
        return Ok(());
    }
    let mut rest = batch.documents;
    rest.extend(search.finish()?);
    // The last batch leaves as it is: its documents are in memory anyway.
    if !rest.is_empty() {
        send(rest);
    }
    Ok(())
}

/// The first documents that `query` asks for, when SQLite can tell which these are and they are
/// no more than a batch.
fn first(connection: &Connection, query: &Query) -> Result<Option<Vec<Document>>, StoreError> {
    let Some(plan) = Plan::first(query) else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached(&plan.sql).map_err(failed)?;
    let mut rows = statement.query(plan.parameters()).map_err(failed)?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next().map_err(failed)? {
        let document = document(row).map_err(failed)?;
        bytes += document.data.as_bytes().len();
        if bytes > BATCH_BYTES || !query.selector.matches(&document.path) {
            return Ok(None);
        }
        found.push(document);
    }
    Ok(Some(found))
}

/// Documents on their way to the caller.
#[derive(Default)]
struct Batch {
    documents: Vec<Document>,
    bytes: usize,
}

impl Batch {
    /// Answers the batch that `document` makes full.
    fn add(&mut self, document: Document) -> Option<Vec<Document>> {
        self.bytes += document.data.as_bytes().len();
        self.documents.push(document);
        let is_full = self.documents.len() >= BATCH || self.bytes >= BATCH_BYTES;
        is_full.then(|| std::mem::take(self).documents)
    }
}

/// The rows of a computation. Ends early, with what it has, when `wanted` says no.
pub(crate) fn aggregate(
    connection: &Connection,
    mut computation: Computation,
    wanted: impl Fn() -> bool,
) -> Result<Vec<Json>, StoreError> {
    let query = computation.query();
    let plan = Plan::find(query);
    // The computation looks at the criteria itself.
    let mut all = Search::new(Query {
        max_time: query.max_time,
        ..Query::all(query.selector.clone())
    })?;
    walk(connection, &plan, &mut all, wanted, |_, row| {
        computation.offer(&row_item(row)?)?;
        Ok(!computation.is_complete())
    })?;
    computation.finish()
}

/// How many documents `search` names. Ends early when `wanted` says no.
pub(crate) fn count(
    connection: &Connection,
    mut search: Search,
    wanted: impl Fn() -> bool,
) -> Result<u64, StoreError> {
    let query = search.query();
    if let Some(plan) = Plan::count(query) {
        let all = counted(connection, &plan).map_err(failed)?;
        let limit = query.limit.unwrap_or(u64::MAX);
        return Ok(all.saturating_sub(query.skip).min(limit));
    }
    let plan = Plan::find(query);
    if plan.decides {
        search.criteria_are_met();
    }
    let mut count = 0;
    walk(connection, &plan, &mut search, wanted, |search, row| {
        let item = match plan.paths_only {
            true => path_item(row)?,
            false => row_item(row)?,
        };
        count += u64::from(search.count_item(&item)?);
        Ok(true)
    })?;
    Ok(count)
}

fn counted(connection: &Connection, plan: &Plan) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(&plan.sql)?;
    let count: i64 = statement.query_row(plan.parameters(), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// The document at `path`.
pub(crate) fn at(connection: &Connection, path: &str) -> rusqlite::Result<Option<Document>> {
    let mut statement = connection.prepare_cached(WHOLE_AT)?;
    let mut rows = statement.query([path])?;
    rows.next()?.map(document).transpose()
}

/// At most `limit` of the paths that `removal` means, from `from` on.
pub(crate) fn paths_from(
    connection: &Connection,
    removal: &Removal,
    from: &str,
    limit: usize,
) -> rusqlite::Result<Vec<String>> {
    let selector = &removal.selector;
    let collation = Collation::default();
    let statement = match removal.criteria.is_all() {
        true => PATHS_FROM,
        false => WHOLE_FROM,
    };
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query([from])?;
    let mut paths = Vec::new();
    while paths.len() < limit
        && let Some(row) = rows.next()?
    {
        let path = row.get_ref(0)?.as_str()?;
        let is_past = match selector.is_exact() {
            true => path != selector.as_str(),
            false => !path.starts_with(selector.literal_prefix()),
        };
        if is_past {
            break;
        }
        if selector.matches(path)
            && (removal.criteria.is_all()
                || removal
                    .criteria
                    .matches(&item(&document(row)?).document(), &collation))
        {
            paths.push(path.to_owned());
        }
    }
    Ok(paths)
}

/// Calls `take` for each row whose path is selected, until it says no.
fn walk(
    connection: &Connection,
    plan: &Plan,
    search: &mut Search,
    wanted: impl Fn() -> bool,
    mut take: impl FnMut(&mut Search, &Row<'_>) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let selector = search.query().selector.clone();
    let mut statement = connection.prepare_cached(&plan.sql).map_err(failed)?;
    let mut rows = statement.query(plan.parameters()).map_err(failed)?;
    let mut seen = 0_u32;
    while !search.is_complete()
        && let Some(row) = rows.next().map_err(failed)?
    {
        seen = seen.wrapping_add(1);
        if seen.is_multiple_of(WANTED_EVERY) && !wanted() {
            break;
        }
        if !selector.matches(text(row, 0).map_err(failed)?) {
            search.pass_over()?;
        } else if !take(search, row)? {
            break;
        }
    }
    Ok(())
}

impl<'c> Single<'c> {
    /// Gets ready to read.
    pub(crate) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        connection.prepare(WHOLE_AT).map(Self)
    }

    /// What `search`, for an exact path, answers.
    pub(crate) fn find(&mut self, mut search: Search) -> Result<Vec<Document>, StoreError> {
        let path = search.query().selector.as_str();
        let mut rows: Rows<'_> = self.0.query([path]).map_err(failed)?;
        let Some(row) = rows.next().map_err(failed)? else {
            return Ok(Vec::new());
        };
        let found = search.offer(document(row).map_err(failed)?)?;
        match found {
            Some(document) => Ok(vec![document]),
            None => search.finish(),
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn failed(error: rusqlite::Error) -> StoreError {
    store_error(&error)
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> rusqlite::Result<&'r str> {
    Ok(row.get_ref(column)?.as_str()?)
}

/// A row as questions see it.
fn row_item<'r>(row: &'r Row<'_>) -> Result<Item<'r>, StoreError> {
    let read = || -> rusqlite::Result<Item<'r>> {
        Ok(Item {
            path: text(row, 0)?,
            data: text(row, 1)?,
            created: row.get(2)?,
            modified: row.get(3)?,
            modified_by: row.get_ref(4)?.as_str_or_null()?,
        })
    };
    read().map_err(failed)
}

/// A row that holds a path only, and needs no more.
fn path_item<'r>(row: &'r Row<'_>) -> Result<Item<'r>, StoreError> {
    Ok(Item {
        path: text(row, 0).map_err(failed)?,
        data: "{}",
        created: None,
        modified: None,
        modified_by: None,
    })
}

fn document(row: &Row<'_>) -> rusqlite::Result<Document> {
    let author: Option<&str> = row.get_ref(4)?.as_str_or_null()?;
    Ok(Document {
        path: Arc::from(row.get_ref(0)?.as_str()?),
        // Only this crate writes the column, from `Json`.
        data: Json::from_trusted(row.get_ref(1)?.as_bytes()?.to_vec()),
        created: row.get(2)?,
        modified: row.get(3)?,
        modified_by: author.map(Arc::from),
    })
}

fn path_alone(row: &Row<'_>) -> rusqlite::Result<Document> {
    Ok(Document {
        path: Arc::from(row.get_ref(0)?.as_str()?),
        data: Json::EMPTY_OBJECT,
        created: None,
        modified: None,
        modified_by: None,
    })
}
