//! happn-server.
