//! Publications of consistency 3 that wait for their recipients.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// Publications that may wait at once; beyond, a publication reports itself unacknowledged.
const WAITING_MAX: usize = 100_000;

/// Who still owes an acknowledgement for what.
#[derive(Debug, Default)]
pub(crate) struct Acknowledgements {
    waiting: Mutex<HashMap<String, Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Acknowledgements owed, by session.
    owed: HashMap<Arc<str>, u32>,
    /// Those that came before it was known who owes one.
    early: HashMap<Arc<str>, u32>,
    received: u32,
    complete: Option<oneshot::Sender<()>>,
}

impl Acknowledgements {
    /// Starts waiting before the first frame is queued: a fast recipient on another thread may
    /// acknowledge before the publisher knows who its recipients are. False when too many wait.
    pub(crate) fn open(&self, publication_id: &str) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            return false;
        }
        waiting.insert(publication_id.to_owned(), Waiting::default());
        true
    }

    /// Says who the recipients were. The receiver completes when nobody owes anything any more.
    pub(crate) fn expect(
        &self,
        publication_id: &str,
        recipients: &[Arc<str>],
    ) -> oneshot::Receiver<()> {
        let (complete, completed) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = waiting.get_mut(publication_id) {
            for session in recipients {
                *entry.owed.entry(session.clone()).or_default() += 1;
            }
            entry.complete = Some(complete);
            entry.settle();
        }
        completed
    }

    /// Counts an acknowledgement, if this very session owes one.
    pub(crate) fn acknowledge(&self, publication_id: &str, session_id: &str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = waiting.get_mut(publication_id) else {
            return;
        };
        if entry.complete.is_none() {
            // Not known yet whether this session is a recipient: believed once `expect` says so.
            *entry.early.entry(session_id.into()).or_default() += 1;
            return;
        }
        entry.count(session_id);
        entry.settle();
    }

    /// Stops waiting; answers how many acknowledgements came.
    pub(crate) fn finish(&self, publication_id: &str) -> u32 {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting
            .remove(publication_id)
            .map_or(0, |entry| entry.received)
    }
}

impl Waiting {
    fn count(&mut self, session_id: &str) {
        let Some(owed) = self.owed.get_mut(session_id) else {
            return;
        };
        *owed -= 1;
        if *owed == 0 {
            self.owed.remove(session_id);
        }
        self.received += 1;
    }

    fn settle(&mut self) {
        for (session_id, times) in std::mem::take(&mut self.early) {
            for _ in 0..times {
                self.count(&session_id);
            }
        }
        if self.owed.is_empty()
            && let Some(complete) = self.complete.take()
        {
            let _ = complete.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_session_that_owes_an_acknowledgement_can_give_it() {
        let acks = Acknowledgements::default();
        assert!(acks.open("s-1"));
        let mut done = acks.expect("s-1", &["a".into(), "a".into()]);
        acks.acknowledge("s-1", "stranger");
        acks.acknowledge("s-2", "a");
        acks.acknowledge("s-1", "a");
        assert!(done.try_recv().is_err());
        acks.acknowledge("s-1", "a");
        assert!(done.try_recv().is_ok());
        assert_eq!(acks.finish("s-1"), 2);
    }

    #[test]
    fn an_acknowledgement_may_arrive_before_the_recipients_are_known() {
        let acks = Acknowledgements::default();
        acks.open("s-1");
        acks.acknowledge("s-1", "a");
        acks.acknowledge("s-1", "stranger");
        assert!(acks.expect("s-1", &["a".into()]).try_recv().is_ok());
        assert_eq!(acks.finish("s-1"), 1);
    }
}
