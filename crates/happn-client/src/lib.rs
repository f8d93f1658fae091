//! happn-client.
