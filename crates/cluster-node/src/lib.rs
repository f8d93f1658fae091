//! A happn cluster node as a library.
