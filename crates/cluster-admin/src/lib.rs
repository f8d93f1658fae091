//! The listener by which people and programs look after a node, and the client to ask it.
//!
//! - [`AdminServer`]: an HTTP listener of its own, apart from clients and peers, so that it answers
//!   also while those are closed or overrun. It serves a [`Site`]: [`Page`]s that everybody who
//!   reaches the port may read, and an API.
//! - [`Api`]: users, groups, rules, tables, sessions and tokens of a secure node, for administrators
//!   who have logged in. `GET /api/v1/openapi.json` describes it.
//! - [`Exposition`]: metrics as text, in the format of Prometheus.
//! - [`AdminClient`], and [`fetch`] for a single page: ask such a listener, with limits on
//!   everything.
//!
//! ```
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # runtime.block_on(async {
//! use std::sync::Arc;
//! use std::time::Duration;
//! use cluster_admin::{AdminConfig, AdminServer, Answer, AnswerFuture, Page, Site, Target, fetch};
//!
//! struct Alive;
//!
//! impl Page for Alive {
//!     fn answer(&self) -> AnswerFuture<'_> {
//!         Box::pin(std::future::ready(Answer::text(200, "alive\n")))
//!     }
//! }
//!
//! let pages = vec![("/health/live", Box::new(Alive) as Box<dyn Page>)];
//! let site = Arc::new(Site::of(pages));
//! let server = AdminServer::bind(AdminConfig::on("127.0.0.1", 0), site).await?;
//! let target: Target = server.address().to_string().parse()?;
//! let fetched = fetch(&target, "/health/live", Duration::from_secs(1)).await?;
//! assert_eq!((fetched.status, fetched.body.as_str()), (200, "alive\n"));
//! server.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod api;
mod connections;
mod exposition;
mod fetch;
mod pages;
mod server;
mod target;

pub use api::{Api, ApiConfig, Rate};
pub use exposition::{Exposition, Family};
pub use fetch::{AdminClient, FetchError, Fetched, Question, fetch};
pub use http::Method;
pub use pages::{Answer, AnswerFuture, Page, Site};
pub use server::{AdminConfig, AdminError, AdminServer};
pub use target::{Target, TargetError};
