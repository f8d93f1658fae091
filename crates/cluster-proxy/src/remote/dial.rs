//! Connections to the target.

use std::io;

use happn_core::ByteStream;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Shared;
use super::failure::Failure;
use super::passing::Asking;

/// The sending side of a connection; it ends with this.
pub(super) type Sender = SendRequest<Asking>;

impl Shared {
    /// A new connection. Dropping the future abandons the attempt.
    pub(super) async fn dial(&self) -> Result<Sender, Failure> {
        let unreachable = |error: &dyn std::fmt::Display| Failure::Unreachable(error.to_string());
        let connecting = tokio::time::timeout(self.config.connect_max, self.connect());
        let stream = connecting.await.map_err(|_| Failure::Unconnected)?;
        let stream = stream.map_err(|error| unreachable(&error))?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| unreachable(&error))?;
        self.tasks.spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "a connection to the target ended with an error");
            }
        });
        Ok(sender)
    }

    async fn connect(&self) -> io::Result<Box<dyn ByteStream>> {
        let target = &self.config.target;
        let stream = TcpStream::connect((target.host(), target.port())).await?;
        // A small frame must not wait for the next one.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some(tls) => Ok(Box::new(tls.connect(target.host(), stream).await?)),
        }
    }
}
