//! What a client says about itself: configure-session, describe, login, ack.

use std::sync::Arc;

use happn_protocol::link::{LinkBeat, LinkOffer};
use happn_protocol::response::{Echo, ObjectResponse};
use happn_protocol::{Json, Members, Options, WireError, write_string};
use serde_json::value::RawValue;

use super::decision::refuse;
use super::{Call, Received, reply};
use crate::seams::session_events::ClusterInfo;
use crate::{Admission, LoginRequest, Node, Session};

impl Call<'_> {
    /// Takes effect before it is answered; without data the session stays as it is.
    pub(super) fn configure_session(self) -> Received {
        if let Some(data) = self.request.data.and_then(|raw| Members::parse(raw.get())) {
            let protocol = data.get("protocol").map(|raw| text_or_raw(raw.get()));
            let version = data.get("version").map(|raw| text_or_raw(raw.get()));
            let browser = Options::is_set(data.get("browser"));
            self.session
                .configure(protocol.as_deref(), version, browser);
        }
        if self.session.dialect() == happn_protocol::Dialect::Unknown {
            return Received::Done;
        }
        self.answer(&ObjectResponse::ok(Json::NULL))
    }

    pub(super) fn describe(self) -> Received {
        let description = self
            .node
            .description(self.node.cookie(self.session).as_ref());
        self.answer(&ObjectResponse::ok(description))
    }

    pub(super) fn login(self) -> Received {
        let data = self
            .data()
            .filter(Json::is_object)
            .unwrap_or(Json::EMPTY_OBJECT);
        let request = LoginRequest {
            session_id: self.session.id().clone(),
            data: data.clone(),
            connection: self.session.connection().clone(),
            via: self.session.via(),
        };
        let deciding = match self.session.is_trusted() {
            true => Box::pin(std::future::ready(Ok(Admission::open()))),
            false => self.node.authority().login(request),
        };
        let (node, session, echo) = (self.node.clone(), self.session.clone(), self.echo.clone());
        Received::Blocked(Box::pin(async move {
            let outcome = deciding.await;
            match outcome {
                Ok(admission) => answer_login(&node, &session, &echo, &data, admission).await,
                Err(refusal) => refuse(&session, &echo, refusal),
            }
        }))
    }

    /// An open node hands out nonces too: a client asks for one before it knows who it talks to.
    pub(super) fn request_nonce(self) -> Received {
        let data = self.request.data.and_then(|raw| Members::parse(raw.get()));
        let key = data.and_then(|data| data.get("publicKey"));
        if !Options::is_set(key) {
            return self.fail(WireError::plain("no public key with request"));
        }
        let (key, connection) = (
            key.map(|raw| text_or_raw(raw.get())),
            self.session.connection(),
        );
        let fresh = self
            .node
            .authority()
            .nonce(&key.unwrap_or_default(), connection);
        let fresh = match fresh {
            Ok(nonce) => nonce,
            Err(refusal) => return self.fail(refusal.error),
        };
        let mut nonce = Vec::with_capacity(48);
        write_string(&mut nonce, &fresh);
        let nonce = Json::from_trusted(nonce);
        let data = format!("{{\"nonce\":{nonce}}}").into_bytes();
        self.answer(&ObjectResponse {
            before: Some(("nonce", nonce)),
            ..ObjectResponse::ok(Json::from_trusted(data))
        })
    }

    pub(super) fn ack(self) -> Received {
        if let Some(publication_id) = self.request.data.map(|raw| text_or_raw(raw.get())) {
            self.node
                .acknowledgements
                .acknowledge(&publication_id, self.session.id());
        }
        self.answer(&ObjectResponse::ok(Json::NULL))
    }

    /// A node on a numbered link is alive and says how far it has come.
    pub(super) fn link(self) -> Received {
        let beat = self.data().and_then(|data| data.decode::<LinkBeat>().ok());
        let now = self.node.clock().monotonic();
        self.node
            .links
            .heard(self.session, now, beat.unwrap_or_default());
        self.answer(&ObjectResponse::ok(Json::NULL))
    }
}

async fn answer_login(
    node: &Arc<Node>,
    session: &Arc<Session>,
    echo: &Echo,
    data: &Json,
    admission: Admission,
) {
    let info = Members::parse(data.as_str()).and_then(|data| data.get("info"));
    let offer = info.and_then(link_offer);
    let cluster = info
        .filter(|_| admission.may_be_node)
        .and_then(cluster_info)
        .map(|cluster| with_link(cluster, offer.as_ref()));
    let offer = offer.filter(|_| cluster.is_some());
    session.log_in(info.map(Json::from_raw), cluster, admission);
    if node.is_secure() {
        // Whoever was logged in before may have had other rights.
        node.recheck(session).await;
    }
    let rules = node.config.cluster.as_ref();
    if rules.is_some_and(|rules| session.is_of_another_cluster(&rules.name)) {
        tracing::warn!(session = %session.id(), "a node of another cluster logs in: it gets no events");
        session.shut_out();
    }
    node.announce_login(session);
    let answer = |link: Option<&Json>| {
        let cookie = node.cookie(session);
        let object = session.describe(&node.description(None), cookie.as_ref(), link);
        reply(session, echo, &ObjectResponse::ok(object));
    };
    match offer {
        Some(offer) => node.open_link(session, &offer, answer),
        None => answer(None),
    }
}

/// What a node of our kind adds to its block.
fn link_offer(info: &RawValue) -> Option<LinkOffer> {
    LinkOffer::read(Members::parse(info.get())?.get("link")?)
}

fn with_link(cluster: ClusterInfo, offer: Option<&LinkOffer>) -> ClusterInfo {
    ClusterInfo {
        masks: offer.map(|offer| offer.masks),
        ..cluster
    }
}

/// Any `clusterName` makes the session a link of some cluster; what it says is not trusted.
fn cluster_info(info: &RawValue) -> Option<ClusterInfo> {
    let members = Members::parse(info.get())?;
    let cluster_name = members
        .get("clusterName")
        .filter(|raw| Options::is_set(Some(*raw)))?;
    let text = |name: &str| serde_json::from_str::<String>(members.get(name)?.get()).ok();
    Some(ClusterInfo {
        cluster_name: text_or_raw(cluster_name.get()),
        service_name: text("serviceName"),
        endpoint: text("endpoint"),
        name: text("name"),
        masks: None,
    })
}

fn text_or_raw(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_else(|_| json.to_owned())
}
