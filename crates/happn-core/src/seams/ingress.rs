//! Handing an accepted client to the node.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

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
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The client's socket address.
    pub address: SocketAddr,
    /// Whether TLS protects the stream.
    pub encrypted: bool,
    /// What applies to clients of a front door; `None` on the node's own port.
    pub door: Option<Arc<DoorRules>>,
}

impl Arrival {
    /// Of a plain stream on the node's own port.
    #[must_use]
    pub fn direct(address: SocketAddr) -> Self {
        Self {
            address,
            encrypted: false,
            door: None,
        }
    }
}

/// What a front door wants of whoever serves its clients.
///
/// An upgrade on a path that is not the node's is answered with 404 and closed for such clients,
/// because strangers find a public door.
#[derive(Clone, Debug)]
pub struct DoorRules {
    /// How long a connection may be without a request, if that is shorter than on the node's own
    /// port.
    pub idle_max: Option<Duration>,
    /// Whether forwarding headers (`X-Forwarded-For` and the like) say where a client is. Only
    /// right behind a proxy that sets them: anybody else may write in them what he likes.
    pub trusts_forwarded: bool,
    /// How many upgrades there may be.
    pub upgrades: Arc<dyn UpgradeLimit>,
}

/// Decides whether one more websocket may begin now.
pub trait UpgradeLimit: Send + Sync + fmt::Debug {
    /// Takes part of the limit.
    ///
    /// # Errors
    /// How long to wait before the next attempt, when there is nothing left.
    fn admit(&self) -> Result<(), Duration>;
}
