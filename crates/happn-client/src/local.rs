//! A session of a node in this process, dressed as a websocket.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, Sink, Stream, StreamExt};
use happn_core::{BoxFuture, Connection, Drained, Node, Received, Session};
use happn_protocol::ServerFrame;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::PollSender;

/// Requests and frames that may be on their way in each direction.
const UNDER_WAY: usize = 256;

/// Reads under way at once; more requests wait.
const ANSWERS_MAX: usize = 256;

/// Both ends of the way to a session. Dropping it detaches the session.
pub(crate) struct LocalSocket {
    requests: PollSender<Bytes>,
    frames: mpsc::Receiver<Message>,
}

impl LocalSocket {
    /// Attaches a session to `node`; a trusted one may do everything there.
    pub(crate) fn open(node: Arc<Node>, is_trusted: bool) -> Self {
        let session = match is_trusted {
            true => node.attach_trusted(Connection::in_process()),
            false => node.attach_local(Connection::in_process()),
        };
        let (requests, arriving) = mpsc::channel(UNDER_WAY);
        let (leaving, frames) = mpsc::channel(UNDER_WAY);
        let attached = Attached { node, session };
        tokio::spawn(async move { serve(&attached, arriving, leaving).await });
        Self {
            requests: PollSender::new(requests),
            frames,
        }
    }

    /// Makes no more requests. The place reserved for the next one must be given back, or the
    /// other side would go on waiting for it.
    fn end(&mut self) {
        self.requests.abort_send();
        self.requests.close();
    }
}

/// Detaches the session on every way out.
struct Attached {
    node: Arc<Node>,
    session: Arc<Session>,
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.node.detach(&self.session);
    }
}

/// What the node has to be polled for.
#[derive(Default)]
struct Work {
    answers: FuturesUnordered<BoxFuture<'static, ()>>,
    /// Set while the node takes no more requests of this session.
    blocked: Option<BoxFuture<'static, ()>>,
}

impl Work {
    fn has_room(&self) -> bool {
        self.blocked.is_none() && self.answers.len() < ANSWERS_MAX
    }

    fn take_up(&mut self, received: Received) {
        match received {
            Received::Answer(answer) => self.answers.push(answer),
            Received::Blocked(mut blocked) => {
                if (&mut blocked).now_or_never().is_none() {
                    self.blocked = Some(blocked);
                }
            }
            // A client in the same process neither pings nor asks for ids.
            Received::Done | Received::Control(_) => {}
        }
    }
}

/// Carries requests in and frames out until either side is gone. Requests are taken also while
/// the client takes no frames: what piles up is bounded by the session's outbox, as over a
/// network.
async fn serve(
    attached: &Attached,
    mut arriving: mpsc::Receiver<Bytes>,
    leaving: mpsc::Sender<Message>,
) {
    let Attached { node, session } = attached;
    let mut work = Work::default();
    let mut frames = Vec::new();
    let mut pending = VecDeque::new();
    loop {
        if pending.is_empty() {
            match session.outbox().drain(&mut frames) {
                Drained::Frames => pending.extend(frames.drain(..)),
                Drained::Ended(ending) => return end(&ending, &leaving).await,
                Drained::Empty => {}
            }
        }
        tokio::select! {
            permit = leaving.reserve(), if !pending.is_empty() => {
                let Ok(permit) = permit else { return };
                if let Some(frame) = pending.pop_front() {
                    permit.send(message(&frame));
                }
                while let Ok(permit) = leaving.try_reserve()
                    && let Some(frame) = pending.pop_front()
                {
                    permit.send(message(&frame));
                }
            }
            request = arriving.recv(), if work.has_room() => match request {
                Some(request) => work.take_up(node.receive(session, &request)),
                None => return,
            },
            Some(()) = work.answers.next() => {}
            () = wait(&mut work.blocked) => {}
            () = session.outbox().ready(), if pending.is_empty() => {}
            () = leaving.closed() => return,
        }
    }
}

async fn wait(blocked: &mut Option<BoxFuture<'static, ()>>) {
    match blocked {
        Some(waiting) => waiting.await,
        None => std::future::pending().await,
    }
    *blocked = None;
}

async fn end(ending: &happn_core::Ending, leaving: &mpsc::Sender<Message>) {
    if *ending == happn_core::Ending::Final {
        let farewell = happn_protocol::ControlFrame::SERVER_CLOSE;
        let _ = leaving.send(Message::text(farewell)).await;
    }
}

fn message(frame: &ServerFrame) -> Message {
    // Frames are text by construction; what is not would be ignored.
    let text = std::str::from_utf8(frame.payload()).unwrap_or_default();
    Message::text(text)
}

impl Stream for LocalSocket {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.frames.poll_recv(context).map(|frame| frame.map(Ok))
    }
}

impl Sink<Message> for LocalSocket {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.requests.poll_reserve(context).map_err(closed)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        match message {
            Message::Text(text) => self.requests.send_item(text.into()).map_err(closed),
            Message::Close(_) => {
                self.end();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.end();
        Poll::Ready(Ok(()))
    }
}

fn closed<T>(_: T) -> Error {
    Error::ConnectionClosed
}
