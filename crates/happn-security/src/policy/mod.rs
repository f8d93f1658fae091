//! How long and how often a session may be used.
