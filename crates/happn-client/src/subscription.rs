//! A stream of events, and how to ask for one.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures_util::Stream;
use happn_protocol::Json;
use tokio::sync::mpsc;

use crate::client::Core;
use crate::registry::Off;
use crate::{ClientError, Event, Item};

/// Which events a subscription asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Events {
    /// Every event.
    #[default]
    All,
    /// Only what was set.
    Set,
    /// Only what was removed.
    Remove,
}

/// What to do with the items that are there before the first event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Initial {
    /// Nothing.
    #[default]
    None,
    /// They are in [`Subscription::initial`].
    Collect,
    /// They come first out of [`Subscription::next`], as if they had just been set.
    Emit,
}

/// Options of a subscription.
///
/// ```
/// use happn_client::{Events, SubscribeOptions};
///
/// let options = SubscribeOptions {
///     events: Events::Set,
///     depth: Some(2),
///     ..SubscribeOptions::default()
/// };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscribeOptions {
    /// Which events.
    pub events: Events,
    /// How many segments a trailing `**` stands for at most; 5 when not given. Masks that do not
    /// end in `**` ignore it.
    pub depth: Option<u32>,
    /// What to do with what is already there.
    pub initial: Initial,
    /// Get the data of a merge as it was sent, instead of the merged item.
    pub merge: bool,
    /// End after this many events; 0 is no end.
    pub count: u64,
    /// Kept with the subscription; the server does not look at it.
    pub meta: Option<Json>,
    /// How many events may wait for [`Subscription::next`] before further ones are lost, counted
    /// and reported.
    pub buffer: usize,
}

impl Default for SubscribeOptions {
    fn default() -> Self {
        Self {
            events: Events::All,
            depth: None,
            initial: Initial::None,
            merge: false,
            count: 0,
            meta: None,
            buffer: 1024,
        }
    }
}

impl SubscribeOptions {
    /// The action of the channel and its spelling in the options.
    pub(crate) fn action(&self) -> (&'static str, &'static str) {
        match self.events {
            Events::All => ("ALL", "all"),
            Events::Set => ("SET", "set"),
            Events::Remove => ("REMOVE", "remove"),
        }
    }

    /// The options as the server gets them. `initial` is false when subscribing again.
    pub(crate) fn encode(&self, depth: Option<u32>, timeout_ms: u64, initial: bool) -> String {
        let mut members = Vec::new();
        if initial {
            match self.initial {
                Initial::None => {}
                Initial::Collect => members.push(r#""initialCallback":true"#.to_owned()),
                Initial::Emit => members.push(r#""initialEmit":true"#.to_owned()),
            }
        }
        if self.merge {
            members.push(r#""merge":true"#.to_owned());
        }
        if let Some(meta) = &self.meta {
            members.push(format!(r#""meta":{meta}"#));
        }
        members.push(format!(r#""event_type":"{}""#, self.action().1));
        members.push(format!(r#""count":{}"#, self.count));
        if let Some(depth) = depth {
            members.push(format!(r#""depth":{depth}"#));
        }
        members.push(format!(r#""timeout":{timeout_ms}"#));
        format!("{{{}}}", members.join(","))
    }
}

/// A bounded stream of events, also as a [`Stream`].
///
/// It survives reconnects: the client subscribes again. Events published while the client was
/// disconnected are not delivered later; [`crate::Client::state`] tells when that happened.
///
/// Dropping it ends the subscription. When its buffer is full, further events are lost for this
/// subscription alone: [`Subscription::lost`] counts them, [`Event::missed`] marks the gap, and a
/// warning is logged.
pub struct Subscription {
    pub(crate) core: Arc<Core>,
    pub(crate) channel: Arc<str>,
    pub(crate) id: u64,
    pub(crate) receiver: mpsc::Receiver<Event>,
    pub(crate) lost: Arc<AtomicU64>,
    pub(crate) initial: Vec<Item<Json>>,
    pub(crate) emitted: VecDeque<Event>,
}

impl Subscription {
    /// The next event, or `None` when the subscription has ended: taken off, its count reached,
    /// refused on reconnect, or its client gone. Cancel-safe.
    pub async fn next(&mut self) -> Option<Event> {
        match self.emitted.pop_front() {
            Some(event) => Some(event),
            None => self.receiver.recv().await,
        }
    }

    /// The next event if there is one already.
    pub fn try_next(&mut self) -> Option<Event> {
        let waiting = self.emitted.pop_front();
        waiting.or_else(|| self.receiver.try_recv().ok())
    }

    /// What was there before, with [`Initial::Collect`].
    #[must_use]
    pub fn initial(&self) -> &[Item<Json>] {
        &self.initial
    }

    /// How many events this subscription has lost because its buffer was full.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// The channel on the wire, such as `/ALL@/orders/*`.
    #[must_use]
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// Ends the subscription and waits until the server has confirmed it. Dropping the future
    /// midway ends it all the same.
    ///
    /// # Errors
    /// When the server does not confirm; the subscription has ended on this side anyway.
    pub async fn off(self) -> Result<(), ClientError> {
        match self.release() {
            Some(off) => self.core.take_back(&off).await,
            None => Ok(()),
        }
    }

    fn release(&self) -> Option<Off> {
        self.core.registry.release(&self.channel, self.id)
    }
}

impl Stream for Subscription {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        match self.emitted.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None => self.receiver.poll_recv(context),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(off) = self.release() {
            self.core.take_back_later(off);
        }
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription")
            .field("channel", &self.channel)
            .field("lost", &self.lost())
            .finish_non_exhaustive()
    }
}
