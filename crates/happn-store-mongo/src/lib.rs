//! The data store on MongoDB: one collection that any number of nodes share, JavaScript ones of
//! the same cluster among them.
//!
//! Reading order: [`MongoSettings`] (what a configuration says) and [`MongoConfig`] (what it comes
//! to), [`MongoStore`] (the store and its queue), then what it is made of. `schedule` decides which
//! writes may be under way at the same time, `writer` performs them, `commands` and `questions` say
//! them in MongoDB's words, `encode`, `decode` and `number` turn JSON into what the JavaScript
//! driver would have stored and back into what it would have read.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use happn_core::{DataStore, Query, SystemClock};
//! use happn_paths::StoreGlob;
//! use happn_store_mongo::{MongoConfig, MongoSettings, MongoStore};
//!
//! let settings = MongoSettings {
//!     url: Some("mongodb://127.0.0.1:27017".to_owned()),
//!     database: Some("happn-cluster".to_owned()),
//!     ..MongoSettings::default()
//! };
//! let store = MongoStore::open(MongoConfig::new(settings)?, &SystemClock::new()).await?;
//! let orders = store.find(Query::all(StoreGlob::new("/orders/*"))).all().await?;
//! println!("{} orders", orders.len());
//! store.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! What it does not do: retry a write whose answer was lost, unless the driver knows it to be safe
//! (on replica sets). Such a write is answered as failed and may have been applied.

mod address;
mod base64;
mod commands;
mod connection;
mod date;
mod decode;
mod encode;
mod failure;
mod indexes;
mod number;
mod open_error;
mod operations;
mod questions;
mod reader;
mod retry;
mod schedule;
mod settings;
mod store;
mod watch;
mod writer;

pub use address::AddressError;
pub use open_error::OpenError;
pub use settings::{MongoConfig, MongoSettings, SettingsError};
pub use store::MongoStore;
