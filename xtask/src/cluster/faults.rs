//! Faults that nobody may notice in the events: everything published arrives once and in order.

use std::time::Duration;

use anyhow::{Context, bail};
use testkit::Line;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::ledger::routes;
use super::report;
use super::scenario::Cluster;
use super::traffic::{Phase, everyone_hears_everyone};

/// Longer than a link may be silent, shorter than anything is given up.
const FAULT: Duration = Duration::from_secs(8);
/// Longer than a sign of life may be missing.
const OUTAGE: Duration = Duration::from_secs(10);
/// Slower than the events come, and fast enough for a sign of life.
const SLOW_BYTES_PER_SECOND: u64 = 20_000;
/// How long bytes are on their way to a far peer, and again on their way back.
const DELAY: Duration = Duration::from_millis(250);
const STEADY_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

impl Cluster {
    /// One node's process stops for a while and goes on.
    pub(super) async fn pause(&mut self) -> anyhow::Result<()> {
        let victim = self.nodes.len() - 1;
        // It may be stopped while it holds the lock of the database. Then nobody can write until
        // it goes on, and clients must be told so.
        let storm = self.begin_with(Phase::with_refusals("paused")).await?;
        self.nodes[victim].signal("STOP").await?;
        sleep(FAULT).await;
        self.nodes[victim].signal("CONT").await?;
        self.end(storm, "while one was paused").await
    }

    /// No node reaches any other for a while; clients go on publishing everywhere.
    pub(super) async fn partition(&mut self) -> anyhow::Result<()> {
        let storm = self.begin("partition").await?;
        self.lines(Line::Cut);
        sleep(FAULT).await;
        self.lines(Line::Open);
        self.end(storm, "while all links were cut").await?;
        let storm = self.begin("half-open").await?;
        self.relays[0].set(Line::HalfOpen);
        sleep(FAULT * 2).await;
        // What is half-open stays so; only new connections work.
        self.relays[0].set(Line::Cut);
        self.relays[0].set(Line::Open);
        self.end(storm, "while the links to one were half-open")
            .await
    }

    /// Nobody can write to the database for a while.
    pub(super) async fn db_outage(&mut self) -> anyhow::Result<()> {
        let storm = self.begin_with(Phase::with_refusals("db-outage")).await?;
        let database = self.database();
        let locking = tokio::task::spawn_blocking(move || -> rusqlite::Result<_> {
            let connection = rusqlite::Connection::open(database)?;
            connection.busy_timeout(Duration::from_secs(10))?;
            connection.execute_batch("BEGIN EXCLUSIVE")?;
            Ok(connection)
        });
        let connection = locking.await?.context("the database cannot be locked")?;
        sleep(OUTAGE).await;
        // Closing it gives the lock back.
        tokio::task::spawn_blocking(move || drop(connection)).await?;
        if storm.phase.books(|ledger| ledger.refused()) == 0 {
            self.failures
                .push("no write was refused although the database was locked".to_owned());
        }
        self.end(storm, "while the database could not be written")
            .await
    }

    /// What the others hear of one node comes slower than it publishes.
    pub(super) async fn slow_peer(&mut self) -> anyhow::Result<()> {
        let storm = self.begin("slow-peer").await?;
        self.relays[0].set(Line::Slow(SLOW_BYTES_PER_SECOND));
        sleep(FAULT).await;
        self.relays[0].set(Line::Open);
        self.end(storm, "while the links to one were slow").await?;
        let storm = self.begin("far-peer").await?;
        self.relays[0].set(Line::Delayed(DELAY));
        sleep(FAULT).await;
        self.relays[0].set(Line::Open);
        self.end(storm, "while the links to one took their time")
            .await
    }

    fn lines(&self, line: Line) {
        self.relays.iter().for_each(|relay| relay.set(line));
    }

    async fn begin(&self, slug: &'static str) -> anyhow::Result<Storm> {
        self.begin_with(Phase::new(slug)).await
    }

    /// Clients of all nodes listen and publish.
    async fn begin_with(&self, phase: Phase) -> anyhow::Result<Storm> {
        let clients = self.clients().await?;
        let (stop, stopped) = watch::channel(false);
        let mut observers = Vec::new();
        for (to, client) in clients.iter().enumerate() {
            observers.push(phase.observe(to, client).await?);
        }
        let publishers = clients.iter().enumerate();
        let publishers = publishers
            .map(|(from, client)| phase.storm(from, client.clone(), stopped.clone()))
            .collect();
        let storm = Storm {
            phase,
            clients,
            publishers,
            stop,
            _observers: observers,
        };
        let everybody: Vec<usize> = (0..self.nodes.len()).collect();
        self.events_pass(&storm.phase, &everybody, 50).await?;
        Ok(storm)
    }

    /// After the fault: more events, and then every one of them is accounted for.
    async fn end(&mut self, storm: Storm, name: &str) -> anyhow::Result<()> {
        let everybody: Vec<usize> = (0..self.nodes.len()).collect();
        self.events_pass(&storm.phase, &everybody, 50).await?;
        let _ = storm.stop.send(true);
        for (from, publisher) in storm.publishers.into_iter().enumerate() {
            let ended = publisher.await?;
            ended.with_context(|| format!("the publisher at node-{} failed", from + 1))?;
        }
        let all = routes(&everybody);
        storm.phase.arrives(&all).await;
        everyone_hears_everyone(&storm.clients).await?;
        let complaints = storm
            .phase
            .books(|ledger| report::judge(name, ledger, &all));
        self.failures.extend(complaints);
        for from in everybody {
            // Through another node than the one that wrote.
            let reader = &storm.clients[(from + 1) % storm.clients.len()];
            self.failures
                .extend(storm.phase.stored_complaint(from, reader).await?);
        }
        self.all_steady().await
    }

    /// Every node sees the same again.
    pub(super) async fn all_steady(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + STEADY_LIMIT;
        while let Some(node) = self.nodes.iter().find(|node| node.state() != "STABLE") {
            if Instant::now() > deadline {
                bail!("{} is {} and not STABLE", node.name, node.state());
            }
            sleep(POLL).await;
        }
        Ok(())
    }
}

/// Traffic that goes on while something happens.
struct Storm {
    phase: Phase,
    clients: Vec<happn_client::Client>,
    publishers: Vec<tokio::task::JoinHandle<anyhow::Result<()>>>,
    stop: watch::Sender<bool>,
    _observers: Vec<super::traffic::Observer>,
}
