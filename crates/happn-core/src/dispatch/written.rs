//! What follows a write: its publication and the publisher's answer.

use std::sync::Arc;
use std::time::Duration;

use happn_paths::EventKind;
use happn_protocol::publication::{self, Event, Outcome};
use happn_protocol::response::{self, Echo, Meta, ObjectResponse};
use happn_protocol::{Json, WireError};
use tokio::sync::oneshot;

use super::publish_options::{Consistency, PublishOptions};
use super::reply;
use crate::node::action_name;
use crate::publisher::Publication;
use crate::seams::event_sink::Delivery;
use crate::{Node, Session};

/// A write that has been accepted and waits for its outcome.
pub(super) struct Pending {
    pub(super) node: Arc<Node>,
    pub(super) session: Arc<Session>,
    pub(super) echo: Echo,
    pub(super) kind: EventKind,
    pub(super) path: String,
    pub(super) options: PublishOptions,
    /// What subscribers with `merge` get, when this is a merge.
    pub(super) merge_data: Option<Json>,
}

/// What the store made of it.
pub(super) struct Stored {
    /// What the publisher and its subscribers get as data.
    pub(super) data: Json,
    /// The store's members of the answer's `_meta`.
    pub(super) meta: Meta,
}

impl Pending {
    /// Publishes and answers, in the order the consistency asks for.
    pub(super) fn finish(self, outcome: Result<Stored, WireError>) {
        let stored = match outcome {
            Ok(stored) => stored,
            Err(error) => return reply(&self.session, &self.echo, &ObjectResponse::error(error)),
        };
        if self.options.no_publish {
            return self.answer(&stored, None, None);
        }
        if self.options.consistency == Consistency::Transactional {
            let (_, delivery) = self.publish(&stored, false);
            let results = self
                .options
                .publish_results
                .then(|| counters(outcome_of(&delivery)));
            return self.answer(&stored, Some(true), results);
        }
        self.answer(&stored, None, None);
        self.publish_deferred(&stored);
    }

    fn answer(&self, stored: &Stored, published: Option<bool>, results: Option<Json>) {
        let dialect = self.session.dialect();
        let short = self.options.no_data_response && self.kind == EventKind::Set;
        if short && dialect.is_current() {
            let event_id = self.echo.event_id.as_ref();
            let frame = response::encode_no_data(&self.path, event_id, published == Some(true));
            self.session.send(frame);
            return;
        }
        let meta = Meta {
            published,
            publish_results: results,
            ..stored.meta.clone()
        };
        let answer = ObjectResponse {
            meta,
            ..ObjectResponse::ok(stored.data.clone())
        };
        reply(&self.session, &self.echo, &answer);
    }

    fn publish(&self, stored: &Stored, collect: bool) -> (Vec<Arc<str>>, Delivery) {
        let publication_id = self.publication_id();
        let publication = Publication {
            kind: self.kind,
            event: Event {
                action: action_name(self.kind),
                path: &self.path,
                session_id: self.session.id(),
                consistency: self.options.consistency_text.as_str(),
                publication_id: &publication_id,
                created: stored.meta.created,
                modified: stored.meta.modified,
                event_origin: None,
                custom: &self.options.custom,
            },
            data: &stored.data,
            merge_data: self.merge_data.as_ref(),
            target_clients: self.options.target_clients.as_deref(),
            no_cluster: self.options.no_cluster,
        };
        let mut recipients = Vec::new();
        let delivery = self.node.publish_counted(&publication, |session| {
            if collect {
                recipients.push(session.id().clone());
            }
        });
        (recipients, delivery)
    }

    fn publish_deferred(self, stored: &Stored) {
        if self.options.consistency == Consistency::Deferred {
            let (_, delivery) = self.publish(stored, false);
            return self.report(outcome_of(&delivery), None);
        }
        let publication_id = self.publication_id();
        if !self.node.acknowledgements.open(&publication_id) {
            let (_, delivery) = self.publish(stored, false);
            return self.report(outcome_of(&delivery), Some("unacknowledged publication"));
        }
        let (recipients, delivery) = self.publish(stored, true);
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
        complete: oneshot::Receiver<()>,
    ) {
        let timeout: Duration = self.node.config.acknowledge_timeout;
        let expired = self.node.clock().sleep(timeout);
        let stopping = self.node.stopping.clone();
        tokio::spawn(async move {
            let acknowledged = tokio::select! {
                biased;
                done = complete => done.is_ok(),
                () = expired => false,
                () = stopping.cancelled() => false,
            };
            let received = self.node.acknowledgements.finish(&publication_id);
            let outcome = Outcome {
                acknowledged: Some(received),
                ..outcome_of(&delivery)
            };
            let error = (!acknowledged).then_some("unacknowledged publication");
            self.report(outcome, error);
        });
    }

    fn report(&self, outcome: Outcome, error: Option<&str>) {
        let event_id = self.echo.event_id.as_ref().map_or("null", Json::as_str);
        let frame = publication::encode_ack(
            &self.publication_id(),
            event_id,
            &outcome,
            error,
            self.session.dialect(),
        );
        self.session.send(frame);
    }

    fn publication_id(&self) -> String {
        let event_id = self
            .echo
            .event_id
            .as_ref()
            .map_or("undefined", Json::as_str);
        format!("{}-{}", self.session.id(), event_id.trim_matches('"'))
    }
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
