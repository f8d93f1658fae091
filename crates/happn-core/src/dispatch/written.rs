//! What follows a write: its publication and the publisher's answer.

use std::sync::Arc;

use happn_paths::EventKind;
use happn_protocol::publication::{self, Event, Outcome};
use happn_protocol::response::{self, Echo, Meta, ObjectResponse};
use happn_protocol::{Json, WireError};
use tokio::sync::oneshot;

use super::publish_options::{Consistency, PublishOptions};
use super::{Granted, reply};
use crate::identity::Identity;
use crate::node::action_name;
use crate::publisher::Publication;
use crate::seams::event_sink::Delivery;
use crate::{Node, Session};

const UNACKNOWLEDGED: &str = "unacknowledged publication";

/// A write that has been accepted and waits for its outcome.
pub(super) struct Pending {
    pub(super) node: Arc<Node>,
    pub(super) session: Arc<Session>,
    /// As whom, on a secure node; set when it is allowed.
    pub(super) actor: Option<Arc<Identity>>,
    pub(super) echo: Echo,
    pub(super) kind: EventKind,
    pub(super) path: Arc<str>,
    pub(super) options: PublishOptions,
    /// What subscribers with `merge` get, when this is a merge.
    pub(super) merge_data: Option<Json>,
}

/// What the store made of it.
#[derive(Clone)]
pub(super) struct Stored {
    /// What the publisher and its subscribers get as data.
    pub(super) data: Json,
    /// The store's members of the answer's `_meta`.
    pub(super) meta: Meta,
}

/// A write whose outcome is known, borrowed from whoever held it meanwhile.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) node: &'a Arc<Node>,
    pub(super) session: &'a Arc<Session>,
    pub(super) actor: Option<&'a Arc<Identity>>,
    pub(super) echo: &'a Echo,
    pub(super) kind: EventKind,
    pub(super) path: &'a str,
    pub(super) options: &'a PublishOptions,
    pub(super) merge_data: Option<&'a Json>,
}

impl Pending {
    /// The same, as whoever was allowed to.
    pub(super) fn by(self, granted: Granted) -> Self {
        Self {
            actor: granted.actor,
            ..self
        }
    }

    /// Who is written down as the author, on a secure node.
    pub(super) fn author(&self) -> Option<Arc<str>> {
        self.actor.as_ref().map(|actor| actor.username().clone())
    }

    /// Publishes and answers, or answers what went wrong.
    pub(super) fn finish(self, outcome: Result<Stored, WireError>) {
        let written = Written {
            node: &self.node,
            session: &self.session,
            actor: self.actor.as_ref(),
            echo: &self.echo,
            kind: self.kind,
            path: &self.path,
            options: &self.options,
            merge_data: self.merge_data.as_ref(),
        };
        match outcome {
            Ok(stored) => written.succeed(stored),
            Err(error) => reply(&self.session, &self.echo, &ObjectResponse::error(error)),
        }
    }
}

impl Written<'_> {
    /// Publishes and answers, in the order the consistency asks for.
    pub(super) fn succeed(self, stored: Stored) {
        if self.options.no_publish {
            return self.answer(stored, None, None);
        }
        if self.options.consistency == Consistency::Transactional {
            let delivery = self.publish(&stored, |_| ());
            let results = self
                .options
                .publish_results
                .then(|| counters(outcome_of(&delivery)));
            return self.answer(stored, Some(true), results);
        }
        // The answer goes before the publisher's own events, but does not leave before everybody
        // else's are queued: what its client does next must not overtake them.
        let _hold = self.session.outbox().hold();
        self.answer(stored.clone(), None, None);
        self.publish_deferred(&stored);
    }

    fn answer(self, stored: Stored, published: Option<bool>, results: Option<Json>) {
        let dialect = self.session.dialect();
        let short = self.options.no_data_response && self.kind == EventKind::Set;
        if short && dialect.is_current() {
            let event_id = self.echo.event_id.as_ref();
            let frame = response::encode_no_data(self.path, event_id, published == Some(true));
            self.session.send(frame);
            return;
        }
        let meta = Meta {
            published,
            publish_results: results,
            ..stored.meta
        };
        let answer = ObjectResponse {
            meta,
            ..ObjectResponse::ok(stored.data)
        };
        reply(self.session, self.echo, &answer);
    }

    fn publish(self, stored: &Stored, reached: impl FnMut(&Arc<Session>)) -> Delivery {
        let publication = Publication {
            kind: self.kind,
            event: Event {
                action: action_name(self.kind),
                path: self.path,
                session_id: self.publisher(),
                consistency: self.options.consistency_text.as_str(),
                publication_id: &[self.publisher(), "-", self.event_id()],
                created: stored.meta.created,
                modified: stored.meta.modified,
                event_origin: self.actor.map(|actor| actor.origin()),
                custom: &self.options.custom,
            },
            data: &stored.data,
            merge_data: self.merge_data,
            target_clients: self.options.target_clients.as_deref(),
            no_cluster: self.options.no_cluster,
        };
        self.node.publish_counted(&publication, reached)
    }

    fn publish_deferred(self, stored: &Stored) {
        let publication_id = self.publication_id();
        if self.options.consistency == Consistency::Deferred {
            let outcome = outcome_of(&self.publish(stored, |_| ()));
            return report(self.session, self.echo, &publication_id, &outcome, None);
        }
        if !self.node.acknowledgements.open(&publication_id) {
            let outcome = outcome_of(&self.publish(stored, |_| ()));
            let error = Some(UNACKNOWLEDGED);
            return report(self.session, self.echo, &publication_id, &outcome, error);
        }
        let mut recipients = Vec::new();
        let delivery = self.publish(stored, |session| recipients.push(session.id().clone()));
        let complete = self
            .node
            .acknowledgements
            .expect(&publication_id, &recipients);
        self.await_acknowledgements(publication_id, delivery, complete);
    }

    fn await_acknowledgements(
        self,
        publication_id: String,
        delivery: Delivery,
        complete: oneshot::Receiver<bool>,
    ) {
        let (node, session, echo) = (self.node.clone(), self.session.clone(), self.echo.clone());
        let expired = node.clock().sleep(node.config.acknowledge_timeout);
        tokio::spawn(async move {
            let acknowledged = tokio::select! {
                biased;
                done = complete => done.unwrap_or(false),
                () = expired => false,
                () = node.stopping.cancelled() => false,
            };
            let received = node.acknowledgements.finish(&publication_id);
            let outcome = Outcome {
                acknowledged: Some(received),
                ..outcome_of(&delivery)
            };
            let error = (!acknowledged).then_some(UNACKNOWLEDGED);
            report(&session, &echo, &publication_id, &outcome, error);
        });
    }

    fn publication_id(self) -> String {
        format!("{}-{}", self.publisher(), self.event_id())
    }

    /// The session that events name.
    fn publisher(&self) -> &Arc<str> {
        self.actor
            .map_or(self.session.id(), |actor| actor.session_id())
    }

    fn event_id(&self) -> &str {
        let event_id = self.echo.event_id.as_ref();
        event_id.map_or("undefined", Json::as_str).trim_matches('"')
    }
}

/// Tells the publisher what became of a publication it did not wait for.
fn report(session: &Session, echo: &Echo, id: &str, outcome: &Outcome, error: Option<&str>) {
    let event_id = echo.event_id.as_ref().map_or("null", Json::as_str);
    let frame = publication::encode_ack(id, event_id, outcome, error, session.dialect());
    session.send(frame);
}

fn outcome_of(delivery: &Delivery) -> Outcome {
    Outcome {
        successful: delivery.delivered,
        failed: delivery.refused,
        queued: delivery.matched,
        ..Outcome::default()
    }
}

fn counters(outcome: Outcome) -> Json {
    let mut out = Vec::with_capacity(64);
    outcome.write(&mut out);
    Json::from_trusted(out)
}
