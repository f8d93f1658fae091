//! happn-paths.
