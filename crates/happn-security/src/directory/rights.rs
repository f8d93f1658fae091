//! What somebody may do, put together from groups and the user.

use std::sync::Arc;

use super::Directory;
use super::error::DirectoryError;
use super::lookup::LookupPermission;
use super::names::UserName;
use super::permission::{Holder, PermissionSet};
use super::user::Memberships;
use crate::rules::Rule;

/// Everything that decides what one user may do, as it was at one moment.
#[derive(Clone, Debug)]
pub struct Rights {
    /// The directory's generation before anything was read: what [`Directory::changed_since`]
    /// takes.
    pub generation: u64,
    /// The user's groups.
    pub memberships: Arc<Memberships>,
    /// The rules of the groups, group by group, and then those of the user.
    pub rules: Vec<Rule>,
    /// The paths of the user's own rules.
    pub own_paths: Vec<String>,
    /// The lookup permissions of the groups.
    pub lookups: Vec<LookupPermission>,
}

impl Directory {
    /// What `user` may do; every part of it is remembered.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn rights_of(&self, user: &UserName) -> Result<Rights, DirectoryError> {
        let generation = self.generation();
        let memberships = self.memberships(user).await?;
        let (mut rules, mut lookups) = (Vec::new(), Vec::new());
        for group in memberships.groups() {
            let permissions = self.permissions(&Holder::Group(group.clone())).await?;
            rules.extend(PermissionSet::of(&permissions).to_rules());
            lookups.extend_from_slice(&self.lookup_permissions(group).await?);
        }
        let own = self.permissions(&Holder::User(user.clone())).await?;
        let own = PermissionSet::of(&own).to_rules();
        let own_paths = own.iter().map(|rule| rule.path.clone()).collect();
        rules.extend(own);
        Ok(Rights {
            generation,
            memberships,
            rules,
            own_paths,
            lookups,
        })
    }
}
