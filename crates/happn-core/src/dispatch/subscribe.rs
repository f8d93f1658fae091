//! `on`: a subscription, with the values it starts from if asked.

use std::borrow::Cow;
use std::sync::Arc;

use happn_paths::{Action, Channel, Depth, StoreGlob, validate};
use happn_protocol::response::{Echo, Meta, ObjectResponse};
use happn_protocol::{Json, Options, WireError, write_string};
use serde_json::value::RawValue;

use super::get::item;
use super::initial_events::InitialEvents;
use super::set::{meta_of, not_a_string};
use super::{Call, Received, reply, store_failed};
use crate::subscriptions::{Group, NewSubscription};
use crate::{BoxFuture, Document, Node, Operation, Query, Session};

impl Call<'_> {
    pub(super) fn on(self) -> Received {
        let Some(text) = self.request.path_text() else {
            return self.fail(not_a_string(&self.request.path_printed()));
        };
        if let Err(error) = validate(&text, Action::On) {
            return self.fail(WireError::plain(error.to_string()));
        }
        let options = match self.request.decode_options() {
            Ok(options) => options,
            Err(message) => return self.fail(WireError::plain(message)),
        };
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
        self.authorised(Operation::On, &mask, move || {
            subscribe(node, session, echo, subscription, values)
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
    let max = node.config.limits.subscriptions_max;
    if node.subscriptions.add(subscription, max).is_err() {
        let message = format!("too many subscriptions: a session may hold {max}");
        reply(
            &session,
            &echo,
            &ObjectResponse::error(WireError::plain(message)),
        );
        return Received::Done;
    }
    if session.is_cluster_link() {
        node.announce_subscribed(&session);
    }
    let Some(values) = values else {
        let mut data = b"{\"id\":".to_vec();
        write_string(&mut data, &reference);
        data.push(b'}');
        let meta = Meta {
            status_first: true,
            ..Meta::default()
        };
        let response = ObjectResponse {
            meta,
            ..ObjectResponse::ok(Json::from_trusted(data))
        };
        reply(&session, &echo, &response);
        return Received::Done;
    };
    Received::Answer(Box::pin(async move {
        values.after.await;
        let documents = match initial_values(&node, channel.mask(), depth).await {
            Ok(documents) => documents,
            Err(error) => return reply(&session, &echo, &ObjectResponse::error(error)),
        };
        reply(
            &session,
            &echo,
            &with_initial_values(&documents, &reference),
        );
        if let Some(events) = values.events {
            for document in &documents {
                let item = item(Some(&document.data), &meta_of(document));
                events.push(&session, &echo, &item);
            }
        }
    }))
}

/// What is stored under a mask, oldest change first.
async fn initial_values(node: &Node, mask: &str, depth: Depth) -> Result<Vec<Document>, WireError> {
    let query = Query::all(StoreGlob::new(mask));
    let mut documents = node
        .data()
        .find(query)
        .await
        .map_err(|error| store_failed(&error))?;
    if let Some(prefix) = mask.strip_suffix("/**") {
        let above = prefix.split('/').count();
        let deepest = above + depth.levels() as usize;
        documents.retain(|document| document.path.split('/').count() <= deepest);
    }
    documents.sort_by(|one, other| {
        one.modified
            .cmp(&other.modified)
            .then_with(|| one.path.cmp(&other.path))
    });
    Ok(documents)
}

/// The values appear twice: as clients read them, and as older ones did.
fn with_initial_values(documents: &[Document], reference: &str) -> ObjectResponse {
    let mut data = vec![b'['];
    let mut wrapped = vec![b'['];
    for document in documents {
        if data.len() > 1 {
            data.push(b',');
            wrapped.push(b',');
        }
        let meta = meta_of(document);
        let item = item(Some(&document.data), &meta);
        data.extend_from_slice(item.as_bytes());
        wrapped.extend_from_slice(b"{\"data\":");
        wrapped.extend_from_slice(item.as_bytes());
        wrapped.extend_from_slice(b",\"_meta\":");
        happn_protocol::response::write_item_meta(&mut wrapped, &meta);
        wrapped.push(b'}');
    }
    data.push(b']');
    wrapped.push(b']');
    let meta = Meta {
        status_first: true,
        reference_id: Some(reference.into()),
        ..Meta::default()
    };
    ObjectResponse {
        extra: Some(("initialValues", Json::from_trusted(wrapped))),
        meta,
        ..ObjectResponse::ok(Json::from_trusted(data))
    }
}

fn integer(raw: &RawValue) -> Option<i64> {
    let number: f64 = serde_json::from_str(raw.get()).ok()?;
    (number.fract() == 0.0).then_some(number as i64)
}
