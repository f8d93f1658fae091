//! The front door of a cluster node.
//!
//! Clients connect to the proxy's port, which does not listen before the node is stable: with a
//! minimum of N nodes, no client can settle on the first one before N are there. Accepted streams
//! go straight to the node's [`Ingress`](happn_core::Ingress) in this process; there is no second
//! TCP hop behind the door.
//!
//! - [`Proxy`]: opens with [`Proxy::start`], closes with [`Proxy::stop`], may be reopened.
//! - [`ProxyConfig`]: where to listen, with which certificate, and how many connections to take.
//! - [`Counters`]: accepted, turned away, open.
//! - [`Remote`]: an ingress that leads clients to another server instead, over http or https.
//!
//! ```no_run
//! # async fn example(ingress: std::sync::Arc<dyn happn_core::Ingress>) -> Result<(), cluster_proxy::ProxyError> {
//! use cluster_proxy::{Proxy, ProxyConfig};
//!
//! let proxy = Proxy::new(ProxyConfig::new("0.0.0.0", 55000), ingress);
//! // … once the node is stable:
//! let address = proxy.start().await?;
//! # Ok(())
//! # }
//! ```
//!
//! TLS ends here, if there is any. The door itself does not speak HTTP or happn: it tells the node
//! what applies to its clients ([`DoorRules`](happn_core::DoorRules)), and it never closes a client's
//! connection: what was handed to the node belongs to the node. Only [`Remote`] speaks HTTP, to pass
//! it on.

mod accept;
mod backoff;
mod door;
mod proxy;
mod remote;
mod target;
mod upgrade_rate;

pub use accept::Counters;
pub use proxy::{Proxy, ProxyConfig, ProxyError};
pub use remote::{Remote, RemoteConfig};
pub use target::{Target, TargetError};
pub use upgrade_rate::UpgradeRate;
