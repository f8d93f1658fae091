//! Async Rust client for happn, also used by nodes to reach their peers.
//!
//! Reading order: [`Client`] (the verbs), [`ClientConfig`], [`Subscription`] and [`Event`],
//! [`ConnectionState`] (what happens when the connection is lost); then [`PeerDialer`], what a
//! node uses to reach other nodes.
//!
//! ```no_run
//! use happn_client::{Client, ClientConfig, SubscribeOptions, Wrapped};
//!
//! # async fn run() -> Result<(), happn_client::ClientError> {
//! let client = Client::connect(ClientConfig::new("localhost", 55000)).await?;
//! let mut greetings = client.on("/greetings/*", SubscribeOptions::default()).await?;
//! client.set("/greetings/1", "hello").await?;
//! while let Some(event) = greetings.next().await {
//!     // What is not an object travels wrapped.
//!     println!("{}: {}", event.path(), event.data::<Wrapped<String>>()?.value);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Client::local`] and [`Client::admin`] give the same verbs on a node in the same process.
//!
//! One task owns one websocket. Every queue is bounded, every wait has a deadline, and dropping
//! the last handle closes the socket. The client speaks plain websockets only and decides nothing
//! about cluster membership: that is the orchestrator's.

mod address;
mod backoff;
mod client;
mod config;
mod connection;
mod dial;
mod envelope;
mod error;
mod event;
mod local;
mod login;
mod meta;
mod options;
mod peer;
mod registry;
mod replicated;
mod state;
mod subscription;

pub use client::{Client, Publication, Removed, Written};
pub use config::ClientConfig;
pub use error::{ClientError, ServerError};
pub use event::Event;
pub use happn_tls::{Identity, PemSource, Trust};
pub use login::Credentials;
pub use meta::{Item, Meta, PublishResults, Wrapped};
pub use options::{Consistency, QueryOptions, WriteOptions};
pub use peer::{DialCounts, PeerCredentials, PeerDialer, PeerDialerConfig};
pub use state::{ConnectionState, ReconnectPolicy};
pub use subscription::{Events, Initial, SubscribeOptions, Subscription};
