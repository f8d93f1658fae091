//! The list of data stores.

use std::path::PathBuf;

use happn_store_mongo::{MongoConfig, MongoSettings};
use serde::Deserialize;
use serde_json::{Map, Value, json};

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
    /// A MongoDB collection, shared by the nodes of many machines, JavaScript ones among them.
    Mongo,
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

/// A store's settings; each provider has its own.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct StoreSettings {
    /// SQLite's file; absent for other stores.
    pub filename: Option<PathBuf>,
    /// When a write to SQLite counts as stored.
    pub synchronous: Synchronous,
    /// Where MongoDB is. May hold a password.
    pub url: Option<String>,
    /// MongoDB's database.
    pub database: Option<String>,
    /// MongoDB's collection.
    pub collection: Option<String>,
    /// Options for MongoDB's driver.
    pub opts: Option<Map<String, Value>>,
    /// MongoDB's indexes.
    pub index: Option<Value>,
}

impl StoreSettings {
    /// The part that is about MongoDB.
    #[must_use]
    pub fn mongo(&self) -> MongoSettings {
        MongoSettings {
            url: self.url.clone(),
            database: self.database.clone(),
            collection: self.collection.clone(),
            opts: self.opts.clone().unwrap_or_default(),
            index: self.index.clone(),
        }
    }
}

/// How patterns of stores are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PatternRule {
    /// As written, like the masks of a `get`.
    Strict,
    /// As the JavaScript server does: letter case is ignored and doubled characters are wildcards.
    Loose,
}

/// What a provider's name in a configuration means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Sqlite,
    Memory,
    /// An in-memory store that also wrote a file of its own format, which `import` calls so.
    MemoryWithFile(&'static str),
    Mongo,
}

/// Every name of a provider: ours first, then those of the JavaScript server.
const PROVIDERS: &[(&str, Named)] = &[
    ("memory", Named::Memory),
    ("sqlite", Named::Sqlite),
    ("mongo", Named::Mongo),
    ("mem", Named::Memory),
    ("happn-db-provider-mem", Named::Memory),
    ("happn-db-provider-sqlite", Named::Sqlite),
    ("mongodb", Named::Mongo),
    ("happn-db-provider-mongo", Named::Mongo),
    ("happn-service-mongo", Named::Mongo),
    ("happn-service-mongo-2", Named::Mongo),
    ("loki", Named::MemoryWithFile("loki")),
    ("happn-db-provider-loki", Named::MemoryWithFile("loki")),
    ("nedb", Named::MemoryWithFile("nedb")),
    ("happn-db-provider-nedb", Named::MemoryWithFile("nedb")),
    ("happn-service-nedb", Named::MemoryWithFile("nedb")),
];

fn named(provider: &str) -> Option<Named> {
    let mut known = PROVIDERS.iter();
    let found = known.find(|(name, _)| *name == provider)?;
    Some(found.1)
}

/// The store of a configuration that lists none, but may name a file.
pub(crate) fn implicit(file: &Value, synced: &Value) -> Value {
    let synchronous = match synced {
        Value::Bool(false) => "normal",
        _ => "full",
    };
    json!([{
        "name": "default",
        "provider": "sqlite",
        "settings": {"filename": file, "synchronous": synchronous},
    }])
}

/// Checks a list of stores and brings each entry into its full form.
pub(crate) fn check(list: &Value, at: &str, origin: &Origin, report: &mut Report) -> Value {
    let entries = list.as_array().map_or(&[][..], |entries| entries);
    let mut checked: Vec<Value> = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let prefix = format!("{at}[{number}].");
        checked.push(check_entry(entry, number, &prefix, origin, report));
    }
    // An empty list, as in the sample of their manual, leaves the implicit store.
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
        Some(provider) => {
            let mut refuse = |key: &str, reason: String| {
                report.rule(origin, &format!("{prefix}{key}"), reason);
            };
            resolve(provider, &file, &mut refuse)
        }
        None if !layers.value("settings.url").is_null() => "mongo",
        None if file.is_null() => "memory",
        None => "sqlite",
    };
    layers.put("provider", json!(provider), origin.clone());
    let tree = layers.tree();
    if provider == "mongo" {
        check_mongo(&tree["settings"], prefix, origin, report);
    }
    tree
}

/// What MongoDB's store has to say about its settings, before anything is connected to.
fn check_mongo(settings: &Value, prefix: &str, origin: &Origin, report: &mut Report) {
    // What does not fit a key's kind has been reported by then.
    let Ok(settings) = StoreSettings::deserialize(settings) else {
        return;
    };
    if let Err(error) = MongoConfig::new(settings.mongo()) {
        let text = error.to_string();
        let (key, reason) = text.split_once(": ").unwrap_or(("settings", &text));
        report.rule(origin, &format!("{prefix}{key}"), reason);
    }
}

/// The provider that a name stands for; a name that stands for none is refused.
fn resolve(provider: &str, file: &Value, refuse: &mut dyn FnMut(&str, String)) -> &'static str {
    match named(provider) {
        Some(Named::Sqlite) if file.is_null() => {
            let reason = "a sqlite store needs a file name";
            refuse("settings.filename", reason.into());
            "sqlite"
        }
        Some(Named::Sqlite) => "sqlite",
        Some(Named::Memory | Named::MemoryWithFile(_)) if file.is_null() => "memory",
        Some(Named::Memory) => {
            let reason = "a memory store has no file; use the provider sqlite to keep documents";
            refuse("settings.filename", reason.into());
            "memory"
        }
        Some(Named::MemoryWithFile(format)) => {
            refuse("provider", no_live_file(provider, format, file));
            "memory"
        }
        Some(Named::Mongo) if file.is_null() => "mongo",
        Some(Named::Mongo) => {
            let reason = "a mongo store has no file; use settings.url, database and collection";
            refuse("settings.filename", reason.into());
            "memory"
        }
        None => {
            let names: Vec<&str> = PROVIDERS.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            refuse(
                "provider",
                format!("unknown provider {provider:?}; known are {names}"),
            );
            "memory"
        }
    }
}

fn no_live_file(provider: &str, format: &str, file: &Value) -> String {
    format!(
        "a node does not work on files of {provider}; set the provider sqlite with another file, \
         then fill it with `cluster-node import --from {format} {}`",
        file.as_str().unwrap_or("FILE")
    )
}

/// What holds for the list as a whole: unique names, exactly one default.
fn check_together(stores: &mut [Value], at: &str, origin: &Origin, report: &mut Report) {
    for (number, store) in stores.iter().enumerate() {
        let name = &store["name"];
        if stores[..number].iter().any(|other| other["name"] == *name) {
            report.rule(origin, at, format!("two stores are called {name}"));
        }
    }
    settle_default(stores, origin, report);
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

/// The last store that says so is the default, else the first.
fn settle_default(stores: &mut [Value], origin: &Origin, report: &mut Report) {
    let says_so = |store: &Value| store["isDefault"] == true;
    let default = stores.iter().rposition(says_so).unwrap_or_default();
    if stores.iter().filter(|store| says_so(store)).count() > 1 {
        let name = &stores[default]["name"];
        report.warn(format!(
            "{origin}: more than one store has isDefault; the last of them, {name}, is the default"
        ));
    }
    for (number, store) in stores.iter_mut().enumerate() {
        store["isDefault"] = json!(number == default);
    }
}
