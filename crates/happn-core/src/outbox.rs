//! What waits to be written to one client.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use happn_protocol::ServerFrame;
use tokio::sync::Notify;

use crate::{SessionLimits, wakes};

/// How a session ends from the node's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A bare close frame: the client reconnects.
    Reconnect,
    /// The message that forbids reconnecting, then the close frame.
    Final,
    /// The outbox overflowed: what was queued is dropped and the socket closed.
    Overflow,
}

/// What the writer should do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Drained {
    /// Frames were moved; write them.
    Frames,
    /// Nothing to do.
    Empty,
    /// Everything is written; end the session.
    Ended(Ending),
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    /// It will be written.
    Queued,
    /// It was one too many: everything queued is dropped and the session ends.
    Overflowed {
        /// How many frames are lost, this one included.
        lost: usize,
    },
    /// The session is ending already and takes nothing more.
    Ending,
    /// A layer withheld it.
    Withheld,
}

/// A bounded queue of complete frames with one reader.
///
/// Publishers never wait: a full outbox ends its session, and the loss is counted and logged.
#[derive(Debug)]
pub struct Outbox {
    queue: Mutex<Queue>,
    ready: Arc<Notify>,
    frames_max: usize,
    bytes_max: usize,
    source: OnceLock<Source>,
}

/// Further frames, taken after those that are queued.
struct Source(Box<Take>);

type Take = dyn Fn(&mut Vec<ServerFrame>) + Send + Sync;

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<ServerFrame>,
    bytes: usize,
    ending: Option<Ending>,
    /// How many want nothing to leave yet.
    holds: usize,
}

/// Keeps what is queued from leaving until it is dropped.
#[must_use]
pub(crate) struct Hold<'a>(&'a Outbox);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.holds = queue.holds.saturating_sub(1);
        drop(queue);
        self.0.ready.notify_one();
    }
}

impl Outbox {
    pub(crate) fn new(limits: &SessionLimits) -> Self {
        Self {
            queue: Mutex::default(),
            ready: Arc::default(),
            frames_max: limits.outbox_frames_max,
            bytes_max: limits.outbox_bytes_max,
            source: OnceLock::new(),
        }
    }

    /// From now on takes frames from `source`, too, whenever nothing is queued; [`Outbox::wake`]
    /// tells that there are some. It appends nothing when it has nothing.
    pub(crate) fn take_from(&self, source: impl Fn(&mut Vec<ServerFrame>) + Send + Sync + 'static) {
        // A session becomes a link once.
        let _ = self.source.set(Source(Box::new(source)));
    }

    /// There is something to take.
    pub(crate) fn wake(&self) {
        wakes::queued(&self.ready, true);
    }

    /// Ends the session at once, without what is queued.
    pub(crate) fn abandon(&self) {
        *self.lock() = Queue {
            ending: Some(Ending::Overflow),
            ..Queue::default()
        };
        self.ready.notify_one();
    }

    /// Lets nothing leave until the hold is dropped; what is pushed meanwhile queues as ever. For
    /// moments only: whoever holds must not wait for anything.
    pub(crate) fn hold(&self) -> Hold<'_> {
        self.lock().holds += 1;
        Hold(self)
    }

    /// Queues one frame.
    pub fn push(&self, frame: ServerFrame) -> Push {
        let was_empty = {
            let mut queue = self.lock();
            if queue.ending.is_some() {
                return Push::Ending;
            }
            let was_empty = queue.frames.is_empty();
            let full = queue.frames.len() >= self.frames_max
                || (!was_empty && queue.bytes + frame.len() > self.bytes_max);
            if full {
                let lost = queue.frames.len() + 1;
                *queue = Queue {
                    ending: Some(Ending::Overflow),
                    ..Queue::default()
                };
                drop(queue);
                self.ready.notify_one();
                return Push::Overflowed { lost };
            }
            queue.bytes += frame.len();
            queue.frames.push_back(frame);
            was_empty
        };
        wakes::queued(&self.ready, was_empty);
        Push::Queued
    }

    /// Ends the session once everything queued so far is written. The first ending wins.
    pub fn end(&self, ending: Ending) {
        self.lock().ending.get_or_insert(ending);
        self.ready.notify_one();
    }

    /// Moves everything queued into `frames`, in order.
    pub fn drain(&self, frames: &mut Vec<ServerFrame>) -> Drained {
        let mut queue = self.lock();
        if queue.holds > 0 {
            return Drained::Empty;
        }
        if queue.frames.is_empty() {
            let ending = queue.ending.clone();
            drop(queue);
            return self.drain_source(frames, ending);
        }
        frames.extend(queue.frames.drain(..));
        queue.bytes = 0;
        // An idle session keeps no room for its last burst.
        if queue.frames.capacity() > 64 {
            queue.frames.shrink_to(0);
        }
        Drained::Frames
    }

    /// The queue's lock is not held: whoever fills the source wakes the outbox under its own.
    fn drain_source(&self, frames: &mut Vec<ServerFrame>, ending: Option<Ending>) -> Drained {
        let before = frames.len();
        if ending != Some(Ending::Overflow)
            && let Some(source) = self.source.get()
        {
            (source.0)(frames);
        }
        match frames.len() > before {
            true => Drained::Frames,
            false => ending.map_or(Drained::Empty, Drained::Ended),
        }
    }

    /// How many frames and bytes are queued.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let queue = self.lock();
        (queue.frames.len(), queue.bytes)
    }

    /// Whether the session has overflowed, so that a write under way may be given up.
    #[must_use]
    pub fn has_overflowed(&self) -> bool {
        self.lock().ending == Some(Ending::Overflow)
    }

    /// Completes when there may be something to drain. Cancel-safe.
    pub async fn ready(&self) {
        self.ready.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(frames_max: usize, bytes_max: usize) -> Outbox {
        Outbox::new(&SessionLimits {
            outbox_frames_max: frames_max,
            outbox_bytes_max: bytes_max,
            ..SessionLimits::default()
        })
    }

    #[test]
    fn frames_come_out_in_order_and_then_the_ending() {
        let outbox = outbox(10, 1000);
        assert_eq!(outbox.push(ServerFrame::text("1")), Push::Queued);
        assert_eq!(outbox.push(ServerFrame::text("2")), Push::Queued);
        outbox.end(Ending::Final);
        outbox.end(Ending::Reconnect);
        assert_eq!(outbox.push(ServerFrame::text("3")), Push::Ending);
        let mut frames = Vec::new();
        assert_eq!(outbox.drain(&mut frames), Drained::Frames);
        assert_eq!(frames, [ServerFrame::text("1"), ServerFrame::text("2")]);
        assert_eq!(outbox.drain(&mut frames), Drained::Ended(Ending::Final));
    }

    #[test]
    fn what_is_held_leaves_in_order_once_the_last_hold_is_gone() {
        let outbox = outbox(10, 1000);
        let (first, second) = (outbox.hold(), outbox.hold());
        outbox.push(ServerFrame::text("1"));
        outbox.push(ServerFrame::text("2"));
        let mut frames = Vec::new();
        assert_eq!(outbox.drain(&mut frames), Drained::Empty);
        drop(first);
        assert_eq!(outbox.drain(&mut frames), Drained::Empty);
        drop(second);
        assert_eq!(outbox.drain(&mut frames), Drained::Frames);
        assert_eq!(frames, [ServerFrame::text("1"), ServerFrame::text("2")]);
    }

    #[test]
    fn a_full_outbox_ends_also_while_it_is_held() {
        let outbox = outbox(1, 1000);
        let hold = outbox.hold();
        outbox.push(ServerFrame::text("1"));
        outbox.push(ServerFrame::text("2"));
        let overflowed = Drained::Ended(Ending::Overflow);
        assert_eq!(outbox.drain(&mut Vec::new()), overflowed);
        drop(hold);
        assert_eq!(outbox.drain(&mut Vec::new()), overflowed);
    }

    #[test]
    fn a_full_outbox_ends_its_session_and_frees_its_memory() {
        let by_count = outbox(2, 1000);
        let pushed = [0; 4].map(|_| by_count.push(ServerFrame::text("x")));
        let overflowed = Push::Overflowed { lost: 3 };
        assert_eq!(
            pushed,
            [Push::Queued, Push::Queued, overflowed, Push::Ending]
        );
        let by_bytes = outbox(10, 100);
        let larger_than_allowed = ServerFrame::text(&"x".repeat(500));
        assert_eq!(
            by_bytes.push(larger_than_allowed),
            Push::Queued,
            "one alone may be"
        );
        assert_eq!(
            by_bytes.push(ServerFrame::text("y")),
            Push::Overflowed { lost: 2 }
        );
        assert_eq!(
            by_bytes.drain(&mut Vec::new()),
            Drained::Ended(Ending::Overflow)
        );
    }
}
