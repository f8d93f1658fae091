//! Users, groups and tables from a file: checked as a whole, applied as often as one likes.
//!
//! ```json
//! {
//!   "groups": [{"name": "STAFF", "permissions": {"/staff/*": {"actions": ["get", "on"]}}}],
//!   "users": [{"username": "ann", "password": "s3cret", "groups": ["STAFF"]}],
//!   "lookupTables": [{"name": "DEVICES", "paths": ["/device/1"], "permissions": [
//!     {"group": "STAFF", "regex": "^/data/(.*)", "actions": ["get"], "path": "/device/{{$1}}"}
//!   ]}]
//! }
//! ```
//!
//! What the file says is added or changed; nothing is taken away but the rules that say
//! `"remove": true`. A password in the file is the user's password afterwards. When something in
//! the file is wrong, all of it is told and nothing is written.

mod apply;
mod check;
mod file;

use std::fmt;

use crate::directory::{Directory, DirectoryError};

pub use file::{
    Problem, Provision, ProvisionGroup, ProvisionLookup, ProvisionTable, ProvisionUser,
};

/// Something that is different now.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Provisioned {
    /// What it is: `group`, `user` or `lookup table`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What happened to it, such as `made` or `added to group STAFF`.
    pub change: String,
}

impl fmt::Display for Provisioned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.name, self.change)
    }
}

/// Why a file was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProvisionError {
    /// The file is wrong; nothing was written.
    #[error("nothing was changed: {}", listed(.0))]
    Invalid(Vec<Problem>),
    /// The directory failed on the way.
    #[error("after {} changes: {source}", done.len())]
    Directory {
        /// What is different all the same.
        done: Vec<Provisioned>,
        /// What went wrong.
        source: DirectoryError,
    },
}

fn listed(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

impl Provision {
    /// Makes the directory what the file says, and answers what is different now: nothing when it
    /// was so already.
    ///
    /// # Errors
    /// [`ProvisionError::Invalid`] with everything that is wrong, before anything is written.
    pub async fn apply(&self, directory: &Directory) -> Result<Vec<Provisioned>, ProvisionError> {
        let mut problems = check::file(self);
        if problems.is_empty() {
            problems = check::against(self, directory).await.map_err(unchanged)?;
        }
        match problems.is_empty() {
            true => apply::all(self, directory).await,
            false => Err(ProvisionError::Invalid(problems)),
        }
    }
}

fn unchanged(source: DirectoryError) -> ProvisionError {
    ProvisionError::Directory {
        done: Vec::new(),
        source,
    }
}
