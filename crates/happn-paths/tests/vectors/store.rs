use happn_paths::StoreGlob;
use serde::Deserialize;

use crate::load;

#[derive(Deserialize)]
struct Case {
    mask: String,
    paths: Vec<String>,
    matched: Vec<String>,
    regex: Option<String>,
    matched_pcre: Option<Vec<String>>,
}

#[test]
fn store() {
    let cases: Vec<Case> = load::cases("store");
    let mut database_differs = 0;
    for case in &cases {
        let glob = StoreGlob::new(&case.mask);
        let mut found: Vec<_> = case
            .paths
            .iter()
            .filter(|path| glob.matches(path))
            .collect();
        found.sort_unstable_by_key(|path| path.encode_utf16().collect::<Vec<_>>());
        assert_eq!(
            found,
            case.matched.iter().collect::<Vec<_>>(),
            "{:?}",
            case.mask
        );
        assert_eq!(glob.is_exact(), case.regex.is_none(), "{:?}", case.mask);
        let prefix = glob.literal_prefix();
        assert!(
            case.matched.iter().all(|path| path.starts_with(prefix)),
            "{:?}",
            case.mask
        );
        if case
            .matched_pcre
            .as_ref()
            .is_some_and(|theirs| *theirs != case.matched)
        {
            database_differs += 1;
        }
    }
    // Not deviations: the embedded stores are followed. A database with a
    // PCRE-style engine treats line breaks differently in these.
    assert_eq!(database_differs, 3);
    load::report("store", cases.len(), 0);
}
