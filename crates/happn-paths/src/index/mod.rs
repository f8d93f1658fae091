//! Who receives a publication.

mod hash;
mod look_up;
mod outline;
mod recipients;
mod shapes;
mod slab;

use std::collections::HashMap;
use std::fmt;

use self::hash::{Keys, Ready};
use self::look_up::LookUp;
use self::outline::Outline;
use self::recipients::{Ids, Recipients, Removal};
use self::shapes::Shapes;
use self::slab::{NONE, Slab};
use crate::channel::{ActionFilter, EventKind};
use crate::depth::Depth;
use crate::mask::Mask;

/// Maps subscription masks to the ids of their subscriptions.
///
/// An id names one subscription: it is the caller's business to insert it at one
/// place only. (Elsewhere inserted again it counts as a second subscription, and
/// a publication that matches both places visits it twice.)
///
/// # How it works
///
/// One hash table holds all masks. A mask of literals is found with one probe.
/// A mask with stars is found by hashing the path without the segments the stars
/// stand for; which positions those are, its *shape*, is kept in a second table
/// under the literal segments before the first star. A look-up asks that table
/// once per prefix length in use, then tries the shapes that exist below its own
/// prefixes, so that the shapes of other parts of the tree cost it nothing. A
/// trailing `**` is one entry whatever its depth: the part before it is filed,
/// the rest is checked on the text.
///
/// # Cost
///
/// Adding and removing take time linear in the mask. A look-up takes time linear
/// in the path, plus one probe per shape that exists below the path's literal
/// prefixes, plus the visits. Hashing is keyed, so texts cannot be chosen to
/// collide. What many masks can still do is sit where a path must look:
///
/// - Masks that start with `*` are below every path's prefix, one probe per
///   shape of the path's own length.
/// - Deep masks with one literal start (`/a/**` by depth, `/a/*/**`, …) are
///   checked one by one; so are masks `/a/**/b/…/**` that differ only behind
///   `b`, for paths with a segment `b`; and masks that differ only behind their
///   63rd segment and have a star there.
///
/// Whoever accepts subscriptions from strangers should limit how many one may
/// hold.
pub struct SubscriptionIndex {
    keys: Keys,
    /// By [`Outline::key`], the first of a list of entries.
    table: HashMap<u64, u32, Ready>,
    entries: Slab<Entry>,
    shapes: Shapes,
    /// The subscribers of the bare `*`, whose action does not count.
    everything: Ids,
    len: usize,
    /// Memory behind the entries: mask texts and recipients.
    behind_bytes: usize,
}

struct Entry {
    mask: Mask,
    depth: Depth,
    /// The next entry with the same key.
    next: u32,
    recipients: Recipients,
}

impl SubscriptionIndex {
    /// An empty index. `seed` should be random, so that clients cannot choose
    /// masks that collide; equal seeds give equal behaviour.
    #[must_use]
    pub fn new(seed: [u64; 2]) -> Self {
        Self {
            keys: Keys::new(seed),
            table: HashMap::default(),
            entries: Slab::default(),
            shapes: Shapes::default(),
            everything: Ids::default(),
            len: 0,
            behind_bytes: 0,
        }
    }

    /// Adds a subscription; false if this very one is there already.
    ///
    /// A [`ActionFilter::Never`] subscription is kept and counted, but not
    /// visited unless its mask is `*`.
    pub fn insert(&mut self, id: u32, action: ActionFilter, mask: &Mask, depth: Depth) -> bool {
        let added = if mask.is_everything() {
            self.everything.insert(id)
        } else {
            self.insert_entry(id, action, mask, depth)
        };
        self.len += usize::from(added);
        added
    }

    /// Takes a subscription away again; false if there was none.
    ///
    /// All arguments are those of the insertion, up to what makes no difference:
    /// a leading `/`, the action of a bare `*`, the depth of a mask without `**`.
    pub fn remove(&mut self, id: u32, action: ActionFilter, mask: &Mask, depth: Depth) -> bool {
        let removed = if mask.is_everything() {
            self.everything.remove(id)
        } else {
            self.remove_entry(id, action, mask, depth)
        };
        self.len -= usize::from(removed);
        removed
    }

    /// Calls `visit` with the id of each subscription a publication reaches,
    /// once each. Allocates nothing and takes no lock.
    ///
    /// Masks with wildcards come first, then the mask that is the path itself,
    /// then the bare `*`; within a mask those who asked for every action come
    /// first. The order is a courtesy to clients used to it, not a contract.
    pub fn for_each_match(&self, kind: EventKind, path: &str, mut visit: impl FnMut(u32)) {
        let look_up = LookUp::new(self, path);
        let mut hit = |entry: &Entry| entry.recipients.for_each(kind, &mut visit);
        look_up.fixed_shapes(&mut hit);
        look_up.open_shapes(&mut hit);
        look_up.gapped_shapes(&mut hit);
        look_up.literal(&mut hit);
        self.everything.for_each(&mut visit);
    }

    /// The number of subscriptions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no subscription.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Roughly the memory held, texts of masks included. Tables keep the room
    /// of their fullest hour, and the estimate says so.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + table_bytes(&self.table)
            + self.entries.memory_bytes()
            + self.shapes.memory_bytes()
            + self.everything.memory_bytes()
            + self.behind_bytes
    }
}

/// Says how much is in it; the hash keys are nobody's business.
impl fmt::Debug for SubscriptionIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionIndex")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

// === entries ===

impl SubscriptionIndex {
    fn insert_entry(&mut self, id: u32, action: ActionFilter, mask: &Mask, depth: Depth) -> bool {
        let outline = Outline::of(&self.keys, mask, depth);
        let first = self.table.get(&outline.key).copied().unwrap_or(NONE);
        if let Some((_, at)) = self.find(first, mask, depth)
            && let Some(entry) = self.entries.get_mut(at)
        {
            let before = entry.recipients.memory_bytes();
            let added = entry.recipients.insert(action, id);
            self.behind_bytes = self.behind_bytes - before + entry.recipients.memory_bytes();
            return added;
        }
        let recipients = Recipients::One(action, id);
        self.behind_bytes += text_bytes(mask);
        let at = self.entries.insert(Entry {
            mask: mask.clone(),
            depth,
            next: first,
            recipients,
        });
        self.table.insert(outline.key, at);
        if let Some(shape) = &outline.shape {
            self.shapes.add(shape);
        }
        true
    }

    fn remove_entry(&mut self, id: u32, action: ActionFilter, mask: &Mask, depth: Depth) -> bool {
        let outline = Outline::of(&self.keys, mask, depth);
        let first = self.table.get(&outline.key).copied().unwrap_or(NONE);
        let Some((before, at)) = self.find(first, mask, depth) else {
            return false;
        };
        let Some(entry) = self.entries.get_mut(at) else {
            return false;
        };
        let bytes = entry.recipients.memory_bytes();
        match entry.recipients.remove(action, id) {
            Removal::Unknown => return false,
            Removal::Done => {
                self.behind_bytes = self.behind_bytes - bytes + entry.recipients.memory_bytes();
            }
            Removal::Last => self.drop_entry(&outline, before, at),
        }
        true
    }

    /// The entry of a mask in a list, and the one before it.
    fn find(&self, first: u32, mask: &Mask, depth: Depth) -> Option<(u32, u32)> {
        let (mut before, mut at) = (NONE, first);
        loop {
            let entry = self.entries.get(at)?;
            let same_reach = entry.depth == depth || !mask.is_deep();
            if same_reach && entry.mask.normalised() == mask.normalised() {
                return Some((before, at));
            }
            (before, at) = (at, entry.next);
        }
    }

    fn drop_entry(&mut self, outline: &Outline, before: u32, at: u32) {
        let Some(entry) = self.entries.remove(at) else {
            return;
        };
        self.behind_bytes -= text_bytes(&entry.mask) + entry.recipients.memory_bytes();
        if let Some(before) = self.entries.get_mut(before) {
            before.next = entry.next;
        } else if entry.next == NONE {
            self.table.remove(&outline.key);
        } else {
            self.table.insert(outline.key, entry.next);
        }
        if let Some(shape) = &outline.shape {
            self.shapes.remove(shape);
        }
    }
}

// === memory ===

/// What a standard hash table holds: room for eight sevenths of its capacity,
/// and one byte of bookkeeping per place.
fn table_bytes<K, V, S>(table: &HashMap<K, V, S>) -> usize {
    table.capacity() * 8 / 7 * (size_of::<(K, V)>() + 1)
}

/// The shared text of a mask: two counters, the bytes, and what an allocator
/// adds to round that up.
fn text_bytes(mask: &Mask) -> usize {
    (mask.as_str().len() + 2 * size_of::<usize>() + 8).next_multiple_of(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of mask, several subscribers each, in and out again.
    #[test]
    fn nothing_is_left_behind() {
        let texts = [
            "*".to_owned(),
            "/a/b".to_owned(),
            "/a/*".to_owned(),
            "/*/b".to_owned(),
            "/a/*/**".to_owned(),
            "/a/**/b/**".to_owned(),
            "/*".repeat(80),
        ];
        let mut index = SubscriptionIndex::new([1, 2]);
        let steps = || {
            texts
                .iter()
                .flat_map(|text| (0..50).map(move |id| (id, Mask::parse(text))))
        };
        let action = |id: u32| {
            if id < 25 {
                ActionFilter::All
            } else {
                ActionFilter::Set
            }
        };
        for (id, mask) in steps() {
            assert!(index.insert(id, action(id), &mask, Depth::DEFAULT));
        }
        assert_eq!(index.len(), texts.len() * 50);
        let full = index.memory_bytes();
        for (id, mask) in steps() {
            assert!(index.remove(id, action(id), &mask, Depth::DEFAULT));
        }
        assert!(index.is_empty() && index.table.is_empty() && index.shapes.is_empty());
        assert_eq!(index.behind_bytes, 0);
        assert!(index.memory_bytes() < full);
    }

    #[test]
    fn debug_output_keeps_the_seed_secret() {
        let index = SubscriptionIndex::new([1, 2]);
        assert_eq!(format!("{index:?}"), "SubscriptionIndex { len: 0, .. }");
    }
}
