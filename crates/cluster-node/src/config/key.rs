//! What a key is, and how a row of the table of keys is written.

use crate::config::kind::Kind;

/// One key of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The full key, its levels joined by dots.
    pub path: &'static str,
    /// Type and range.
    pub kind: Kind,
    /// What applies when nobody says anything.
    pub default: Preset,
    /// The unit of a number: `ms`, `bytes`.
    pub unit: Option<&'static str>,
    /// One sentence for people.
    pub doc: &'static str,
    /// Other spellings seen in the wild, full keys.
    pub aliases: &'static [&'static str],
    /// A short environment variable besides the systematic one.
    pub environment: Option<&'static str>,
    /// A flag of `cluster-node`.
    pub flag: Option<&'static str>,
    /// Accepted so that existing files load, without effect in this version.
    pub inert: bool,
}

/// A default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Not set; the doc says what that means.
    Unset,
    /// A switch.
    Switch(bool),
    /// A number.
    Whole(u64),
    /// A text, or a word of a choice.
    Text(&'static str),
    /// JSON text of a list or an object.
    Json(&'static str),
}

/// A port; 0 lets the system choose.
pub(super) const PORT: Kind = Kind::Whole {
    min: 0,
    max: 65_535,
};
/// A pause between two actions: from 1 ms, because 0 would spin, to a day.
pub(super) const INTERVAL: Kind = Kind::Whole {
    min: 1,
    max: 86_400_000,
};
/// A time limit, where 0 means none.
pub(super) const LIMIT: Kind = Kind::Whole {
    min: 0,
    max: 86_400_000,
};

/// As [`INTERVAL`], where JavaScript nodes take text, too.
pub(super) const DURATION: Kind = Kind::Duration {
    min: 1,
    max: 86_400_000,
};
/// How long something is kept: up to ten years.
pub(super) const TTL: Kind = Kind::Duration {
    min: 1,
    max: 315_360_000_000,
};

/// A row without its optional parts.
pub(super) const fn key(path: &'static str, kind: Kind, default: Preset, doc: &'static str) -> Key {
    Key {
        path,
        kind,
        default,
        unit: None,
        doc,
        aliases: &[],
        environment: None,
        flag: None,
        inert: false,
    }
}

impl Key {
    pub(super) const fn ms(self) -> Self {
        Self {
            unit: Some("ms"),
            ..self
        }
    }

    pub(super) const fn bytes(self) -> Self {
        Self {
            unit: Some("bytes"),
            ..self
        }
    }

    pub(super) const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    pub(super) const fn short(self, environment: &'static str, flag: &'static str) -> Self {
        Self {
            environment: Some(environment),
            flag: Some(flag),
            ..self
        }
    }

    pub(super) const fn variable(self, environment: &'static str) -> Self {
        Self {
            environment: Some(environment),
            ..self
        }
    }

    pub(super) const fn inert(self) -> Self {
        Self {
            inert: true,
            ..self
        }
    }

    /// The key `path` of `table`.
    #[must_use]
    pub fn find(table: &'static [Self], path: &str) -> Option<&'static Self> {
        table.iter().find(|key| key.path == path)
    }
}
