//! The list of data stores.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::layers::{Layers, Origin};
use crate::config::problem::{Problem, Report};

/// What keeps the documents of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// A file, shared by the nodes of one machine.
    Sqlite,
    /// This process's memory; nothing is shared and nothing survives.
    Memory,
}

/// When a write counts as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Synchronous {
    /// When it would survive a power cut.
    Full,
    /// When it would survive the death of the process.
    Normal,
}

/// A SQLite store's settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StoreFile {
    /// The file; absent for a memory store.
    pub filename: Option<PathBuf>,
    /// When a write counts as stored.
    pub synchronous: Synchronous,
}

/// What a provider's name in a configuration means.
enum Named {
    Sqlite,
    Memory,
    /// An in-memory store that also wrote a file of its own format.
    MemoryWithFile,
    Mongo,
    Unknown,
}

const PROVIDERS: &str = "sqlite or memory";

fn named(provider: &str) -> Named {
    match provider {
        "sqlite" => Named::Sqlite,
        "memory" | "mem" | "happn-db-provider-mem" => Named::Memory,
        "loki"
        | "happn-db-provider-loki"
        | "nedb"
        | "happn-db-provider-nedb"
        | "happn-service-nedb" => Named::MemoryWithFile,
        "mongo"
        | "mongodb"
        | "happn-db-provider-mongo"
        | "happn-service-mongo"
        | "happn-service-mongo-2" => Named::Mongo,
        _ => Named::Unknown,
    }
}

/// Checks a list of stores and brings each entry into its full form.
pub(crate) fn check(list: &Value, at: &str, origin: &Origin, report: &mut Report) -> Value {
    let entries = list.as_array().map_or(&[][..], |entries| entries);
    let mut checked: Vec<Value> = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let prefix = format!("{at}[{number}].");
        checked.push(check_entry(entry, number, &prefix, origin, report));
    }
    check_together(&mut checked, at, origin, report);
    Value::Array(checked)
}

fn check_entry(
    entry: &Value,
    number: usize,
    prefix: &str,
    origin: &Origin,
    report: &mut Report,
) -> Value {
    if !entry.is_object() {
        report.problem(Problem::Value {
            origin: origin.clone(),
            key: prefix.trim_end_matches('.').to_owned(),
            value: entry.to_string(),
            allowed: "an object".into(),
        });
        return json!({});
    }
    let mut layers = Layers::of_store(prefix.to_owned());
    layers.add_tree(entry, origin, report);
    if layers.value("name").is_null() {
        layers.put("name", json!(format!("store-{number}")), Origin::Default);
    }
    let file = layers.value("settings.filename").clone();
    let provider = match layers.value("provider").as_str() {
        Some(provider) => resolve(provider, &file, prefix, origin, report),
        None if file.is_null() => "memory",
        None => "sqlite",
    };
    layers.put("provider", json!(provider), origin.clone());
    layers.tree()
}

/// The provider that a name stands for; a name that stands for none is a problem.
fn resolve(
    provider: &str,
    file: &Value,
    prefix: &str,
    origin: &Origin,
    report: &mut Report,
) -> &'static str {
    let mut refuse = |key: &str, reason: String| {
        report.rule(origin, &format!("{prefix}{key}"), reason);
    };
    match named(provider) {
        Named::Sqlite if file.is_null() => {
            refuse(
                "settings.filename",
                "a sqlite store needs a file name".into(),
            );
            "sqlite"
        }
        Named::Sqlite => "sqlite",
        Named::Memory | Named::MemoryWithFile if file.is_null() => "memory",
        Named::Memory => {
            let reason = "a memory store has no file; use the provider sqlite to keep documents";
            refuse("settings.filename", reason.into());
            "memory"
        }
        Named::MemoryWithFile => {
            let reason = format!(
                "files of {provider} cannot be read; use the provider sqlite with a new file"
            );
            refuse("provider", reason);
            "sqlite"
        }
        Named::Mongo => {
            let reason = format!("this build has no MongoDB store ({provider}); use {PROVIDERS}");
            refuse("provider", reason);
            "memory"
        }
        Named::Unknown => {
            refuse(
                "provider",
                format!("unknown provider {provider:?}; use {PROVIDERS}"),
            );
            "memory"
        }
    }
}

/// What holds for the list as a whole: unique names, exactly one default.
fn check_together(stores: &mut [Value], at: &str, origin: &Origin, report: &mut Report) {
    if stores.is_empty() {
        report.rule(origin, at, "the list is empty; a node needs a store");
        return;
    }
    for (number, store) in stores.iter().enumerate() {
        let name = &store["name"];
        if stores[..number].iter().any(|other| other["name"] == *name) {
            report.rule(origin, at, format!("two stores are called {name}"));
        }
    }
    let defaults = stores.iter().filter(|store| store["isDefault"] == true);
    match defaults.count() {
        0 => stores[0]["isDefault"] = json!(true),
        1 => {}
        _ => report.rule(origin, at, "more than one store has isDefault"),
    }
    for store in stores.iter() {
        let idle = store["isDefault"] != true && store["patterns"] == json!([]);
        if idle {
            let name = &store["name"];
            report.warn(format!(
                "{origin}: the store {name} has no patterns and is not the default, so it stays empty"
            ));
        }
    }
}
