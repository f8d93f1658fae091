//! Handing an accepted client to the node.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};

/// A client's bytes, whatever carries them.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> ByteStream for T {}

/// Takes client connections into the node.
pub trait Ingress: Send + Sync + 'static {
    /// Serves `stream` until either side ends it. Returns at once; the node owns the stream.
    fn accept(&self, stream: Box<dyn ByteStream>, arrival: Arrival);
}

/// Where a stream came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The client's socket address.
    pub address: SocketAddr,
    /// Whether TLS protects the stream.
    pub encrypted: bool,
}
