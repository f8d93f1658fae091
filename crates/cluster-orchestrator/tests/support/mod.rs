//! A world of nodes in one process: one store, one network, one (paused) time.

mod network;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cluster_orchestrator::{
    InterestSource, KeepaliveDocuments, NodeRecord, Orchestrator, OrchestratorConfig, State,
    Timing, View,
};
use happn_core::{
    Beat, BoxFuture, ChangeHints, Changes, Clock, DataStore, Gap, LocalInterest, LocalMasks,
    Membership, MembershipError, MemoryStore, PeerEvents, ReplicatedEvent,
};
use happn_paths::Mask;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

pub(crate) use network::Network;
use network::{Connector, Server};

/// A deadline for what must happen sooner or later; costs nothing, since time is paused.
const SOONER_OR_LATER: Duration = Duration::from_secs(300);

pub(crate) struct World {
    pub(crate) network: Arc<Network>,
    pub(crate) store: Arc<MemoryStore>,
    start: Instant,
}

/// A node to be started.
pub(crate) struct Plan<'w> {
    world: &'w World,
    pub(crate) config: OrchestratorConfig,
    interest: Option<InterestSource>,
    skew_ms: i64,
    tells: bool,
}

pub(crate) struct TestNode {
    pub(crate) orchestrator: Orchestrator,
    pub(crate) endpoint: String,
    server: Arc<Server>,
    network: Arc<Network>,
    received: watch::Receiver<Vec<String>>,
    table: Arc<Table>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            network: Arc::new(Network::default()),
            store: Arc::new(MemoryStore::new()),
            start: Instant::now(),
        }
    }

    /// Node `number` of a cluster that needs `minimum` nodes.
    pub(crate) fn node(&self, number: u8, minimum: u32) -> Plan<'_> {
        let config = OrchestratorConfig {
            cluster_name: "cluster-1".to_owned(),
            service_name: "svc".to_owned(),
            deployment: "deployment-1".to_owned(),
            cluster: OrchestratorConfig::minimum_peers("svc", minimum),
            replicate: vec![Mask::parse("*")],
            stabilise_timeout: Some(Duration::from_secs(30)),
            timing: Timing::DEFAULT,
            name: format!("node-{number}"),
            endpoint: format!("10.0.0.{number}:57000"),
            instance: format!("instance-{number}"),
        };
        Plan {
            world: self,
            config,
            interest: None,
            skew_ms: 0,
            tells: false,
        }
    }

    pub(crate) async fn stable_nodes(&self, count: u8) -> Vec<TestNode> {
        let nodes: Vec<_> = (1..=count)
            .map(|number| self.node(number, u32::from(count)).start())
            .collect();
        for node in &nodes {
            node.orchestrator.stabilised().await.unwrap();
        }
        nodes
    }

    /// The table as a node with this configuration keeps it.
    pub(crate) fn table(&self, config: &OrchestratorConfig, skew_ms: i64) -> KeepaliveDocuments {
        let record = NodeRecord {
            deployment: config.deployment.clone(),
            service: config.service_name.clone(),
            endpoint: config.endpoint.clone(),
            cluster_name: config.cluster_name.clone(),
            name: config.name.clone(),
            instance: config.instance.clone(),
        };
        let store = Arc::clone(&self.store) as Arc<dyn DataStore>;
        KeepaliveDocuments::new(store, self.clock(skew_ms), &record).unwrap()
    }

    fn clock(&self, skew_ms: i64) -> Arc<dyn Clock> {
        let start = self.start;
        Arc::new(WorldClock { start, skew_ms })
    }
}

impl Plan<'_> {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut OrchestratorConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// It asks its peers for no more than `clients` want.
    pub(crate) fn interested(mut self, clients: &Arc<Clients>) -> Self {
        let local = Arc::clone(clients) as Arc<_>;
        let masks_max = 4;
        self.interest = Some(InterestSource { local, masks_max });
        self
    }

    /// Its wall clock is off by so much.
    pub(crate) fn skewed(mut self, hours: i64) -> Self {
        self.skew_ms = hours * 3_600_000;
        self
    }

    /// Its store tells of newcomers.
    pub(crate) fn told(mut self) -> Self {
        self.tells = true;
        self
    }

    pub(crate) fn start(self) -> TestNode {
        self.config.validate().unwrap();
        let (world, config) = (self.world, self.config);
        let endpoint = config.endpoint.clone();
        let server = world.network.listen(&endpoint, &config);
        let table = Arc::new(Table {
            inner: world.table(&config, self.skew_ms),
            is_down: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
            read_ms: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            hints: Mutex::new(None),
            tells: self.tells,
        });
        let (sender, received) = watch::channel(Vec::new());
        let connector = Connector::new(&world.network, &endpoint);
        let orchestrator = Orchestrator::start(
            config,
            Arc::clone(&table) as Arc<dyn Membership>,
            Arc::new(connector),
            Arc::new(Recorder(Mutex::new(sender))),
            Arc::clone(&server) as Arc<_>,
            self.interest,
            world.clock(self.skew_ms),
        );
        TestNode {
            orchestrator,
            endpoint,
            server,
            network: Arc::clone(&world.network),
            received,
            table,
        }
    }
}

impl TestNode {
    pub(crate) fn state(&self) -> State {
        *self.orchestrator.state().borrow()
    }

    pub(crate) fn peer_names(&self) -> Vec<String> {
        let peers = self.orchestrator.peers().into_iter();
        peers.filter_map(|peer| peer.name).collect()
    }

    /// Waits until the node sees the cluster as `wanted` says.
    pub(crate) async fn sees(&self, wanted: impl FnMut(&View) -> bool) {
        let mut wanted = wanted;
        let mut view = self.orchestrator.view();
        let seen = timeout(SOONER_OR_LATER, view.wait_for(|view| wanted(view))).await;
        assert!(
            seen.is_ok(),
            "not seen: {:?}",
            self.orchestrator.view().borrow()
        );
    }

    pub(crate) async fn sees_members(&self, count: usize) {
        self.sees(|view| view.members.len() == count).await;
    }

    pub(crate) async fn sees_peers(&self, count: usize) {
        self.sees(|view| view.members.iter().filter(|it| it.is_peer).count() == count)
            .await;
    }

    /// Publishes to whoever is subscribed here.
    pub(crate) fn publish(&self, path: &str) {
        self.server.publish(path);
    }

    /// From now on its server confirms what it is asked for only after `delay`.
    pub(crate) fn confirm_after(&self, delay: Duration) {
        self.server.confirm_after(delay);
    }

    /// Waits until `paths` arrived, and nothing else.
    pub(crate) async fn receives(&self, paths: &[&str]) {
        let mut received = self.received.clone();
        let all = received.wait_for(|received| received.len() >= paths.len());
        let _ = timeout(SOONER_OR_LATER, all).await;
        assert_eq!(*self.received.borrow(), paths, "at {}", self.endpoint);
    }

    pub(crate) fn received(&self) -> Vec<String> {
        self.received.borrow().clone()
    }

    /// The store answers this node with errors.
    pub(crate) fn lose_store(&self, is_down: bool) {
        self.table.is_down.store(is_down, Ordering::Relaxed);
    }

    /// The store does not answer this node at all.
    pub(crate) fn hang_store(&self, is_silent: bool) {
        self.table.is_silent.store(is_silent, Ordering::Relaxed);
    }

    /// The store takes so long to read.
    pub(crate) fn slow_store(&self, seconds: u64) {
        self.table.read_ms.store(seconds * 1000, Ordering::Relaxed);
    }

    /// The store tells of a newcomer.
    pub(crate) fn tell(&self) {
        self.table.hints.lock().unwrap().as_ref().unwrap().hint();
    }

    /// The store can tell no more for now.
    pub(crate) fn tell_no_more(&self) {
        *self.table.hints.lock().unwrap() = None;
    }

    /// How often the table was read.
    pub(crate) fn reads(&self) -> u64 {
        self.table.reads.load(Ordering::Relaxed)
    }

    /// As SIGKILL does: sockets close, the record stays.
    pub(crate) fn kill(self) {
        self.network.forget(&self.endpoint);
    }

    /// As SIGTERM does.
    pub(crate) async fn stop(self) {
        self.orchestrator.stop().await;
        self.network.forget(&self.endpoint);
    }
}

/// Lets time pass in which nothing in particular is waited for.
pub(crate) async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// What the clients of a node want, and what is told about it.
#[derive(Default)]
pub(crate) struct Clients {
    masks: Mutex<Vec<Mask>>,
    changes: watch::Sender<u64>,
    confirmed: watch::Sender<u64>,
    overdue: AtomicU64,
}

impl Clients {
    /// They want this from now on; answers the number of the change.
    pub(crate) fn want(&self, masks: &[&str]) -> u64 {
        let mut held = self.masks.lock().unwrap();
        *held = masks.iter().map(|text| Mask::parse(text)).collect();
        let number = *self.changes.borrow() + 1;
        self.changes.send_replace(number);
        number
    }

    pub(crate) async fn confirmed(&self, number: u64) {
        let mut confirmed = self.confirmed.subscribe();
        let known = confirmed.wait_for(|known| *known >= number);
        timeout(SOONER_OR_LATER, known).await.unwrap().unwrap();
    }

    pub(crate) fn is_confirmed(&self, number: u64) -> bool {
        *self.confirmed.borrow() >= number
    }

    /// The subscription of change `number` was answered unconfirmed.
    pub(crate) fn overrun(&self, number: u64) {
        self.overdue.store(number, Ordering::Relaxed);
    }
}

impl LocalInterest for Clients {
    fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn masks(&self, max: usize) -> LocalMasks {
        let masks = self.masks.lock().unwrap();
        LocalMasks {
            number: *self.changes.borrow(),
            masks: (masks.len() <= max).then(|| masks.clone()),
        }
    }

    fn confirm(&self, number: u64) {
        self.confirmed.send_replace(number);
    }

    fn overdue(&self) -> u64 {
        self.overdue.load(Ordering::Relaxed)
    }
}

struct WorldClock {
    start: Instant,
    skew_ms: i64,
}

impl Clock for WorldClock {
    fn wall_ms(&self) -> i64 {
        1_795_446_000_000 + self.skew_ms + i64::try_from(self.start.elapsed().as_millis()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Keepalive documents that can be out of reach for one node.
struct Table {
    inner: KeepaliveDocuments,
    is_down: AtomicBool,
    is_silent: AtomicBool,
    /// How long a read takes.
    read_ms: AtomicU64,
    reads: AtomicU64,
    /// To whom newcomers are told, if this table tells.
    hints: Mutex<Option<ChangeHints>>,
    tells: bool,
}

impl Table {
    fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&KeepaliveDocuments) -> BoxFuture<'static, Result<T, MembershipError>>,
    ) -> BoxFuture<'static, Result<T, MembershipError>> {
        if self.is_silent.load(Ordering::Relaxed) {
            return Box::pin(std::future::pending());
        }
        if self.is_down.load(Ordering::Relaxed) {
            let error = MembershipError("no route to the store".to_owned());
            return Box::pin(std::future::ready(Err(error)));
        }
        call(&self.inner)
    }
}

impl Membership for Table {
    fn beat(&self) -> BoxFuture<'static, Result<(), MembershipError>> {
        self.call(Membership::beat)
    }

    fn beats(&self) -> BoxFuture<'static, Result<Vec<Beat>, MembershipError>> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let pause = Duration::from_millis(self.read_ms.load(Ordering::Relaxed));
        let reading = self.call(Membership::beats);
        Box::pin(async move {
            tokio::time::sleep(pause).await;
            reading.await
        })
    }

    fn watch(&self) -> BoxFuture<'static, Result<Option<Changes>, MembershipError>> {
        let (hints, changes) = Changes::channel();
        if !self.tells {
            return Box::pin(std::future::ready(Ok(None)));
        }
        *self.hints.lock().unwrap() = Some(hints);
        self.call(|_| Box::pin(std::future::ready(Ok(Some(changes)))))
    }

    fn leave(&self) -> BoxFuture<'static, Result<(), MembershipError>> {
        self.call(Membership::leave)
    }

    fn sweep(&self, beat: &Beat) -> BoxFuture<'static, Result<(), MembershipError>> {
        self.call(|table| table.sweep(beat))
    }
}

struct Recorder(Mutex<watch::Sender<Vec<String>>>);

impl PeerEvents for Recorder {
    fn deliver(&self, _peer: &str, events: &[ReplicatedEvent]) {
        let sender = self.0.lock().unwrap();
        sender.send_modify(|paths| paths.extend(events.iter().map(|it| it.path.to_string())));
    }

    fn missed(&self, peer: &str, gap: Gap) {
        let lost = gap.lost.map_or("some".to_owned(), |lost| lost.to_string());
        let sender = self.0.lock().unwrap();
        sender.send_modify(|paths| paths.push(format!("{lost} of {peer} lost")));
    }
}
