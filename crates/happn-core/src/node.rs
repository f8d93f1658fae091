//! The node: everything a client can reach, without its socket.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use happn_protocol::publication::Event;
use happn_protocol::system::server_side_disconnect;
use happn_protocol::{Json, write_string};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::acknowledgements::Acknowledgements;
use crate::publisher::{Publication, Report, publish};
use crate::seams::event_sink::{Delivery, EventSink, ReplicatedEvent};
use crate::seams::session_events::{PeerSession, SessionEvent, SessionEvents};
use crate::session::{COOKIE_NAME, Connection};
use crate::subscriptions::Subscriptions;
use crate::{Authority, Clock, DataService, Ending, NodeConfig, Session};

/// One happn node. Shared by everything that serves it.
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// use std::sync::Arc;
/// use happn_core::{DataService, MemoryStore, Node, NodeConfig, OpenAuthority, SystemClock};
///
/// let data = DataService::new(Arc::new(MemoryStore::new()));
/// let clock = Arc::new(SystemClock::new());
/// let node = Node::new(NodeConfig::named("example"), data, Arc::new(OpenAuthority), clock);
/// assert_eq!(node.name(), "example");
/// # });
/// ```
#[derive(Debug)]
pub struct Node {
    pub(crate) config: NodeConfig,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) acknowledgements: Acknowledgements,
    pub(crate) stopping: CancellationToken,
    parts: Parts,
    sessions: Mutex<HashMap<Arc<str>, Arc<Session>>>,
    session_events: broadcast::Sender<SessionEvent>,
    reference_prefix: String,
    references: AtomicU64,
    refused_frames: AtomicU64,
}

/// What the node is given; kept apart because trait objects do not print.
struct Parts {
    data: DataService,
    authority: Arc<dyn Authority>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

/// Session events that may wait for a slow watcher before it has to start over.
const SESSION_EVENTS_MAX: usize = 1024;

impl Node {
    /// A node called `config.name` on `data`.
    #[must_use]
    pub fn new(
        config: NodeConfig,
        data: DataService,
        authority: Arc<dyn Authority>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let seed = Uuid::new_v4().as_u64_pair();
        Arc::new(Self {
            config,
            subscriptions: Subscriptions::new([seed.0, seed.1]),
            acknowledgements: Acknowledgements::default(),
            stopping: CancellationToken::new(),
            parts: Parts {
                data,
                authority,
                clock,
            },
            sessions: Mutex::default(),
            session_events: broadcast::channel(SESSION_EVENTS_MAX).0,
            reference_prefix: url_safe(Uuid::new_v4().as_bytes()),
            references: AtomicU64::new(0),
            refused_frames: AtomicU64::new(0),
        })
    }

    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Where documents live.
    #[must_use]
    pub fn data(&self) -> &DataService {
        &self.parts.data
    }

    /// The node's clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.parts.clock
    }

    pub(crate) fn authority(&self) -> &Arc<dyn Authority> {
        &self.parts.authority
    }

    /// How many clients are connected.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions().len()
    }

    /// Frames that clients lost because their outbox was full or their session was ending.
    #[must_use]
    pub fn refused_frames(&self) -> u64 {
        self.refused_frames.load(Ordering::Relaxed)
    }

    /// Takes a new client in. [`Node::detach`] must follow when its socket is gone.
    #[must_use]
    pub fn attach(&self, connection: Connection) -> Arc<Session> {
        let id: Arc<str> = Uuid::new_v4().to_string().into();
        let session = Arc::new(Session::new(id.clone(), connection, &self.config.limits));
        self.sessions().insert(id.clone(), session.clone());
        let _ = self
            .session_events
            .send(SessionEvent::Attached { session_id: id });
        session
    }

    /// Forgets a client and everything it subscribed to.
    pub fn detach(&self, session: &Session) {
        self.subscriptions.forget(session);
        self.sessions().remove(session.id());
        let session_id = session.id().clone();
        let _ = self
            .session_events
            .send(SessionEvent::Detached { session_id });
    }

    /// Ends every session, each after what is queued for it is written. Clients that must not
    /// come back are told why.
    pub fn end_sessions(&self, ending: &Ending) {
        for session in self.sessions().values() {
            if *ending == Ending::Final {
                session
                    .outbox()
                    .push(server_side_disconnect("reconnect-false"));
            }
            session.outbox().end(ending.clone());
        }
    }

    /// Stops waiting for acknowledgements. Sessions are ended with [`Node::end_sessions`], the
    /// stores with [`DataService::close`].
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// What `describe` answers.
    pub(crate) fn description(&self, with_cookie: bool) -> Json {
        let mut out = b"{\"name\":".to_vec();
        write_string(&mut out, self.name());
        out.extend_from_slice(b",\"secure\":");
        out.extend_from_slice(if self.authority().is_secure() {
            b"true"
        } else {
            b"false"
        });
        if with_cookie {
            out.extend_from_slice(b",\"cookieName\":");
            write_string(&mut out, COOKIE_NAME);
        }
        out.push(b'}');
        Json::from_trusted(out)
    }

    /// A new subscription reference: unique in this process, hard to guess for others.
    pub(crate) fn next_reference(&self) -> Arc<str> {
        let number = self.references.fetch_add(1, Ordering::Relaxed) + 1;
        format!("{}-{number}", self.reference_prefix).into()
    }

    pub(crate) fn announce_login(&self, session: &Session) {
        let _ = self.session_events.send(SessionEvent::Authenticated {
            session_id: session.id().clone(),
            cluster: session.cluster(),
        });
    }

    /// Says so once a node has made all the subscriptions it announced.
    pub(crate) fn announce_subscribed(&self, session: &Session) {
        if session.is_newly_subscribed() {
            let session_id = session.id().clone();
            let _ = self
                .session_events
                .send(SessionEvent::Subscribed { session_id });
        }
    }

    pub(crate) fn publish_counted(
        &self,
        publication: &Publication<'_>,
        reached: impl FnMut(&Arc<Session>),
    ) -> Delivery {
        let report = publish(&self.subscriptions, publication, reached);
        if report.delivery.refused > 0 {
            self.count_refused(&report);
        }
        report.delivery
    }

    /// Counts every lost frame, and says once per session that it was too slow. Nothing more is
    /// encoded for it.
    fn count_refused(&self, report: &Report) {
        let mut lost = u64::from(report.delivery.refused);
        for (session, frames) in &report.overflowed {
            lost += *frames as u64 - 1;
            tracing::warn!(session = %session.id(), frames, "a client is too slow: its events are dropped and its session ends");
            self.subscriptions.forget(session);
        }
        self.refused_frames.fetch_add(lost, Ordering::Relaxed);
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for Node {
    fn publish(&self, event: &ReplicatedEvent) -> Delivery {
        let publication = Publication {
            kind: event.kind,
            event: Event {
                action: action_name(event.kind),
                path: &event.path,
                session_id: &event.session_id,
                consistency: "2",
                publication_id: &event.publication_id,
                created: event.created,
                modified: event.modified,
                event_origin: event.event_origin.as_ref(),
                custom: &event.custom,
            },
            data: &event.data,
            merge_data: None,
            target_clients: None,
            no_cluster: true,
        };
        self.publish_counted(&publication, |_| ())
    }
}

impl SessionEvents for Node {
    fn watch(&self) -> broadcast::Receiver<SessionEvent> {
        self.session_events.subscribe()
    }

    fn peers(&self) -> Vec<PeerSession> {
        let sessions = self.sessions();
        let peer = |session: &Arc<Session>| {
            Some(PeerSession {
                session_id: session.id().clone(),
                info: session.cluster()?,
                is_subscribed: session.is_subscribed(),
            })
        };
        sessions.values().filter_map(peer).collect()
    }
}

pub(crate) fn action_name(kind: happn_paths::EventKind) -> &'static str {
    match kind {
        happn_paths::EventKind::Set => "SET",
        happn_paths::EventKind::Remove => "REMOVE",
    }
}

/// 22 characters of `A-Za-z0-9_-` for 16 bytes.
fn url_safe(bytes: &[u8; 16]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    let mut number = u128::from_be_bytes(*bytes);
    let mut text = String::with_capacity(22);
    for _ in 0..22 {
        text.push(char::from(ALPHABET[(number & 63) as usize]));
        number >>= 6;
    }
    text
}
