//! A network of servers that hand events to whoever is subscribed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cluster_orchestrator::OrchestratorConfig;
use happn_core::{
    BoxFuture, ClusterInfo, ConnectError, Gap, InterestChange, LinkError, PeerConnector, PeerLink,
    PeerLogin, PeerSession, ReplicatedEvent, SessionEvent, SessionEvents,
};
use happn_paths::{Depth, EventKind, Mask};
use happn_protocol::Json;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

#[derive(Default)]
pub(crate) struct Network {
    servers: Mutex<HashMap<String, Arc<Server>>>,
    /// Endpoints that neither accept nor refuse.
    silent: Mutex<HashSet<String>>,
    /// Endpoints at which the next dial is a bug.
    broken: Mutex<HashSet<String>>,
    /// Dials from one endpoint to another that are refused.
    walls: Mutex<HashSet<(String, String)>>,
}

/// What a node listens with.
pub(crate) struct Server {
    name: String,
    instance: String,
    delay: Mutex<Duration>,
    sessions: broadcast::Sender<SessionEvent>,
    links: Mutex<Links>,
}

#[derive(Default)]
struct Links {
    count: u64,
    open: BTreeMap<Arc<str>, ServerSide>,
}

struct ServerSide {
    info: ClusterInfo,
    is_subscribed: bool,
    /// What it asked for; until it does, everything.
    masks: Option<Vec<Mask>>,
    events: mpsc::UnboundedSender<ReplicatedEvent>,
    cut: CancellationToken,
}

impl Network {
    pub(crate) fn listen(&self, endpoint: &str, config: &OrchestratorConfig) -> Arc<Server> {
        let server = Arc::new(Server {
            name: config.name.clone(),
            instance: config.instance.clone(),
            delay: Mutex::default(),
            sessions: broadcast::channel(64).0,
            links: Mutex::default(),
        });
        let mut servers = self.servers.lock().unwrap();
        servers.insert(endpoint.to_owned(), Arc::clone(&server));
        server
    }

    /// The server is gone and so are its links.
    pub(crate) fn forget(&self, endpoint: &str) {
        let server = self.servers.lock().unwrap().remove(endpoint);
        if let Some(server) = server {
            server.cut(|_| true);
        }
    }

    pub(crate) fn silence(&self, endpoint: &str) {
        self.silent.lock().unwrap().insert(endpoint.to_owned());
    }

    /// It answers again, also those who are still waiting.
    pub(crate) fn answer(&self, endpoint: &str) {
        self.silent.lock().unwrap().remove(endpoint);
    }

    fn is_silent(&self, endpoint: &str) -> bool {
        self.silent.lock().unwrap().contains(endpoint)
    }

    pub(crate) fn break_once(&self, endpoint: &str) {
        self.broken.lock().unwrap().insert(endpoint.to_owned());
    }

    /// Cuts the link that `from` has at `to`, and every new one until the wall is torn down.
    pub(crate) fn wall(&self, from: &str, to: &str) {
        let wall = (from.to_owned(), to.to_owned());
        self.walls.lock().unwrap().insert(wall);
        let server = self.servers.lock().unwrap().get(to).cloned();
        if let Some(server) = server {
            server.cut(|info| info.endpoint.as_deref() == Some(from));
        }
    }

    pub(crate) fn tear_down(&self, from: &str, to: &str) {
        let wall = (from.to_owned(), to.to_owned());
        self.walls.lock().unwrap().remove(&wall);
    }

    fn dial(&self, from: &str, to: &str, login: &PeerLogin) -> Option<Box<dyn PeerLink>> {
        let wall = (from.to_owned(), to.to_owned());
        if self.walls.lock().unwrap().contains(&wall) {
            return None;
        }
        let server = self.servers.lock().unwrap().get(to).cloned()?;
        Some(Box::new(server.accept(login)))
    }
}

impl Server {
    fn accept(self: Arc<Self>, login: &PeerLogin) -> Link {
        let info: serde_json::Value = login.info.decode().unwrap();
        let text = |key: &str| info[key].as_str().map(str::to_owned);
        let info = ClusterInfo {
            cluster_name: text("clusterName").unwrap(),
            service_name: text("serviceName"),
            endpoint: text("endpoint"),
            name: text("name"),
            masks: Some(login.link.masks),
        };
        let (sender, events) = mpsc::unbounded_channel();
        let cut = CancellationToken::new();
        let mut links = self.links.lock().unwrap();
        links.count += 1;
        let session_id: Arc<str> = format!("session-{}", links.count).into();
        let side = ServerSide {
            info: info.clone(),
            is_subscribed: false,
            masks: None,
            events: sender,
            cut: cut.clone(),
        };
        links.open.insert(Arc::clone(&session_id), side);
        drop(links);
        self.tell(SessionEvent::Authenticated {
            session_id: Arc::clone(&session_id),
            cluster: Some(info),
        });
        Link {
            server: self,
            session_id,
            events,
            cut,
        }
    }

    pub(crate) fn publish(&self, path: &str) {
        let event = ReplicatedEvent {
            kind: EventKind::Set,
            path: path.into(),
            data: Json::EMPTY_OBJECT,
            session_id: "origin".into(),
            publication_id: "origin-1".into(),
            created: None,
            modified: None,
            event_origin: None,
            merge_data: None,
            consistency: None,
            sequence: None,
            custom: Vec::new(),
        };
        let links = self.links.lock().unwrap();
        let hears = |side: &&ServerSide| {
            let is_wanted = |mask: &Mask| mask.matches(path, Depth::MAX);
            side.is_subscribed && (side.masks.as_ref()).is_none_or(|it| it.iter().any(is_wanted))
        };
        for side in links.open.values().filter(hears) {
            side.events.send(event.clone()).unwrap();
        }
    }

    pub(crate) fn confirm_after(&self, delay: Duration) {
        *self.delay.lock().unwrap() = delay;
    }

    fn take_up(&self, session_id: &Arc<str>, change: InterestChange) {
        let mut links = self.links.lock().unwrap();
        let Some(side) = links.open.get_mut(session_id) else {
            return;
        };
        let masks = side.masks.get_or_insert_default();
        masks.extend(change.add);
        masks.retain(|mask| !change.remove.contains(mask));
        if !std::mem::replace(&mut side.is_subscribed, true) {
            let session_id = Arc::clone(session_id);
            self.tell(SessionEvent::Subscribed { session_id });
        }
    }

    fn cut(&self, which: impl Fn(&ClusterInfo) -> bool) {
        let links = self.links.lock().unwrap();
        let sides = links.open.values().filter(|side| which(&side.info));
        sides.for_each(|side| side.cut.cancel());
    }

    fn tell(&self, event: SessionEvent) {
        // Nobody may be listening.
        let _ = self.sessions.send(event);
    }
}

impl SessionEvents for Server {
    fn watch(&self) -> broadcast::Receiver<SessionEvent> {
        self.sessions.subscribe()
    }

    fn peers(&self) -> Vec<PeerSession> {
        let links = self.links.lock().unwrap();
        let peer = |(session_id, side): (&Arc<str>, &ServerSide)| PeerSession {
            session_id: Arc::clone(session_id),
            info: side.info.clone(),
            is_subscribed: side.is_subscribed,
        };
        links.open.iter().map(peer).collect()
    }
}

pub(crate) struct Connector {
    network: Arc<Network>,
    from: String,
}

impl Connector {
    pub(crate) fn new(network: &Arc<Network>, from: &str) -> Self {
        Self {
            network: Arc::clone(network),
            from: from.to_owned(),
        }
    }
}

impl PeerConnector for Connector {
    fn connect(
        &self,
        endpoint: String,
        login: PeerLogin,
    ) -> BoxFuture<'static, Result<Box<dyn PeerLink>, ConnectError>> {
        let (network, from) = (Arc::clone(&self.network), self.from.clone());
        Box::pin(async move {
            while network.is_silent(&endpoint) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert_ne!(from, endpoint, "a node dialed itself");
            if network.broken.lock().unwrap().remove(&endpoint) {
                panic!("a bug in the connector");
            }
            tokio::task::yield_now().await;
            let link = network.dial(&from, &endpoint, &login);
            link.ok_or_else(|| ConnectError::Unreachable {
                endpoint,
                reason: "refused".to_owned(),
            })
        })
    }

    fn forget(&self, _endpoint: &str) -> Option<Gap> {
        None
    }
}

struct Link {
    server: Arc<Server>,
    session_id: Arc<str>,
    events: mpsc::UnboundedReceiver<ReplicatedEvent>,
    cut: CancellationToken,
}

impl PeerLink for Link {
    fn peer_name(&self) -> &str {
        &self.server.name
    }

    fn peer_instance(&self) -> Option<&str> {
        Some(&self.server.instance)
    }

    fn takes_interest(&self) -> bool {
        true
    }

    fn change_interest(&mut self, change: InterestChange) -> BoxFuture<'_, Result<(), LinkError>> {
        Box::pin(async move {
            let delay = *self.server.delay.lock().unwrap();
            tokio::time::sleep(delay).await;
            self.server.take_up(&self.session_id, change);
            Ok(())
        })
    }

    fn take_gap(&mut self) -> Option<Gap> {
        None
    }

    fn subscribe(&mut self, masks: Vec<Mask>) -> BoxFuture<'_, Result<(), LinkError>> {
        assert_eq!(masks, [Mask::parse("*")]);
        let mut links = self.server.links.lock().unwrap();
        if let Some(side) = links.open.get_mut(&self.session_id) {
            side.is_subscribed = true;
            let session_id = Arc::clone(&self.session_id);
            self.server.tell(SessionEvent::Subscribed { session_id });
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn receive<'a>(
        &'a mut self,
        events: &'a mut Vec<ReplicatedEvent>,
    ) -> BoxFuture<'a, Result<(), LinkError>> {
        Box::pin(async move {
            tokio::select! {
                biased;
                () = self.cut.cancelled() => Err(LinkError::Lost("cut".to_owned())),
                event = self.events.recv() => {
                    events.extend(event);
                    while let Ok(event) = self.events.try_recv() {
                        events.push(event);
                    }
                    Ok(())
                }
            }
        })
    }

    fn close(self: Box<Self>, _for_good: bool) -> BoxFuture<'static, ()> {
        drop(self);
        Box::pin(std::future::ready(()))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let session_id = Arc::clone(&self.session_id);
        self.server.links.lock().unwrap().open.remove(&session_id);
        self.server.tell(SessionEvent::Detached { session_id });
    }
}
