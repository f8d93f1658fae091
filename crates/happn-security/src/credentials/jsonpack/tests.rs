//! Recorded texts, round trips, and texts that are no packed JSON.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::vectors;

#[test]
fn recorded_texts_are_unpacked_as_the_reference_unpacks_them() {
    for case in vectors::list("tokens", "jsonpack") {
        let expected = case.get("unpacked").unwrap_or(&case["value"]);
        let unpacked = unpack(case["packed"].as_str().unwrap()).unwrap();
        // serde_json reads one of the numbers a bit off.
        assert_eq!(coarse(&unpacked), coarse(expected), "{}", case["note"]);
    }
}

#[test]
fn what_is_packed_is_what_the_reference_packs_but_for_its_defect() {
    for case in vectors::list("tokens", "jsonpack") {
        let packed = pack(&case["value"]);
        if case["unpacked_same"] == true {
            assert_eq!(packed, case["packed"].as_str().unwrap());
        }
        assert_eq!(unpack(&packed).unwrap(), case["value"], "{packed}");
    }
}

#[test]
fn a_name_that_looks_like_the_escaped_form_of_another_text_stays_itself() {
    let session = json!({"info": {"x": "ann bee"}, "username": "ann+bee"});
    assert_eq!(unpack(&pack(&session)).unwrap(), session);
}

#[test]
fn undefined_members_are_left_out_and_undefined_elements_are_null() {
    assert_eq!(
        unpack("a|b^1^^$0|-5|1|@-5|2]]"),
        Ok(json!({"b": [null, 1]}))
    );
}

#[test]
fn texts_that_are_no_packed_json_are_refused_by_name() {
    for (packed, problem) in [
        ("", PackError::Parts),
        ("hello", PackError::Parts),
        ("a^^", PackError::Parts),
        ("^^^", PackError::Structure),
        ("a^^^0", PackError::Structure),
        ("a^^^]", PackError::Structure),
        ("a^^^$0", PackError::Structure),
        ("a^^^$0]", PackError::Structure),
        ("a^^^$0|]", PackError::Structure),
        ("a^^^$0|7]", PackError::Structure),
        ("a^^^$0|-6]", PackError::Structure),
        ("a^^^$0|é]", PackError::Structure),
        ("a^^^$0|0]]", PackError::Structure),
        ("a^^^$0|0]$]", PackError::Structure),
        ("a^1^^$1|0]", PackError::Structure),
        ("a^^^$@]|0]", PackError::Structure),
        ("a^^^$0|ZZZZZZZZZZZZZZZZZZ]", PackError::Structure),
        ("^*^^$]", PackError::Number),
        ("^-^^$]", PackError::Number),
        ("^+1^^$]", PackError::Number),
        ("^1|^^$]", PackError::Number),
        ("^1111111111111111111111111^^$]", PackError::Number),
        ("^^x^$]", PackError::Number),
        ("^^NaN^$]", PackError::Number),
        ("^^inf^$]", PackError::Number),
        ("^^1e999^$]", PackError::Number),
    ] {
        assert_eq!(unpack(packed), Err(problem), "{packed:?}");
    }
}

#[test]
fn neither_depth_nor_repetition_exhausts_the_node() {
    let deep = format!("^^^{}{}", "@".repeat(100_000), "]".repeat(100_000));
    assert_eq!(unpack(&deep), Err(PackError::TooDeep));
    let repeated = format!("{}^^^@{}]", "x".repeat(100_000), "0|".repeat(50_000));
    assert_eq!(unpack(&repeated), Err(PackError::TooLarge));
    let many = format!("^^^@{}]", "-3|".repeat(80_000));
    assert_eq!(unpack(&many), Err(PackError::TooLarge));
    assert_eq!(unpack(&"^".repeat(300_000)), Err(PackError::TooLarge));
}

/// Texts with the letters that mean something.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![r"[ab +%|^$@\]B257CE0-]{0,6}", r"\PC{0,8}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e6f64..1e6).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inside| {
        prop_oneof![
            prop::collection::vec(inside.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(text(), inside, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Numbers of one kind only, as JavaScript has them.
fn as_javascript(value: &Value) -> Value {
    with_numbers(value, &|number| number)
}

/// Numbers without their last digits.
fn coarse(value: &Value) -> Value {
    with_numbers(value, &|number| f64::from(number as f32))
}

fn with_numbers(value: &Value, change: &impl Fn(f64) -> f64) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map(change).into(),
        Value::Array(items) => items
            .iter()
            .map(|item| with_numbers(item, change))
            .collect(),
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(name, value)| (name.clone(), with_numbers(value, change)))
                .collect()
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn everything_comes_back_as_it_was(value in value()) {
        let value = json!({ "outside": value });
        let unpacked = unpack(&pack(&value)).unwrap();
        prop_assert_eq!(as_javascript(&unpacked), as_javascript(&value));
    }

    #[test]
    fn no_text_panics(packed in r"[a-z+%|]{0,9}\^[0-9A-Z|-]{0,5}\^[0-9.e|-]{0,5}\^[$@\]|0-9-]{0,40}") {
        let _ = unpack(&packed);
    }

    #[test]
    fn no_rubbish_panics(packed in r"\PC{0,60}") {
        let _ = unpack(&packed);
    }
}
