//! The data store on SQLite: one file, shared by the processes of one machine.
//!
//! Reading order: [`SqliteConfig`] (what can be chosen), [`SqliteStore`] (the store and its
//! queues), then the two kinds of threads behind it. The *writer* takes everything that is queued
//! into one transaction and answers when it is on disk: that is what makes durable writes fast.
//! *Readers* answer queries beside it, each on its own connection, from the latest commit.
//!
//! ```
//! # async fn example(directory: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
//! use happn_core::{DataStore, Query, Write, WriteMode};
//! use happn_paths::{Path, StoreGlob};
//! use happn_protocol::Json;
//! use happn_store_sqlite::{SqliteConfig, SqliteStore};
//!
//! let store = SqliteStore::open(SqliteConfig::new(directory.join("happn.sqlite")))?;
//! store.upsert(Write {
//!     path: Path::for_set("/orders/7")?,
//!     data: Json::parse(r#"{"state":"new"}"#)?,
//!     mode: WriteMode::Replace,
//!     at: 1_700_000_000_000,
//!     modified_by: None,
//! }).await?;
//! let orders = store.find(Query::all(StoreGlob::new("/orders/*"))).all().await?;
//! assert_eq!(orders.len(), 1);
//! store.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! What it does not do: share a file between machines. SQLite's locks do not work over network
//! file systems; that is what the MongoDB store is for. No SQLite call ever runs on the caller's
//! thread, except in [`SqliteStore::open`], which blocks.

mod condition;
mod config;
mod connection;
mod failure;
mod open_error;
mod operations;
mod plan;
mod queue;
mod reader;
mod scan;
mod schema;
mod store;
mod writer;

pub use config::{SqliteConfig, Synchronous};
pub use open_error::OpenError;
pub use store::SqliteStore;
