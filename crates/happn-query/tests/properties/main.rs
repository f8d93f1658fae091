//! Properties of criteria and sorts, against an oracle that is slow and obvious.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests stop at what fails, as tests do"
)]

mod generate;
mod oracle;

use happn_query::{Collation, Criteria, Pipeline, Sort, Value};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn criteria_mean_what_the_oracle_says(
        document in generate::document(),
        criteria in generate::criteria(),
    ) {
        let parsed = Criteria::parse_stored_names(&criteria.to_string()).unwrap();
        let text = document.to_string();
        let found = parsed.matches(&Value::parse(&text), &Collation::default());
        prop_assert_eq!(found, oracle::matches(&document, &criteria), "{} on {}", criteria, document);
    }

    #[test]
    fn a_sort_orders_as_the_oracle_does(
        documents in proptest::collection::vec(generate::document(), 0..8),
        sort in generate::sort(),
    ) {
        let parsed = Sort::parse(&generate::listed(&sort)).unwrap();
        let collation = Collation::default();
        let texts: Vec<String> = documents.iter().map(ToString::to_string).collect();
        let mut ours: Vec<_> = texts
            .iter()
            .map(|text| (parsed.values(&Value::parse(text), &collation), text))
            .collect();
        ours.sort_by(|(left, _), (right, _)| parsed.compare(left, right, &collation));
        let ours: Vec<&str> = ours.iter().map(|(_, text)| text.as_str()).collect();
        let mut theirs = documents;
        theirs.sort_by(|left, right| oracle::order(left, right, &sort));
        let theirs: Vec<String> = theirs.iter().map(ToString::to_string).collect();
        prop_assert_eq!(ours, theirs, "{:?}", sort);
    }

    #[test]
    fn whatever_is_asked_is_answered_or_refused(text in generate::anything()) {
        let json = text.to_string();
        let document = Value::parse(&json);
        let collation = Collation::default();
        if let Ok(criteria) = Criteria::parse(&json) {
            let _ = criteria.matches(&document, &collation);
        }
        if let Ok(sort) = Sort::parse(&json) {
            let values = sort.values(&document, &collation);
            prop_assert!(sort.compare(&values, &values, &collation).is_eq());
        }
        let stages = format!("[{json}]");
        if let Ok(mut run) = Pipeline::parse(&stages).and_then(|stages| stages.run(&collation)) {
            let _ = run.push(document, &mut |_| true);
            let _ = run.finish(&mut |_| true);
        }
    }
}

#[test]
fn hostile_questions_are_refused_by_what_there_is_too_much_of() {
    let deep = format!("{}1{}", r#"{"$and":["#.repeat(200), "]}".repeat(200));
    let wide = format!("{{\"$or\":[{}]}}", vec![r#"{"a":1}"#; 5000].join(","));
    let many = format!("{{\"a\":{{\"$in\":[{}]}}}}", vec!["1"; 70_000].join(","));
    let patterns = format!(
        "{{\"$or\":[{}]}}",
        vec![r#"{"a":{"$regex":"x"}}"#; 100].join(",")
    );
    let positions = format!("{{\"a{}\":1}}", ".0".repeat(60));
    let parts = format!("{{\"a{}\":1}}", ".b".repeat(100));
    for (question, named) in [
        (positions, "number of positions"),
        (parts, "number of parts"),
        (deep, "nesting"),
        (wide, "number of operators"),
        (many, "number of values"),
        (patterns, "number of regular expressions"),
    ] {
        let error = Criteria::parse(&question).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}
