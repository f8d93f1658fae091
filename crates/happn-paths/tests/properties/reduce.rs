use happn_paths::{Depth, Mask, REPLICATE_MASK, covers, reduce};
use proptest::prelude::*;

use crate::generate::{mask, path};
use crate::oracle;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn nothing_is_lost(
        texts in prop::collection::vec(mask(), 0..7),
        paths in prop::collection::vec(path(), 1..30),
    ) {
        let masks: Vec<Mask> = texts.iter().map(|text| Mask::parse(text)).collect();
        let kept = reduce(&masks);
        let any = |masks: &[Mask], path: &str| {
            masks.iter().any(|mask| mask.matches(path, Depth::DEFAULT))
        };
        let wanted: Vec<Mask> =
            masks.iter().filter(|mask| !mask.as_str().is_empty()).cloned().collect();
        for path in paths.iter().chain(&texts) {
            prop_assert!(any(&kept, path) || !any(&wanted, path), "{} lost by {:?}", path, kept);
        }
        prop_assert!(any(&kept, REPLICATE_MASK));
        prop_assert_eq!(&reduce(&kept), &kept);
        for (at, narrow) in kept.iter().enumerate() {
            let others = kept.iter().enumerate().filter(|(other, _)| *other != at);
            prop_assert!(others.clone().all(|(_, wide)| !covers(wide, narrow)), "{:?}", kept);
        }
    }

    /// `covers` against every flat mask the narrow one stands for, each with
    /// its stars replaced by a segment no mask names.
    #[test]
    fn coverage_is_exact(wide in mask(), narrow in mask()) {
        prop_assume!(narrow != "*");
        let slashed = format!("/{}", narrow.strip_prefix('/').unwrap_or(&narrow));
        let expected = oracle::expansions(slashed, Depth::DEFAULT).iter().all(|flat| {
            let path: Vec<_> =
                flat[1..].split('/').map(|part| if part == "*" { "fresh" } else { part }).collect();
            oracle::mask_matches(&wide, &format!("/{}", path.join("/")), Depth::DEFAULT)
        });
        prop_assert_eq!(covers(&Mask::parse(&wide), &Mask::parse(&narrow)), expected);
    }
}
