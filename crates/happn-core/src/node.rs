//! The node: everything a client can reach, without its socket.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use happn_protocol::publication::Event;
use happn_protocol::system::replication_gap;
use happn_protocol::{Json, write_string};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::acknowledgements::Acknowledgements;
use crate::identity::Identity;
use crate::interest::Interest;
use crate::layers::Layers;
use crate::links::Links;
use crate::publisher::{Publication, Report, publish};
use crate::seams::event_sink::{Delivery, EventSink, ReplicatedEvent};
use crate::seams::interest::LocalInterest;
use crate::sessions::Sessions;
use crate::subscriptions::Subscriptions;
use crate::traffic::{LiveTraffic, Origin};
use crate::{Authority, Clock, Cookie, DataService, NodeConfig, Session, SessionControl};

/// One happn node. Shared by everything that serves it.
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// use happn_core::Node;
///
/// let node = Node::builder("example").build();
/// assert_eq!(node.name(), "example");
/// # });
/// ```
#[derive(Debug)]
pub struct Node {
    pub(crate) config: NodeConfig,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) acknowledgements: Acknowledgements,
    pub(crate) links: Arc<Links>,
    pub(crate) stopping: CancellationToken,
    parts: Parts,
    pub(crate) sessions: Sessions,
    pub(crate) layers: Layers,
    reference_prefix: String,
    references: AtomicU64,
    refused_frames: AtomicU64,
    pub(crate) traffic: LiveTraffic,
    is_secure: bool,
    /// As whom the node publishes its own events.
    own_session_id: Arc<str>,
    own_identity: Option<Arc<Identity>>,
    originated: AtomicU64,
    /// For tasks that outlive a call.
    pub(crate) this: Weak<Self>,
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

impl Node {
    /// A node called `config.name` on `data`. [`Node::builder`] has defaults for the rest.
    #[must_use]
    pub fn new(
        config: NodeConfig,
        data: DataService,
        authority: Arc<dyn Authority>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Self::with_layers(config, data, authority, clock, Layers::default())
    }

    pub(crate) fn with_layers(
        config: NodeConfig,
        data: DataService,
        authority: Arc<dyn Authority>,
        clock: Arc<dyn Clock>,
        layers: Layers,
    ) -> Arc<Self> {
        let seed = Uuid::new_v4().as_u64_pair();
        let instance: Arc<str> = match config.instance.as_str() {
            "" => Uuid::new_v4().to_string().into(),
            given => given.into(),
        };
        let is_secure = authority.is_secure();
        let own_session_id: Arc<str> = Uuid::new_v4().to_string().into();
        let rules = config.cluster.as_ref();
        let wait_max = rules.and_then(|rules| rules.interest_wait_max);
        let interest = wait_max.map(|wait_max| Arc::new(Interest::new(wait_max)));
        let node = Arc::new_cyclic(|this| Self {
            links: Arc::new(Links::new(config.links, instance)),
            this: this.clone(),
            config,
            subscriptions: Subscriptions::new([seed.0, seed.1], interest),
            acknowledgements: Acknowledgements::default(),
            stopping: CancellationToken::new(),
            parts: Parts {
                data,
                authority,
                clock,
            },
            sessions: Sessions::default(),
            layers,
            reference_prefix: url_safe(Uuid::new_v4().as_bytes()),
            references: AtomicU64::new(0),
            refused_frames: AtomicU64::new(0),
            traffic: LiveTraffic::default(),
            is_secure,
            own_identity: is_secure.then(|| Identity::of_the_node(own_session_id.clone())),
            own_session_id,
            originated: AtomicU64::new(0),
        });
        let weak: Weak<dyn SessionControl> = Arc::<Self>::downgrade(&node);
        node.authority().attach(weak);
        node
    }

    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Differs with every start.
    #[must_use]
    pub fn instance(&self) -> &str {
        self.links.instance()
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

    /// Who decides about logins.
    #[must_use]
    pub fn authority(&self) -> &Arc<dyn Authority> {
        &self.parts.authority
    }

    /// Whether clients have to log in.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// What the node's clients want to hear of other nodes, if it keeps count of that.
    #[must_use]
    pub fn interest(&self) -> Option<Arc<dyn LocalInterest>> {
        let interest = self.subscriptions.interest()?;
        Some(interest.clone())
    }

    /// Frames that clients lost because their outbox was full or their session was ending, and
    /// those that a layer withheld.
    #[must_use]
    pub fn refused_frames(&self) -> u64 {
        self.refused_frames.load(Ordering::Relaxed)
    }

    /// Stops waiting for acknowledgements. Sessions are ended with [`Node::end_sessions`], the
    /// stores with [`DataService::close`].
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// What `describe` answers.
    pub(crate) fn description(&self, cookie: Option<&Cookie>) -> Json {
        let mut out = b"{\"name\":".to_vec();
        write_string(&mut out, self.name());
        out.extend_from_slice(b",\"secure\":");
        out.extend_from_slice(if self.is_secure { b"true" } else { b"false" });
        if let Some(cookie) = cookie {
            out.extend_from_slice(b",\"cookieName\":");
            write_string(&mut out, &cookie.name);
        }
        out.push(b'}');
        Json::from_trusted(out)
    }

    /// Where the client keeps its token, once it needs to know: browsers from the start.
    pub(crate) fn cookie(&self, session: &Session) -> Option<Cookie> {
        let knows = session.is_browser() || session.identity().is_some();
        knows.then(|| self.authority().cookie(session.connection()))
    }

    /// A new subscription reference: unique in this process, hard to guess for others.
    pub(crate) fn next_reference(&self) -> Arc<str> {
        let number = self.references.fetch_add(1, Ordering::Relaxed) + 1;
        format!("{}-{number}", self.reference_prefix).into()
    }

    pub(crate) fn publish_counted(
        &self,
        publication: &Publication<'_>,
        reached: impl FnMut(&Arc<Session>),
    ) -> Delivery {
        self.publish_from(Origin::Here, publication, reached)
    }

    fn publish_from(
        &self,
        origin: Origin,
        publication: &Publication<'_>,
        reached: impl FnMut(&Arc<Session>),
    ) -> Delivery {
        let now = || self.clock().monotonic();
        let report = publish(&self.subscriptions, &self.links, now, publication, reached);
        let delivered = report.delivery.delivered;
        self.traffic
            .count(publication.event.path, origin, delivered);
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
}

impl EventSink for Node {
    fn publish(&self, event: &ReplicatedEvent) -> Delivery {
        let publication = Publication {
            kind: event.kind,
            event: Event {
                action: action_name(event.kind),
                path: &event.path,
                session_id: &event.session_id,
                consistency: event.consistency.as_ref().map_or("2", Json::as_str),
                publication_id: &[&event.publication_id],
                created: event.created,
                modified: event.modified,
                event_origin: event.event_origin.as_ref(),
                custom: &event.custom,
            },
            data: &event.data,
            merge_data: event.merge_data.as_ref(),
            target_clients: None,
            no_cluster: true,
        };
        self.publish_from(Origin::Elsewhere, &publication, |_| ())
    }

    fn originate(&self, path: &str, data: &Json) -> Delivery {
        let number = self.originated.fetch_add(1, Ordering::Relaxed) + 1;
        let session_id = &*self.own_session_id;
        let publication = Publication {
            kind: happn_paths::EventKind::Set,
            event: Event {
                action: action_name(happn_paths::EventKind::Set),
                path,
                session_id,
                consistency: "2",
                publication_id: &[session_id, "-", &number.to_string()],
                created: None,
                modified: None,
                event_origin: self.own_identity.as_ref().map(|own| own.origin()),
                custom: &[],
            },
            data,
            merge_data: None,
            target_clients: None,
            no_cluster: false,
        };
        self.publish_counted(&publication, |_| ())
    }

    /// Only sessions that subscribed to something hear of it; nobody else has missed anything.
    fn announce_gap(&self, origin: &str, lost: Option<u64>) {
        let frame = replication_gap(origin, lost);
        self.for_each_session(|session| {
            let listens = session.subscriptions().count() > 0;
            if listens && !session.is_cluster_link() && session.dialect().is_current() {
                session.send(frame.clone());
            }
        });
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
