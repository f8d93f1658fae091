//! From an address to an open websocket.

use std::time::Duration;

use happn_core::ByteStream;
use happn_tls::{TlsClient, Trust};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::ClientError;
use crate::address::Address;

/// Enough for the small messages of most connections; large ones grow the buffer as needed.
const READ_BUFFER: usize = 8 * 1024;

/// An open websocket, whatever carries it.
pub(crate) type Websocket = WebSocketStream<Box<dyn ByteStream>>;

/// How to dial.
pub(crate) struct Dialling<'a> {
    /// Makes the target unique.
    pub(crate) nonce: u64,
    /// For TCP, TLS and the upgrade together.
    pub(crate) timeout: Duration,
    pub(crate) max_message_bytes: usize,
    /// Whose certificates will do, where the address asks for TLS.
    pub(crate) trust: &'a Trust,
}

/// Connects and upgrades. Dropping the future closes the socket.
pub(crate) async fn open(
    address: &Address,
    dialling: &Dialling<'_>,
) -> Result<Websocket, ClientError> {
    let timeout = dialling.timeout;
    match tokio::time::timeout(timeout, upgrade(address, dialling)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(unreachable(
            address,
            format!("no answer within {timeout:?}"),
        )),
    }
}

async fn upgrade(address: &Address, dialling: &Dialling<'_>) -> Result<Websocket, ClientError> {
    let stream = connect(address, dialling.trust).await?;
    let max_message_bytes = dialling.max_message_bytes;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(max_message_bytes))
        .max_frame_size(Some(max_message_bytes));
    let url = format!("ws://{address}{}", address.target(dialling.nonce));
    let request = url.into_client_request().map_err(|error| {
        let address = address.to_string();
        let reason = error.to_string();
        ClientError::Address { address, reason }
    })?;
    let upgraded = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
    match upgraded {
        Ok((socket, _response)) => Ok(socket),
        Err(Error::Io(error)) => Err(unreachable(address, error.to_string())),
        // Closed before it answered: a network that cuts, or a node that comes or goes.
        Err(Error::Protocol(error @ ProtocolError::HandshakeIncomplete)) => {
            Err(unreachable(address, error.to_string()))
        }
        Err(error) => Err(ClientError::NotHappn {
            address: address.to_string(),
            reason: error.to_string(),
        }),
    }
}

async fn connect(address: &Address, trust: &Trust) -> Result<Box<dyn ByteStream>, ClientError> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await;
    let stream = stream.map_err(|error| unreachable(address, error.to_string()))?;
    // Without it a request would wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let Some(name) = &address.tls_name else {
        return Ok(Box::new(stream));
    };
    let tls = TlsClient::new(trust).map_err(|error| ClientError::Trust(error.to_string()))?;
    match tls.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(unreachable(address, error.to_string())),
    }
}

fn unreachable(address: &Address, reason: String) -> ClientError {
    ClientError::Unreachable {
        address: address.to_string(),
        reason,
    }
}
