//! The keys of a data store.

use crate::config::key::{Key, Preset, key};
use crate::config::kind::Kind;

/// The keys of one entry of `services.data.config.datastores`.
pub const STORE_KEYS: &[Key] = &[
    key(
        "name",
        Kind::Text,
        Preset::Unset,
        "The store's name, unique in the list.",
    ),
    key(
        "provider",
        Kind::Text,
        Preset::Unset,
        "What keeps the documents: memory, sqlite or mongo; sqlite when a filename is given, else memory.",
    ),
    key(
        "isDefault",
        Kind::Switch,
        Preset::Switch(false),
        "Whether it takes the paths that no pattern names; the last one that says so does, else the first.",
    ),
    key(
        "patterns",
        Kind::Masks,
        Preset::Json("[]"),
        "The paths it takes; the longest pattern wins, among equals the one of the earlier store.",
    ),
    key(
        "settings.filename",
        Kind::Text,
        Preset::Unset,
        "SQLite's file; nodes of one machine share it.",
    )
    .also(&["settings.fileName", "settings.dbfile", "filename", "dbfile"]),
    key(
        "settings.synchronous",
        Kind::Choice(&["full", "normal"]),
        Preset::Text("full"),
        "full: an answered write survives a power cut; normal: it survives the death of the process.",
    ),
    key(
        "settings.url",
        Kind::Url,
        Preset::Unset,
        "Where MongoDB is; mongodb://127.0.0.1:27017 when not set.",
    )
    .also(&["url"]),
    key(
        "settings.database",
        Kind::Text,
        Preset::Unset,
        "MongoDB's database, whatever the url says; happn when not set.",
    )
    .also(&["database"]),
    key(
        "settings.collection",
        Kind::Text,
        Preset::Unset,
        "MongoDB's collection; happn when not set.",
    )
    .also(&["collection"]),
    key(
        "settings.opts",
        Kind::Options,
        Preset::Unset,
        "Options for MongoDB's driver, by the names they have in an url.",
    ),
    key(
        "settings.index",
        Kind::Indexes,
        Preset::Unset,
        "MongoDB's indexes instead of the unique one on path: false for none, or an object.",
    ),
];
