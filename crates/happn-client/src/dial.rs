//! From an address to an open websocket.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use happn_core::ByteStream;
use happn_tls::TlsClient;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::ClientError;
use crate::address::Address;

/// Attempts to connect that are under way at a time.
const ATTEMPTS_MAX: usize = 16;

/// An open websocket, whatever carries it.
pub(crate) type Websocket = WebSocketStream<Box<dyn ByteStream>>;

/// How to dial.
pub(crate) struct Dialling<'a> {
    /// Makes the target unique.
    pub(crate) nonce: u64,
    /// For TCP, TLS and the upgrade together.
    pub(crate) timeout: Duration,
    pub(crate) max_message_bytes: usize,
    /// How many bytes are read at a time; a larger message takes several reads.
    pub(crate) read_bytes: usize,
    /// How long an attempt to connect has before another one begins beside it.
    pub(crate) retry_after: Duration,
    /// What to dial with where the address asks for TLS.
    pub(crate) tls: Option<&'a TlsClient>,
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
    let stream = connect(address, dialling).await?;
    let max_message_bytes = dialling.max_message_bytes;
    let config = WebSocketConfig::default()
        .read_buffer_size(dialling.read_bytes)
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

async fn connect(
    address: &Address,
    dialling: &Dialling<'_>,
) -> Result<Box<dyn ByteStream>, ClientError> {
    let attempt = || TcpStream::connect((address.host.as_str(), address.port));
    let stream = first_of(dialling.retry_after, attempt).await;
    let stream = stream.map_err(|error| unreachable(address, error.to_string()))?;
    // Without it a request would wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let Some(name) = &address.tls_name else {
        return Ok(Box::new(stream));
    };
    let missing = || ClientError::Certificates(format!("nobody is trusted to be {address}"));
    let tls = dialling.tls.ok_or_else(missing)?;
    match tls.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(unreachable(address, error.to_string())),
    }
}

/// What the first of several attempts comes to; another one begins every `interval` while none has
/// an answer. The system repeats an unanswered attempt after pauses of seconds, which would be lost
/// when the network comes back in the middle of one.
async fn first_of<T, A: Future<Output = T>>(interval: Duration, attempt: impl Fn() -> A) -> T {
    let mut attempts = FuturesUnordered::from_iter([attempt()]);
    loop {
        match tokio::time::timeout(interval, attempts.next()).await {
            Ok(Some(outcome)) => return outcome,
            _ if attempts.len() < ATTEMPTS_MAX => attempts.push(attempt()),
            _ => {}
        }
    }
}

fn unreachable(address: &Address, reason: String) -> ClientError {
    ClientError::Unreachable {
        address: address.to_string(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;

    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_gets_no_answer_is_followed_by_others() {
        let number = Cell::new(0);
        let started = Instant::now();
        let attempt = || {
            let this = number.replace(number.get() + 1);
            async move {
                match this {
                    // The network is back by then.
                    3 => sleep(Duration::from_millis(10)).await,
                    _ => pending().await,
                }
                this
            }
        };
        assert_eq!(first_of(Duration::from_millis(500), attempt).await, 3);
        assert_eq!(started.elapsed(), Duration::from_millis(1510));
        assert_eq!(number.get(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_bounded_and_a_slow_one_still_counts() {
        let number = Cell::new(0);
        let attempt = || {
            let this = number.replace(number.get() + 1);
            async move {
                sleep(Duration::from_secs(30 + this)).await;
                this
            }
        };
        assert_eq!(first_of(Duration::from_millis(500), attempt).await, 0);
        assert_eq!(number.get(), ATTEMPTS_MAX as u64);
    }
}
