//! Walking over the documents a selector names.

use std::sync::Arc;

use happn_core::{BATCH, Document, Removal, Search, StoreError, item};
use happn_protocol::Json;
use happn_query::Collation;
use rusqlite::{Connection, Row};

use crate::failure::store_error;

const WHOLE_AT: &str =
    "SELECT path, data, created, modified, modified_by FROM documents WHERE path = ?1";
const WHOLE_FROM: &str = "SELECT path, data, created, modified, modified_by FROM documents \
     WHERE path >= ?1 ORDER BY path";
const PATHS_AT: &str = "SELECT path FROM documents WHERE path = ?1";
const PATHS_FROM: &str = "SELECT path FROM documents WHERE path >= ?1 ORDER BY path";

/// Hands the documents of `search` to `send` in batches, until it says no.
pub(crate) fn find(
    connection: &Connection,
    mut search: Search,
    mut send: impl FnMut(Vec<Document>) -> bool,
) -> Result<(), StoreError> {
    let mut batch = Vec::new();
    let mut wanted = true;
    walk(connection, &mut search, |found| {
        batch.extend(found);
        if batch.len() >= BATCH {
            wanted = send(std::mem::take(&mut batch));
        }
        wanted
    })?;
    if !wanted {
        return Ok(());
    }
    batch.extend(search.finish()?);
    // The last batch leaves as it is: its documents are in memory anyway.
    if !batch.is_empty() {
        send(batch);
    }
    Ok(())
}

/// How many documents `search` names. Ends early when `wanted` says no.
pub(crate) fn count(
    connection: &Connection,
    mut search: Search,
    wanted: impl Fn() -> bool,
) -> Result<u64, StoreError> {
    let mut count = 0;
    walk(connection, &mut search, |found| {
        count += u64::from(found.is_some());
        wanted()
    })?;
    Ok(count)
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

/// Offers each selected document to `search` and hands on what comes back, until `take` says no.
///
/// Rows come by path, so the first one without the mask's literal prefix ends the walk: that is
/// the upper end of the range, and needs no successor of a prefix to be computed.
fn walk(
    connection: &Connection,
    search: &mut Search,
    mut take: impl FnMut(Option<Document>) -> bool,
) -> Result<(), StoreError> {
    let fail = |error: rusqlite::Error| store_error(&error);
    let query = search.query();
    let selector = query.selector.clone();
    let paths_suffice = query.paths_only && query.criteria.is_all() && query.sort.keys().is_empty();
    let statement = match (paths_suffice, selector.is_exact()) {
        (true, true) => PATHS_AT,
        (true, false) => PATHS_FROM,
        (false, true) => WHOLE_AT,
        (false, false) => WHOLE_FROM,
    };
    let prefix = selector.literal_prefix();
    let mut statement = connection.prepare_cached(statement).map_err(fail)?;
    let mut rows = statement.query([prefix]).map_err(fail)?;
    while !search.is_complete()
        && let Some(row) = rows.next().map_err(fail)?
    {
        let path = row
            .get_ref(0)
            .and_then(|path| Ok(path.as_str()?))
            .map_err(fail)?;
        if !path.starts_with(prefix) {
            break;
        }
        if !selector.matches(path) {
            continue;
        }
        let document = match paths_suffice {
            true => path_alone(row),
            false => document(row),
        };
        let found = search.offer(document.map_err(fail)?)?;
        if !take(found) {
            break;
        }
    }
    Ok(())
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
