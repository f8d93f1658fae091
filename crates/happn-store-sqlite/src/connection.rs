//! Opening connections, and waiting for other processes.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::failure::{is_busy, open_error};
use crate::{OpenError, SqliteConfig, schema};

/// Pages (of 4 KiB) the log may grow to before its content moves into the database file. A move
/// costs two forced writes, so the default of 1000 would show in a steady stream of commits.
const CHECKPOINT_PAGES: i64 = 4000;

/// The log file is cut to this size once its content has moved, in bytes.
const LOG_SIZE_LIMIT: i64 = 64 * 1024 * 1024;

/// Memory the writer may keep pages in, in KiB. A batch of a thousand scattered writes changes 4 MB
/// of pages; what does not fit is written twice.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

/// Statements kept ready per connection; more than there are.
const STATEMENTS_MAX: usize = 32;

/// The connection that writes. Makes the directory, the file and the tables if needed.
pub(crate) fn open_writer(config: &SqliteConfig) -> Result<Connection, OpenError> {
    let file = &config.filename;
    make_directory(file)?;
    let fail = |error: rusqlite::Error| open_error(file, &error);
    let connection = connect(config, OpenFlags::SQLITE_OPEN_CREATE).map_err(fail)?;
    // Before anything is changed: a foreign file must stay as it is.
    let state = patiently(config.busy_timeout, || schema::state(&connection)).map_err(fail)?;
    schema::accept(file, state)?;
    if connection.is_readonly("main").map_err(fail)? {
        return Err(OpenError::ReadOnly { file: file.clone() });
    }
    use_log(&connection, config)?;
    connection
        .pragma_update(None, "synchronous", config.synchronous.pragma())
        .map_err(fail)?;
    connection
        .pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)
        .and_then(|()| connection.pragma_update(None, "journal_size_limit", LOG_SIZE_LIMIT))
        .and_then(|()| connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB))
        .map_err(fail)?;
    schema::create(&connection, config.busy_timeout)
        .map_err(fail)
        .and_then(|state| schema::accept(file, state))?;
    schema::check_content(&connection, file)?;
    Ok(connection)
}

/// A connection that reads. The writer's must have been opened before.
pub(crate) fn open_reader(config: &SqliteConfig) -> Result<Connection, OpenError> {
    connect(config, OpenFlags::empty())
        .and_then(|connection| {
            connection.pragma_update(None, "query_only", true)?;
            Ok(connection)
        })
        .map_err(|error| open_error(&config.filename, &error))
}

/// Starts a transaction that may write at once; waits for other writers up to `patience`.
pub(crate) fn begin(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    // SQLite's own waiting backs off to 100 ms, which loses against a process that commits all
    // the time. Holding the lock takes a millisecond or so; ask again that often.
    connection.busy_timeout(Duration::ZERO)?;
    let begun = patiently(patience, || {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())
    });
    connection.busy_timeout(patience)?;
    begun.map(drop)
}

/// Repeats `attempt` while somebody else holds a lock, for about `patience`.
fn patiently<T>(
    patience: Duration,
    mut attempt: impl FnMut() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let mut waited = Duration::ZERO;
    for round in 0_u32.. {
        match attempt() {
            Err(error) if is_busy(&error) && waited < patience => {}
            result => return result,
        }
        // Uneven, so that two who wait do not stay in step.
        let pause = Duration::from_micros(200 + u64::from(round % 7) * 150);
        std::thread::park_timeout(pause);
        waited += pause;
    }
    attempt()
}

fn connect(config: &SqliteConfig, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&config.filename, flags)?;
    connection.busy_timeout(config.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(connection)
}

/// Switches the file to write-ahead logging. Processes that start together get in each other's
/// way here, and SQLite does not wait by itself.
fn use_log(connection: &Connection, config: &SqliteConfig) -> Result<(), OpenError> {
    let switch = || {
        connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
    };
    let mode = patiently(config.busy_timeout, switch)
        .map_err(|error| open_error(&config.filename, &error))?;
    match mode.as_str() {
        "wal" => Ok(()),
        _ => Err(OpenError::Unusable {
            file: config.filename.clone(),
            reason: format!("journal mode {mode} instead of wal; is it a file on a local disk?"),
        }),
    }
}

fn make_directory(file: &Path) -> Result<(), OpenError> {
    // SQLite would take these names for databases without a file.
    if file.as_os_str().is_empty() || file.as_os_str() == ":memory:" {
        return Err(OpenError::Unusable {
            file: file.to_owned(),
            reason: "a file name is needed".to_owned(),
        });
    }
    let Some(directory) = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    else {
        return Ok(());
    };
    std::fs::create_dir_all(directory).map_err(|source| OpenError::Directory {
        directory: directory.to_owned(),
        source,
    })
}
