//! One connected client.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use happn_protocol::{Dialect, Json, Members, ServerFrame, write_string};

use crate::identity::Identity;
use crate::layers::Layers;
use crate::links::Place;
use crate::seams::session_events::ClusterInfo;
use crate::subscriptions::OwnSubscriptions;
use crate::{Admission, Cookie, Outbox, Push, SessionLimits, Via};

/// What the socket knows of its client. The login answer shows it.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Path and query of the upgrade request.
    pub url: String,
    /// The upgrade headers that clients may see, lower-cased, in order of arrival.
    pub headers: Vec<(String, String)>,
    /// Whether TLS protects the connection.
    pub encrypted: bool,
    /// The client's address, as seen or as a forwarding header says.
    pub ip: String,
    /// The client's port.
    pub port: u16,
    /// Whether the client's side of the connection is protected.
    pub secure: bool,
}

/// A client's session: identity, dialect, outbox and what it subscribed to.
#[derive(Debug)]
pub struct Session {
    id: Arc<str>,
    connection: Connection,
    /// By the node's monotonic clock.
    attached_at: Duration,
    layers: Layers,
    origin: Origin,
    /// Who has logged in, on a secure node.
    identity: ArcSwapOption<Identity>,
    outbox: Outbox,
    dialect: AtomicU8,
    /// Set by a login whose `info` names a cluster: such a session gets no replicated events.
    is_cluster_link: AtomicBool,
    /// Set for nodes of another cluster: they get no events.
    is_shut_out: AtomicBool,
    /// Set when a node opens a numbered link with its login.
    link: OnceLock<Place>,
    /// Set once a node has made all the subscriptions it announced.
    is_subscribed: AtomicBool,
    /// Set once two subscriptions share a channel: only then must publications de-duplicate.
    repeats_channels: AtomicBool,
    messages: AtomicU64,
    /// Writes accepted and not yet answered: reads of this session wait for them.
    writes: AtomicU64,
    state: Mutex<State>,
    subscriptions: Mutex<OwnSubscriptions>,
}

/// Where a session comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A socket.
    Network,
    /// This process, with a login like any other.
    Process,
    /// The program around the node itself: nobody is asked whether it may.
    Trusted,
}

#[derive(Debug, Default)]
struct State {
    protocol_name: Option<String>,
    /// `Some(None)` when configured without a version.
    version: Option<Option<String>>,
    is_browser: bool,
    info: Option<Json>,
    cluster: Option<ClusterInfo>,
    /// Further members that the authority added at login, as a JSON object.
    authority_members: Option<Json>,
}

const DIALECTS: [Dialect; 6] = [
    Dialect::Happn,
    Dialect::Happn1,
    Dialect::Happn2,
    Dialect::Happn3,
    Dialect::Happn4,
    Dialect::Unknown,
];

impl Session {
    pub(crate) fn new(
        id: Arc<str>,
        connection: Connection,
        limits: &SessionLimits,
        attached_at: Duration,
        layers: Layers,
        origin: Origin,
    ) -> Self {
        Self {
            id,
            connection,
            attached_at,
            layers,
            origin,
            identity: ArcSwapOption::empty(),
            outbox: Outbox::new(limits),
            dialect: AtomicU8::new(0),
            is_cluster_link: AtomicBool::new(false),
            is_shut_out: AtomicBool::new(false),
            link: OnceLock::new(),
            is_subscribed: AtomicBool::new(false),
            repeats_channels: AtomicBool::new(false),
            messages: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            state: Mutex::default(),
            subscriptions: Mutex::default(),
        }
    }

    /// The session's id, a uuid.
    #[must_use]
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Where the client is.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The `info` block of the client's login.
    #[must_use]
    pub fn info(&self) -> Option<Json> {
        self.state().info.clone()
    }

    /// Who has logged in; nobody on an open node.
    #[must_use]
    pub fn username(&self) -> Option<String> {
        if let Some(identity) = self.identity() {
            return Some(identity.username().to_string());
        }
        let state = self.state();
        let members = Members::parse(state.authority_members.as_ref()?.as_str())?;
        let user = Members::read(members.get("user")?)?;
        user.text("username").map(Cow::into_owned)
    }

    /// The protocol as the client names it.
    #[must_use]
    pub fn protocol_name(&self) -> String {
        self.state()
            .protocol_name
            .as_deref()
            .unwrap_or("happn")
            .to_owned()
    }

    /// The client's version, if it told one.
    #[must_use]
    pub fn client_version(&self) -> Option<String> {
        self.state().version.clone().flatten()
    }

    /// Queues a frame for the client, unless a layer withholds it.
    pub fn send(&self, frame: ServerFrame) -> Push {
        match self.layers.outbound(self, frame) {
            Some(frame) => self.outbox.push(frame),
            None => Push::Withheld,
        }
    }

    /// What waits to be written to the client. What is pushed here directly passes no layer.
    #[must_use]
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// How the client wants to be spoken to.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        DIALECTS[usize::from(self.dialect.load(Ordering::Relaxed)).min(DIALECTS.len() - 1)]
    }

    pub(crate) fn attached_at(&self) -> Duration {
        self.attached_at
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.origin == Origin::Trusted
    }

    /// How requests of the session come to the node.
    pub(crate) fn via(&self) -> Via {
        match self.origin {
            Origin::Network => Via::Socket,
            Origin::Process | Origin::Trusted => Via::Process,
        }
    }

    /// Who has logged in, on a secure node.
    pub(crate) fn identity(&self) -> Option<Arc<Identity>> {
        self.identity.load_full()
    }

    pub(crate) fn become_somebody(&self, identity: Arc<Identity>) {
        self.identity.store(Some(identity));
    }

    pub(crate) fn is_logged_in(&self) -> bool {
        self.state().authority_members.is_some()
    }

    pub(crate) fn subscriptions(&self) -> MutexGuard<'_, OwnSubscriptions> {
        self.subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count_message(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a write as under way until the answer is dropped.
    pub(crate) fn begin_write(self: &Arc<Self>) -> WriteUnderWay {
        self.writes.fetch_add(1, Ordering::AcqRel);
        WriteUnderWay(self.clone())
    }

    pub(crate) fn is_writing(&self) -> bool {
        self.writes.load(Ordering::Acquire) > 0
    }

    pub(crate) fn is_cluster_link(&self) -> bool {
        self.is_cluster_link.load(Ordering::Relaxed)
    }

    /// Whether the session is a node's, and of another cluster than `ours`.
    pub(crate) fn is_of_another_cluster(&self, ours: &str) -> bool {
        let cluster = self.cluster();
        cluster.is_some_and(|cluster| cluster.cluster_name != ours)
    }

    /// Keeps events away from the session from now on.
    pub(crate) fn shut_out(&self) {
        self.is_shut_out.store(true, Ordering::Relaxed);
    }

    /// Whether the session gets no events.
    pub(crate) fn is_shut_out(&self) -> bool {
        self.is_shut_out.load(Ordering::Relaxed)
    }

    /// The session's place among the numbered links, if it is one.
    pub(crate) fn link(&self) -> Option<Place> {
        self.link.get().copied()
    }

    /// Makes the session a numbered link that takes its events from `source`.
    pub(crate) fn become_link(
        &self,
        place: Place,
        source: impl Fn(&mut Vec<ServerFrame>) + Send + Sync + 'static,
    ) {
        if self.link.set(place).is_ok() {
            self.outbox.take_from(source);
        }
    }

    /// Whether a node's session has all the subscriptions it announced.
    pub(crate) fn is_subscribed(&self) -> bool {
        self.is_subscribed.load(Ordering::Acquire)
    }

    /// True once: when a node's session has just got the last subscription it announced.
    pub(crate) fn is_newly_subscribed(&self) -> bool {
        let Some(cluster) = self.cluster() else {
            return false;
        };
        let wanted = cluster.masks.unwrap_or(1) as usize;
        self.subscriptions().count() >= wanted && self.mark_subscribed()
    }

    /// A node's session has all the subscriptions it wants; true the first time.
    pub(crate) fn mark_subscribed(&self) -> bool {
        !self.is_subscribed.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn repeats_channels(&self) -> bool {
        self.repeats_channels.load(Ordering::Relaxed)
    }

    pub(crate) fn mark_repeated_channel(&self) {
        self.repeats_channels.store(true, Ordering::Relaxed);
    }

    /// Selects a dialect; takes effect before the request is answered.
    pub(crate) fn configure(&self, protocol: Option<&str>, version: Option<String>, browser: bool) {
        let mut state = self.state();
        if let Some(name) = protocol {
            let dialect = Dialect::from_name(name);
            let at = DIALECTS
                .iter()
                .position(|known| *known == dialect)
                .unwrap_or_default();
            self.dialect
                .store(u8::try_from(at).unwrap_or_default(), Ordering::Relaxed);
            state.protocol_name = Some(name.to_owned());
        }
        state.version = Some(version);
        state.is_browser = browser;
    }

    pub(crate) fn is_browser(&self) -> bool {
        self.state().is_browser
    }

    pub(crate) fn log_in(
        &self,
        info: Option<Json>,
        cluster: Option<ClusterInfo>,
        admission: Admission,
    ) {
        if let Some(rights) = admission.rights {
            self.become_somebody(Identity::of(rights));
        }
        self.is_cluster_link
            .store(cluster.is_some(), Ordering::Relaxed);
        let mut state = self.state();
        state.info = info;
        state.cluster = cluster;
        state.authority_members = Some(admission.members);
    }

    pub(crate) fn cluster(&self) -> Option<ClusterInfo> {
        self.state().cluster.clone()
    }

    /// The session as `off` shows it in its records: id, protocol, info.
    pub(crate) fn write_brief(&self, out: &mut Vec<u8>) {
        let state = self.state();
        out.extend_from_slice(b"{\"id\":");
        write_string(out, &self.id);
        out.extend_from_slice(b",\"protocol\":");
        write_string(out, state.protocol_name.as_deref().unwrap_or("happn"));
        if let Some(info) = &state.info {
            out.extend_from_slice(b",\"info\":");
            out.extend_from_slice(info.as_bytes());
        }
        out.push(b'}');
    }

    /// The session object of the login answer.
    pub(crate) fn describe(
        &self,
        node: &Json,
        cookie: Option<&Cookie>,
        link: Option<&Json>,
    ) -> Json {
        let state = self.state();
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(b"{\"msgCount\":");
        out.extend_from_slice(self.messages.load(Ordering::Relaxed).to_string().as_bytes());
        text_member(&mut out, "id", &self.id);
        text_member(
            &mut out,
            "protocol",
            state.protocol_name.as_deref().unwrap_or("happn"),
        );
        raw_member(&mut out, "happn", node.as_str());
        self.connection.write(&mut out);
        if let Some(version) = &state.version {
            text_member(&mut out, "version", version.as_deref().unwrap_or("unknown"));
        }
        if let Some(cookie) = cookie {
            text_member(&mut out, "cookieName", &cookie.name);
            if cookie.https_apart {
                raw_member(&mut out, "httpsCookie", "true");
            }
        }
        if let Some(info) = &state.info {
            raw_member(&mut out, "info", info.as_str());
        }
        if let Some(link) = link {
            raw_member(&mut out, "link", link.as_str());
        }
        let members = state.authority_members.as_ref().map_or("{}", Json::as_str);
        let members = members.get(1..members.len() - 1).unwrap_or_default();
        if !members.is_empty() {
            out.push(b',');
            out.extend_from_slice(members.as_bytes());
        }
        out.push(b'}');
        Json::from_trusted(out)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A write of a session that has not been answered yet.
#[derive(Debug)]
pub(crate) struct WriteUnderWay(Arc<Session>);

impl Drop for WriteUnderWay {
    fn drop(&mut self) {
        self.0.writes.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Connection {
    /// What there is to know of a client in the same process.
    #[must_use]
    pub fn in_process() -> Self {
        Self {
            url: "intra-proc".to_owned(),
            headers: Vec::new(),
            encrypted: false,
            ip: "intra-proc".to_owned(),
            port: 0,
            secure: true,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"headers\":{");
        for (at, (name, value)) in self.headers.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_string(out, name);
            out.push(b':');
            write_string(out, value);
        }
        out.push(b'}');
        raw_member(
            out,
            "encrypted",
            if self.encrypted { "true" } else { "false" },
        );
        out.extend_from_slice(b",\"address\":{\"ip\":");
        write_string(out, &self.ip);
        raw_member(out, "secure", if self.secure { "true" } else { "false" });
        raw_member(out, "port", &self.port.to_string());
        out.push(b'}');
        text_member(out, "url", &self.url);
    }
}

fn text_member(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b',');
    write_string(out, name);
    out.push(b':');
    write_string(out, value);
}

fn raw_member(out: &mut Vec<u8>, name: &str, json: &str) {
    out.push(b',');
    write_string(out, name);
    out.push(b':');
    out.extend_from_slice(json.as_bytes());
}
