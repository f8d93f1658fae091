//! A happn cluster node as a library.
//!
//! [`Config`](config::Config) reads what the node shall be, [`Node`] starts the parts in order and
//! stops them in order. This is the one crate that knows all others, configuration files and
//! signals; it holds no logic of the cluster itself.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use cluster_node::Node;
//! use cluster_node::config::Config;
//! use serde_json::json;
//!
//! let config = Config::from_tree(&json!({"name": "one", "port": 57000}))?;
//! let node = Node::start(&config.settings).await?;
//! let client = node.local_client().await?;
//! client.set("/hello", &json!({"from": node.name()})).await?;
//! // … until it is time to go:
//! node.stop(std::time::Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```
//!
//! A running [`Node`] hands out what is in it: [`Node::orchestrator`] (state, members, peers that
//! come and go), [`Node::replicator`] (messages between nodes), [`Node::proxy`] (the clients'
//! door, to open and close), [`Node::server`] (HTTP of one's own), [`Node::local_client`] and
//! [`Node::core`]. The example `handles` shows them.

pub mod address;
mod admin;
pub mod administer;
mod assembly;
pub mod banner;
pub mod cli;
pub mod config;
mod date;
mod exit;
mod front_door;
mod health_lines;
mod http_security;
mod listener;
pub mod logging;
pub mod network;
mod node;
mod parts;
mod provisioning;
mod report;
mod security;
pub mod signals;
mod start_error;
pub mod status;
mod stores;
mod table;
mod tls;
pub mod transfer;

pub use admin::{
    AskedHealth, HEALTH_PATH, Health, LinkHealth, MemberHealth, SessionsHealth, TrafficHealth,
};
pub use exit::Exit;
pub use listener::ListenerError;
pub use node::{Node, ReloadError};
pub use provisioning::{ProvisionRequest, provision};
pub use report::one_line;
pub use start_error::{MongoError, StartError};
