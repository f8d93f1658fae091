//! Sockets for a happn node: HTTP routes, websocket and primus framing, outbox writers.
//!
//! [`Server`] listens on one port for everything. Each connection begins as HTTP
//! (`http`); an upgrade on `/primus…` hands its stream to a `socket` task, which owns it: it reads
//! requests into the [`Node`](happn_core::Node), writes what the session's outbox holds and keeps
//! the heartbeat. [`Server::ingress`] takes streams that somebody else accepted.
//!
//! [`Server::mount`] adds HTTP routes of the program around the server. The scripts for browsers
//! in `browser/` are served as they are, behind each other; there is no build step.
//!
//! On a secure node everything that is not for everybody passes `http/guard` first, which asks the
//! node's [`Authority`](happn_core::Authority).
//!
//! This crate decides nothing about requests; the node does.

mod client_address;
mod config;
mod heartbeat;
mod http;
mod http_security;
mod listener;
pub mod mount;
mod socket;
mod upgrade;
mod write;

pub use config::ServerConfig;
pub use http_security::HttpSecurity;
pub use listener::{BindError, Server};
