//! A happn cluster node as a library.

pub mod address;
pub mod config;
