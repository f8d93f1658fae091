//! Who receives a publication.

use crate::channel::{ActionFilter, EventKind};
use crate::depth::Depth;
use crate::mask::Mask;

/// Maps subscription masks to the ids of their subscribers.
#[derive(Debug, Default)]
pub struct SubscriptionIndex {
    rows: Vec<(u32, ActionFilter, Mask, Depth)>,
}

impl SubscriptionIndex {
    /// An empty index. `seed` should be random, so that clients cannot choose
    /// masks that collide; equal seeds give equal behaviour.
    #[must_use]
    pub fn new(_seed: [u64; 2]) -> Self {
        Self::default()
    }

    /// Adds a subscription.
    pub fn insert(&mut self, id: u32, action: ActionFilter, mask: &Mask, depth: Depth) {
        self.rows.push((id, action, mask.clone(), depth));
    }

    /// Takes a subscription away again; false if there was none.
    pub fn remove(&mut self, id: u32, action: ActionFilter, mask: &Mask, depth: Depth) -> bool {
        let at = self.rows.iter().position(|row| {
            row.0 == id
                && row.2.normalised() == mask.normalised()
                && row.2.is_everything() == mask.is_everything()
                && (mask.is_everything() || row.1 == action)
                && (!mask.is_deep() || row.3 == depth)
        });
        at.map(|at| self.rows.remove(at)).is_some()
    }

    /// Calls `visit` with the id of each subscription that matches.
    pub fn for_each_match(&self, kind: EventKind, path: &str, mut visit: impl FnMut(u32)) {
        for (id, action, mask, depth) in &self.rows {
            let accepted = mask.is_everything() || action.accepts(kind);
            if accepted && mask.matches(path, *depth) {
                visit(*id);
            }
        }
    }

    /// The number of subscriptions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no subscription.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// An estimate of the memory in use.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.rows.iter().map(|row| row.2.as_str().len() + 64).sum()
    }
}
