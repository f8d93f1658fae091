//! What the driver's errors mean to callers.

use happn_core::StoreError;
use happn_query::QueryError;
use mongodb::error::{Error, ErrorKind, WriteFailure};

use crate::decode::DecodeError;
use crate::encode::EncodeError;

/// Two writers met on one new path; the loser may try again.
const DUPLICATE_KEY: i32 = 11000;
/// An operation took longer than its caller allowed.
const TIME_LIMIT: i32 = 50;
/// A value that an operator cannot work with.
const TYPE_MISMATCH: i32 = 14;
/// A member on the way to a value is no object.
const PATH_NOT_VIABLE: i32 = 28;
/// `$mergeObjects` met something else than an object.
const NO_OBJECT: i32 = 40400;
/// `$add` met something else than a number, in older versions.
const NO_NUMBER: i32 = 16554;
/// `$setField` met something else than an object.
const NO_FIELDS: i32 = 4161105;
/// Documents end at 16 MiB.
const TOO_LARGE: [i32; 3] = [10334, 17419, 17420];
/// The server is not, or no longer, the one to write to; it may be a moment later.
const NOT_NOW: [i32; 11] = [6, 7, 89, 91, 189, 9001, 10058, 10107, 11600, 11602, 13435];

/// How an operation ended that did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The driver's or the server's error.
    Driver(Box<Error>),
    /// No answer in time. Whether a write was applied is not known.
    Silence,
    /// An upsert met another one and was answered with nothing.
    Conflict,
    /// The answer cannot be read.
    Answer(String),
    /// The data cannot be stored.
    Data(EncodeError),
    /// The question makes no sense to MongoDB.
    Query(QueryError),
    /// Too many wait already.
    Overloaded,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Driver(Box::new(error))
    }
}

impl From<EncodeError> for Failure {
    fn from(error: EncodeError) -> Self {
        Self::Data(error)
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Answer(error.to_string())
    }
}

impl Failure {
    /// Whether the same command may succeed in a moment, because another writer was in the way.
    /// Nothing was written.
    pub(crate) fn is_conflict(&self) -> bool {
        match self {
            Self::Conflict => true,
            Self::Driver(error) => code(error) == Some(DUPLICATE_KEY),
            _ => false,
        }
    }

    /// Whether a value to be changed has a type that cannot be changed like this.
    pub(crate) fn is_type_mismatch(&self) -> bool {
        let types = [
            TYPE_MISMATCH,
            PATH_NOT_VIABLE,
            NO_OBJECT,
            NO_NUMBER,
            NO_FIELDS,
        ];
        matches!(self, Self::Driver(error) if code(error).is_some_and(|code| types.contains(&code)))
    }

    /// The failure in plain words.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Driver(error) => reason(error),
            Self::Silence => "no answer in time".to_owned(),
            Self::Conflict => "other writers were in the way".to_owned(),
            Self::Answer(reason) => reason.clone(),
            Self::Data(error) => error.to_string(),
            Self::Query(error) => error.to_string(),
            Self::Overloaded => StoreError::Overloaded.to_string(),
        }
    }

    /// What the caller is told. `servers` says where the database is and what was last heard.
    pub(crate) fn to_store_error(&self, servers: impl FnOnce() -> String) -> StoreError {
        match self {
            Self::Driver(error) => store_error(error, servers),
            Self::Silence | Self::Conflict => StoreError::Unavailable(self.reason()),
            Self::Answer(_) | Self::Data(_) => StoreError::Failed(self.reason()),
            Self::Query(error) => StoreError::Query(error.clone()),
            Self::Overloaded => StoreError::Overloaded,
        }
    }
}

fn store_error(error: &Error, servers: impl FnOnce() -> String) -> StoreError {
    if matches!(*error.kind, ErrorKind::Shutdown) {
        return StoreError::Closed;
    }
    if is_selection(error) {
        return StoreError::Unavailable(servers());
    }
    if is_outage(error) {
        return StoreError::Unavailable(reason(error));
    }
    match code(error) {
        Some(TIME_LIMIT) => StoreError::TimedOut,
        Some(code) if TOO_LARGE.contains(&code) => {
            StoreError::Failed("the item is larger than the 16 MiB that MongoDB stores".to_owned())
        }
        _ => StoreError::Failed(reason(error)),
    }
}

/// Whether the database could not be reached or is on the move.
pub(crate) fn is_outage(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::Io(_)
        | ErrorKind::ServerSelection { .. }
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::Authentication { .. }
        | ErrorKind::DnsResolve { .. } => true,
        _ => code(error).is_some_and(|code| NOT_NOW.contains(&code)),
    }
}

/// The server's own number for the error.
pub(crate) fn code(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(error) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
        _ => None,
    }
}

/// The error in plain words, without the driver's own decoration.
pub(crate) fn reason(error: &Error) -> String {
    match &*error.kind {
        ErrorKind::Io(error) => error.to_string(),
        ErrorKind::Command(error) => plain(&error.message),
        ErrorKind::Write(WriteFailure::WriteError(error)) => plain(&error.message),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => plain(&error.message),
        ErrorKind::InvalidArgument { message, .. }
        | ErrorKind::Authentication { message, .. }
        | ErrorKind::DnsResolve { message, .. } => message.clone(),
        // Its message tells which other operation noticed, in the driver's own notation.
        ErrorKind::ConnectionPoolCleared { .. } => "the connection was lost".to_owned(),
        kind => kind.to_string(),
    }
}

/// The server's words without the place in its code that they came from.
fn plain(message: &str) -> String {
    let (_, cause) = message
        .rsplit_once(":: caused by :: ")
        .unwrap_or(("", message));
    cause.to_owned()
}

/// Whether no server could be chosen: the reason is what was last heard of them.
pub(crate) fn is_selection(error: &Error) -> bool {
    matches!(*error.kind, ErrorKind::ServerSelection { .. })
}
