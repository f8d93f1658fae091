//! Places for connections.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use happn_security::credentials::Source;

/// So many connections, and of one address only so many, so that nobody keeps the others out.
#[derive(Debug)]
pub(crate) struct Places {
    of_all: usize,
    of_each: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    number: usize,
    by_source: HashMap<Source, usize>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    source: Source,
}

impl Places {
    pub(crate) fn new(of_all: usize, of_each: usize) -> Arc<Self> {
        Arc::new(Self {
            of_all,
            of_each,
            taken: Mutex::default(),
        })
    }

    /// A place for `address`, if there is one.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let source = Source::from(address);
        let mut taken = self.taken();
        let own = taken.by_source.get(&source).copied().unwrap_or_default();
        if taken.number >= self.of_all || own >= self.of_each {
            return None;
        }
        taken.number += 1;
        taken.by_source.insert(source, own + 1);
        Some(Place {
            places: self.clone(),
            source,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.number = taken.number.saturating_sub(1);
        let Some(own) = taken.by_source.get_mut(&self.source) else {
            return;
        };
        *own -= 1;
        if *own == 0 {
            taken.by_source.remove(&self.source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn one_address_does_not_keep_the_others_out() {
        let places = Places::new(3, 2);
        let mut held: Vec<_> = (0..5).filter_map(|_| places.take(address(1))).collect();
        assert_eq!(held.len(), 2);
        let other = places.take(address(2));
        assert!(other.is_some());
        assert!(places.take(address(3)).is_none(), "all are taken");
        held.pop();
        assert!(places.take(address(3)).is_some());
        drop((held, other));
        let taken = places.taken();
        assert_eq!((taken.number, taken.by_source.len()), (0, 0));
    }
}
