//! happn-store-sqlite.
