//! How configurations are read; the helpers that all these tests share.

mod addresses;
mod complaints;
mod every_key;
mod layering;
mod properties;
mod security_table;
mod stores;
mod table;

use std::path::PathBuf;

use super::*;

/// Writes files that vanish with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("cluster-node-{}", uuid()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn uuid() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{number}", std::process::id())
}

/// Loads `text` as a JSON5 file.
fn load(text: &str) -> Result<Config, ConfigError> {
    let folder = Folder::new();
    let file = folder.file("happn.json5", text);
    Config::load(&Sources {
        file: Some(&file),
        ..Sources::default()
    })
}

/// The problems of a configuration, without their origins.
fn problems(text: &str) -> Vec<String> {
    let error = load(text).unwrap_err();
    let line = |problem: &Problem| {
        let line = problem.to_string();
        line.split_once(": ").unwrap().1.to_owned()
    };
    error.problems.iter().map(line).collect()
}

/// The warnings of a configuration that loads, without their origins.
fn warnings(text: &str) -> Vec<String> {
    let config = load(text).unwrap();
    let line = |warning: &String| warning.split_once(": ").unwrap().1.to_owned();
    config.warnings.iter().map(line).collect()
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn from_environment(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(&Sources {
        environment: variables(pairs),
        ..Sources::default()
    })
}

fn flag(flag: &str, key: &str, text: &str) -> FlagValue {
    FlagValue {
        flag: flag.into(),
        key: key.into(),
        text: text.into(),
    }
}
