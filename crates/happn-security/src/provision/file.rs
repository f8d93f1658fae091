//! What is in the file, and whether it is of that shape.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::directory::{LookupPermission, Password, PermissionSet, TableName};

/// Groups, users and tables that are to be there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Provision {
    /// Groups, made before users.
    pub groups: Vec<ProvisionGroup>,
    /// Users.
    pub users: Vec<ProvisionUser>,
    /// Lookup tables, made last.
    pub lookup_tables: Vec<ProvisionTable>,
}

/// A group that is to be there.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvisionGroup {
    /// Its name.
    pub name: String,
    /// Rules that it is to have; those that say `remove` it is not to have.
    #[serde(default)]
    pub permissions: PermissionSet,
    /// What applications keep with it.
    #[serde(default)]
    pub custom_data: Option<Value>,
}

/// A user that is to be there.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvisionUser {
    /// The user's name.
    pub username: String,
    /// The password it is to have. A user that exists keeps its own without one.
    #[serde(default)]
    pub password: Option<Password>,
    /// The key for logins by digest.
    #[serde(default, rename = "publicKey")]
    pub public_key: Option<String>,
    /// The groups it is to be in.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Rules of its own, as those of a group.
    #[serde(default)]
    pub permissions: PermissionSet,
    /// What applications keep with it.
    #[serde(default)]
    pub custom_data: Option<Value>,
}

/// A lookup table that is to be there.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvisionTable {
    /// Its name.
    pub name: String,
    /// Paths that it is to have.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Who asks it.
    #[serde(default)]
    pub permissions: Vec<ProvisionLookup>,
}

/// A lookup permission that a group is to have.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvisionLookup {
    /// The group.
    pub group: String,
    /// What the path of the request must match.
    pub regex: String,
    /// Which actions.
    pub actions: Vec<String>,
    /// What to look for in the table.
    pub path: String,
}

impl ProvisionLookup {
    pub(super) fn in_table(&self, table: TableName) -> LookupPermission {
        LookupPermission {
            regex: self.regex.clone(),
            actions: self.actions.clone(),
            table,
            path: self.path.clone(),
        }
    }
}

/// Something that is wrong in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, such as `users[2]`; empty for the file as a whole.
    pub place: String,
    /// What.
    pub text: String,
}

impl Problem {
    pub(super) fn new(place: &str, text: impl fmt::Display) -> Self {
        Self {
            place: place.to_owned(),
            text: text.to_string(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.is_empty() {
            true => f.write_str(&self.text),
            false => write!(f, "{}: {}", self.place, self.text),
        }
    }
}

impl Provision {
    /// Reads a file.
    ///
    /// # Errors
    /// Everything about its shape that is wrong, one problem for each entry, and whatever else can
    /// be said without a directory.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let whole = |text: String| vec![Problem::new("", text)];
        let value: Value =
            serde_json::from_str(text).map_err(|error| whole(format!("no JSON: {error}")))?;
        let Value::Object(mut members) = value else {
            return Err(whole(
                "must be an object with groups, users, lookupTables".to_owned(),
            ));
        };
        let mut problems = Vec::new();
        let provision = Self {
            groups: entries(&mut members, "groups", &mut problems),
            users: entries(&mut members, "users", &mut problems),
            lookup_tables: entries(&mut members, "lookupTables", &mut problems),
        };
        problems.extend(members.keys().map(|name| {
            let text = "unknown member; there are groups, users, lookupTables";
            Problem::new(name, text)
        }));
        if problems.is_empty() {
            return Ok(provision);
        }
        problems.extend(super::check::file(&provision));
        Err(problems)
    }
}

/// Takes a list out of the file, with a problem for each entry that is none.
fn entries<T: DeserializeOwned>(
    members: &mut Map<String, Value>,
    list: &str,
    problems: &mut Vec<Problem>,
) -> Vec<T> {
    let entries = match members.shift_remove(list) {
        None => Vec::new(),
        Some(Value::Array(entries)) => entries,
        Some(_) => {
            problems.push(Problem::new(list, "must be an array"));
            Vec::new()
        }
    };
    let known = problems.len();
    let mut read = Vec::new();
    for (at, entry) in entries.into_iter().enumerate() {
        match serde_json::from_value(entry) {
            Ok(entry) => read.push(entry),
            // Texts of serde name members and types; a value that might be a secret is never one
            // of those they quote, because passwords of any text are accepted.
            Err(error) => problems.push(Problem::new(&format!("{list}[{at}]"), error)),
        }
    }
    match problems.len() == known {
        true => read,
        // With some left out the others would be told by wrong numbers.
        false => Vec::new(),
    }
}
