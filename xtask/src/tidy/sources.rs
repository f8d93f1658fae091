//! Rules for source files: documented, small, named after what they hold, nothing left undone.

use std::path::Path;

use anyhow::Context;

use crate::run;

/// Lines of a file without its tests; beyond that it usually holds two ideas.
const LINES_MAX: usize = 500;

/// Names that say nothing about what is inside.
const NAMELESS: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc"];

/// Marks of unfinished work, in two halves so that this file passes its own check.
const MARKS: &[(&str, &str)] = &[
    ("TO", "DO"),
    ("FIX", "ME"),
    ("XX", "X:"),
    ("#[ign", "ore"),
    ("unimplemen", "ted!"),
    ("tod", "o!("),
    ("test.sk", "ip("),
    ("it.sk", "ip("),
];

pub(super) fn check() -> anyhow::Result<Vec<String>> {
    let listing = run::output(run::program(
        "git",
        &["ls-files", "--cached", "--others", "--exclude-standard"],
    ))?;
    let mut complaints = Vec::new();
    for name in listing.lines().filter(|name| is_source(name)) {
        let path = run::root().join(name);
        if !path.exists() {
            continue;
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {name}"))?;
        complaints.extend(check_file(name, &text));
    }
    Ok(complaints)
}

fn is_source(name: &str) -> bool {
    let extension = Path::new(name).extension().unwrap_or_default();
    ["rs", "js", "mjs"].iter().any(|known| extension == *known)
}

fn check_file(name: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let stem = Path::new(name).file_stem().unwrap_or_default();
    let folders = Path::new(name).components().map(|part| part.as_os_str());
    if NAMELESS
        .iter()
        .any(|known| stem == *known || folders.clone().any(|folder| folder == *known))
    {
        complaints.push(format!("{name}: name it after what it holds"));
    }
    if is_product(name) && !text.trim_start().starts_with("//!") {
        complaints.push(format!("{name}: starts without module docs (`//!`)"));
    }
    let lines = lines_without_tests(text);
    if is_product(name) && lines > LINES_MAX {
        complaints.push(format!("{name}: {lines} lines without its tests; split it"));
    }
    for (index, line) in text.lines().enumerate() {
        for (left, right) in MARKS {
            let mark = format!("{left}{right}");
            if line.contains(&mark) {
                complaints.push(format!("{name}:{}: {mark} left behind", index + 1));
            }
        }
    }
    complaints
}

fn is_product(name: &str) -> bool {
    name.contains("/src/")
}

/// Tests come last in a file, in a module called `tests`.
fn lines_without_tests(text: &str) -> usize {
    let tests = text.lines().position(|line| line == "#[cfg(test)]");
    tests.unwrap_or_else(|| text.lines().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_module_docs_is_a_complaint() {
        assert_eq!(check_file("crates/a/src/b.rs", "fn main() {}").len(), 1);
        assert!(check_file("crates/a/src/b.rs", "//! Adds.\n").is_empty());
    }

    #[test]
    fn a_name_that_says_nothing_is_a_complaint() {
        assert_eq!(check_file("crates/a/src/utils.rs", "//! Adds.\n").len(), 1);
        assert_eq!(
            check_file("crates/a/src/common/b.rs", "//! Adds.\n").len(),
            1
        );
    }

    #[test]
    fn marks_of_unfinished_work_are_found_with_their_line() {
        let text = format!("//! Adds.\n// {}: later\n", ["TO", "DO"].concat());
        let found = check_file("crates/a/src/b.rs", &text);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/a/src/b.rs:2:"), "{found:?}");
    }

    #[test]
    fn tests_do_not_count_as_lines() {
        let tests = "\n#[cfg(test)]\nmod tests {\n".to_owned() + &"// x\n".repeat(LINES_MAX);
        assert!(check_file("crates/a/src/b.rs", &format!("//! Adds.{tests}")).is_empty());
        let long = "//! Adds.\n".repeat(LINES_MAX + 1);
        assert_eq!(check_file("crates/a/src/b.rs", &long).len(), 1);
    }
}
