use std::collections::BTreeMap;

use happn_paths::{ActionFilter, Depth, EventKind, Mask, SubscriptionIndex};
use serde::Deserialize;
use serde_json::Value;

use crate::load;

#[derive(Deserialize)]
struct Case {
    ops: Vec<Vec<Value>>,
}

#[derive(Clone)]
struct Entry {
    session: String,
    action: ActionFilter,
    mask: Mask,
    depth: Depth,
}

/// The least a server has to keep next to the index: what each session
/// subscribed to. A reference doubles as the id in the index.
struct Registry {
    index: SubscriptionIndex,
    entries: BTreeMap<u32, Entry>,
    /// What the reference forgets to take out. Its `off` writes a deep mask out
    /// with the default depth, whatever depth it was subscribed with.
    left_behind: BTreeMap<u32, Entry>,
}

impl Registry {
    fn new() -> Self {
        let index = SubscriptionIndex::new([7, 8]);
        Self {
            index,
            entries: BTreeMap::new(),
            left_behind: BTreeMap::new(),
        }
    }

    fn subscribe(&mut self, id: u32, entry: Entry) {
        self.index
            .insert(id, entry.action, &entry.mask, entry.depth);
        self.entries.insert(id, entry);
    }

    fn off(&mut self, doomed: impl Fn(u32, &Entry) -> bool) {
        for (id, entry) in self.take(doomed) {
            if entry.mask.is_deep() && entry.depth > Depth::DEFAULT {
                self.left_behind.insert(id, entry);
            }
        }
    }

    fn off_session(&mut self, session: &str) {
        self.take(|_, entry| entry.session == session);
        self.left_behind.retain(|_, entry| entry.session != session);
    }

    fn off_mask(&mut self, session: &str, action: ActionFilter, mask: &Mask) {
        if mask.is_everything() {
            return self.off_session(session);
        }
        self.off(|_, entry| {
            entry.session == session
                && entry.action == action
                && !entry.mask.is_everything()
                && entry.mask.normalised() == mask.normalised()
        });
    }

    fn take(&mut self, doomed: impl Fn(u32, &Entry) -> bool) -> Vec<(u32, Entry)> {
        let taken: Vec<_> = self
            .entries
            .iter()
            .filter(|(id, entry)| doomed(**id, entry))
            .map(|(id, entry)| (*id, entry.clone()))
            .collect();
        for (id, entry) in &taken {
            self.entries.remove(id);
            assert!(
                self.index
                    .remove(*id, entry.action, &entry.mask, entry.depth)
            );
            assert!(
                !self
                    .index
                    .remove(*id, entry.action, &entry.mask, entry.depth)
            );
        }
        taken
    }

    fn ours(&self, event: EventKind, path: &str) -> Vec<u32> {
        let mut found = Vec::new();
        self.index.for_each_match(event, path, |id| found.push(id));
        found.sort_unstable();
        found
    }

    fn extra_theirs(&self, event: EventKind, path: &str) -> Vec<u32> {
        let reaches = |entry: &Entry| {
            entry.action.accepts(event)
                && entry.mask.matches(path, entry.depth)
                && !entry.mask.matches(path, Depth::DEFAULT)
        };
        self.left_behind
            .iter()
            .filter(|(_, e)| reaches(e))
            .map(|(id, _)| *id)
            .collect()
    }
}

#[test]
fn subscription_churn() {
    let cases: Vec<Case> = load::cases("subscription-churn");
    let (mut lookups, mut deviations) = (0, 0);
    for case in &cases {
        let mut registry = Registry::new();
        for op in &case.ops {
            let text = |at: usize| op[at].as_str().unwrap();
            let id = |at: usize| u32::try_from(op[at].as_u64().unwrap()).unwrap();
            match text(0) {
                "sub" => registry.subscribe(id(1), entry(op)),
                "off" => registry.off(|known, _| known == id(1)),
                "offmask" => {
                    registry.off_mask(text(1), load::action(text(2)), &Mask::parse(text(3)));
                }
                "offall" => registry.off_session(text(1)),
                "pub" => {
                    let event = load::event(text(1));
                    let ours = registry.ours(event, text(2));
                    let extra = registry.extra_theirs(event, text(2));
                    let mut theirs = [ours, extra.clone()].concat();
                    theirs.sort_unstable();
                    assert_eq!(serde_json::json!(theirs), op[3], "{op:?} in {:?}", case.ops);
                    lookups += 1;
                    deviations += usize::from(!extra.is_empty());
                }
                other => panic!("unknown operation {other}"),
            }
            assert_eq!(registry.index.len(), registry.entries.len());
        }
    }
    // Theirs: levels beyond 5 of a deeper `**` outlive its `off`. Ours: gone.
    assert_eq!(deviations, 2);
    load::report("subscription-churn", lookups, deviations);
}

fn entry(op: &[Value]) -> Entry {
    Entry {
        session: op[2].as_str().unwrap().to_owned(),
        action: load::action(op[3].as_str().unwrap()),
        mask: Mask::parse(op[4].as_str().unwrap()),
        depth: load::depth(op.get(5)),
    }
}
