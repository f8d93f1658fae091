//! What SQLite's errors mean to callers.

use std::path::Path;

use happn_core::StoreError;
use rusqlite::ErrorCode;

use crate::OpenError;

/// What the caller of a read or write is told.
pub(crate) fn store_error(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        // Only the clock interrupts.
        Some(ErrorCode::OperationInterrupted) => StoreError::TimedOut,
        // Another process, the disk or its permissions: all can be better a moment later.
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Unavailable("another process keeps the database locked".to_owned())
        }
        Some(
            ErrorCode::FileLockingProtocolFailed
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::OutOfMemory,
        ) => StoreError::Unavailable(error.to_string()),
        _ => StoreError::Failed(error.to_string()),
    }
}

/// What the opener of `file` is told.
pub(crate) fn open_error(file: &Path, error: &rusqlite::Error) -> OpenError {
    let file = file.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotADatabase { file },
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Corrupt {
            file,
            detail: error.to_string(),
        },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => OpenError::ReadOnly { file },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Busy { file },
        _ => OpenError::Unusable {
            file,
            reason: error.to_string(),
        },
    }
}

/// Whether somebody else holds a lock that will be released.
pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}
