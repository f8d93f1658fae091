//! What the fuzzer drives, with the seeds it starts from and damaged copies of them.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hostile_input::{TARGETS, Target};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz")
        .join(name)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.unwrap().file_name().into_string().unwrap()
    };
    entries.map(name).collect()
}

fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let folder = folder("seeds").join(target.name);
    let read = |name| std::fs::read(folder.join(name)).unwrap();
    names(&folder).into_iter().map(read).collect()
}

/// A change of a few bytes.
#[derive(Clone, Debug)]
enum Damage {
    Replace(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let telling = prop::sample::select(b"\"\\{}[]/*.:,^|$@-\n\0\xff09aA".to_vec());
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        (any::<Index>(), telling.clone()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        (any::<Index>(), prop::collection::vec(telling, 1..4))
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (any::<Index>(), 1..20_usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        (any::<Index>(), 1..20_usize, 1..40_usize)
            .prop_map(|(at, count, times)| Damage::Repeat(at, count, times)),
    ]
}

fn damaged(mut seed: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        let place = |at: &Index| at.index(seed.len() + 1);
        match damage {
            Damage::Replace(at, byte) => {
                let at = place(at);
                if let Some(old) = seed.get_mut(at) {
                    *old = *byte;
                }
            }
            Damage::Insert(at, bytes) => {
                let at = place(at);
                seed.splice(at..at, bytes.iter().copied());
            }
            Damage::Remove(at, count) => {
                let at = place(at);
                let end = (at + count).min(seed.len());
                seed.drain(at..end);
            }
            Damage::Repeat(at, count, times) => {
                let at = place(at);
                let piece = seed[at..(at + count).min(seed.len())].repeat(*times);
                seed.splice(at..at, piece);
            }
        }
    }
    seed
}

/// As many damaged seeds as a test may take, and any bytes.
fn try_out(name: &str) {
    let target = TARGETS.into_iter().find(|it| it.name == name).unwrap();
    let seeds = seeds(&target);
    for seed in &seeds {
        (target.run)(seed);
    }
    let of_a_seed = (
        prop::sample::select(seeds),
        prop::collection::vec(damage(), 1..6),
    )
        .prop_map(|(seed, damages)| damaged(seed, &damages));
    let input = prop_oneof![9 => of_a_seed, 1 => prop::collection::vec(any::<u8>(), 0..200)];
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(500)
    });
    let outcome = runner.run(&input, |input| {
        (target.run)(&input);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn keys_and_signatures() {
    try_out("digests");
}

#[test]
fn frames_of_clients() {
    try_out("envelopes");
}

#[test]
fn messages_between_nodes() {
    try_out("links");
}

#[test]
fn logins_of_strangers() {
    try_out("logins");
}

#[test]
fn masks_and_paths() {
    try_out("masks");
}

#[test]
fn rules_and_templates() {
    try_out("rules");
}

#[test]
fn session_tokens() {
    try_out("tokens");
}

#[test]
fn every_target_has_a_file_seeds_and_an_entry() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|it| it.name.to_owned()).collect();
    assert_eq!(names(&folder("seeds")), targets);
    let files: BTreeSet<_> = targets.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&folder("fuzz_targets")), files);
    let manifest = std::fs::read_to_string(folder("Cargo.toml")).unwrap();
    let entry = |line: &str| {
        Some(
            line.strip_prefix("name = \"")?
                .trim_end_matches('"')
                .to_owned(),
        )
    };
    let entries: BTreeSet<_> = manifest.lines().filter_map(entry).collect();
    assert_eq!(&entries - &BTreeSet::from(["fuzz".to_owned()]), targets);
}
