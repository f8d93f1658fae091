//! The reading half: tells answers, events and control strings apart.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::SplitStream;
use futures_util::{FutureExt, StreamExt};
use happn_protocol::{ControlFrame, EventMessage, Json, ServerMessage};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::{ConnectionEnd, Inbox, Reply, Shared, Socket};
use crate::ServerError;

pub(super) struct Reader<I> {
    pub(super) shared: Arc<Shared>,
    pub(super) outbound: mpsc::Sender<Message>,
    pub(super) inbox: I,
    /// Why the server says it will end the session.
    pub(super) farewell: Option<String>,
}

impl<I: Inbox> Reader<I> {
    /// Reads until the connection ends.
    pub(super) async fn read_loop<S: Socket>(
        &mut self,
        stream: &mut SplitStream<S>,
    ) -> ConnectionEnd {
        let end = loop {
            let message = match stream.next().now_or_never() {
                Some(message) => message,
                None => match self.wait(stream).await {
                    Ok(message) => message,
                    Err(end) => break end,
                },
            };
            match message {
                Some(Ok(Message::Text(text))) => {
                    if let Some(end) = self.on_text(&text).await {
                        break end;
                    }
                }
                Some(Ok(Message::Close(frame))) => break parted(frame.is_some()),
                Some(Ok(_)) => {}
                Some(Err(Error::Capacity(error))) => {
                    break ConnectionEnd::TooLarge(error.to_string());
                }
                Some(Err(error)) => break ConnectionEnd::Lost(error.to_string()),
                None => break ConnectionEnd::Lost("the server closed the connection".to_owned()),
            }
        };
        self.inbox.settle().await;
        end
    }

    /// Waits for the next message once everything that has arrived is handed over.
    async fn wait<S: Socket>(
        &mut self,
        stream: &mut SplitStream<S>,
    ) -> Result<Option<Result<Message, Error>>, ConnectionEnd> {
        self.inbox.settle().await;
        // A wait for a slow receiver of events was our silence, not the server's.
        let limit = self.shared.silence_limit();
        let message = tokio::time::timeout(limit, stream.next()).await;
        message.map_err(|_| ConnectionEnd::Lost(format!("the server was silent for {limit:?}")))
    }

    async fn on_text(&mut self, text: &Utf8Bytes) -> Option<ConnectionEnd> {
        let frame: &Bytes = text.as_ref();
        match ServerMessage::decode(text.as_str()) {
            ServerMessage::Event(event) => {
                self.acknowledge(&event).await;
                self.inbox.accept(frame, &event).await;
            }
            ServerMessage::Link(message) => self.inbox.accept_numbered(frame, &message).await,
            ServerMessage::Response {
                event_id,
                data,
                meta,
                error,
            } => {
                let reply = match error {
                    Some(error) => Err(ServerError::from_json(Json::from_raw(error))),
                    None => Ok(Reply::Object {
                        data: data.map(|data| Json::share(frame, data)),
                        meta: Json::share(frame, meta),
                    }),
                };
                self.shared.replies.settle(event_id, reply);
            }
            ServerMessage::List { event_id, items } => {
                let items = items.iter().map(|item| Json::share(frame, *item)).collect();
                let reply = Ok(Reply::List(items));
                self.shared.replies.settle(event_id, reply);
            }
            ServerMessage::PublicationAck {
                event_id,
                result,
                error,
            } => {
                let result = result.map_or(Json::NULL, Json::from_raw);
                let end = (result, error.map(|error| error.into_owned()));
                self.shared.publications.settle(event_id, end);
            }
            ServerMessage::Control(control) => return self.on_control(&control).await,
            ServerMessage::System { event_key, data } => self.on_system(&event_key, data),
            ServerMessage::Unknown => {
                tracing::debug!(bytes = frame.len(), "a frame nobody understands is ignored");
            }
        }
        None
    }

    async fn on_control(&mut self, text: &str) -> Option<ConnectionEnd> {
        match ControlFrame::parse(text)? {
            ControlFrame::Ping(argument) => {
                self.queue(ControlFrame::pong_text(argument)).await;
                None
            }
            ControlFrame::ServerClose => {
                let reason = self.farewell.take();
                let reason = reason.unwrap_or_else(|| "the server closed on purpose".to_owned());
                Some(ConnectionEnd::Ended(reason))
            }
            _ => None,
        }
    }

    fn on_system(&mut self, event_key: &str, data: Option<&RawValue>) {
        if event_key != "server-side-disconnect" {
            tracing::debug!(event_key, "a system message is ignored");
            return;
        }
        #[derive(Deserialize)]
        struct Farewell {
            reason: String,
        }
        let reason = data.and_then(|data| serde_json::from_str::<Farewell>(data.get()).ok());
        self.farewell = reason.map(|farewell| farewell.reason);
    }

    /// Tells the publisher's server that a publication of consistency 3 is here.
    async fn acknowledge(&mut self, event: &EventMessage<'_>) {
        let member = |name: &str| event.meta.get(name).map(|raw| raw.get());
        if member("consistency") != Some("3") {
            return;
        }
        if let Some(publication_id) = event.meta.get("publicationId") {
            let text = self.shared.acknowledgement(publication_id);
            self.queue(text).await;
        }
    }

    /// Waits for room in the queue; the writer's deadline bounds the wait.
    async fn queue(&mut self, text: String) {
        let _ = self.outbound.send(Message::text(text)).await;
    }
}

fn parted(with_code: bool) -> ConnectionEnd {
    let reason = if with_code {
        "the server closed the connection with a code"
    } else {
        "the server closed the connection"
    };
    ConnectionEnd::Parted(reason.to_owned())
}
