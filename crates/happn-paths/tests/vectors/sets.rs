use happn_paths::{Mask, SubscriptionIndex};
use serde::Deserialize;
use serde_json::Value;

use crate::load;

#[derive(Deserialize)]
struct Case {
    subs: Vec<Vec<Value>>,
    events: Vec<(String, String, Vec<u32>)>,
}

#[test]
fn subscription_sets() {
    let cases: Vec<Case> = load::cases("subscription-sets");
    let mut lookups = 0;
    for case in &cases {
        let mut index = SubscriptionIndex::new([5, 6]);
        for (id, sub) in (0..).zip(&case.subs) {
            let mask = Mask::parse(sub[1].as_str().unwrap());
            let action = load::action(sub[0].as_str().unwrap());
            index.insert(id, action, &mask, load::depth(sub.get(2)));
        }
        assert_eq!(index.len(), case.subs.len());
        for (event, path, expected) in &case.events {
            let mut found = Vec::new();
            index.for_each_match(load::event(event), path, |id| found.push(id));
            found.sort_unstable();
            assert_eq!(&found, expected, "{event} {path} among {:?}", case.subs);
            lookups += 1;
        }
    }
    println!("subscription-sets: {} sets", cases.len());
    load::report("subscription-sets", lookups, 0);
}
