//! What can be chosen about a store, and what it comes to.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::address::{self, Address, AddressError};

const URL: &str = "mongodb://127.0.0.1:27017";
const DATABASE: &str = "happn";
const COLLECTION: &str = "happn";

/// A data store's settings as a configuration has them; what is absent has its default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MongoSettings {
    /// Where the servers are. Default `mongodb://127.0.0.1:27017`.
    pub url: Option<String>,
    /// The database; it counts even when the url names another one. Default `happn`.
    pub database: Option<String>,
    /// The collection. Default: `opts.collection`, else `happn`.
    pub collection: Option<String>,
    /// Options of the driver, by their names in an url.
    pub opts: Map<String, Value>,
    /// `false` for no index at all, or an object of indexes instead of the unique one on `path`.
    pub index: Option<Value>,
}

/// How a store is opened. [`MongoConfig::new`] gives every member but the settings its default.
#[derive(Clone, Debug)]
pub struct MongoConfig {
    /// Where the servers are, and how to talk to them.
    pub(crate) address: Address,
    /// The database.
    pub(crate) database: String,
    /// The collection.
    pub(crate) collection: String,
    pub(crate) indexes: Vec<Index>,
    /// What was not understood and is left out, one line each, for the log.
    pub(crate) warnings: Vec<String>,
    /// How long to look for a server that can be used, before an operation fails.
    pub selection_timeout: Duration,
    /// How long a server may take to accept a connection.
    pub connect_timeout: Duration,
    /// How long a read or write of one item may take.
    pub item_timeout: Duration,
    /// How long one step of anything larger may take: a removal by mask, a count, a batch.
    pub scan_timeout: Duration,
    /// How long a read or write may wait for its turn.
    pub turn_timeout: Duration,
    /// Writes that run at the same time.
    pub writes_max: usize,
    /// Reads that run at the same time; the others wait.
    pub reads_max: usize,
    /// The most writes that wait. One more is answered `Overloaded`.
    pub queue_max: usize,
    /// The most bytes of paths and data that wait to be written.
    pub queue_bytes_max: usize,
    /// The most reads that wait. One more is answered `Overloaded`.
    pub read_queue_max: usize,
}

/// An index to have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Index {
    /// The last part of its record's path.
    pub(crate) key: String,
    /// `{field: 1 | -1 | kind}`, in order.
    pub(crate) fields: Map<String, Value>,
    pub(crate) options: Map<String, Value>,
}

/// Settings that cannot be used; each names the setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The url cannot be used.
    #[error("settings.url: {0}")]
    Url(#[from] AddressError),
    /// The name of the database or collection is not allowed.
    #[error("settings.{setting}: {name:?} is no name: {reason}")]
    Name {
        /// `database` or `collection`.
        setting: &'static str,
        /// What was given.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The indexes are not described as they should be.
    #[error(
        "settings.index{at}: {reason}; use false, or an object of indexes such as \
         {{\"by_path\": {{\"fields\": {{\"path\": 1}}, \"options\": {{\"unique\": true}}}}}}"
    )]
    Index {
        /// The place below `index`, with a leading dot; empty for the whole.
        at: String,
        /// What is wrong.
        reason: &'static str,
    },
}

impl MongoConfig {
    /// What `settings` come to.
    ///
    /// # Errors
    /// When a setting cannot be used; nothing has been connected to yet.
    pub fn new(settings: MongoSettings) -> Result<Self, SettingsError> {
        let url = settings.url.as_deref().unwrap_or(URL);
        let database = settings.database.unwrap_or_else(|| DATABASE.to_owned());
        check_name("database", &database, &['/', '\\', '.', ' ', '"', '$'], 63)?;
        let of_options = settings.opts.get("collection").and_then(Value::as_str);
        let collection = settings.collection.as_deref().or(of_options);
        let collection = collection.unwrap_or(COLLECTION).to_owned();
        check_name("collection", &collection, &['$'], 200)?;
        let mut warnings = Vec::new();
        let address = address::parse(url, &database, &settings.opts, &mut warnings)?;
        Ok(Self {
            address,
            database,
            collection,
            indexes: indexes(settings.index.as_ref())?,
            warnings,
            selection_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(3),
            item_timeout: Duration::from_secs(10),
            scan_timeout: Duration::from_secs(60),
            turn_timeout: Duration::from_secs(10),
            writes_max: 16,
            reads_max: 16,
            queue_max: 32_768,
            queue_bytes_max: 64 * 1024 * 1024,
            read_queue_max: 4096,
        })
    }

    /// Servers, database and collection, for people; no password.
    #[must_use]
    pub fn place(&self) -> String {
        let (hosts, database) = (self.address.hosts(), &self.database);
        format!(
            "{hosts}, database {database}, collection {}",
            self.collection
        )
    }

    /// The database in use.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The collection in use.
    #[must_use]
    pub fn collection(&self) -> &str {
        &self.collection
    }
}

fn check_name(
    setting: &'static str,
    name: &str,
    refused: &[char],
    length_max: usize,
) -> Result<(), SettingsError> {
    let reason = match name {
        "" => "it is empty",
        _ if name.len() > length_max => "it is too long",
        _ if name.contains('\0') => "it holds a NUL character",
        _ if name.contains(refused) => "it holds a character that MongoDB does not allow there",
        _ => return Ok(()),
    };
    Err(SettingsError::Name {
        setting,
        name: name.to_owned(),
        reason,
    })
}

/// The unique index on `path`, unless others are asked for instead.
fn indexes(setting: Option<&Value>) -> Result<Vec<Index>, SettingsError> {
    let refuse = |at: String, reason| Err(SettingsError::Index { at, reason });
    let wanted = match setting {
        None | Some(Value::Null) => return Ok(vec![path_index()]),
        Some(Value::Bool(false)) => return Ok(Vec::new()),
        Some(Value::Object(wanted)) => wanted,
        Some(_) => return refuse(String::new(), "it is neither false nor an object"),
    };
    let mut indexes = Vec::new();
    for (key, index) in wanted {
        let at = format!(".{key}");
        let Some(fields) = index.get("fields").and_then(Value::as_object) else {
            return refuse(at, "it has no object `fields`");
        };
        if fields.is_empty() {
            return refuse(at, "its `fields` are empty");
        }
        let options = match index.get("options") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(options)) => options.clone(),
            Some(_) => return refuse(at, "its `options` are no object"),
        };
        indexes.push(Index {
            key: key.clone(),
            fields: fields.clone(),
            options,
        });
    }
    Ok(indexes)
}

fn path_index() -> Index {
    let one = || Value::from(1);
    Index {
        key: "happn_path_index".to_owned(),
        fields: Map::from_iter([("path".to_owned(), one())]),
        options: Map::from_iter([
            ("unique".to_owned(), Value::Bool(true)),
            ("w".to_owned(), one()),
        ]),
    }
}

#[cfg(test)]
#[allow(clippy::print_stdout, reason = "counts of vectors are shown")]
mod tests {
    use serde_json::json;

    use super::*;

    fn with_index(index: &Value) -> Result<Vec<Index>, SettingsError> {
        indexes(Some(index))
    }

    #[test]
    fn the_index_on_path_is_the_default_and_can_be_replaced_or_left_out() {
        assert_eq!(indexes(None).unwrap(), [path_index()]);
        assert_eq!(with_index(&json!(false)).unwrap(), []);
        let own = with_index(&json!({"x": {"fields": {"data.a": -1}}})).unwrap();
        assert_eq!(own.len(), 1);
        assert_eq!(
            (own[0].key.as_str(), &own[0].fields["data.a"]),
            ("x", &json!(-1))
        );
    }

    /// What the JavaScript provider makes of its settings, and where it breaks the address.
    #[test]
    fn settings_come_to_what_the_javascript_provider_makes_of_them() {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/vectors/data/mongo-settings.json"
        );
        let file: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let (mut passed, mut mended) = (0, 0);
        for case in file["cases"].as_array().unwrap() {
            let (given, effective) = (&case["settings"], &case["effective"]);
            let text = |name: &str| given[name].as_str().map(ToOwned::to_owned);
            let settings = MongoSettings {
                url: text("url"),
                database: text("database"),
                collection: text("collection"),
                opts: given["opts"].as_object().cloned().unwrap_or_default(),
                index: None,
            };
            let with_resolver = given["url"]
                .as_str()
                .is_some_and(|url| url.contains("+srv"));
            if with_resolver && !cfg!(feature = "srv") {
                let refused = MongoConfig::new(settings).unwrap_err().to_string();
                assert!(refused.contains("mongodb+srv"), "{refused}");
                continue;
            }
            let config = MongoConfig::new(settings).unwrap();
            assert_eq!(json!(config.database()), effective["database"], "{given}");
            assert_eq!(
                json!(config.collection()),
                effective["collection"],
                "{given}"
            );
            if case["broken"] == true {
                assert_ne!(
                    json!(config.address.secret_text()),
                    effective["url"],
                    "{given}"
                );
                mended += 1;
            } else {
                assert_eq!(
                    json!(config.address.secret_text()),
                    effective["url"],
                    "{given}"
                );
                passed += 1;
            }
        }
        println!(
            "data/mongo-settings: {passed} passed, {mended} addresses mended that are broken there"
        );
    }

    #[test]
    fn indexes_that_make_no_sense_are_named() {
        for (index, start) in [
            (
                json!(true),
                "settings.index: it is neither false nor an object",
            ),
            (
                json!({"x": 1}),
                "settings.index.x: it has no object `fields`",
            ),
            (
                json!({"x": {"fields": {}}}),
                "settings.index.x: its `fields` are empty",
            ),
            (
                json!({"x": {"fields": {"a": 1}, "options": 1}}),
                "settings.index.x: its `options` are no object",
            ),
        ] {
            let error = with_index(&index).unwrap_err().to_string();
            assert!(error.starts_with(start), "{error}");
        }
    }

    #[test]
    fn names_are_checked_before_anything_is_connected_to() {
        for (database, collection) in [
            ("a.b", "c"),
            ("", "c"),
            ("a", ""),
            ("a", "$c"),
            ("a\0", "c"),
        ] {
            let settings = MongoSettings {
                database: Some(database.to_owned()),
                collection: Some(collection.to_owned()),
                ..MongoSettings::default()
            };
            let refused = MongoConfig::new(settings);
            assert!(
                matches!(refused, Err(SettingsError::Name { .. })),
                "{database} {collection}"
            );
        }
    }
}
