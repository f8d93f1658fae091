//! Clients that publish numbered events and write down what arrives.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use happn_client::{Client, ClientConfig, ClientError, Event, SubscribeOptions};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::access::Access;
use super::ledger::{Ledger, Route};

const ARRIVAL_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);
/// Between two events of one publisher of a storm; slow enough for a debug build on two cores.
const STORM_PAUSE: Duration = Duration::from_millis(4);
/// Events that may wait for their observer; more than any phase publishes.
const OBSERVER_BUFFER: usize = 100_000;

/// One phase's traffic: everything published under its own path, and its books.
#[derive(Clone)]
pub(super) struct Phase {
    name: &'static str,
    /// Stored events may be refused, because nobody can write to the database for a while.
    may_be_refused: bool,
    books: Arc<Mutex<Ledger>>,
}

impl Phase {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            may_be_refused: false,
            books: Arc::default(),
        }
    }

    /// A phase in which stored events may be refused.
    pub(super) fn with_refusals(name: &'static str) -> Self {
        Self {
            may_be_refused: true,
            ..Self::new(name)
        }
    }

    /// Reads or changes the books.
    pub(super) fn books<T>(&self, work: impl FnOnce(&mut Ledger) -> T) -> T {
        work(&mut self.books.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Subscribes `client` of node `to` to all events of the phase and writes them down.
    pub(super) async fn observe(&self, to: usize, client: &Client) -> anyhow::Result<Observer> {
        let options = SubscribeOptions {
            buffer: OBSERVER_BUFFER,
            ..SubscribeOptions::default()
        };
        let mask = format!("/test-cluster/{}/*", self.name);
        let mut events = client.on(&mask, options).await?;
        let phase = self.clone();
        Ok(Observer(tokio::spawn(async move {
            while let Some(event) = events.next().await {
                phase.note(to, &event);
            }
        })))
    }

    fn note(&self, to: usize, event: &Event) {
        let Ok(data) = event.data::<Value>() else {
            return;
        };
        let (Some(from), Some(number)) = (data["from"].as_u64(), data["number"].as_u64()) else {
            return;
        };
        let Ok(from) = usize::try_from(from) else {
            return;
        };
        self.books(|ledger| ledger.note_arrived(Route { from, to }, number));
    }

    /// Publishes `count` events through node `from`; every second one is stored.
    pub(super) async fn publish(
        &self,
        from: usize,
        client: &Client,
        count: u64,
    ) -> anyhow::Result<()> {
        for number in 0..count {
            self.publish_one(from, client, number).await?;
        }
        Ok(())
    }

    async fn publish_one(&self, from: usize, client: &Client, number: u64) -> anyhow::Result<()> {
        let path = self.path(from);
        let data = json!({"from": from, "number": number});
        if number.is_multiple_of(2) {
            match client.set(&path, &data).await {
                Ok(_) => self.books(|ledger| ledger.note_stored(from, number)),
                Err(ClientError::Server(_)) if self.may_be_refused => {
                    self.books(|ledger| ledger.note_refused(from));
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        } else {
            client.publish(&path, &data).await?;
        }
        self.books(|ledger| ledger.note_published(from));
        Ok(())
    }

    fn path(&self, from: usize) -> String {
        format!("/test-cluster/{}/{from}", self.name)
    }

    /// What is wrong with what is stored of node `from`'s events, as `reader` sees it: what was
    /// answered "ok" must be there, or something later.
    pub(super) async fn stored_complaint(
        &self,
        from: usize,
        reader: &Client,
    ) -> anyhow::Result<Option<String>> {
        let Some(answered) = self.books(|ledger| ledger.stored(from)) else {
            return Ok(None);
        };
        let item = reader.get::<Value>(&self.path(from)).await?;
        let number = item.and_then(|item| item.data["number"].as_u64());
        let is_kept = number.is_some_and(|number| number >= answered);
        let node = from + 1;
        Ok((!is_kept).then(|| {
            format!("node-{node} stored event {answered}, and {number:?} is in the database")
        }))
    }

    /// Publishes through node `from` until `stop` turns true or the node goes away.
    pub(super) fn storm(
        &self,
        from: usize,
        client: Client,
        stop: watch::Receiver<bool>,
    ) -> JoinHandle<anyhow::Result<()>> {
        let phase = self.clone();
        tokio::spawn(async move {
            let mut number = 0;
            while !*stop.borrow() {
                phase.publish_one(from, &client, number).await?;
                number += 1;
                sleep(STORM_PAUSE).await;
            }
            Ok(())
        })
    }

    /// Waits until every event of `routes` has arrived, or for so long that it never will.
    pub(super) async fn arrives(&self, routes: &[Route]) {
        let deadline = Instant::now() + ARRIVAL_LIMIT;
        while !self.books(|ledger| ledger.is_complete(routes)) && Instant::now() < deadline {
            sleep(POLL).await;
        }
    }
}

/// Writes down what arrives until it is dropped.
pub(super) struct Observer(JoinHandle<()>);

impl Drop for Observer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A client at the front door of the node on `port`.
pub(super) async fn connect(port: u16, access: &Access) -> anyhow::Result<Client> {
    let config = ClientConfig {
        connect_timeout: Duration::from_secs(5),
        call_timeout: Duration::from_secs(15),
        credentials: access.credentials(),
        ..ClientConfig::new("127.0.0.1", port)
    };
    Client::connect(config)
        .await
        .with_context(|| format!("no client on port {port}"))
}

/// Waits until an event from each of `clients` reaches all of them: every link is up.
pub(super) async fn everyone_hears_everyone(clients: &[Client]) -> anyhow::Result<()> {
    let mut ears = Vec::new();
    for client in clients {
        ears.push(
            client
                .on("/test-cluster-links/*", SubscribeOptions::default())
                .await?,
        );
    }
    let deadline = Instant::now() + ARRIVAL_LIMIT;
    let mut heard = vec![vec![false; clients.len()]; clients.len()];
    while heard.iter().flatten().any(|heard| !heard) {
        if Instant::now() > deadline {
            bail!("not every node hears every other: {heard:?}");
        }
        for (from, client) in clients.iter().enumerate() {
            let path = format!("/test-cluster-links/{from}");
            client.publish(&path, &json!({"from": from})).await?;
        }
        sleep(POLL).await;
        for (ear, heard) in ears.iter_mut().zip(&mut heard) {
            while let Some(event) = ear.try_next() {
                let from = event.data::<Value>()?["from"].as_u64().unwrap_or(u64::MAX);
                if let Some(slot) = usize::try_from(from)
                    .ok()
                    .and_then(|from| heard.get_mut(from))
                {
                    *slot = true;
                }
            }
        }
    }
    Ok(())
}
