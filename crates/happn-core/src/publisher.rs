//! From one publication to the outboxes of everybody subscribed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use happn_paths::EventKind;
use happn_protocol::link::LinkFrame;
use happn_protocol::publication::{self, Event};
use happn_protocol::{Json, ServerFrame};

use crate::links::{Links, Recipients, bit};
use crate::seams::event_sink::Delivery;
use crate::subscriptions::{Group, Subscription, Subscriptions};
use crate::{Push, Session};

/// One event on its way to local sessions.
pub(crate) struct Publication<'a> {
    pub(crate) kind: EventKind,
    pub(crate) event: Event<'a>,
    pub(crate) data: &'a Json,
    /// What subscribers with `merge` get instead of the merged document.
    pub(crate) merge_data: Option<&'a Json>,
    /// Only these sessions, if given.
    pub(crate) target_clients: Option<&'a [String]>,
    /// Leaves sessions of other nodes out.
    pub(crate) no_cluster: bool,
}

/// What became of a publication.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) delivery: Delivery,
    /// Sessions that this publication made overflow, each with the frames it loses.
    pub(crate) overflowed: Vec<(Arc<Session>, usize)>,
}

/// Hands `publication` to every matching session; `reached` learns of every frame queued. `now` is
/// the monotonic time, asked for when the event crosses a link.
///
/// Each distinct group is serialised once. One session gets one frame per channel, however many
/// of its subscriptions share it; all numbered links together get one frame, kept for those that
/// are behind.
pub(crate) fn publish(
    subscriptions: &Subscriptions,
    links: &Links,
    now: impl FnOnce() -> Duration,
    publication: &Publication<'_>,
    mut reached: impl FnMut(&Arc<Session>),
) -> Report {
    let mut report = Report::default();
    let mut frames = Frames::new(publication);
    let mut repeated = Vec::new();
    let mut linked: Recipients = 0;
    subscriptions.for_each_match(publication.kind, publication.event.path, |subscription| {
        if !publication.admits(&subscription.session) || subscription.session.is_shut_out() {
            return;
        }
        if let Some(place) = subscription.session.link() {
            linked |= bit(place.id);
            return;
        }
        if !subscription.lets_through(publication.event.path) {
            return;
        }
        report.delivery.matched += 1;
        if publication.no_cluster && subscription.session.is_cluster_link() {
            return;
        }
        if subscription.session.repeats_channels() {
            repeated.push(subscription.clone());
            return;
        }
        let frame = frames.of(subscription.group_id, &subscription.group);
        report.deliver(&subscription.session, frame, &mut reached);
    });
    for (session, group) in one_per_channel(&repeated) {
        report.deliver(session, frames.encode(&group), &mut reached);
    }
    report.delivery.matched += linked.count_ones();
    if !publication.no_cluster && publication.target_clients.is_none() {
        links.offer();
    }
    if linked != 0 && !publication.no_cluster {
        let Publication {
            event,
            data,
            merge_data,
            ..
        } = publication;
        let frame = LinkFrame::new(event, data, *merge_data);
        if frame.is_too_large() {
            tracing::warn!(
                path = event.path,
                "an event is too large for other nodes: they are told that one is missing"
            );
        }
        report.delivery.delivered += links.append(linked, frame, now(), &mut reached);
    }
    report
}

impl Report {
    fn deliver(
        &mut self,
        session: &Arc<Session>,
        frame: ServerFrame,
        reached: &mut impl FnMut(&Arc<Session>),
    ) {
        match session.send(frame) {
            Push::Queued => {
                self.delivery.delivered += 1;
                reached(session);
            }
            Push::Ending | Push::Withheld => self.delivery.refused += 1,
            Push::Overflowed { lost } => {
                self.delivery.refused += 1;
                self.overflowed.push((session.clone(), lost));
            }
        }
    }
}

impl Publication<'_> {
    fn admits(&self, session: &Session) -> bool {
        self.target_clients
            .is_none_or(|targets| targets.iter().any(|id| **id == **session.id()))
    }
}

/// The first subscription per session and channel, with the smallest depth among those that
/// match: the client drops events for handlers of a smaller depth than the event's.
fn one_per_channel(matches: &[Arc<Subscription>]) -> Vec<(&Arc<Session>, Group)> {
    let mut places: HashMap<(*const Session, &str), usize> = HashMap::new();
    let mut kept: Vec<(&Arc<Session>, Group)> = Vec::new();
    for found in matches {
        let key = (Arc::as_ptr(&found.session), &*found.group.channel);
        match places.get(&key) {
            Some(&place) => {
                let depth = &mut kept[place].1.depth;
                *depth = match (*depth, found.group.depth) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                };
            }
            None => {
                places.insert(key, kept.len());
                kept.push((&found.session, found.group.clone()));
            }
        }
    }
    kept
}

/// The frames of one publication, each encoded when first needed.
struct Frames<'a> {
    publication: &'a Publication<'a>,
    /// Often the only one.
    first: Option<(u32, ServerFrame)>,
    /// Nearly always one to three groups: a list beats a map. The map takes over when a hostile
    /// client spells one mask in very many ways.
    few: Vec<(u32, ServerFrame)>,
    many: HashMap<u32, ServerFrame>,
}

const FEW: usize = 16;

impl<'a> Frames<'a> {
    fn new(publication: &'a Publication<'a>) -> Self {
        Self {
            publication,
            first: None,
            few: Vec::new(),
            many: HashMap::new(),
        }
    }

    fn of(&mut self, group_id: u32, group: &Group) -> ServerFrame {
        let mut few = self.first.iter().chain(self.few.iter().rev());
        if let Some((_, frame)) = few.find(|(id, _)| *id == group_id) {
            return frame.clone();
        }
        if let Some(frame) = self.many.get(&group_id) {
            return frame.clone();
        }
        let frame = self.encode(group);
        if self.first.is_none() {
            self.first = Some((group_id, frame.clone()));
        } else if self.few.len() < FEW {
            self.few.push((group_id, frame.clone()));
        } else {
            self.many.insert(group_id, frame.clone());
        }
        frame
    }

    fn encode(&self, group: &Group) -> ServerFrame {
        let data = match self.publication.merge_data {
            Some(sent) if group.merge => sent,
            _ => self.publication.data,
        };
        let Group {
            channel,
            depth,
            dialect,
            ..
        } = group;
        publication::encode(&self.publication.event, data, channel, *depth, *dialect)
    }
}
