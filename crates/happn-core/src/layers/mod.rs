//! Layers: code of the embedding program that sees every message between clients and the node.

mod message;

use std::sync::Arc;

use happn_protocol::response::{Echo, ObjectResponse};
use happn_protocol::{Json, ServerFrame, WireError};

pub use message::{Message, MessageKind};

use crate::Session;

/// Sees, changes or refuses the messages of clients.
///
/// Layers are installed with [`NodeBuilder::layer`](crate::NodeBuilder::layer). What comes in
/// passes them in that order, what goes out in the opposite one. They run on the thread that
/// handles the message and must not block; heartbeats and other control strings do not pass them.
///
/// A node without layers does not look into its messages. With layers every message is opened
/// once per direction, and an event once per recipient: it is no longer shared.
pub trait Layer: Send + Sync + 'static {
    /// A request, before anything is done about it.
    ///
    /// # Errors
    /// The request is not handled; the client gets this error as its answer.
    fn inbound(&self, session: &Session, message: &mut Message) -> Result<(), WireError> {
        let _ = (session, message);
        Ok(())
    }

    /// An answer, an event or a system message, before it is queued for the client.
    ///
    /// # Errors
    /// In place of an answer the client gets this error. Anything else is not sent; an event that
    /// is not sent counts as failed in its publication.
    fn outbound(&self, session: &Session, message: &mut Message) -> Result<(), WireError> {
        let _ = (session, message);
        Ok(())
    }
}

/// The layers of a node; nothing at all when there are none.
#[derive(Clone, Default)]
pub(crate) struct Layers(Option<Arc<[Arc<dyn Layer>]>>);

/// What became of a request.
pub(crate) enum Passed {
    /// No layer changed it.
    Unchanged,
    /// This is to be handled in its place.
    Changed(String),
    /// The client has been answered.
    Refused,
}

impl Layers {
    pub(crate) fn new(layers: Vec<Arc<dyn Layer>>) -> Self {
        Self((!layers.is_empty()).then(|| layers.into()))
    }

    /// Takes a request through the layers.
    pub(crate) fn inbound(&self, session: &Session, text: &str) -> Passed {
        let Some(layers) = &self.0 else {
            return Passed::Unchanged;
        };
        let Some(mut message) = Message::read(text, MessageKind::Request) else {
            return Passed::Unchanged;
        };
        for layer in layers.iter() {
            if let Err(error) = layer.inbound(session, &mut message) {
                session.send(refusal(&message, session, error));
                return Passed::Refused;
            }
        }
        match message.into_changed() {
            Some(text) => Passed::Changed(text),
            None => Passed::Unchanged,
        }
    }

    /// Takes a frame through the layers; `None` when one of them withheld it.
    pub(crate) fn outbound(&self, session: &Session, frame: ServerFrame) -> Option<ServerFrame> {
        let Some(layers) = &self.0 else {
            return Some(frame);
        };
        let payload = frame.payload();
        let text = std::str::from_utf8(payload).unwrap_or_default();
        let Some(mut message) = Message::read_outbound(text) else {
            return Some(frame);
        };
        for layer in layers.iter().rev() {
            let Err(error) = layer.outbound(session, &mut message) else {
                continue;
            };
            tracing::debug!(session = %session.id(), %error.message, "a layer refused a message");
            let is_answer = message.kind() == MessageKind::Answer;
            return is_answer.then(|| refusal(&message, session, error));
        }
        match message.into_changed() {
            Some(text) => Some(ServerFrame::text(&text)),
            None => Some(frame),
        }
    }
}

impl std::fmt::Debug for Layers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.0.as_ref().map_or(0, |layers| layers.len());
        f.debug_tuple("Layers").field(&count).finish()
    }
}

/// The error answer to a request, told from the request itself or from its answer.
fn refusal(message: &Message, session: &Session, error: WireError) -> ServerFrame {
    let echo = Echo {
        event_id: message.echoed("eventId"),
        session_id: message.echoed("sessionId"),
        action: message
            .echoed("action")
            .and_then(|action: Json| action.decode().ok())
            .unwrap_or_default(),
    };
    ObjectResponse::error(error).encode(&echo, session.dialect())
}
