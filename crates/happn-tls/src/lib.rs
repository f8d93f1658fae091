//! Certificates of a happn node.
//!
//! - [`Identity`]: a private key and its certificate chain, each from a [`PemSource`].
//! - [`TlsServer`]: accepts TLS with an identity from the [`Clients`] that it admits, and can load
//!   both again while they are in use.
//! - [`TlsClient`]: dials with TLS, says whom it trusts, and may show an identity of its own.
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

mod authorities;
mod client;
mod error;
mod identity;
mod pem;
mod server;
mod source;

pub use authorities::Clients;
pub use client::{TlsClient, Trust};
pub use error::TlsError;
pub use identity::Identity;
pub use server::TlsServer;
pub use source::PemSource;

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
