//! The happn wire protocol.
