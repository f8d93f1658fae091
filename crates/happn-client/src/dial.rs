//! From an address to an open websocket.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::ClientError;
use crate::address::Address;

/// Enough for the small messages of most connections; large ones grow the buffer as needed.
const READ_BUFFER: usize = 8 * 1024;

/// Connects and upgrades within `timeout`. Dropping the future closes the socket.
///
/// `nonce` makes the target unique.
pub(crate) async fn open(
    address: &Address,
    nonce: u64,
    timeout: Duration,
    max_message_bytes: usize,
) -> Result<WebSocketStream<TcpStream>, ClientError> {
    let attempt = upgrade(address, nonce, max_message_bytes);
    match tokio::time::timeout(timeout, attempt).await {
        Ok(outcome) => outcome,
        Err(_) => Err(unreachable(
            address,
            format!("no answer within {timeout:?}"),
        )),
    }
}

async fn upgrade(
    address: &Address,
    nonce: u64,
    max_message_bytes: usize,
) -> Result<WebSocketStream<TcpStream>, ClientError> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await;
    let stream = stream.map_err(|error| unreachable(address, error.to_string()))?;
    // Without it a request would wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(max_message_bytes))
        .max_frame_size(Some(max_message_bytes));
    let url = format!("ws://{address}{}", address.target(nonce));
    let request = url.into_client_request().map_err(|error| {
        let address = address.to_string();
        let reason = error.to_string();
        ClientError::Address { address, reason }
    })?;
    let upgraded = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
    match upgraded {
        Ok((socket, _response)) => Ok(socket),
        Err(Error::Io(error)) => Err(unreachable(address, error.to_string())),
        Err(error) => Err(ClientError::NotHappn {
            address: address.to_string(),
            reason: error.to_string(),
        }),
    }
}

fn unreachable(address: &Address, reason: String) -> ClientError {
    ClientError::Unreachable {
        address: address.to_string(),
        reason,
    }
}
