//! One websocket: a task that reads requests, writes the outbox and keeps the heartbeat.

use std::io;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, SinkExt, StreamExt};
use happn_core::{Arrival, BoxFuture, ByteStream, Connection, Drained, Ending, Received, Session};
use happn_protocol::{ControlFrame, ServerFrame};
use hyper::Request;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::time::error::Elapsed;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::client_address::{client_address, direct_address};
use crate::heartbeat::{Heartbeat, Verdict};
use crate::listener::Shared;
use crate::upgrade::visible_headers;
use crate::write::write_frames;

/// Requests handled before what they caused is written.
const READS_PER_TURN: usize = 64;

/// Reads under way at once; more requests wait in the socket.
const ANSWERS_MAX: usize = 256;

/// How long to wait for the client's side of a close.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

type Socket = WebSocketStream<Box<dyn ByteStream>>;

/// Where a client is, and what the login answer shows of its upgrade.
///
/// On a secure node the address decides who is locked out and who may log in at all, and anybody
/// can write what he likes into a header.
pub(crate) fn connection_of<B>(
    shared: &Shared,
    request: &Request<B>,
    arrival: &Arrival,
) -> Connection {
    let headers = request.headers();
    let forwarded = match &arrival.door {
        Some(door) => door.trusts_forwarded,
        None => !shared.node.is_secure() || shared.config.security.trusts_forwarded,
    };
    let (ip, port, secure) = match forwarded {
        true => client_address(headers, arrival),
        false => direct_address(arrival),
    };
    Connection {
        url: request
            .uri()
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
        headers: visible_headers(headers),
        encrypted: arrival.encrypted,
        ip,
        port,
        secure,
    }
}

/// Serves one client until either side ends it.
pub(crate) async fn serve(shared: Arc<Shared>, upgraded: Upgraded, connection: Connection) {
    let Ok(parts) = upgraded.downcast::<TokioIo<Box<dyn ByteStream>>>() else {
        return;
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(8 * 1024)
        .write_buffer_size(4 * 1024)
        .max_message_size(Some(shared.config.message_bytes_max))
        .max_frame_size(Some(shared.config.message_bytes_max));
    let stream = parts.io.into_inner();
    let read = parts.read_buf.to_vec();
    let socket =
        WebSocketStream::from_partially_read(stream, read, Role::Server, Some(config)).await;
    let session = Attached::new(shared.clone(), connection);
    let interval = shared
        .config
        .ping_interval
        .unwrap_or(Duration::from_secs(30));
    let heartbeat = Heartbeat::new(shared.config.skipped_beats_max, interval);
    let mut client = Client {
        session: session.session.clone(),
        spark_id: session
            .session
            .id()
            .chars()
            .filter(|c| *c != '-')
            .take(21)
            .collect(),
        beats: shared.beats.clone(),
        shared,
        socket,
        heartbeat,
        answers: FuturesUnordered::new(),
        blocked: None,
        frames: Vec::new(),
    };
    client.run().await;
}

/// Detaches the session on every way out.
struct Attached {
    shared: Arc<Shared>,
    session: Arc<Session>,
}

impl Attached {
    fn new(shared: Arc<Shared>, connection: Connection) -> Self {
        let session = shared.node.attach(connection);
        if shared.draining.is_cancelled() {
            session.outbox().end(Ending::Reconnect);
        }
        Self { shared, session }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.shared.node.detach(&self.session);
    }
}

struct Client {
    shared: Arc<Shared>,
    session: Arc<Session>,
    socket: Socket,
    spark_id: String,
    beats: watch::Receiver<u64>,
    heartbeat: Heartbeat,
    /// Reads under way; their answers go to the outbox.
    answers: FuturesUnordered<BoxFuture<'static, ()>>,
    /// Set while the node cannot take more of this client's requests.
    blocked: Option<BoxFuture<'static, ()>>,
    frames: Vec<ServerFrame>,
}

/// Whether the connection goes on.
type Flow = ControlFlow<()>;

/// How taking messages came to its end.
enum Taken {
    /// No more is there, or not to be taken now.
    All,
    Ping,
    Close,
    Failure(Error),
    /// The client is gone.
    End,
}

impl Client {
    async fn run(&mut self) {
        while self.turn().await.is_continue() {}
    }

    /// Waits for one thing to happen, does it, and writes what it caused.
    async fn turn(&mut self) -> Flow {
        let session = self.session.clone();
        let reading = self.blocked.is_none() && self.answers.len() < ANSWERS_MAX;
        tokio::select! {
            // Writing first: what is queued must not wait behind a client that only sends.
            biased;
            () = session.outbox().ready() => {}
            Some(()) = self.answers.next(), if !self.answers.is_empty() => {}
            () = wait(&mut self.blocked), if self.blocked.is_some() => self.blocked = None,
            Ok(()) = self.beats.changed() => self.beat()?,
            message = self.socket.next(), if reading => self.read(message).await?,
        }
        self.write().await
    }

    /// Handles `first` and whatever else has already arrived.
    async fn read(&mut self, first: Option<Result<Message, Error>>) -> Flow {
        match happn_core::in_one_turn(|| self.take(first)) {
            Taken::All => {}
            // The library has queued the pong, and is not to have anything of its own in its buffer
            // when frames go straight to the stream.
            Taken::Ping => self.flush().await?,
            Taken::Close => {
                let _ = tokio::time::timeout(CLOSE_WAIT, self.drain_close()).await;
                return Flow::Break(());
            }
            Taken::Failure(error) => return self.violated(error).await,
            Taken::End => return Flow::Break(()),
        }
        // Reads that need no waiting answer within the same write.
        while let Some(Some(())) = self.answers.next().now_or_never() {}
        Flow::Continue(())
    }

    /// Takes one message after the other, up to one that has to be waited for.
    fn take(&mut self, first: Option<Result<Message, Error>>) -> Taken {
        let mut next = first;
        let mut left = READS_PER_TURN;
        loop {
            match next {
                Some(Ok(Message::Text(text))) => self.receive(&text),
                Some(Ok(Message::Binary(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Ping(_))) => {
                    self.heartbeat.answered();
                    return Taken::Ping;
                }
                Some(Ok(Message::Close(_))) => return Taken::Close,
                Some(Err(error)) => return Taken::Failure(error),
                None => return Taken::End,
            }
            left -= 1;
            // Before asking for another message: one that was taken has to be handled.
            if left == 0 || self.blocked.is_some() || self.answers.len() >= ANSWERS_MAX {
                return Taken::All;
            }
            match self.socket.next().now_or_never() {
                Some(message) => next = message,
                None => return Taken::All,
            }
        }
    }

    fn receive(&mut self, text: &Utf8Bytes) {
        let received = self
            .shared
            .node
            .receive_text(&self.session, text, text.as_ref());
        match received {
            Received::Done => {}
            Received::Answer(answer) => self.answers.push(answer),
            Received::Blocked(mut blocked) => {
                if (&mut blocked).now_or_never().is_none() {
                    self.blocked = Some(blocked);
                }
            }
            Received::Control(text) => self.control(&text),
        }
    }

    fn control(&mut self, text: &str) {
        let answer = match ControlFrame::parse(text) {
            Some(ControlFrame::Pong) => return self.heartbeat.answered(),
            Some(ControlFrame::Ping(argument)) => {
                self.heartbeat.legacy_ping();
                ControlFrame::pong_text(argument)
            }
            Some(ControlFrame::Id) => ControlFrame::id_text(&self.spark_id),
            _ => return,
        };
        self.session.outbox().push(ServerFrame::text(&answer));
    }

    fn beat(&mut self) -> Flow {
        match self.heartbeat.beat(self.session.dialect()) {
            Verdict::Wait => {}
            Verdict::Ping => {
                let now = self.shared.node.clock().wall_ms();
                self.session
                    .outbox()
                    .push(ServerFrame::text(&ControlFrame::ping_text(now)));
            }
            Verdict::Close => {
                tracing::debug!(session = %self.session.id(), "closing a client that answers no ping");
                self.session.outbox().end(Ending::Reconnect);
            }
        }
        Flow::Continue(())
    }

    /// Writes everything queued; ends the connection once the session has ended.
    async fn write(&mut self) -> Flow {
        loop {
            let drained = self.session.outbox().drain(&mut self.frames);
            match drained {
                Drained::Empty => return Flow::Continue(()),
                Drained::Ended(ending) => return self.end(&ending).await,
                Drained::Frames => self.write_drained().await?,
            }
        }
    }

    async fn write_drained(&mut self) -> Flow {
        let frames = std::mem::take(&mut self.frames);
        let written = self.write_within(&frames).await;
        self.frames = frames;
        self.frames.clear();
        if self.frames.capacity() > 64 {
            self.frames = Vec::new();
        }
        match written {
            None => self.end(&Ending::Overflow).await,
            Some(Ok(Ok(()))) => Flow::Continue(()),
            Some(Ok(Err(error))) => {
                tracing::debug!(session = %self.session.id(), %error, "a client is gone");
                Flow::Break(())
            }
            Some(Err(_)) => {
                tracing::warn!(session = %self.session.id(), "closing a client that takes no bytes");
                Flow::Break(())
            }
        }
    }

    /// Writes `frames` in the time a client has for that; `None` when its outbox has overflowed
    /// meanwhile: nothing of what is left reaches it in order any more.
    async fn write_within(
        &mut self,
        frames: &[ServerFrame],
    ) -> Option<Result<io::Result<()>, Elapsed>> {
        let mut writing = pin!(write_frames(self.socket.get_mut(), frames));
        // Only a client that is behind is worth a timer.
        if let Some(written) = writing.as_mut().now_or_never() {
            return Some(Ok(written));
        }
        tokio::select! {
            biased;
            written = tokio::time::timeout(self.shared.config.write_timeout, writing) => Some(written),
            () = overflow(&self.session) => None,
        }
    }

    async fn flush(&mut self) -> Flow {
        let flushing = self.socket.flush();
        match tokio::time::timeout(self.shared.config.write_timeout, flushing).await {
            Ok(Ok(())) => Flow::Continue(()),
            _ => Flow::Break(()),
        }
    }

    async fn end(&mut self, ending: &Ending) -> Flow {
        if *ending == Ending::Overflow {
            tracing::warn!(
                session = %self.session.id(),
                "closing a client that is too slow: its outbox overflowed"
            );
            return Flow::Break(());
        }
        let closing = async {
            if *ending == Ending::Final {
                let farewell = ServerFrame::text(ControlFrame::SERVER_CLOSE);
                write_frames(self.socket.get_mut(), &[farewell]).await?;
            }
            self.socket.close(None).await?;
            self.drain_close().await;
            Ok::<(), Error>(())
        };
        let _ = tokio::time::timeout(CLOSE_WAIT, closing).await;
        Flow::Break(())
    }

    /// Reads on until the peer's close frame has been seen and ours is written.
    async fn drain_close(&mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    /// Tells a client that broke the websocket protocol why it is closed.
    async fn violated(&mut self, error: Error) -> Flow {
        let code = match &error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => CloseCode::Size,
            Error::Utf8(_) => CloseCode::Invalid,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return Flow::Break(()),
            Error::Protocol(_) => CloseCode::Protocol,
            _ => return Flow::Break(()),
        };
        tracing::debug!(session = %self.session.id(), %error, "closing a client that broke the protocol");
        let frame = CloseFrame {
            code,
            reason: "".into(),
        };
        let closing = async {
            self.socket.close(Some(frame)).await?;
            self.drain_close().await;
            Ok::<(), Error>(())
        };
        let _ = tokio::time::timeout(CLOSE_WAIT, closing).await;
        Flow::Break(())
    }
}

/// Completes once the session's outbox has overflowed. Wake-ups it takes are made up for by the
/// drain that follows every write.
async fn overflow(session: &Session) {
    while !session.outbox().has_overflowed() {
        session.outbox().ready().await;
    }
}

async fn wait(blocked: &mut Option<BoxFuture<'static, ()>>) {
    if let Some(blocked) = blocked {
        blocked.await;
    }
}
