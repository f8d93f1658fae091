//! Who waits for which answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Waiters by event id. Closing it wakes everybody, for good.
#[derive(Debug)]
pub(crate) struct WaitingRoom<T> {
    /// `None` once closed.
    seats: Mutex<Option<HashMap<u64, oneshot::Sender<T>>>>,
}

impl<T> WaitingRoom<T> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            seats: Mutex::new(Some(HashMap::new())),
        })
    }

    /// Takes a seat for `event_id`, or `None` when the room is closed.
    pub(crate) fn enter(self: &Arc<Self>, event_id: u64) -> Option<Waiting<T>> {
        let (sender, receiver) = oneshot::channel();
        self.seats().as_mut()?.insert(event_id, sender);
        Some(Waiting {
            room: Arc::clone(self),
            event_id,
            receiver,
        })
    }

    /// Hands `value` to whoever waits for `event_id`; answers nobody waits for are dropped.
    pub(crate) fn settle(&self, event_id: u64, value: T) {
        let sender = self
            .seats()
            .as_mut()
            .and_then(|seats| seats.remove(&event_id));
        if let Some(sender) = sender {
            let _ = sender.send(value);
        }
    }

    /// Nobody gets an answer any more.
    pub(crate) fn close(&self) {
        let seats = self.seats().take();
        drop(seats);
    }

    fn seats(&self) -> MutexGuard<'_, Option<HashMap<u64, oneshot::Sender<T>>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A seat; leaving early frees it, so that abandoned calls cost nothing.
#[derive(Debug)]
pub(crate) struct Waiting<T> {
    room: Arc<WaitingRoom<T>>,
    event_id: u64,
    receiver: oneshot::Receiver<T>,
}

impl<T> Waiting<T> {
    /// The value, or `None` when the room was closed. Cancel-safe.
    pub(crate) async fn wait(&mut self) -> Option<T> {
        (&mut self.receiver).await.ok()
    }
}

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        if let Some(seats) = self.room.seats().as_mut() {
            seats.remove(&self.event_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_abandoned_seat_is_free_again() {
        let room = WaitingRoom::<u8>::new();
        drop(room.enter(1));
        assert!(room.seats().as_ref().unwrap().is_empty());
    }

    #[tokio::test]
    async fn closing_the_room_wakes_everybody_and_lets_nobody_in() {
        let room = WaitingRoom::<u8>::new();
        let mut waiting = room.enter(1).unwrap();
        room.close();
        assert_eq!(waiting.wait().await, None);
        assert!(room.enter(2).is_none());
    }
}
