//! The connection to the database: one client with its pool, and what was last heard of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bson::{Document, RawDocumentBuf, doc};
use mongodb::event::EventHandler;
use mongodb::event::sdam::SdamEvent;
use mongodb::options::ClientOptions;
use mongodb::{Client, Collection};

use crate::failure::{self, Failure};
use crate::{MongoConfig, OpenError};

/// MongoDB 5.0: the first that stores keys with dots and dollars as they are.
const WIRE_VERSION_MIN: i32 = 13;

/// A collection of a database that has been reached at least once. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) collection: Collection<RawDocumentBuf>,
    hosts: Arc<str>,
    heard: Heard,
}

/// Why a server was last found unusable.
type Heard = Arc<Mutex<Option<String>>>;

impl Connection {
    /// Connects, or says why that is impossible, within the configured times.
    pub(crate) async fn open(config: &MongoConfig) -> Result<Self, OpenError> {
        let hosts: Arc<str> = config.address.hosts().into();
        let heard = Heard::default();
        let unusable = |reason: String| OpenError::Unreachable {
            hosts: hosts.to_string(),
            database: config.database().to_owned(),
            reason,
        };
        let options = within(
            config.selection_timeout,
            ClientOptions::parse(config.address.secret_text()),
        );
        let options = options.await.map_err(|failure| match failure {
            Failure::Driver(error) => unusable(failure::reason(&error)),
            _ => unusable("its name could not be looked up in time".to_owned()),
        })?;
        let client = Client::with_options(completed(options, config, &heard))
            .map_err(|error| unusable(failure::reason(&error)))?;
        let connection = Self {
            collection: client
                .database(config.database())
                .collection(config.collection()),
            client,
            hosts: hosts.clone(),
            heard,
        };
        // Selecting a server, connecting to it and its answer, one after the other.
        let patience = config.selection_timeout + config.item_timeout;
        let hello = connection.command(doc! {"hello": 1}, patience).await;
        let hello = hello.map_err(|failure| unusable(connection.explain(&failure)))?;
        match hello.get_i32("maxWireVersion") {
            Ok(version) if version < WIRE_VERSION_MIN => Err(OpenError::TooOld {
                hosts: hosts.to_string(),
            }),
            _ => Ok(connection),
        }
    }

    /// Runs a command on the database.
    pub(crate) async fn command(
        &self,
        command: Document,
        patience: Duration,
    ) -> Result<Document, Failure> {
        let database = self.client.database(&self.collection.namespace().db);
        within(patience, async move { database.run_command(command).await }).await
    }

    /// Where the database is, and why it was last found unusable.
    pub(crate) fn servers(&self) -> String {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        match &*heard {
            Some(reason) => format!("{}: {reason}", self.hosts),
            None => format!("{}: no server can be used", self.hosts),
        }
    }

    /// A failure in words, without the hosts.
    fn explain(&self, failure: &Failure) -> String {
        let heard = self
            .heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match (failure, heard) {
            (Failure::Driver(error), Some(reason)) if failure::is_selection(error) => reason,
            (Failure::Driver(error), _) => failure::reason(error),
            (_, Some(reason)) => reason,
            _ => "no answer in time".to_owned(),
        }
    }
}

/// Waits for the driver, but not for ever: a connection without an answer is given up, which
/// closes it. Only called in tasks of our own, so that no caller ends the driver's work early.
pub(crate) async fn within<T>(
    patience: Duration,
    work: impl IntoFuture<Output = mongodb::error::Result<T>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(patience, work.into_future()).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::Silence),
    }
}

/// The options of the url, with ours where it says nothing.
fn completed(mut options: ClientOptions, config: &MongoConfig, heard: &Heard) -> ClientOptions {
    let connections = config.writes_max + config.reads_max;
    let connections = u32::try_from(connections).unwrap_or(u32::MAX);
    options.server_selection_timeout = options
        .server_selection_timeout
        .or(Some(config.selection_timeout));
    options.connect_timeout = options.connect_timeout.or(Some(config.connect_timeout));
    options.max_pool_size = options.max_pool_size.or(Some(connections.max(1)));
    options.app_name = options.app_name.or(Some("happn".to_owned()));
    let heard = heard.clone();
    options.sdam_event_handler = Some(EventHandler::callback(move |event| {
        let reason = match event {
            SdamEvent::ServerHeartbeatFailed(event) => Some(failure::reason(&event.failure)),
            SdamEvent::ServerHeartbeatSucceeded(_) => None,
            _ => return,
        };
        *heard.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }));
    options
}
