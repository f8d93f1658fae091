//! What a subscription delivers.

use std::sync::Arc;

use bytes::Bytes;
use happn_paths::EventKind;
use happn_protocol::{EventMessage, Json};
use serde::de::DeserializeOwned;

use crate::replicated::event_kind;
use crate::{ClientError, Meta};

/// Something happened on a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    kind: EventKind,
    path: Arc<str>,
    data: Json,
    meta: Json,
    missed: u64,
}

impl Event {
    /// Reads an event frame; `None` when it lacks what every event has.
    pub(crate) fn from_frame(frame: &Bytes, event: &EventMessage<'_>) -> Option<Self> {
        Some(Self {
            kind: event_kind(&event.meta.text("action")?)?,
            path: Arc::from(event.meta.text("path")?.as_ref()),
            data: Json::share(frame, event.data),
            meta: Json::share(frame, event.meta_text),
            missed: 0,
        })
    }

    /// An event made of an item that was there before the subscription.
    pub(crate) fn initial(path: &str, data: Json, meta: Json) -> Self {
        Self {
            kind: EventKind::Set,
            path: path.into(),
            data,
            meta,
            missed: 0,
        }
    }

    /// A copy for one listener, which missed so many before.
    pub(crate) fn after_missing(&self, missed: u64) -> Self {
        Self {
            missed,
            ..self.clone()
        }
    }

    /// Set or remove.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// The path something happened to; for a wildcard removal the mask's text.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The data, unopened.
    #[must_use]
    pub fn json(&self) -> &Json {
        &self.data
    }

    /// Reads the data. What is not an object arrives as [`crate::Wrapped`]; a removal carries
    /// `{"removed": n}`.
    ///
    /// # Errors
    /// [`ClientError::Decode`] when the data has another shape.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        self.data.decode().map_err(ClientError::decode)
    }

    /// Reads the meta: times, publisher, the publisher's own members.
    ///
    /// # Errors
    /// [`ClientError::Decode`] when the server sent members of unusable types.
    pub fn meta(&self) -> Result<Meta, ClientError> {
        Meta::read(&self.meta)
    }

    /// How many events were lost right before this one, because the subscription's buffer was
    /// full. Normally 0.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }
}
