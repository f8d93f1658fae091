//! What each write does, inside the writer's transaction.

use std::sync::Arc;

use happn_core::{
    Document, Increment, Incremented, Removal, StoreError, Write, WriteMode, increment_gauge,
    written,
};
use happn_protocol::Json;
use rusqlite::Connection;

use crate::failure::store_error;
use crate::scan;

/// Paths a wildcard removal takes in one step; bounds its memory.
const REMOVED_AT_ONCE: usize = 1000;

const UPSERT: &str = "INSERT INTO documents (path, data, created, modified, modified_by) \
     VALUES (?1, ?2, ?3, ?3, ?4) ON CONFLICT (path) DO UPDATE SET data = excluded.data, \
     modified = excluded.modified, modified_by = coalesce(excluded.modified_by, modified_by) \
     RETURNING created, modified_by";
const RESTORE: &str = "INSERT OR REPLACE INTO documents (path, data, created, modified, modified_by) \
     VALUES (?1, ?2, ?3, ?4, ?5)";
const SET_DATA: &str = "INSERT INTO documents (path, data) VALUES (?1, ?2) \
     ON CONFLICT (path) DO UPDATE SET data = excluded.data";
const DELETE: &str = "DELETE FROM documents WHERE path = ?1";

/// Stores or merges.
pub(crate) fn upsert(connection: &Connection, write: Write) -> Result<Document, StoreError> {
    match write.mode {
        WriteMode::Replace => replace(connection, write).map_err(|error| store_error(&error)),
        WriteMode::Merge => merge(connection, write),
        WriteMode::MergeIf { .. } => merge_if(connection, write),
        WriteMode::Insert => insert(connection, write).map_err(|error| store_error(&error)),
        WriteMode::Restore { .. } => restore(connection, &write),
    }
}

fn restore(connection: &Connection, write: &Write) -> Result<Document, StoreError> {
    let document = written(None, write)?;
    let parameters = (
        &*document.path,
        document.data.as_str(),
        document.created,
        document.modified,
        document.modified_by.as_deref(),
    );
    connection
        .prepare_cached(RESTORE)
        .and_then(|mut statement| statement.execute(parameters))
        .map_err(|error| store_error(&error))?;
    Ok(document)
}

fn merge(connection: &Connection, mut write: Write) -> Result<Document, StoreError> {
    let fail = |error: rusqlite::Error| store_error(&error);
    let stored = scan::at(connection, write.path.as_str()).map_err(fail)?;
    write.data = written(stored.as_ref(), &write)?.data;
    replace(connection, write).map_err(fail)
}

fn merge_if(connection: &Connection, mut write: Write) -> Result<Document, StoreError> {
    let fail = |error: rusqlite::Error| store_error(&error);
    let stored = scan::at(connection, write.path.as_str()).map_err(fail)?;
    let document = written(stored.as_ref(), &write)?;
    if stored.is_some_and(|stored| stored == document) {
        return Ok(document);
    }
    write.data = document.data;
    replace(connection, write).map_err(fail)
}

/// In the writer's transaction nothing can come between the look and the write.
fn insert(connection: &Connection, write: Write) -> rusqlite::Result<Document> {
    match scan::at(connection, write.path.as_str())? {
        Some(stored) => Ok(stored),
        None => replace(connection, write),
    }
}

/// The statement knows the rules of [`written`] for times and author, so that a plain write needs
/// not read the document first.
fn replace(connection: &Connection, write: Write) -> rusqlite::Result<Document> {
    let mut statement = connection.prepare_cached(UPSERT)?;
    let parameters = (
        write.path.as_str(),
        write.data.as_str(),
        write.at,
        write.modified_by.as_deref(),
    );
    let (created, author) = statement.query_row(parameters, |row| {
        let author = row.get_ref(1)?.as_str_or_null()?;
        Ok((row.get(0)?, author.map(Arc::from)))
    })?;
    Ok(Document {
        path: Arc::from(write.path.as_str()),
        data: write.data,
        created,
        modified: Some(write.at),
        modified_by: author,
    })
}

/// Adds to a gauge.
pub(crate) fn increment(
    connection: &Connection,
    increment: &Increment,
) -> Result<Incremented, StoreError> {
    let fail = |error: rusqlite::Error| store_error(&error);
    let path = increment.path.as_str();
    let stored: Option<Json> = scan::at(connection, path)
        .map_err(fail)?
        .map(|document| document.data);
    let (data, value) = increment_gauge(stored.as_ref(), increment)?;
    connection
        .prepare_cached(SET_DATA)
        .and_then(|mut statement| statement.execute((path, data.as_str())))
        .map_err(fail)?;
    Ok(Incremented { value })
}

/// Removes everything `removal` means, or nothing.
pub(crate) fn remove(connection: &Connection, removal: &Removal) -> Result<u64, StoreError> {
    let selector = &removal.selector;
    let removed = match selector.is_exact() && removal.criteria.is_all() {
        true => delete(connection, selector.as_str()),
        // A single statement that fails undoes itself; these are many.
        false => undoing(connection, || remove_matching(connection, removal)),
    };
    removed.map_err(|error| store_error(&error))
}

fn remove_matching(connection: &Connection, removal: &Removal) -> rusqlite::Result<u64> {
    let mut removed = 0;
    let mut from = removal.selector.literal_prefix().to_owned();
    loop {
        let paths = scan::paths_from(connection, removal, &from, REMOVED_AT_ONCE)?;
        for path in &paths {
            removed += delete(connection, path)?;
        }
        match paths.into_iter().nth(REMOVED_AT_ONCE - 1) {
            Some(last) => from = last,
            None => return Ok(removed),
        }
    }
}

fn delete(connection: &Connection, path: &str) -> rusqlite::Result<u64> {
    let removed = connection.prepare_cached(DELETE)?.execute([path])?;
    Ok(removed as u64)
}

/// Undoes what `work` did when it fails, and only that: the transaction's other writes stay.
fn undoing<T>(
    connection: &Connection,
    work: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let run = |sql| connection.prepare_cached(sql)?.execute(());
    run("SAVEPOINT operation")?;
    let result = work();
    // A grave error has already ended the whole transaction, savepoint included.
    if result.is_err() && !connection.is_autocommit() {
        run("ROLLBACK TO operation")?;
    }
    if !connection.is_autocommit() {
        run("RELEASE operation")?;
    }
    result
}
