//! Values with their origins, laid over each other.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::config::key::{Key, Preset};
use crate::config::keys::KEYS;
use crate::config::kind::Kind;
use crate::config::nearest::nearest;
use crate::config::problem::{Problem, Report};
use crate::config::store_keys::STORE_KEYS;
use crate::config::{FlagValue, stores};

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The program around the node.
    Program,
    /// A configuration file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Program => f.write_str("program"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// A key's text from the environment or the command line.
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

impl Setting {
    pub(crate) fn from_flag(value: &FlagValue) -> Self {
        Self {
            key: value.key.clone(),
            text: value.text.clone(),
            origin: Origin::Flag(value.flag.clone()),
        }
    }
}

/// The effective value of every key of a table.
#[derive(Clone, Debug)]
pub(crate) struct Layers {
    table: &'static [Key],
    /// What precedes the table's keys in messages: empty, or `…datastores[0].`.
    prefix: String,
    values: BTreeMap<&'static str, (Value, Origin)>,
}

impl Layers {
    pub(crate) fn of_defaults() -> Self {
        Self::of_table(KEYS, String::new())
    }

    pub(crate) fn of_store(prefix: String) -> Self {
        Self::of_table(STORE_KEYS, prefix)
    }

    fn of_table(table: &'static [Key], prefix: String) -> Self {
        let values = table
            .iter()
            .map(|key| (key.path, (preset(key.default), Origin::Default)))
            .collect();
        Self {
            table,
            prefix,
            values,
        }
    }

    pub(crate) fn table(&self) -> &'static [Key] {
        self.table
    }

    /// The effective value; `Null` when the key is not set.
    pub(crate) fn value(&self, key: &str) -> &Value {
        self.values
            .get(key)
            .map_or(&Value::Null, |(value, _)| value)
    }

    pub(crate) fn origin(&self, key: &str) -> &Origin {
        self.values
            .get(key)
            .map_or(&Origin::Default, |(_, origin)| origin)
    }

    /// Overrides without a check.
    pub(crate) fn put(&mut self, key: &'static str, value: Value, origin: Origin) {
        self.values.insert(key, (value, origin));
    }

    /// Everything as one nested object; keys that are not set are left out.
    pub(crate) fn tree(&self) -> Value {
        let mut root = Map::new();
        for (path, (value, _)) in &self.values {
            if !value.is_null() {
                insert(&mut root, path, value.clone());
            }
        }
        Value::Object(root)
    }

    /// Lays a file's tree, or one store's object, over what is there.
    pub(crate) fn add_tree(&mut self, root: &Value, origin: &Origin, report: &mut Report) {
        let mut found = Vec::new();
        self.collect(root, "", origin, &mut found, report);
        // The proper spelling wins over an alias in the same layer, wherever they stand.
        found.sort_by_key(|(spelling, key, _)| spelling == key.path);
        for (spelling, key, value) in found {
            self.add(key, &spelling, value, origin, report);
        }
    }

    /// Lays flags or environment variables over what is there.
    pub(crate) fn add_settings(&mut self, settings: Vec<Setting>, report: &mut Report) {
        for setting in settings {
            match self.find(&setting.key) {
                Some(key) => {
                    let value = key.kind.read(&setting.text);
                    self.add(key, &setting.key, &value, &setting.origin, report);
                }
                None => self.unknown(&setting.key, &setting.origin, report),
            }
        }
    }

    /// Finds every known key below `value`; warns of unknown ones.
    fn collect<'v>(
        &self,
        value: &'v Value,
        at: &str,
        origin: &Origin,
        found: &mut Vec<(String, &'static Key, &'v Value)>,
        report: &mut Report,
    ) {
        let Some(members) = value.as_object() else {
            if !Kind::is_absent(value) {
                report.problem(Problem::Value {
                    origin: origin.clone(),
                    key: self.full(at),
                    value: shown(value),
                    allowed: "an object".into(),
                });
            }
            return;
        };
        for (name, member) in members {
            let path = match at {
                "" => name.clone(),
                _ => format!("{at}.{name}"),
            };
            if let Some(key) = self.find(&path) {
                found.push((path, key, member));
            } else if self.is_section(&path) {
                self.collect(member, &path, origin, found, report);
            } else {
                self.unknown(&path, origin, report);
            }
        }
    }

    fn find(&self, spelling: &str) -> Option<&'static Key> {
        let named = |key: &&Key| key.path == spelling || key.aliases.contains(&spelling);
        self.table.iter().find(named)
    }

    fn is_section(&self, path: &str) -> bool {
        let inside = |name: &str| {
            let rest = name.strip_prefix(path);
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        self.table.iter().any(|key| inside(key.path))
    }

    fn unknown(&self, spelling: &str, origin: &Origin, report: &mut Report) {
        let full = self.full(spelling);
        let known = self.table.iter().map(|key| key.path);
        report.warn(match nearest(spelling, known) {
            Some(near) => {
                let near = self.full(near);
                format!("{origin}: unknown key {full}, did you mean {near}?")
            }
            None => format!("{origin}: unknown key {full}"),
        });
    }

    fn add(
        &mut self,
        key: &'static Key,
        spelling: &str,
        value: &Value,
        origin: &Origin,
        report: &mut Report,
    ) {
        let full = self.full(spelling);
        if spelling != key.path {
            let proper = self.full(key.path);
            report.warn(format!("{origin}: {full} is read as {proper}"));
        }
        if Kind::is_absent(value) {
            return;
        }
        let Some(checked) = key.kind.check(value) else {
            report.problem(Problem::Value {
                origin: origin.clone(),
                key: full,
                value: key.shown(value),
                allowed: key.allowed(),
            });
            return;
        };
        if key.inert && checked != preset(key.default) {
            report.warn(format!("{origin}: {full} has no effect in this version"));
        }
        let checked = match key.kind {
            Kind::Stores => stores::check(&checked, &full, origin, report),
            _ => checked,
        };
        self.put(key.path, checked, origin.clone());
    }

    fn full(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

impl Key {
    /// A value for a message, a secret masked and a long one cut.
    pub(crate) fn shown(&self, value: &Value) -> String {
        match self.kind {
            Kind::Secret | Kind::Pem => MASK.into(),
            _ => shown(&masked(value)),
        }
    }

    /// A value in full, a secret masked.
    pub(crate) fn printed(&self, value: &Value) -> String {
        match self.kind {
            Kind::Secret | Kind::Pem => MASK.into(),
            _ => masked(value).to_string(),
        }
    }

    /// What is allowed, with the unit.
    #[must_use]
    pub fn allowed(&self) -> String {
        match self.unit {
            Some(unit) => format!("{} ({unit})", self.kind.allowed()),
            None => self.kind.allowed(),
        }
    }
}

/// What is shown instead of a secret.
const MASK: &str = "******";

/// A value without the passwords in it: those of urls, and members of that name.
pub(crate) fn masked(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(masked_url(text)),
        Value::Array(items) => items.iter().map(masked).collect(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| match name.as_str() {
                "password" | "pass" => (name.clone(), json!(MASK)),
                _ => (name.clone(), masked(value)),
            };
            members.iter().map(member).collect()
        }
        other => other.clone(),
    }
}

fn masked_url(text: &str) -> String {
    let masked = || {
        let (scheme, rest) = text.split_once("://")?;
        let (user, rest) = rest.rsplit_once('@')?;
        let (user, _) = user.split_once(':')?;
        Some(format!("{scheme}://{user}:{MASK}@{rest}"))
    };
    masked().unwrap_or_else(|| text.to_owned())
}

/// A value in an error message: JSON, cut when it is long.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

pub(crate) fn preset(default: Preset) -> Value {
    match default {
        Preset::Unset => Value::Null,
        Preset::Switch(on) => json!(on),
        Preset::Whole(number) => json!(number),
        Preset::Text(text) => json!(text),
        // A test reads every default of the table.
        Preset::Json(text) => serde_json::from_str(text).unwrap_or(Value::Null),
    }
}

/// Puts a value at a dotted path, making the objects on the way.
fn insert(root: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            root.insert(path.to_owned(), value);
        }
        Some((section, rest)) => {
            let section = root
                .entry(section)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(section) = section {
                insert(section, rest, value);
            }
        }
    }
}
