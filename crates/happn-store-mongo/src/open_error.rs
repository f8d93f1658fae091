//! Why a store could not be opened.

/// Each names the servers, never a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No server could be reached, or it refused us.
    #[error("cannot use the database {database} on MongoDB at {hosts}: {reason}")]
    Unreachable {
        /// Hosts and ports, as configured.
        hosts: String,
        /// The database.
        database: String,
        /// What the driver or the server said.
        reason: String,
    },
    /// The server does not know what we need.
    #[error("MongoDB at {hosts} is too old; version 5.0 or newer is needed")]
    TooOld {
        /// Hosts and ports, as configured.
        hosts: String,
    },
    /// An index is missing and cannot be made, for example because of duplicates.
    #[error("failed to create indexes: {index} of {collection} on MongoDB at {hosts}: {reason}")]
    Index {
        /// The index's key in `settings.index`.
        index: String,
        /// Database and collection.
        collection: String,
        /// Hosts and ports, as configured.
        hosts: String,
        /// What the server said.
        reason: String,
    },
}
