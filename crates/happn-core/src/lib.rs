//! A happn node without sockets.
