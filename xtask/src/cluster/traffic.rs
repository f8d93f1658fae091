//! Clients that publish numbered events and write down what arrives.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use happn_client::{Client, ClientConfig, Event, SubscribeOptions};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

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
    /// Every second event is stored.
    stores: bool,
    books: Arc<Mutex<Ledger>>,
}

impl Phase {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            stores: true,
            books: Arc::default(),
        }
    }

    /// A phase in which nothing is stored.
    pub(super) fn volatile(name: &'static str) -> Self {
        Self {
            stores: false,
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
        let path = format!("/test-cluster/{}/{from}", self.name);
        let data = json!({"from": from, "number": number});
        if self.stores && number.is_multiple_of(2) {
            client.set(&path, &data).await?;
        } else {
            client.publish(&path, &data).await?;
        }
        self.books(|ledger| ledger.note_published(from));
        Ok(())
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
pub(super) async fn connect(port: u16) -> anyhow::Result<Client> {
    let config = ClientConfig {
        connect_timeout: Duration::from_secs(5),
        call_timeout: Duration::from_secs(15),
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
