//! The happn wire protocol: what travels in one websocket text frame.
//!
//! - [`Incoming`] and [`Request`]: what a client sends, decoded once and borrowed from the frame.
//! - [`response`], [`publication`], [`system`]: what a node sends, written straight into bytes.
//! - [`ServerFrame`]: one complete websocket frame, encoded once and shared by its recipients.
//! - [`link`]: numbered events between two nodes.
//! - [`ServerMessage`]: the other direction, what a client reads from a node.
//! - [`Members`]: the members of a small object, such as `_meta`, unopened.
//! - [`Raw`]: one value as it lies in its frame.
//! - [`Json`]: JSON text that is known to be valid and is passed on untouched.
//!
//! This crate knows nothing of sockets, sessions or stores; `happn-core` decides what to say and
//! `happn-server` moves the bytes.

mod control;
mod dialect;
mod error;
mod frame;
mod json;
pub mod link;
mod members;
pub mod publication;
mod raw;
mod request;
pub mod response;
mod scan;
mod server_message;
pub mod system;
mod word;

pub use control::ControlFrame;
pub use dialect::Dialect;
pub use error::WireError;
pub use frame::{FrameBuilder, ServerFrame};
pub use json::{Json, JsonError, write_string};
pub use members::Members;
pub use raw::Raw;
pub use request::{Incoming, Options, Request};
pub use server_message::{EventMessage, ServerMessage};
