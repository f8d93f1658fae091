//! Hints that what is stored has changed.

use tokio::sync::mpsc;

/// Hints from a store that there is something new to read. They say nothing about what, and
/// several changes may be one hint: whoever gets one reads.
///
/// Dropping it ends the store's work for it.
#[derive(Debug)]
pub struct Changes(mpsc::Receiver<()>);

/// The store's side of [`Changes`].
#[derive(Clone, Debug)]
pub struct ChangeHints(mpsc::Sender<()>);

impl Changes {
    /// Both sides. One hint waits at most; what happens meanwhile is in it.
    #[must_use]
    pub fn channel() -> (ChangeHints, Self) {
        let (hints, changes) = mpsc::channel(1);
        (ChangeHints(hints), Self(changes))
    }

    /// The next hint; `None` when the store cannot tell any more. Changes may have been missed
    /// then. Cancel-safe.
    pub async fn next(&mut self) -> Option<()> {
        self.0.recv().await
    }
}

impl ChangeHints {
    /// Something has changed.
    pub fn hint(&self) {
        // A hint that is already waiting says the same.
        let _ = self.0.try_send(());
    }

    /// Waits until nobody listens any more. Cancel-safe.
    pub async fn unheard(&self) {
        self.0.closed().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn several_changes_are_one_hint_until_it_is_taken() {
        let (hints, mut changes) = Changes::channel();
        hints.hint();
        hints.hint();
        assert_eq!(changes.next().await, Some(()));
        hints.hint();
        drop(hints);
        assert_eq!(changes.next().await, Some(()));
        assert_eq!(changes.next().await, None);
    }

    #[tokio::test]
    async fn the_store_learns_that_nobody_listens() {
        let (hints, changes) = Changes::channel();
        drop(changes);
        hints.unheard().await;
        hints.hint();
    }
}
