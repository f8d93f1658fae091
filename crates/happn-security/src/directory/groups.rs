//! What can be done with groups.

use happn_core::WriteMode;
use serde_json::Map;

use super::change::{Change, Removed};
use super::error::{DirectoryError, Entity};
use super::group::{Group, GroupDraft};
use super::listing::Listing;
use super::names::GroupName;
use super::permission::{Holder, PermissionSet};
use super::users::encoded;
use super::{Directory, Inner, paths};

impl Directory {
    /// The group called `name`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn group(&self, name: &GroupName) -> Result<Option<Group>, DirectoryError> {
        self.0.group(name).await
    }

    /// Makes a group, or changes one: its data is replaced, its rules are added to those stored, or
    /// taken away where they say so. With `overwrite` false a group that exists is an error.
    ///
    /// # Errors
    /// When the draft is not valid (nothing is changed then), or the store does not answer.
    pub async fn upsert_group(
        &self,
        draft: GroupDraft,
        overwrite: bool,
    ) -> Result<Group, DirectoryError> {
        self.carry(move |inner| async move { inner.upsert_group(draft, overwrite).await })
            .await
    }

    /// Deletes a group with its rules, links and lookup permissions.
    ///
    /// # Errors
    /// When there is none or it is that of the admins, or the store does not answer.
    pub async fn delete_group(&self, name: &GroupName) -> Result<(), DirectoryError> {
        let name = name.clone();
        self.carry(move |inner| async move { inner.delete_group(&name).await })
            .await
    }

    /// Groups whose name starts with `pattern`, which may hold `*`.
    ///
    /// # Errors
    /// When the criteria cannot be evaluated, or the store does not answer.
    pub async fn list_groups(
        &self,
        pattern: &str,
        listing: &Listing,
    ) -> Result<Vec<Group>, DirectoryError> {
        let place = (paths::GROUPS, pattern);
        // Groups with a parent cannot be linked, so they are none.
        let read = |document: &happn_core::Document| Group::read(document).ok();
        listing.run(&self.0.records, place, read).await
    }

    /// How many groups [`Directory::list_groups`] would answer.
    ///
    /// # Errors
    /// As there.
    pub async fn count_groups(
        &self,
        pattern: &str,
        listing: &Listing,
    ) -> Result<usize, DirectoryError> {
        Ok(self.list_groups(pattern, listing).await?.len())
    }
}

impl Inner {
    pub(super) async fn group(&self, name: &GroupName) -> Result<Option<Group>, DirectoryError> {
        let document = self.records.get(&paths::group(name)).await?;
        document.as_ref().map(Group::read).transpose()
    }

    /// # Errors
    /// When there is no such group.
    pub(super) async fn expect_group(&self, name: &GroupName) -> Result<(), DirectoryError> {
        match self.group(name).await? {
            Some(_) => Ok(()),
            None => Err(DirectoryError::NotSaved(Entity::Group)),
        }
    }

    async fn upsert_group(
        &self,
        draft: GroupDraft,
        overwrite: bool,
    ) -> Result<Group, DirectoryError> {
        let name = GroupName::for_upsert(&draft.name)?;
        let holder = Holder::Group(name.clone());
        if let Some(permissions) = &draft.permissions {
            permissions.check(&holder)?;
        }
        match self.group(&name).await? {
            Some(_) if !overwrite => {
                return Err(DirectoryError::AlreadyExists {
                    what: Entity::Group,
                    name: name.to_string(),
                });
            }
            Some(_) => {}
            None => self.expect_no_table(name.as_str()).await?,
        }
        let mut data = Map::new();
        data.insert("name".to_owned(), name.as_str().into());
        data.extend(draft.members);
        let path = paths::group(&name);
        let document = self
            .records
            .write(&path, encoded(&data), WriteMode::Replace)
            .await?;
        if let Some(permissions) = &draft.permissions {
            self.store_permissions(&holder, permissions).await?;
        }
        let change = Change::group_upserted(&name, &document, draft.permissions.as_ref());
        self.announce(change).await;
        Group::read(&document)
    }

    /// Rights first, so that a deletion that breaks off leaves nobody with more of them: links
    /// would give a later group of this name its members.
    async fn delete_group(&self, name: &GroupName) -> Result<(), DirectoryError> {
        if name.is_admin() {
            return Err(DirectoryError::AdminGroup);
        }
        let group = self.group(name).await?.ok_or(DirectoryError::NoSuchGroup)?;
        let holder = Holder::Group(name.clone());
        let rules = PermissionSet::of(&self.stored_permissions(&holder).await?);
        let below = format!("{}*", paths::permissions_of(&holder));
        let permissions = self.records.remove_all(&below).await?;
        self.remove_lookups(name).await?;
        let removed = Removed {
            permissions,
            links: self.records.remove_all(&paths::links_to(name)).await?,
            own: self.records.remove(&paths::group(name)).await?,
            at: self.records.now(),
        };
        self.announce(Change::group_deleted(&group, &rules, &removed))
            .await;
        Ok(())
    }
}
