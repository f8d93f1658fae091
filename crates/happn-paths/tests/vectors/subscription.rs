use happn_paths::{Mask, SubscriptionIndex};
use serde::Deserialize;
use serde_json::Value;

use crate::load;

#[derive(Debug, Deserialize)]
struct Case {
    mask: String,
    action: String,
    path: String,
    event: String,
    depth: Option<Value>,
    matches: bool,
}

#[test]
fn subscription() {
    let cases: Vec<Case> = load::cases("subscription");
    for case in &cases {
        let (mask, depth) = (Mask::parse(&case.mask), load::depth(case.depth.as_ref()));
        let (action, event) = (load::action(&case.action), load::event(&case.event));
        let mut index = SubscriptionIndex::new([3, 4]);
        index.insert(9, action, &mask, depth);
        let mut visits = 0;
        index.for_each_match(event, &case.path, |id| {
            assert_eq!(id, 9);
            visits += 1;
        });
        // The reference counts up to `hits` entries and drops the repeats later.
        assert_eq!(visits, u32::from(case.matches), "{case:?}");
        let direct = mask.matches(&case.path, depth);
        let accepted = mask.is_everything() || action.accepts(event);
        assert_eq!(direct && accepted, case.matches, "{case:?}");
        assert!(index.remove(9, action, &mask, depth), "{case:?}");
        assert!(index.is_empty());
    }
    load::report("subscription", cases.len(), 0);
}
