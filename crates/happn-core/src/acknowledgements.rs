//! Publications of consistency 3 that wait for their recipients.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Publications that may wait at once; beyond, a publication reports itself unacknowledged.
const WAITING_MAX: usize = 100_000;

/// Who still owes an acknowledgement for what.
#[derive(Debug, Default)]
pub(crate) struct Acknowledgements {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: HashMap<Arc<str>, Waiting>,
    /// What each session still owes, for the day it leaves.
    debts: HashMap<Arc<str>, HashSet<Arc<str>>>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Acknowledgements owed, by session.
    owed: HashMap<Arc<str>, u32>,
    /// Those that came before it was known who owes one.
    early: HashMap<Arc<str>, u32>,
    received: u32,
    /// Somebody left who still owed one.
    deserted: bool,
    complete: Option<oneshot::Sender<bool>>,
}

impl Acknowledgements {
    /// Starts waiting before the first frame is queued: a fast recipient on another thread may
    /// acknowledge before the publisher knows who its recipients are. False when too many wait.
    pub(crate) fn open(&self, publication_id: &str) -> bool {
        let mut state = self.lock();
        if state.waiting.len() >= WAITING_MAX {
            return false;
        }
        state
            .waiting
            .insert(publication_id.into(), Waiting::default());
        true
    }

    /// Says who the recipients were. The receiver completes when nobody owes anything any more:
    /// with true if everybody acknowledged, with false if somebody left instead.
    pub(crate) fn expect(
        &self,
        publication_id: &str,
        recipients: &[Arc<str>],
    ) -> oneshot::Receiver<bool> {
        let (complete, completed) = oneshot::channel();
        let mut state = self.lock();
        let State { waiting, debts } = &mut *state;
        if let Some(entry) = waiting.get_mut(publication_id) {
            let publication: Arc<str> = publication_id.into();
            for session in recipients {
                *entry.owed.entry(session.clone()).or_default() += 1;
                let debts = debts.entry(session.clone()).or_default();
                debts.insert(publication.clone());
            }
            entry.complete = Some(complete);
            for (session, times) in std::mem::take(&mut entry.early) {
                for _ in 0..times {
                    entry.count(&publication, &session, debts);
                }
            }
            entry.settle();
        }
        completed
    }

    /// Counts an acknowledgement, if this very session owes one.
    pub(crate) fn acknowledge(&self, publication_id: &str, session_id: &str) {
        let mut state = self.lock();
        let State { waiting, debts } = &mut *state;
        let Some(entry) = waiting.get_mut(publication_id) else {
            return;
        };
        if entry.complete.is_none() {
            // Not known yet whether this session is a recipient: believed once `expect` says so.
            *entry.early.entry(session_id.into()).or_default() += 1;
            return;
        }
        entry.count(publication_id, session_id, debts);
        entry.settle();
    }

    /// A session is gone: nobody waits for what it owes any more.
    pub(crate) fn desert(&self, session_id: &str) {
        let mut state = self.lock();
        let State { waiting, debts } = &mut *state;
        for publication in debts.remove(session_id).into_iter().flatten() {
            if let Some(entry) = waiting.get_mut(&publication) {
                entry.deserted |= entry.owed.remove(session_id).is_some();
                entry.settle();
            }
        }
    }

    /// Stops waiting; answers how many acknowledgements came.
    pub(crate) fn finish(&self, publication_id: &str) -> u32 {
        let mut state = self.lock();
        let Some(entry) = state.waiting.remove(publication_id) else {
            return 0;
        };
        for session in entry.owed.keys() {
            pay(&mut state.debts, session, publication_id);
        }
        entry.received
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn count(
        &mut self,
        publication_id: &str,
        session_id: &str,
        debts: &mut HashMap<Arc<str>, HashSet<Arc<str>>>,
    ) {
        let Some(owed) = self.owed.get_mut(session_id) else {
            return;
        };
        *owed -= 1;
        if *owed == 0 {
            self.owed.remove(session_id);
            pay(debts, session_id, publication_id);
        }
        self.received += 1;
    }

    fn settle(&mut self) {
        if self.owed.is_empty()
            && let Some(complete) = self.complete.take()
        {
            let _ = complete.send(!self.deserted);
        }
    }
}

fn pay(debts: &mut HashMap<Arc<str>, HashSet<Arc<str>>>, session_id: &str, publication_id: &str) {
    if let Some(owed) = debts.get_mut(session_id) {
        owed.remove(publication_id);
        if owed.is_empty() {
            debts.remove(session_id);
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
        assert_eq!(done.try_recv(), Ok(true));
        assert_eq!(acks.finish("s-1"), 2);
    }

    #[test]
    fn an_acknowledgement_may_arrive_before_the_recipients_are_known() {
        let acks = Acknowledgements::default();
        acks.open("s-1");
        acks.acknowledge("s-1", "a");
        acks.acknowledge("s-1", "stranger");
        assert_eq!(acks.expect("s-1", &["a".into()]).try_recv(), Ok(true));
        assert_eq!(acks.finish("s-1"), 1);
    }

    #[test]
    fn who_leaves_is_not_waited_for_and_others_still_are() {
        let acks = Acknowledgements::default();
        acks.open("s-1");
        let mut done = acks.expect("s-1", &["a".into(), "b".into()]);
        acks.desert("a");
        acks.desert("stranger");
        assert!(done.try_recv().is_err(), "b may still acknowledge");
        acks.acknowledge("s-1", "b");
        assert_eq!(done.try_recv(), Ok(false));
        assert_eq!(acks.finish("s-1"), 1);
    }

    #[test]
    fn nothing_is_remembered_of_what_is_over() {
        let acks = Acknowledgements::default();
        for end in [true, false] {
            acks.open("s-1");
            let _done = acks.expect("s-1", &["a".into(), "b".into()]);
            if end {
                acks.acknowledge("s-1", "a");
                acks.desert("b");
            }
            acks.finish("s-1");
            let state = acks.lock();
            assert!(state.waiting.is_empty() && state.debts.is_empty());
        }
    }
}
