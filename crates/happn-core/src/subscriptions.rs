//! Who subscribed to what.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use happn_paths::{ActionFilter, Channel, Depth, EventKind, SubscriptionIndex};
use happn_protocol::{Dialect, Json};

use crate::dispatch::Granted;
use crate::interest::Interest;
use crate::{PathFilter, Session};

/// What recipients must have in common to share one encoded frame.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Group {
    /// The channel as subscribed: clients look their listeners up by its spelling.
    pub(crate) channel: Arc<str>,
    /// The depth the client asked for, repeated in its events.
    pub(crate) depth: Option<u32>,
    /// Whether a merge arrives as what was sent instead of the merged document.
    pub(crate) merge: bool,
    /// The dialect at the time of subscribing.
    pub(crate) dialect: Dialect,
}

/// One subscription of one session.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) session: Arc<Session>,
    pub(crate) group: Group,
    /// The group's number: equal numbers mean equal groups.
    pub(crate) group_id: u32,
    pub(crate) reference: Arc<str>,
    /// As whom, and what of it is let through; on a secure node.
    pub(crate) granted: Granted,
    pub(crate) channel: Channel,
    pub(crate) depth: Depth,
    /// The options as sent, for the records that `off` answers.
    pub(crate) options: Option<Json>,
    /// Maps `off` by `refCount` of the first dialect.
    pub(crate) ref_count: Option<Json>,
    /// Counts up with every subscription of the node.
    sequence: u64,
    /// The change of interest that other nodes have to know of before it hears them.
    pub(crate) told: Option<u64>,
}

/// What a new subscription consists of.
pub(crate) struct NewSubscription {
    pub(crate) session: Arc<Session>,
    pub(crate) group: Group,
    pub(crate) reference: Arc<str>,
    pub(crate) granted: Granted,
    pub(crate) channel: Channel,
    pub(crate) depth: Depth,
    pub(crate) options: Option<Json>,
    pub(crate) ref_count: Option<Json>,
}

impl NewSubscription {
    /// The same, as it was allowed.
    pub(crate) fn granted(self, granted: Granted) -> Self {
        Self { granted, ..self }
    }
}

impl Subscription {
    /// Whether an event on `path` may go out on it.
    pub(crate) fn lets_through(&self, path: &str) -> bool {
        let only = self.granted.only.as_ref();
        only.is_none_or(|filter| filter.admits(path))
    }
}

/// Which of a session's subscriptions to take off.
pub(crate) enum Removal<'a> {
    /// All of them.
    Everything,
    /// All on this channel.
    Channel(&'a Channel),
    /// The one with this reference, if it is on this channel.
    Reference(&'a Channel, &'a str),
}

/// All subscriptions of the node. Publications read it side by side.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    table: RwLock<Table>,
    /// What other nodes are told of, if they are.
    interest: Option<Arc<Interest>>,
}

#[derive(Debug)]
struct Table {
    index: SubscriptionIndex,
    slots: Vec<Option<Arc<Subscription>>>,
    free: Vec<u32>,
    groups: HashMap<Group, (u32, u32)>,
    next_group: u32,
    sequence: u64,
}

/// The session holds as many subscriptions as it may.
#[derive(Debug)]
pub(crate) struct TooMany;

impl Subscriptions {
    pub(crate) fn new(hash_seed: [u64; 2], interest: Option<Arc<Interest>>) -> Self {
        Self {
            table: RwLock::new(Table {
                index: SubscriptionIndex::new(hash_seed),
                slots: Vec::new(),
                free: Vec::new(),
                groups: HashMap::new(),
                next_group: 0,
                sequence: 0,
            }),
            interest,
        }
    }

    /// What other nodes are told of, if they are.
    pub(crate) fn interest(&self) -> Option<&Arc<Interest>> {
        self.interest.as_ref()
    }

    /// Adds a subscription, unless its session already holds `max`.
    pub(crate) fn add(
        &self,
        new: NewSubscription,
        max: usize,
    ) -> Result<Arc<Subscription>, TooMany> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let session = new.session.clone();
        let mut own = session.subscriptions();
        if own.count >= max {
            return Err(TooMany);
        }
        let key = topic(&new.channel);
        let on_topic = own.by_topic.entry(key).or_default();
        if !on_topic.is_empty() {
            session.mark_repeated_channel();
        }
        let interest = self.interest.as_ref();
        let interest = interest.filter(|_| !session.is_cluster_link());
        let told = interest.map(|interest| interest.add(&new.channel.to_mask()));
        let (id, added) = table.insert(new, told);
        on_topic.push(id);
        own.count += 1;
        Ok(added)
    }

    /// Takes subscriptions off and answers them, in order of subscription.
    pub(crate) fn remove(
        &self,
        session: &Session,
        removal: &Removal<'_>,
    ) -> Vec<Arc<Subscription>> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let mut own = session.subscriptions();
        let mut ids = match removal {
            Removal::Everything => own.take_all(),
            Removal::Channel(channel) => own.by_topic.remove(&topic(channel)).unwrap_or_default(),
            Removal::Reference(channel, reference) => own.take(&table, channel, reference),
        };
        own.count -= ids.len().min(own.count);
        drop(own);
        let mut removed: Vec<_> = ids
            .drain(..)
            .filter_map(|id| table.take(id))
            .inspect(|held| self.withdraw(held))
            .collect();
        removed.sort_by_key(|subscription| subscription.sequence);
        removed
    }

    /// Takes off whatever a session that is gone still holds, a share at a time: publications of
    /// others must not wait for the clean-up of one client with very many subscriptions.
    pub(crate) fn forget(&self, session: &Session) {
        const SHARE: usize = 256;
        let held = session.subscriptions().take_all();
        for share in held.chunks(SHARE) {
            let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
            for &id in share {
                if let Some(held) = table.take(id) {
                    self.withdraw(&held);
                }
            }
        }
    }

    fn withdraw(&self, held: &Subscription) {
        if let Some(interest) = self.interest.as_ref().filter(|_| held.told.is_some()) {
            interest.remove(&held.channel.to_mask());
        }
    }

    /// The reference of the session's subscription that carried this `refCount`.
    pub(crate) fn reference_by_count(
        &self,
        session: &Session,
        ref_count: &str,
    ) -> Option<Arc<str>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let own = session.subscriptions();
        own.by_topic
            .values()
            .flatten()
            .filter_map(|&id| table.slots.get(id as usize)?.as_ref())
            .find(|held| {
                held.ref_count
                    .as_ref()
                    .is_some_and(|count| count.as_str() == ref_count)
            })
            .map(|held| held.reference.clone())
    }

    /// What a session holds, in no order.
    pub(crate) fn of(&self, session: &Session) -> Vec<Arc<Subscription>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let own = session.subscriptions();
        let held = own.by_topic.values().flatten();
        held.filter_map(|&id| table.slots.get(id as usize)?.clone())
            .collect()
    }

    /// Lets events of a subscription through where `only` says, from now on.
    pub(crate) fn narrow(&self, held: &Subscription, only: Option<Arc<dyn PathFilter>>) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let own = held.session.subscriptions();
        let ids = own.by_topic.get(&topic(&held.channel)).cloned();
        drop(own);
        for id in ids.into_iter().flatten() {
            if let Some(Some(slot)) = table.slots.get_mut(id as usize)
                && slot.sequence == held.sequence
            {
                let narrowed = Arc::make_mut(slot);
                narrowed.granted.only = only;
                return;
            }
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.slots.len() - table.free.len()
    }

    /// Visits every subscription an event reaches. `visit` runs under the table's read lock: it
    /// must be short and must not subscribe.
    pub(crate) fn for_each_match(
        &self,
        kind: EventKind,
        path: &str,
        mut visit: impl FnMut(&Arc<Subscription>),
    ) {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.index.for_each_match(kind, path, |id| {
            if let Some(held) = &table.slots[id as usize] {
                visit(held);
            }
        });
    }
}

/// What one session holds: its subscriptions by action and normalised mask.
#[derive(Debug, Default)]
pub(crate) struct OwnSubscriptions {
    by_topic: HashMap<(ActionFilter, Box<str>), Vec<u32>>,
    count: usize,
}

impl OwnSubscriptions {
    /// How many the session holds.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    fn take_all(&mut self) -> Vec<u32> {
        self.by_topic.drain().flat_map(|(_, ids)| ids).collect()
    }

    fn take(&mut self, table: &Table, channel: &Channel, reference: &str) -> Vec<u32> {
        let key = topic(channel);
        let Some(ids) = self.by_topic.get_mut(&key) else {
            return Vec::new();
        };
        let carries = |&id: &u32| {
            let held = table.slots.get(id as usize).and_then(Option::as_ref);
            held.is_some_and(|held| &*held.reference == reference)
        };
        let taken: Vec<u32> = ids.extract_if(.., |id| carries(id)).collect();
        if ids.is_empty() {
            self.by_topic.remove(&key);
        }
        taken
    }
}

fn topic(channel: &Channel) -> (ActionFilter, Box<str>) {
    (channel.action(), channel.to_mask().normalised().into())
}

impl Table {
    fn insert(&mut self, new: NewSubscription, told: Option<u64>) -> (u32, Arc<Subscription>) {
        let group_id = self.join_group(&new.group);
        let mask = new.channel.to_mask();
        let id = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.index
            .insert(id, new.channel.action(), &mask, new.depth);
        self.sequence += 1;
        let added = Arc::new(Subscription {
            session: new.session,
            group: new.group,
            group_id,
            reference: new.reference,
            granted: new.granted,
            channel: new.channel,
            depth: new.depth,
            options: new.options,
            ref_count: new.ref_count,
            sequence: self.sequence,
            told,
        });
        self.slots[id as usize] = Some(added.clone());
        (id, added)
    }

    fn take(&mut self, id: u32) -> Option<Arc<Subscription>> {
        let held = self.slots.get_mut(id as usize)?.take()?;
        self.index.remove(
            id,
            held.channel.action(),
            &held.channel.to_mask(),
            held.depth,
        );
        self.leave_group(&held.group);
        self.free.push(id);
        Some(held)
    }

    fn join_group(&mut self, group: &Group) -> u32 {
        if let Some((id, users)) = self.groups.get_mut(group) {
            *users += 1;
            return *id;
        }
        self.next_group = self.next_group.wrapping_add(1);
        self.groups.insert(group.clone(), (self.next_group, 1));
        self.next_group
    }

    fn leave_group(&mut self, group: &Group) {
        if let Some((_, users)) = self.groups.get_mut(group) {
            *users -= 1;
            if *users == 0 {
                self.groups.remove(group);
            }
        }
    }
}
