//! `on`: a subscription, with the values it starts from if asked.

use std::borrow::Cow;
use std::sync::Arc;

use happn_paths::{Action, Channel, Depth, StoreGlob, validate};
use happn_protocol::response::{self, Echo, Meta, ObjectResponse};
use happn_protocol::{Json, Options, Raw, WireError, write_string};
use happn_query::{Field, Sort, SortKey};

use super::decision::Decision;
use super::initial_events::InitialEvents;
use super::search::search_failed;
use super::set::{meta_of, not_a_string};
use super::visible::Visible;
use super::{Call, Granted, Received, reply};
use crate::subscriptions::{Group, NewSubscription, Removal};
use crate::{
    BoxFuture, Document, Node, Operation, PathFilter, Query, Refusal, Session, StoreError,
};

impl Call<'_> {
    pub(super) fn on(self) -> Received {
        let Some(text) = self.request.path_text() else {
            return self.fail(not_a_string(&self.request.path_printed()));
        };
        if let Err(error) = validate(&text, Action::On) {
            return self.fail(WireError::plain(error.to_string()));
        }
        let options = self.request.decode_options();
        let with_values =
            Options::is_set(options.initial_callback) || Options::is_set(options.initial_emit);
        let subscription = self.subscription(&text, &options);
        let (node, session, echo) = (self.node.clone(), self.session.clone(), self.echo.clone());
        let mask = subscription.channel.mask().to_owned();
        let events = match Options::is_set(options.initial_emit) {
            true => {
                InitialEvents::expected(subscription.group.dialect, &text, subscription.group.depth)
            }
            false => None,
        };
        let values = with_values.then_some(InitialValues {
            after: self.own_writes(&mask),
            events,
        });
        let decision = match self.decide(Operation::On, &mask, options.on_behalf_of) {
            refused @ Decision::Refused(_) => refused,
            // What stands in front of the mask is not looked at by rules, so it must be known.
            _ if node.is_secure() && !subscription.channel.is_usual() => {
                Decision::Refused(Refusal::denied(403, "unauthorized"))
            }
            decision => decision,
        };
        self.in_turn(decision, move |granted| {
            subscribe(node, session, echo, subscription.granted(granted), values)
        })
    }

    fn subscription(&self, text: &str, options: &Options<'_>) -> NewSubscription {
        let channel = Channel::parse(text);
        let asked = options.depth.and_then(integer);
        let standard = i64::from(self.node.config.default_variable_depth);
        let shown = asked
            .and_then(|depth| u32::try_from(depth).ok())
            .filter(|&depth| depth > 0);
        NewSubscription {
            session: self.session.clone(),
            group: Group {
                channel: spelled(text).into(),
                depth: shown,
                merge: Options::is_set(options.merge),
                dialect: self.session.dialect(),
            },
            reference: self.node.next_reference(),
            granted: Granted::default(),
            channel,
            depth: Depth::from_integer(asked.unwrap_or(standard)),
            options: self.request.options.map(Json::from_raw),
            ref_count: options.ref_count.map(Json::from_raw),
        }
    }
}

/// What a subscriber wants to start from.
struct InitialValues {
    /// Its own writes are read too.
    after: BoxFuture<'static, ()>,
    /// Where they go besides the answer.
    events: Option<InitialEvents>,
}

/// A channel as events name it: the client looks its handlers up by this text.
fn spelled(text: &str) -> Cow<'_, str> {
    match text.starts_with('/') || !text.contains('@') {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("/{text}")),
    }
}

fn subscribe(
    node: Arc<Node>,
    session: Arc<Session>,
    echo: Echo,
    subscription: NewSubscription,
    values: Option<InitialValues>,
) -> Received {
    let reference = subscription.reference.clone();
    let (channel, depth) = (subscription.channel.clone(), subscription.depth);
    let only = subscription.granted.only.clone();
    let max = node.config.limits.subscriptions_max;
    let Ok(held) = node.subscriptions.add(subscription, max) else {
        let message = format!("too many subscriptions: a session may hold {max}");
        reply(
            &session,
            &echo,
            &ObjectResponse::error(WireError::plain(message)),
        );
        return Received::Done;
    };
    if node.is_secure() {
        node.confirm(&held);
    }
    if session.is_cluster_link() {
        node.announce_subscribed(&session);
    }
    let told = held.told.and_then(|change| node.told_elsewhere(change));
    let Some(values) = values else {
        return match told {
            None => {
                answer_plainly(&session, &echo, &reference);
                Received::Done
            }
            Some(told) => Received::Answer(Box::pin(async move {
                told.await;
                answer_plainly(&session, &echo, &reference);
            })),
        };
    };
    Received::Answer(Box::pin(async move {
        // What is published elsewhere after the values were read is heard.
        if let Some(told) = told {
            told.await;
        }
        values.after.await;
        let mut items = values.events.is_some().then(Vec::new);
        let found = initial_values(&node, channel.mask(), depth, only, items.as_mut()).await;
        let initial = match found {
            Ok(initial) => initial,
            Err(error) => {
                // Who is told that it did not work has no subscription.
                let removal = Removal::Reference(&channel, &reference);
                node.subscriptions.remove(&session, &removal);
                return reply(
                    &session,
                    &echo,
                    &ObjectResponse::error(search_failed(&error)),
                );
            }
        };
        reply(&session, &echo, &initial.answer(&reference));
        if let Some(events) = values.events {
            for item in items.into_iter().flatten() {
                events.push(&session, &echo, &item);
            }
        }
    }))
}

fn answer_plainly(session: &Session, echo: &Echo, reference: &str) {
    let mut data = b"{\"id\":".to_vec();
    write_string(&mut data, reference);
    data.push(b'}');
    let meta = Meta {
        status_first: true,
        ..Meta::default()
    };
    let response = ObjectResponse {
        meta,
        ..ObjectResponse::ok(Json::from_trusted(data))
    };
    reply(session, echo, &response);
}

/// What is stored under a mask, oldest change first; each item also goes to `items`.
async fn initial_values(
    node: &Node,
    mask: &str,
    depth: Depth,
    only: Option<Arc<dyn PathFilter>>,
    mut items: Option<&mut Vec<Json>>,
) -> Result<Initial, StoreError> {
    let config = &node.config;
    let oldest_first = SortKey {
        field: Field::new("modified"),
        descending: false,
    };
    let query = Query {
        sort: Sort::of(vec![oldest_first])?,
        bounds: config.search_bounds,
        max_time: Some(config.search_time_max),
        ..Query::all(StoreGlob::new(mask))
    };
    let mut documents = Visible::find(node, query, only);
    let deepest = mask
        .strip_suffix("/**")
        .map(|prefix| prefix.split('/').count() + depth.levels() as usize);
    let mut values = Initial::default();
    while let Some(batch) = documents.next_batch().await? {
        for document in batch {
            let levels = || document.path.split('/').count();
            if deepest.is_none_or(|deepest| levels() <= deepest) {
                let item = values.push(&document);
                if let Some(items) = &mut items {
                    items.push(Json::from_trusted(item.to_vec()));
                }
                config.search_bounds.check(0, values.data.len() as u64)?;
            }
        }
    }
    Ok(values)
}

/// The values, written twice: as clients read them, and as older ones did.
#[derive(Default)]
struct Initial {
    data: Vec<u8>,
    wrapped: Vec<u8>,
}

impl Initial {
    /// Appends a document and answers it as it was written.
    fn push(&mut self, document: &Document) -> &[u8] {
        let meta = meta_of(document);
        for list in [&mut self.data, &mut self.wrapped] {
            list.push(if list.is_empty() { b'[' } else { b',' });
        }
        let start = self.data.len();
        response::write_item(&mut self.data, Some(&document.data), &meta);
        self.wrapped.extend_from_slice(b"{\"data\":");
        self.wrapped.extend_from_slice(&self.data[start..]);
        self.wrapped.extend_from_slice(b",\"_meta\":");
        response::write_item_meta(&mut self.wrapped, &meta);
        self.wrapped.push(b'}');
        &self.data[start..]
    }

    fn answer(mut self, reference: &str) -> ObjectResponse {
        for list in [&mut self.data, &mut self.wrapped] {
            if list.is_empty() {
                list.push(b'[');
            }
            list.push(b']');
        }
        let meta = Meta {
            status_first: true,
            reference_id: Some(reference.into()),
            ..Meta::default()
        };
        ObjectResponse {
            extra: Some(("initialValues", Json::from_trusted(self.wrapped))),
            meta,
            ..ObjectResponse::ok(Json::from_trusted(self.data))
        }
    }
}

fn integer(raw: Raw<'_>) -> Option<i64> {
    let number: f64 = serde_json::from_str(raw.get()).ok()?;
    (number.fract() == 0.0).then_some(number as i64)
}
