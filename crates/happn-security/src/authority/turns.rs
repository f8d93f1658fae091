//! Whose turn it is to have credentials checked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::credentials::Source;

/// How many logins of one source are checked at a time.
const AT_ONCE: usize = 8;

/// Lets few logins of one source be checked at a time, so that a source with very many of them
/// waits for itself, and others do not wait for it. Holds what is in use and forgets the rest.
#[derive(Default)]
pub(super) struct Turns(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    by_source: HashMap<Source, Weak<Semaphore>>,
    /// How many entries there may be before those that nobody uses are taken out.
    sweep_at: usize,
}

/// The right to have one login checked, until it is dropped.
pub(super) struct Turn(
    #[allow(dead_code, reason = "held, not looked at")] Option<OwnedSemaphorePermit>,
);

impl Turns {
    /// Waits for a turn. Cancel-safe: dropping the future gives up the place.
    pub(super) async fn wait(&self, source: Source) -> Turn {
        let places = self.places(source);
        // Nobody closes it.
        Turn(places.acquire_owned().await.ok())
    }

    fn places(&self, source: Source) -> Arc<Semaphore> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = waiting.by_source.get(&source).and_then(Weak::upgrade) {
            return places;
        }
        if waiting.by_source.len() >= waiting.sweep_at {
            let in_use = |places: &Weak<Semaphore>| places.strong_count() > 0;
            waiting.by_source.retain(|_, places| in_use(places));
            waiting.sweep_at = 2 * waiting.by_source.len() + 64;
        }
        let places = Arc::new(Semaphore::new(AT_ONCE));
        waiting.by_source.insert(source, Arc::downgrade(&places));
        places
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn source(last: u8) -> Source {
        Source::from(IpAddr::from([10, 0, 0, last]))
    }

    #[tokio::test]
    async fn one_source_waits_for_itself_and_others_do_not() {
        let turns = Turns::default();
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(turns.wait(source(1)).await);
        }
        let places = turns.places(source(1));
        assert_eq!(places.available_permits(), 0);
        drop(turns.wait(source(2)).await);
        held.pop();
        drop(turns.wait(source(1)).await);
    }

    #[tokio::test]
    async fn sources_that_are_gone_are_forgotten() {
        let turns = Turns::default();
        for last in 0..=u8::MAX {
            drop(turns.wait(source(last)).await);
        }
        let waiting = turns.0.lock().unwrap();
        assert!(waiting.by_source.len() < 100);
    }
}
