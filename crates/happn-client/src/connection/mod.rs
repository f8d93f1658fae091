//! One connection, owned by one task: requests out, answers and events in.

mod reader;
mod task;
mod waiting;
mod writer;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, Stream};
use happn_protocol::link::LinkMessage;
use happn_protocol::{EventMessage, Json};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::{CancellationToken, DropGuard};

use self::reader::Reader;
pub(crate) use self::waiting::{Waiting, WaitingRoom};
use crate::envelope::Envelope;
use crate::login::millis;
use crate::{ClientError, ServerError};

/// What carries the messages of a connection.
pub(crate) trait Socket:
    Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Send + Unpin + 'static
{
}

impl<S> Socket for S where
    S: Stream<Item = Result<Message, Error>>
        + Sink<Message, Error = Error>
        + Send
        + Unpin
        + 'static
{
}

/// Takes the events of a connection.
pub(crate) trait Inbox: Send + 'static {
    /// Takes one event. While it waits, nothing is read from the socket, so that a slow receiver
    /// slows the server down instead of losing events or filling memory.
    fn accept(
        &mut self,
        frame: &Bytes,
        event: &EventMessage<'_>,
    ) -> impl Future<Output = ()> + Send;

    /// Takes one frame of a numbered link; nobody but a node asks for them.
    fn accept_numbered(
        &mut self,
        _frame: &Bytes,
        _message: &LinkMessage<'_>,
    ) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Nothing more has arrived for now, or will.
    fn settle(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// Bounds of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How long a call waits for its answer, unless it says otherwise.
    pub(crate) call: Duration,
    /// How long the server may be silent before the connection counts as lost.
    pub(crate) silence: Duration,
    /// How long the server may refuse to take bytes before the connection counts as lost.
    pub(crate) write: Duration,
    /// How many messages may wait to be written.
    pub(crate) queue: usize,
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionEnd {
    /// It broke.
    Lost(String),
    /// The server sent a message that is too large for us.
    TooLarge(String),
    /// The server closed it after everything it had for us, without saying that we must stay away.
    Parted(String),
    /// The server ended the session on purpose: no reconnect.
    Ended(String),
    /// We closed it.
    Closed,
}

impl ConnectionEnd {
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Lost(reason)
            | Self::TooLarge(reason)
            | Self::Parted(reason)
            | Self::Ended(reason) => reason,
            Self::Closed => "closed",
        }
    }
}

/// A successful answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// An object, a value or nothing.
    Object { data: Option<Json>, meta: Json },
    /// The items of a wildcard get.
    List(Vec<Json>),
}

/// How a publication ended: its counters, and the error if it failed.
pub(crate) type PublicationEnd = (Json, Option<String>);

/// A request without what the connection adds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) action: &'static str,
    pub(crate) path: Option<&'a str>,
    pub(crate) data: Option<&'a Json>,
    pub(crate) options: Option<&'a Json>,
    /// `None` is the connection's own bound.
    pub(crate) timeout: Option<Duration>,
}

/// What both the handle and the task use.
struct Shared {
    replies: Arc<WaitingRoom<Result<Reply, ServerError>>>,
    publications: Arc<WaitingRoom<PublicationEnd>>,
    /// Counts on across the connections of one client.
    event_ids: Arc<AtomicU64>,
    session_id: Mutex<Option<Arc<str>>>,
    /// How long the server may be silent, in ms.
    silence_ms: AtomicU64,
}

impl Shared {
    fn silence_limit(&self) -> Duration {
        Duration::from_millis(self.silence_ms.load(Ordering::Relaxed))
    }

    fn next_event_id(&self) -> u64 {
        self.event_ids.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn session_id(&self) -> Option<Arc<str>> {
        let session = self.session_id.lock();
        session.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn acknowledgement(&self, publication_id: &RawValue) -> String {
        Envelope {
            action: "ack",
            event_id: self.next_event_id(),
            path: None,
            data: Some(&Json::from_raw(publication_id)),
            session_id: self.session_id().as_deref(),
            options: None,
        }
        .encode()
    }
}

/// A handle on a connection; the last one dropped closes it.
#[derive(Clone)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
    outbound: mpsc::Sender<Message>,
    end: watch::Receiver<Option<ConnectionEnd>>,
    cancel: CancellationToken,
    call_bound: Duration,
    _close_on_drop: Arc<DropGuard>,
}

impl Connection {
    /// Starts the task that owns `socket`. `session_id` is what requests carry until a login.
    pub(crate) fn spawn<I: Inbox>(
        socket: impl Socket,
        inbox: I,
        bounds: Bounds,
        event_ids: Arc<AtomicU64>,
        session_id: Option<Arc<str>>,
    ) -> Self {
        let shared = Arc::new(Shared {
            replies: WaitingRoom::new(),
            publications: WaitingRoom::new(),
            event_ids,
            session_id: Mutex::new(session_id),
            silence_ms: AtomicU64::new(millis(bounds.silence)),
        });
        let (outbound, queue) = mpsc::channel(bounds.queue);
        let (end_sender, end) = watch::channel(None);
        let cancel = CancellationToken::new();
        let reader = Reader {
            shared: Arc::clone(&shared),
            outbound: outbound.clone(),
            inbox,
            farewell: None,
        };
        tokio::spawn(task::run(
            socket,
            reader,
            queue,
            bounds,
            cancel.clone(),
            end_sender,
        ));
        Self {
            shared,
            outbound,
            end,
            cancel: cancel.clone(),
            call_bound: bounds.call,
            _close_on_drop: Arc::new(cancel.drop_guard()),
        }
    }

    /// Sends a request and waits for its answer. Dropping the future abandons the answer, not the
    /// request.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Reply, ClientError> {
        self.call_as(call, self.shared.next_event_id()).await
    }

    /// Like [`Connection::call`], and returns what to wait on for the end of the publication.
    pub(crate) async fn call_published(
        &self,
        call: Call<'_>,
    ) -> Result<(Reply, Waiting<PublicationEnd>), ClientError> {
        let event_id = self.shared.next_event_id();
        let publication = self.shared.publications.enter(event_id);
        let publication = publication.ok_or_else(|| self.disconnected())?;
        let reply = self.call_as(call, event_id).await?;
        Ok((reply, publication))
    }

    async fn call_as(&self, call: Call<'_>, event_id: u64) -> Result<Reply, ClientError> {
        let after = call.timeout.unwrap_or(self.call_bound);
        let exchange = self.exchange(&call, event_id);
        match tokio::time::timeout(after, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(ClientError::Timeout {
                path: call.path.unwrap_or_default().to_owned(),
                action: call.action,
                after,
            }),
        }
    }

    async fn exchange(&self, call: &Call<'_>, event_id: u64) -> Result<Reply, ClientError> {
        let text = Envelope {
            action: call.action,
            event_id,
            path: call.path,
            data: call.data,
            session_id: self.shared.session_id().as_deref(),
            options: call.options,
        }
        .encode();
        let waiting = self.shared.replies.enter(event_id);
        let mut waiting = waiting.ok_or_else(|| self.disconnected())?;
        let sent = self.outbound.send(Message::text(text)).await;
        sent.map_err(|_| self.disconnected())?;
        match waiting.wait().await {
            Some(answer) => answer.map_err(ClientError::Server),
            None => Err(self.disconnected()),
        }
    }

    /// Queues a request whose answer nobody waits for; false when there is no room for it.
    pub(crate) fn post(&self, action: &'static str, data: &Json) -> bool {
        let text = Envelope {
            action,
            event_id: self.shared.next_event_id(),
            path: None,
            data: Some(data),
            session_id: self.shared.session_id().as_deref(),
            options: None,
        }
        .encode();
        self.outbound.try_send(Message::text(text)).is_ok()
    }

    /// How long the server may be silent from its next message on.
    pub(crate) fn set_silence_limit(&self, limit: Duration) {
        self.shared
            .silence_ms
            .store(millis(limit), Ordering::Relaxed);
    }

    /// The session that requests belong to now.
    pub(crate) fn session_id(&self) -> Option<Arc<str>> {
        self.shared.session_id()
    }

    /// The session that requests belong to from now on.
    pub(crate) fn set_session_id(&self, id: Arc<str>) {
        let session = self.shared.session_id.lock();
        *session.unwrap_or_else(PoisonError::into_inner) = Some(id);
    }

    /// Waits for the end of the connection. Cancel-safe.
    pub(crate) async fn ended(&self) -> ConnectionEnd {
        let mut end = self.end.clone();
        match end.wait_for(Option::is_some).await {
            Ok(end) => end.clone().unwrap_or(ConnectionEnd::Closed),
            Err(_) => ConnectionEnd::Closed,
        }
    }

    /// Writes what is queued, says good-bye and waits for the end, within a few seconds.
    pub(crate) async fn close(&self) {
        self.cancel.cancel();
        self.ended().await;
    }

    fn disconnected(&self) -> ClientError {
        let end = self.end.borrow();
        let reason = end.as_ref().map_or("closing", ConnectionEnd::reason);
        ClientError::Disconnected {
            reason: reason.to_owned(),
        }
    }
}
