//! The tables, their version, and whether a file is ours and sound.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use crate::OpenError;
use crate::connection::begin;
use crate::failure::open_error;

/// The version of the tables below, in the file's `user_version`.
const VERSION: i64 = 1;

/// Marks the file as ours: the letters `happ`, in the file's `application_id`.
const APPLICATION: i64 = 0x6861_7070;

/// Text compares bytewise, so the key's order is the order of lists. Times are ms since 1970.
const TABLES: &str = "
    CREATE TABLE documents (
        path        TEXT PRIMARY KEY NOT NULL,
        data        TEXT NOT NULL,
        created     INTEGER,
        modified    INTEGER,
        modified_by TEXT
    ) STRICT, WITHOUT ROWID;
";

/// Files up to this size are searched for damage when opened, which takes some 30 ms; larger ones
/// would delay the start too much.
const CHECKED_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// What a file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    application: i64,
    version: i64,
    tables: i64,
}

impl State {
    fn is_empty(self) -> bool {
        self.application == 0 && self.version == 0 && self.tables == 0
    }
}

/// Reads the file's marks; this is also what finds out that it is no database. One statement, so
/// that they are of one moment: another process may be making the tables.
pub(crate) fn state(connection: &Connection) -> rusqlite::Result<State> {
    let marks = "SELECT (SELECT count(*) FROM sqlite_schema), application_id, user_version
        FROM pragma_application_id, pragma_user_version";
    connection.query_row(marks, (), |row| {
        Ok(State {
            tables: row.get(0)?,
            application: row.get(1)?,
            version: row.get(2)?,
        })
    })
}

/// Refuses what is neither empty nor ours.
pub(crate) fn accept(file: &Path, state: State) -> Result<(), OpenError> {
    let file = file.to_owned();
    match state {
        _ if state.is_empty() => Ok(()),
        State { application, .. } if application != APPLICATION => Err(OpenError::Foreign { file }),
        State { version, .. } if version != VERSION => Err(OpenError::WrongVersion {
            file,
            found: version,
            known: VERSION,
        }),
        _ => Ok(()),
    }
}

/// Makes the tables in an empty file and answers the state after that. Several processes may
/// start at once: one makes them, the others find them.
pub(crate) fn create(connection: &Connection, patience: Duration) -> rusqlite::Result<State> {
    begin(connection, patience)?;
    let created = create_tables(connection);
    let end = match created {
        Ok(_) => "COMMIT",
        Err(_) => "ROLLBACK",
    };
    connection.execute_batch(end)?;
    created
}

fn create_tables(connection: &Connection) -> rusqlite::Result<State> {
    let found = state(connection)?;
    if !found.is_empty() {
        return Ok(found);
    }
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    state(connection)
}

/// Searches a small file for damage.
pub(crate) fn check_content(connection: &Connection, file: &Path) -> Result<(), OpenError> {
    let size = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    if size > CHECKED_BYTES_MAX {
        return Ok(());
    }
    let check = "PRAGMA quick_check(1)";
    let found: String = connection
        .query_row(check, (), |row| row.get(0))
        .map_err(|error| open_error(file, &error))?;
    match found.as_str() {
        "ok" => Ok(()),
        _ => Err(OpenError::Corrupt {
            file: file.to_owned(),
            // One line: SQLite puts a heading above the finding.
            detail: found.lines().collect::<Vec<_>>().join(" "),
        }),
    }
}
