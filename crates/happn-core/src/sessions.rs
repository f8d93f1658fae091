//! Who is connected: clients come, log in, and go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use happn_protocol::system::server_side_disconnect;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::identity::Identity;
use crate::seams::session_events::{PeerSession, SessionEvent, SessionEvents};
use crate::session::Origin;
use crate::session_log;
use crate::{Connection, Ending, Node, NodeConfig, Session};

/// Session events that may wait for a slow watcher before it has to start over.
const SESSION_EVENTS_MAX: usize = 1024;

/// The sessions of a node, and who watches them come and go.
#[derive(Debug)]
pub(crate) struct Sessions {
    attached: Mutex<HashMap<Arc<str>, Arc<Session>>>,
    events: broadcast::Sender<SessionEvent>,
    /// How clients end, those that come later included.
    clients_ending: OnceLock<Ending>,
    /// How the sessions of other nodes end once no client is left.
    ending: OnceLock<Ending>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            attached: Mutex::default(),
            events: broadcast::channel(SESSION_EVENTS_MAX).0,
            clients_ending: OnceLock::new(),
            ending: OnceLock::new(),
        }
    }
}

impl Sessions {
    fn attached(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Session>>> {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self, event: SessionEvent) {
        // Nobody needs to watch.
        let _ = self.events.send(event);
    }
}

impl Node {
    /// How many clients are connected.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.attached().len()
    }

    /// The session with this id, while it is attached.
    #[must_use]
    pub fn session(&self, session_id: &str) -> Option<Arc<Session>> {
        self.sessions.attached().get(session_id).cloned()
    }

    /// Takes a new client in. [`Node::detach`] must follow when its socket is gone.
    #[must_use]
    pub fn attach(&self, connection: Connection) -> Arc<Session> {
        self.take_in(connection, Origin::Network)
    }

    /// Takes in a client of the same process, which logs in like any other.
    #[must_use]
    pub fn attach_local(&self, connection: Connection) -> Arc<Session> {
        self.take_in(connection, Origin::Process)
    }

    /// Takes in the program around the node itself: it may do everything, also on a secure node,
    /// and its login needs no credentials. Never for a client that came over a network.
    #[must_use]
    pub fn attach_trusted(&self, connection: Connection) -> Arc<Session> {
        self.take_in(connection, Origin::Trusted)
    }

    fn take_in(&self, connection: Connection, origin: Origin) -> Arc<Session> {
        let id: Arc<str> = Uuid::new_v4().to_string().into();
        let now = self.clock().monotonic();
        let session = Session::new(
            id.clone(),
            connection,
            &self.config.limits,
            now,
            self.layers.clone(),
            origin,
        );
        if origin == Origin::Trusted && self.is_secure() {
            session.become_somebody(Identity::of_the_node(id.clone()));
        }
        let session = Arc::new(session);
        self.sessions.attached().insert(id.clone(), session.clone());
        self.sessions
            .announce(SessionEvent::Attached { session_id: id });
        if let Some(ending) = self.sessions.clients_ending.get() {
            end(&session, ending);
        }
        session
    }

    /// Forgets a client and everything it subscribed to.
    pub fn detach(&self, session: &Session) {
        let held = self.sessions.attached().remove(session.id());
        let Some(held) = held else {
            return self.subscriptions.forget(session);
        };
        self.acknowledgements.desert(session.id());
        self.let_go(&held);
        self.end_links();
        if self.config.log_sessions {
            session_log::detached(session);
        }
        self.sessions.announce(SessionEvent::Detached {
            session_id: session.id().clone(),
        });
    }

    /// Visits every session. `visit` must be short and must not attach or detach.
    pub(crate) fn for_each_session(&self, mut visit: impl FnMut(&Arc<Session>)) {
        self.sessions.attached().values().for_each(&mut visit);
    }

    /// Ends one session for good, after what is queued for it is written: the client is told
    /// `reason`, if there is one, and does not reconnect. False when there is no such session.
    pub fn end_session(&self, session_id: &str, reason: Option<&str>) -> bool {
        let Some(session) = self.session(session_id) else {
            return false;
        };
        end_for_good(&session, reason);
        true
    }

    /// Ends the connections that have been there for the configured time and never logged in.
    /// Whoever serves the node calls it once per [`UnconfiguredCleanup::interval`](crate::UnconfiguredCleanup::interval).
    pub fn end_unconfigured(&self) {
        let Some(cleanup) = self.config.unconfigured_cleanup else {
            return;
        };
        let now = self.clock().monotonic();
        let mut ended = 0_usize;
        for session in self.sessions.attached().values() {
            let age = now.saturating_sub(session.attached_at());
            if age > cleanup.threshold && !session.is_logged_in() {
                end_for_good(session, None);
                ended += 1;
            }
        }
        if cleanup.is_logged {
            tracing::debug!(ended, "looked for connections that never logged in");
        }
    }

    /// How the node was configured.
    #[must_use]
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// Ends the sessions of all clients, each after what is queued for it is written, and of all
    /// that come from now on. Other nodes stay, so that clients hear to the end what happens there.
    pub fn end_clients(&self, ending: &Ending) {
        // The first ending wins.
        let _ = self.sessions.clients_ending.set(ending.clone());
        self.end_present_clients(ending);
    }

    fn end_present_clients(&self, ending: &Ending) {
        for session in self.sessions.attached().values() {
            if !session.is_cluster_link() {
                end(session, ending);
            }
        }
    }

    /// Completes when no client is connected; other nodes may be. Cancel-safe.
    pub async fn without_clients(&self) {
        let mut events = self.watch();
        while self.has_clients() {
            // Whoever lags looks again, too; the channel lives as long as the node.
            let _ = events.recv().await;
        }
    }

    fn has_clients(&self) -> bool {
        let attached = self.sessions.attached();
        attached.values().any(|session| !session.is_cluster_link())
    }

    /// Ends every session, each after what is queued for it is written. Clients that must not
    /// come back are told why. Other nodes follow when no client is left, so that what clients
    /// publish last still reaches them.
    pub fn end_sessions(&self, ending: &Ending) {
        // The first ending wins.
        let _ = self.sessions.ending.set(ending.clone());
        self.end_present_clients(ending);
        self.end_links();
    }

    /// Ends the sessions of other nodes if that is due.
    fn end_links(&self) {
        let Some(ending) = self.sessions.ending.get() else {
            return;
        };
        let attached = self.sessions.attached();
        if attached.values().all(|session| session.is_cluster_link()) {
            attached.values().for_each(|session| end(session, ending));
        }
    }

    pub(crate) fn announce_login(&self, session: &Session) {
        if self.config.log_sessions {
            session_log::attached(session);
        }
        self.sessions.announce(SessionEvent::Authenticated {
            session_id: session.id().clone(),
            cluster: session.cluster(),
        });
    }

    /// Says so once a node has made all the subscriptions it announced.
    pub(crate) fn announce_subscribed(&self, session: &Arc<Session>) {
        if session.is_newly_subscribed() {
            self.subscriptions_complete(session);
        }
    }

    /// Says so the first time a node has told what it wants to hear.
    pub(crate) fn announce_interest(&self, session: &Arc<Session>) {
        if session.mark_subscribed() {
            self.subscriptions_complete(session);
        }
    }

    fn subscriptions_complete(&self, session: &Arc<Session>) {
        if let Some(earlier) = self.links.subscribed(session) {
            self.subscriptions.forget(&earlier);
        }
        self.sessions.announce(SessionEvent::Subscribed {
            session_id: session.id().clone(),
        });
    }
}

fn end(session: &Session, ending: &Ending) {
    match ending {
        Ending::Final => end_for_good(session, Some("reconnect-false")),
        other => session.outbox().end(other.clone()),
    }
}

pub(crate) fn end_for_good(session: &Session, reason: Option<&str>) {
    if let Some(reason) = reason {
        session.send(server_side_disconnect(reason));
    }
    session.outbox().end(Ending::Final);
}

impl SessionEvents for Node {
    fn refuse(&self, session_id: &str) {
        // On an open node anybody may say anything, and gets nothing for it.
        if self.is_secure() {
            self.end_session(session_id, Some("no node of this cluster"));
        }
    }

    fn watch(&self) -> broadcast::Receiver<SessionEvent> {
        self.sessions.events.subscribe()
    }

    fn peers(&self) -> Vec<PeerSession> {
        let peer = |session: &Arc<Session>| {
            Some(PeerSession {
                session_id: session.id().clone(),
                info: session.cluster()?,
                is_subscribed: session.is_subscribed(),
            })
        };
        self.sessions.attached().values().filter_map(peer).collect()
    }
}
