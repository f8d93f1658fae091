use happn_paths::StoreGlob;
use happn_paths::loose::{LooseGlob, Tail};
use proptest::prelude::*;

use crate::generate::glob_text;
use crate::oracle::{glob_matches, loose_matches};

/// A text that stands a chance: the glob with its stars filled in.
fn filled(glob: &str, filling: &[String]) -> String {
    let mut filling = filling.iter().cycle();
    glob.split_inclusive('*')
        .map(|piece| match piece.strip_suffix('*') {
            Some(piece) => format!("{piece}{}", filling.next().unwrap()),
            None => piece.to_owned(),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn store_globs(
        glob in glob_text(),
        text in glob_text(),
        filling in prop::collection::vec("[ab/]{0,3}|\n", 1..4),
    ) {
        let fast = StoreGlob::new(&glob);
        for text in [&text, &filled(&glob, &filling)] {
            let expected = glob_matches(&glob, text);
            prop_assert_eq!(fast.matches(text), expected, "{:?} on {:?}", glob, text);
            prop_assert!(!expected || text.starts_with(fast.literal_prefix()));
        }
    }

    #[test]
    fn loose_globs(
        mask in glob_text(),
        text in glob_text(),
        filling in prop::collection::vec("[abAB/]{0,3}", 1..4),
    ) {
        for text in [&text, &filled(&mask, &filling), &filled(&mask, &filling).to_lowercase()] {
            let checked = LooseGlob::new(&mask, Tail::Checked).matches(text);
            prop_assert_eq!(checked, loose_matches(&mask, text, true), "{:?} on {:?}", mask, text);
            let plain = LooseGlob::new(&mask, Tail::Plain).matches(text);
            prop_assert_eq!(plain, loose_matches(&mask, text, false), "{:?} on {:?}", mask, text);
        }
    }
}
