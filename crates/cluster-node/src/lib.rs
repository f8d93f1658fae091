//! A happn cluster node as a library.
//!
//! [`Config`](config::Config) reads what the node shall be, [`Node`] starts the parts in order and
//! stops them in order. This is the one crate that knows all others, configuration files and
//! signals; it holds no logic of the cluster itself.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use cluster_node::Node;
//! use cluster_node::config::{Config, Sources};
//!
//! let config = Config::load(&Sources::default())?;
//! let node = Node::start(&config.settings).await?;
//! // … until it is time to go:
//! node.stop(std::time::Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```

pub mod address;
mod admin;
mod assembly;
pub mod banner;
pub mod cli;
pub mod config;
mod exit;
pub mod logging;
pub mod network;
mod node;
mod parts;
mod report;
pub mod signals;
mod start_error;
pub mod status;
mod stores;
mod tls;
pub mod transfer;

pub use admin::{HEALTH_PATH, Health, LinkHealth, MemberHealth, SessionsHealth, TrafficHealth};
pub use exit::Exit;
pub use node::{Node, ReloadError};
pub use report::one_line;
pub use start_error::{MongoError, StartError};
