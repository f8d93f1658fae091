use happn_paths::StoreGlob;
use happn_paths::loose::{LooseGlob, Tail};
use serde::Deserialize;

use crate::load;

#[derive(Debug, Deserialize)]
struct Case {
    pattern: String,
    text: String,
    tail_checked: bool,
    plain: bool,
}

#[test]
fn loose() {
    let cases: Vec<Case> = load::cases("loose");
    let mut strict_differs = 0;
    for case in &cases {
        let by = |tail| LooseGlob::new(&case.pattern, tail).matches(&case.text);
        assert_eq!(by(Tail::Checked), case.tail_checked, "{case:?}");
        assert_eq!(by(Tail::Plain), case.plain, "{case:?}");
        let strict = StoreGlob::new(&case.pattern).matches(&case.text);
        strict_differs += usize::from(strict != case.plain);
    }
    load::report("loose", cases.len(), 0);
    println!("loose: the strict default answers {strict_differs} of them differently");
}
