//! Walking over the documents a selector names.

use std::sync::Arc;

use happn_core::{Document, Query};
use happn_paths::StoreGlob;
use happn_protocol::Json;
use rusqlite::{Connection, Row};

const WHOLE_AT: &str =
    "SELECT path, data, created, modified, modified_by FROM documents WHERE path = ?1";
const WHOLE_FROM: &str = "SELECT path, data, created, modified, modified_by FROM documents \
     WHERE path >= ?1 ORDER BY path";
const PATHS_AT: &str = "SELECT path FROM documents WHERE path = ?1";
const PATHS_FROM: &str = "SELECT path FROM documents WHERE path >= ?1 ORDER BY path";

/// The documents of `query`. Ends early, with what it has, when `wanted` says no.
pub(crate) fn find(
    connection: &Connection,
    query: &Query,
    wanted: impl Fn() -> bool,
) -> rusqlite::Result<Vec<Document>> {
    let mut documents = Vec::new();
    let statement = match (query.paths_only, query.selector.is_exact()) {
        (true, true) => PATHS_AT,
        (true, false) => PATHS_FROM,
        (false, true) => WHOLE_AT,
        (false, false) => WHOLE_FROM,
    };
    page(connection, statement, query, wanted, |row| {
        documents.push(match query.paths_only {
            true => path_alone(row)?,
            false => document(row)?,
        });
        Ok(())
    })?;
    Ok(documents)
}

/// How many documents `query` names. Ends early when `wanted` says no.
pub(crate) fn count(
    connection: &Connection,
    query: &Query,
    wanted: impl Fn() -> bool,
) -> rusqlite::Result<u64> {
    let mut count = 0;
    let statement = match query.selector.is_exact() {
        true => PATHS_AT,
        false => PATHS_FROM,
    };
    page(connection, statement, query, wanted, |_| {
        count += 1;
        Ok(())
    })?;
    Ok(count)
}

/// The document at `path`.
pub(crate) fn at(connection: &Connection, path: &str) -> rusqlite::Result<Option<Document>> {
    let mut statement = connection.prepare_cached(WHOLE_AT)?;
    let mut rows = statement.query([path])?;
    rows.next()?.map(document).transpose()
}

/// At most `limit` of the paths `selector` names, from `from` on.
pub(crate) fn paths_from(
    connection: &Connection,
    selector: &StoreGlob,
    from: &str,
    limit: usize,
) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(PATHS_FROM)?;
    let mut rows = statement.query([from])?;
    let mut paths = Vec::new();
    while paths.len() < limit
        && let Some(row) = rows.next()?
    {
        let path = row.get_ref(0)?.as_str()?;
        if !path.starts_with(selector.literal_prefix()) {
            break;
        }
        if selector.matches(path) {
            paths.push(path.to_owned());
        }
    }
    Ok(paths)
}

/// Calls `take` for each match after `skip`, up to `limit`.
///
/// Rows come by path, so the first one without the mask's literal prefix ends the walk: that is
/// the upper end of the range, and needs no successor of a prefix to be computed.
fn page(
    connection: &Connection,
    statement: &str,
    query: &Query,
    wanted: impl Fn() -> bool,
    mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let prefix = query.selector.literal_prefix();
    let mut skip = query.skip;
    let mut left = query.limit.unwrap_or(u64::MAX);
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query([prefix])?;
    while left > 0
        && wanted()
        && let Some(row) = rows.next()?
    {
        let path = row.get_ref(0)?.as_str()?;
        if !path.starts_with(prefix) {
            break;
        }
        if !query.selector.matches(path) {
            continue;
        }
        if skip > 0 {
            skip -= 1;
            continue;
        }
        left -= 1;
        take(row)?;
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
