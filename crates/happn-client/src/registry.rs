//! Who listens to what: the client's table of listeners and of subscriptions on the wire.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use happn_protocol::Json;
use tokio::sync::{mpsc, watch};

use crate::{ClientError, Event};

/// What makes two listeners share one subscription on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct WireKey {
    pub(crate) channel: Arc<str>,
    /// Everything else that the server is told, as text.
    pub(crate) options: Arc<str>,
    /// Listeners with initial values never share.
    pub(crate) alone: Option<u64>,
}

/// How far a subscription on the wire has come.
#[derive(Clone, Debug)]
pub(crate) enum WireState {
    Pending,
    /// Confirmed, with the items that were there before.
    Confirmed(Arc<Vec<Json>>),
    Refused(ClientError),
}

/// A subscription to take back from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Off {
    pub(crate) channel: Arc<str>,
    pub(crate) reference: Arc<str>,
}

/// A place that receives events.
pub(crate) struct Listener {
    pub(crate) id: u64,
    pub(crate) key: WireKey,
    pub(crate) sender: mpsc::Sender<Event>,
    /// Lost in all, shared with the subscription.
    pub(crate) lost: Arc<AtomicU64>,
    /// Lost since the last one that arrived.
    pub(crate) missed: u64,
    /// How many more it wants; `None` is no end.
    pub(crate) remaining: Option<u64>,
    /// Its depth, when its mask is deep.
    pub(crate) levels: Option<u64>,
}

struct Wire {
    listeners: usize,
    reference: Option<Arc<str>>,
    /// Tells attempts to subscribe apart: the answer to an old one means nothing.
    attempt: u64,
    state: watch::Sender<WireState>,
}

#[derive(Default)]
struct Tables {
    channels: HashMap<Arc<str>, Vec<Listener>>,
    /// Ordered, so that a reconnect subscribes in the same order each time.
    wires: BTreeMap<WireKey, Wire>,
    attempts: u64,
}

/// The table. Its lock is never held across an await.
#[derive(Default)]
pub(crate) struct Registry {
    tables: Mutex<Tables>,
    ids: AtomicU64,
}

impl Registry {
    pub(crate) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Enters a listener before anything is sent, so that no event can slip through. Answers the
    /// attempt to make when it is the first with its key.
    pub(crate) fn add(&self, listener: Listener) -> (Option<u64>, watch::Receiver<WireState>) {
        let mut tables = self.tables();
        let Tables {
            channels,
            wires,
            attempts,
        } = &mut *tables;
        let mut attempt = None;
        let wire = wires.entry(listener.key.clone()).or_insert_with(|| {
            *attempts += 1;
            attempt = Some(*attempts);
            Wire {
                listeners: 0,
                reference: None,
                attempt: *attempts,
                state: watch::Sender::new(WireState::Pending),
            }
        });
        wire.listeners += 1;
        let state = wire.state.subscribe();
        let channel = Arc::clone(&listener.key.channel);
        channels.entry(channel).or_default().push(listener);
        (attempt, state)
    }

    /// Notes that the server has confirmed. Answers what to take back when nobody listens any
    /// more.
    pub(crate) fn confirm(
        &self,
        key: &WireKey,
        attempt: u64,
        reference: Option<Arc<str>>,
        initial: Vec<Json>,
    ) -> Option<Off> {
        let mut tables = self.tables();
        match tables.wires.get_mut(key) {
            Some(wire) if wire.attempt == attempt => {
                wire.reference = reference;
                let state = WireState::Confirmed(Arc::new(initial));
                wire.state.send_replace(state);
                None
            }
            // Without a reference an `off` would end everything on the channel.
            _ => reference.map(|reference| Off {
                channel: Arc::clone(&key.channel),
                reference,
            }),
        }
    }

    /// Notes that the server has refused: the listeners with this key hear nothing any more.
    pub(crate) fn refuse(&self, key: &WireKey, attempt: u64, error: ClientError) {
        let mut tables = self.tables();
        let Some(wire) = tables.wires.get(key) else {
            return;
        };
        if wire.attempt != attempt {
            return;
        }
        wire.state.send_replace(WireState::Refused(error));
        tables.wires.remove(key);
        tables.retain(&key.channel, |listener| listener.key != *key);
    }

    /// Removes a listener. Answers what to take back when it was the last with its key and the
    /// server knows it.
    pub(crate) fn release(&self, channel: &Arc<str>, id: u64) -> Option<Off> {
        let mut tables = self.tables();
        let listeners = tables.channels.get(channel)?;
        let listener = listeners.iter().find(|listener| listener.id == id)?;
        let key = listener.key.clone();
        tables.retain(channel, |listener| listener.id != id);
        tables.drop_listener_of(&key)
    }

    /// Hands an event to everyone on `channel`. `depth` is that of the subscription the server
    /// sent it for. Answers what to take back, for listeners that have heard enough or are gone.
    pub(crate) fn dispatch(&self, channel: &str, depth: Option<u64>, event: &Event) -> Vec<Off> {
        let mut tables = self.tables();
        let Some(listeners) = tables.channels.get_mut(channel) else {
            return Vec::new();
        };
        let mut done = Vec::new();
        for listener in listeners.iter_mut() {
            if !listener.hears(depth) {
                continue;
            }
            listener.hand(event);
            if listener.remaining == Some(0) || listener.sender.is_closed() {
                done.push((listener.id, listener.key.clone()));
            }
        }
        let mut offs = Vec::new();
        for (id, key) in done {
            tables.retain(&key.channel, |listener| listener.id != id);
            offs.extend(tables.drop_listener_of(&key));
        }
        offs
    }

    /// Forgets what the server knew and answers what to subscribe again. Subscriptions that were
    /// never confirmed have failed with their connection.
    pub(crate) fn restart(&self, error: &ClientError) -> Vec<(WireKey, u64)> {
        let mut tables = self.tables();
        let Tables {
            wires, attempts, ..
        } = &mut *tables;
        let mut again = Vec::with_capacity(wires.len());
        let mut failed = Vec::new();
        for (key, wire) in wires {
            let pending = matches!(*wire.state.borrow(), WireState::Pending);
            if pending {
                failed.push((key.clone(), wire.attempt));
                continue;
            }
            *attempts += 1;
            wire.attempt = *attempts;
            wire.reference = None;
            again.push((key.clone(), wire.attempt));
        }
        drop(tables);
        for (key, attempt) in failed {
            self.refuse(&key, attempt, error.clone());
        }
        again
    }

    /// The listeners on channels whose mask `wanted` accepts.
    pub(crate) fn listeners(&self, wanted: impl Fn(&str) -> bool) -> Vec<(Arc<str>, u64)> {
        let tables = self.tables();
        let mut found = Vec::new();
        for (channel, listeners) in &tables.channels {
            let mask = channel.split_once('@').map_or("", |(_, mask)| mask);
            if wanted(mask) {
                let ids = listeners.iter().map(|listener| listener.id);
                found.extend(ids.map(|id| (Arc::clone(channel), id)));
            }
        }
        found
    }

    /// Ends every subscription.
    pub(crate) fn clear(&self) {
        let mut tables = self.tables();
        tables.channels.clear();
        tables.wires.clear();
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn retain(&mut self, channel: &Arc<str>, keep: impl Fn(&Listener) -> bool) {
        if let Some(listeners) = self.channels.get_mut(channel) {
            listeners.retain(keep);
            if listeners.is_empty() {
                self.channels.remove(channel);
            }
        }
    }

    fn drop_listener_of(&mut self, key: &WireKey) -> Option<Off> {
        let wire = self.wires.get_mut(key)?;
        wire.listeners = wire.listeners.saturating_sub(1);
        if wire.listeners > 0 {
            return None;
        }
        let reference = self.wires.remove(key)?.reference?;
        Some(Off {
            channel: Arc::clone(&key.channel),
            reference,
        })
    }
}

impl Listener {
    /// Two subscriptions of different depth on one channel get one frame, for the deeper or the
    /// first of them; a listener that asked for less must not hear it.
    fn hears(&self, depth: Option<u64>) -> bool {
        match (self.levels, depth) {
            (Some(levels), Some(depth)) => levels >= depth,
            _ => true,
        }
    }

    fn hand(&mut self, event: &Event) {
        let event = event.after_missing(self.missed);
        match self.sender.try_send(event) {
            Ok(()) => self.missed = 0,
            Err(mpsc::error::TrySendError::Closed(_)) => return,
            Err(mpsc::error::TrySendError::Full(_)) => self.lose(),
        }
        if let Some(remaining) = &mut self.remaining {
            *remaining = remaining.saturating_sub(1);
        }
    }

    fn lose(&mut self) {
        self.missed += 1;
        let lost = self.lost.fetch_add(1, Ordering::Relaxed) + 1;
        // One line per doubling: visible at once, and no flood.
        if lost.is_power_of_two() {
            tracing::warn!(channel = %self.key.channel, lost, "a slow subscription loses events");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(alone: Option<u64>) -> WireKey {
        WireKey {
            channel: "/ALL@/a".into(),
            options: "{}".into(),
            alone,
        }
    }

    /// Adds a listener; answers its id, the attempt to make and its receiving end.
    fn add(registry: &Registry, key: &WireKey) -> (u64, Option<u64>, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel(4);
        let id = registry.next_id();
        let listener = Listener {
            id,
            key: key.clone(),
            sender,
            lost: Arc::default(),
            missed: 0,
            remaining: None,
            levels: None,
        };
        let (attempt, _state) = registry.add(listener);
        (id, attempt, receiver)
    }

    fn reference(text: &str) -> Option<Arc<str>> {
        Some(text.into())
    }

    fn gone() -> ClientError {
        ClientError::Disconnected {
            reason: "gone".into(),
        }
    }

    #[test]
    fn only_the_first_listener_with_a_key_subscribes_and_only_the_last_takes_back() {
        let registry = Registry::default();
        let (one, attempt, _events) = add(&registry, &key(None));
        let (two, none, _events) = add(&registry, &key(None));
        assert_eq!(none, None);
        let confirmed = registry.confirm(&key(None), attempt.unwrap(), reference("R"), vec![]);
        assert_eq!(confirmed, None);
        assert_eq!(registry.release(&"/ALL@/a".into(), one), None);
        let off = registry.release(&"/ALL@/a".into(), two).unwrap();
        assert_eq!((&*off.channel, &*off.reference), ("/ALL@/a", "R"));
        assert_eq!(registry.release(&"/ALL@/a".into(), two), None);
    }

    #[test]
    fn listeners_with_initial_values_subscribe_each_for_itself() {
        let registry = Registry::default();
        assert!(add(&registry, &key(Some(1))).1.is_some());
        assert!(add(&registry, &key(Some(2))).1.is_some());
    }

    #[test]
    fn a_confirmation_nobody_waits_for_is_taken_back_unless_it_names_no_reference() {
        let registry = Registry::default();
        let (id, attempt, _events) = add(&registry, &key(None));
        assert_eq!(registry.release(&"/ALL@/a".into(), id), None);
        let attempt = attempt.unwrap();
        assert_eq!(registry.confirm(&key(None), attempt, None, vec![]), None);
        let off = registry.confirm(&key(None), attempt, reference("R"), vec![]);
        assert_eq!(&*off.unwrap().reference, "R");
    }

    /// A subscription was being made when the connection broke; its failure arrives after the
    /// same listener was subscribed on the next connection. It must not end the new one.
    #[test]
    fn the_failure_of_an_earlier_attempt_does_not_end_a_later_one() {
        let registry = Registry::default();
        let (_, attempt, mut events) = add(&registry, &key(None));
        let old = attempt.unwrap();
        registry.confirm(&key(None), old, reference("R"), vec![]);
        let again = registry.restart(&gone());
        assert_eq!(again.len(), 1);
        registry.refuse(&key(None), old, gone());
        assert_eq!(events.try_recv(), Err(mpsc::error::TryRecvError::Empty));
        registry.refuse(&key(None), again[0].1, gone());
        assert_eq!(
            events.try_recv(),
            Err(mpsc::error::TryRecvError::Disconnected)
        );
    }

    /// The browser client once lost the older listeners here.
    #[test]
    fn who_joins_while_a_subscription_is_made_again_takes_nobody_away() {
        let registry = Registry::default();
        let (_, attempt, mut old) = add(&registry, &key(None));
        let first = attempt.unwrap();
        registry.confirm(&key(None), first, reference("R"), vec![]);
        let again = registry.restart(&gone());
        let (_, none, mut new) = add(&registry, &key(None));
        assert_eq!(none, None);
        registry.refuse(&key(None), first, gone());
        let once_more = registry.restart(&gone());
        assert_eq!(once_more.len(), 1);
        assert_ne!(once_more[0].1, again[0].1);
        for events in [&mut old, &mut new] {
            assert_eq!(events.try_recv(), Err(mpsc::error::TryRecvError::Empty));
        }
    }

    #[test]
    fn a_listener_that_is_refused_leaves_others_of_its_channel_alone() {
        let registry = Registry::default();
        let (_, attempt, mut old) = add(&registry, &key(None));
        registry.confirm(&key(None), attempt.unwrap(), reference("R"), vec![]);
        let deeper = WireKey {
            options: r#"{"depth":9}"#.into(),
            ..key(None)
        };
        let (_, attempt, mut refused) = add(&registry, &deeper);
        registry.refuse(&deeper, attempt.unwrap(), gone());
        assert_eq!(
            refused.try_recv(),
            Err(mpsc::error::TryRecvError::Disconnected)
        );
        assert_eq!(old.try_recv(), Err(mpsc::error::TryRecvError::Empty));
        assert_eq!(registry.restart(&gone()).len(), 1);
    }

    #[test]
    fn what_was_never_confirmed_fails_with_its_connection() {
        let registry = Registry::default();
        let (_, _, mut events) = add(&registry, &key(None));
        assert!(registry.restart(&gone()).is_empty());
        assert_eq!(
            events.try_recv(),
            Err(mpsc::error::TryRecvError::Disconnected)
        );
    }
}
