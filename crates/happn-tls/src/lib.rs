//! Certificates of a happn node.
//!
//! - [`Identity`]: a private key and its certificate chain, from files or from the configuration.
//! - [`TlsServer`]: accepts TLS with an identity and can load it again while it is in use.
//! - [`TlsClient`]: dials with TLS and says whom it trusts.
//!
//! Everything that listens or dials with TLS uses these, so that a certificate is read, checked
//! and complained about in one place.
//!
//! ```no_run
//! # async fn example(stream: tokio::net::TcpStream) -> Result<(), Box<dyn std::error::Error>> {
//! use happn_tls::{Identity, TlsServer};
//!
//! let server = TlsServer::new(Identity::files("node.key", "node.crt"))?;
//! let encrypted = server.accept(stream).await?;
//! // … after the files have changed:
//! server.reload()?;
//! # Ok(())
//! # }
//! ```
//!
//! This crate opens no socket and makes no certificates. The one cryptographic library in the
//! tree is ring.

mod client;
mod error;
mod identity;
mod pem;
mod server;

pub use client::{TlsClient, Trust};
pub use error::TlsError;
pub use identity::Identity;
pub use server::TlsServer;

/// What [`TlsServer::accept`] makes of a stream.
pub type ServerStream<S> = tokio_rustls::server::TlsStream<S>;

/// What [`TlsClient::connect`] makes of a stream.
pub type ClientStream<S> = tokio_rustls::client::TlsStream<S>;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// Named at every use, so that no process-wide default has to be installed first.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
