//! Verbs that change or publish something.

use std::time::Duration;

use happn_paths::{Action, validate};
use happn_protocol::Json;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Client;
use super::core::object;
use crate::connection::{Call, PublicationEnd, Waiting};
use crate::{ClientError, Meta, PublishResults, WriteOptions};

/// The answer to a write.
#[derive(Debug)]
#[non_exhaustive]
pub struct Written {
    /// The stored item, merged if asked for; `None` when no data was asked for.
    pub data: Option<Json>,
    /// Path and times.
    pub meta: Meta,
    /// The publication's end, when the consistency reports it apart from the answer.
    pub publication: Option<Publication>,
}

impl Written {
    /// Reads the stored item.
    ///
    /// # Errors
    /// [`ClientError::Decode`] when there is none, or it has another shape.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        let data = self.data.clone().unwrap_or(Json::NULL);
        data.decode().map_err(ClientError::decode)
    }
}

/// A publication whose end is not known yet. Dropping it ignores the end.
#[derive(Debug)]
pub struct Publication {
    waiting: Waiting<PublicationEnd>,
    timeout: Duration,
}

impl Publication {
    /// Waits until the event was delivered, or acknowledged, as asked for. Dropping the future
    /// ignores the end.
    ///
    /// # Errors
    /// [`ClientError::Publication`] when the server reports a failure, such as
    /// `unacknowledged publication`, or nothing within the publication timeout;
    /// [`ClientError::Disconnected`] when the connection was lost meanwhile.
    pub async fn wait(mut self) -> Result<PublishResults, ClientError> {
        let end = tokio::time::timeout(self.timeout, self.waiting.wait()).await;
        match end {
            Err(_) => Err(ClientError::Publication("publish timed out".to_owned())),
            Ok(None) => Err(ClientError::Disconnected {
                reason: "the connection was lost before the publication ended".to_owned(),
            }),
            Ok(Some((_, Some(error)))) => Err(ClientError::Publication(error)),
            Ok(Some((results, None))) => results.decode().map_err(ClientError::decode),
        }
    }
}

impl Client {
    /// Stores `data` at `path` and publishes it.
    ///
    /// # Errors
    /// See [`Client::set_with`].
    pub async fn set<T: Serialize + ?Sized>(
        &self,
        path: &str,
        data: &T,
    ) -> Result<Written, ClientError> {
        self.set_with(path, data, &WriteOptions::default()).await
    }

    /// Stores, merges or publishes `data` at `path`. Dropping the future does not undo a request
    /// that was already sent.
    ///
    /// # Errors
    /// [`ClientError::Path`] before anything is sent, [`ClientError::Disconnected`] at once while
    /// there is no connection, [`ClientError::Server`] when the server refuses or fails, and
    /// [`ClientError::Timeout`] when it does not answer.
    pub async fn set_with<T: Serialize + ?Sized>(
        &self,
        path: &str,
        data: &T,
        options: &WriteOptions,
    ) -> Result<Written, ClientError> {
        let data = Json::encode(data).map_err(ClientError::encode)?;
        self.write(path, &data, options, None).await
    }

    /// Publishes `data` on `path` without storing it.
    ///
    /// # Errors
    /// See [`Client::set_with`].
    pub async fn publish<T: Serialize + ?Sized>(
        &self,
        path: &str,
        data: &T,
    ) -> Result<(), ClientError> {
        let options = WriteOptions {
            no_store: true,
            no_data_response: true,
            ..WriteOptions::default()
        };
        self.set_with(path, data, &options).await.map(drop)
    }

    /// Adds `by` to `gauge` of the item at `path` and answers the new total. The usual gauge is
    /// `counter`.
    ///
    /// # Errors
    /// See [`Client::set_with`].
    pub async fn increment(
        &self,
        path: &str,
        gauge: &str,
        by: impl Into<serde_json::Number>,
    ) -> Result<serde_json::Number, ClientError> {
        #[derive(serde::Deserialize)]
        struct Total {
            value: serde_json::Number,
        }
        let gauge = Json::encode(gauge).map_err(ClientError::encode)?;
        let by = by.into();
        let options = WriteOptions::default();
        let written = self.write(path, &gauge, &options, Some(&by)).await?;
        written.data::<Total>().map(|total| total.value)
    }

    async fn write(
        &self,
        path: &str,
        data: &Json,
        options: &WriteOptions,
        increment: Option<&serde_json::Number>,
    ) -> Result<Written, ClientError> {
        validate(path, Action::Set)?;
        let timeout = self.core.timeout(options.timeout);
        let encoded = options.encode(timeout, data.is_null(), increment)?;
        let call = Call {
            action: "set",
            path: Some(path),
            data: Some(data),
            options: Some(&encoded),
            timeout: Some(timeout),
        };
        self.perform(call, options).await
    }

    /// Makes a request that publishes.
    pub(super) async fn perform(
        &self,
        call: Call<'_>,
        options: &WriteOptions,
    ) -> Result<Written, ClientError> {
        let connection = self.core.connection()?;
        let (reply, publication) = if options.is_reported() {
            let (reply, waiting) = connection.call_published(call).await?;
            let timeout = self.core.config.publication_timeout;
            (reply, Some(Publication { waiting, timeout }))
        } else {
            (connection.call(call).await?, None)
        };
        let (data, meta) = object(reply)?;
        Ok(Written {
            data,
            meta: Meta::read(&meta)?,
            publication,
        })
    }
}
