//! What holds for every tree that a file may contain.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::config::layers::Layers;
use crate::config::problem::Report;

/// Values of every type, near and beyond what keys allow.
fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|it| json!(it)),
        any::<i64>().prop_map(|it| json!(it)),
        any::<f64>().prop_map(|it| json!(it)),
        (0_u64..70_000).prop_map(|it| json!(it)),
        "[a-z0-9*/.é\u{0}]{0,8}".prop_map(|it| json!(it)),
        prop::collection::vec("[a-z*/]{0,5}", 0..3).prop_map(|it| json!(it)),
        Just(json!([{"provider": "memory"}, {"name": 1}, 5])),
        Just(json!({"happn-cluster-node": "2", "a/b": -1})),
    ]
}

/// Words that keys are made of, some misspelt.
fn word() -> impl Strategy<Value = String> {
    let of_keys = KEYS.iter().flat_map(|key| key.path.split('.'));
    let mut words: Vec<String> = of_keys.map(str::to_owned).collect();
    words.extend(["prot", "", "keepaliveThreshold", "a.b", "é"].map(str::to_owned));
    prop::sample::select(words)
}

fn tree() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 60, 6, |inner| {
        let members = prop::collection::vec((word(), inner), 0..6);
        members.prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>()))
    })
}

/// A tree with values at real keys, so that many survive to the later checks.
fn likely_tree() -> impl Strategy<Value = Value> {
    let keys: Vec<&str> = KEYS.iter().map(|key| key.path).collect();
    let settings = prop::collection::vec((prop::sample::select(keys), leaf()), 0..8);
    settings.prop_map(|settings| {
        let mut layers = Layers::of_defaults();
        for (key, value) in settings {
            layers.put(key, value, Origin::Default);
        }
        layers.tree()
    })
}

proptest! {
    #[test]
    fn a_tree_gives_settings_or_says_why_not(tree in prop_oneof![tree(), likely_tree()]) {
        let origin = Origin::File("any".into());
        let mut report = Report::default();
        let mut layers = Layers::of_defaults();
        layers.add_tree(&tree, &origin, &mut report);
        rules::apply(&mut layers, &[], &mut report);
        match report.finish(|report| Settings::from_layers(&layers, report)) {
            Ok(settings) => {
                let stores = &settings.services.data.datastores;
                prop_assert_eq!(stores.iter().filter(|store| store.is_default).count(), 1);
                prop_assert!(!settings.services.orchestrator.minimums().is_empty());
            }
            Err(error) => {
                // Every problem is one of a value or a rule, never of the types behind the table.
                prop_assert!(!error.problems.is_empty());
                for problem in &error.problems {
                    prop_assert!(!problem.to_string().starts_with("default: configuration"), "{}", problem);
                }
            }
        }
    }

    #[test]
    fn any_text_in_the_environment_is_a_value_or_a_problem(
        key in 0..KEYS.len(),
        text in prop_oneof![".{0,12}", "[0-9]{1,12}", r#"[\[\]{}",:a*/0-9]{0,12}"#],
    ) {
        let _ = from_environment(&[(&environment_name(KEYS[key].path), &text)]);
    }
}
