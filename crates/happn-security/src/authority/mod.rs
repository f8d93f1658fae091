//! The node's [`happn_core::Authority`]: logins and decisions from the directory.
