//! What can be done with rules.

use std::sync::Arc;

use happn_core::WriteMode;
use happn_protocol::Json;

use super::change::Change;
use super::error::{DirectoryError, Entity};
use super::permission::{Holder, Permission, PermissionSet, check_action, check_path};
use super::{Directory, Inner, paths};

impl Directory {
    /// The rules of `holder` in their stored order; remembered.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn permissions(&self, holder: &Holder) -> Result<Arc<[Permission]>, DirectoryError> {
        let key = paths::permissions_of(holder);
        let load = async { Ok(self.0.stored_permissions(holder).await?.into()) };
        self.0.cached(&self.0.caches.permissions, &key, load).await
    }

    /// Allows or prohibits `action` on `path`; the later of both counts.
    ///
    /// # Errors
    /// When the rule is not valid, the holder does not exist or is the group of admins, or the
    /// store does not answer.
    pub async fn upsert_permission(
        &self,
        holder: &Holder,
        path: &str,
        action: &str,
        authorized: bool,
    ) -> Result<(), DirectoryError> {
        let permission = Permission {
            action: action.into(),
            authorized,
            path: path.into(),
        };
        let holder = holder.clone();
        self.carry(move |inner| async move { inner.upsert_permission(&holder, &permission).await })
            .await
    }

    /// Takes rules of `holder` on exactly `path` away: those that allow, or with `authorized`
    /// false those that prohibit; of one action, or with `*` of every action. Answers how many.
    ///
    /// # Errors
    /// When the holder is the group of admins, or the store does not answer.
    pub async fn remove_permission(
        &self,
        holder: &Holder,
        path: &str,
        action: &str,
        authorized: bool,
    ) -> Result<usize, DirectoryError> {
        let meant = Permission {
            action: action.into(),
            authorized,
            path: path.into(),
        };
        let holder = holder.clone();
        self.carry(move |inner| async move { inner.remove_permission(&holder, &meant).await })
            .await
    }

    /// Adds rules to those of `holder`, or takes them away where they say so.
    ///
    /// # Errors
    /// As [`Directory::upsert_permission`]; nothing is changed when one of them is not valid.
    pub async fn upsert_permissions(
        &self,
        holder: &Holder,
        permissions: PermissionSet,
    ) -> Result<(), DirectoryError> {
        let holder = holder.clone();
        self.carry(
            move |inner| async move { inner.upsert_permissions(&holder, &permissions).await },
        )
        .await
    }
}

impl Inner {
    pub(super) async fn stored_permissions(
        &self,
        holder: &Holder,
    ) -> Result<Vec<Permission>, DirectoryError> {
        let documents = self.records.below(&paths::permissions_of(holder)).await?;
        Ok(documents.iter().filter_map(Permission::read).collect())
    }

    /// Stores rules that were checked, without telling anybody.
    pub(super) async fn store_permissions(
        &self,
        holder: &Holder,
        permissions: &PermissionSet,
    ) -> Result<(), DirectoryError> {
        for (permission, remove) in permissions.changes() {
            match remove {
                true => self.remove_one(holder, &permission).await.map(drop)?,
                false => self.store_permission(holder, &permission).await?,
            }
        }
        Ok(())
    }

    async fn store_permission(
        &self,
        holder: &Holder,
        permission: &Permission,
    ) -> Result<(), DirectoryError> {
        let path = paths::permission(holder, &permission.action, &permission.path);
        let data = Json::encode(permission).unwrap_or(Json::EMPTY_OBJECT);
        self.records.write(&path, data, WriteMode::Replace).await?;
        Ok(())
    }

    /// Removes the rule, if what is stored is that one and not its opposite.
    async fn remove_one(
        &self,
        holder: &Holder,
        permission: &Permission,
    ) -> Result<bool, DirectoryError> {
        let path = paths::permission(holder, &permission.action, &permission.path);
        let stored = self.records.get(&path).await?;
        match stored.as_ref().and_then(Permission::read) {
            Some(stored) if stored == *permission => Ok(self.records.remove(&path).await? > 0),
            _ => Ok(false),
        }
    }

    async fn expect_holder(&self, holder: &Holder) -> Result<(), DirectoryError> {
        match holder {
            Holder::Group(name) if name.is_admin() => Err(DirectoryError::AdminGroup),
            Holder::Group(name) => self.expect_group(name).await,
            Holder::User(name) => match self.stored_user(name).await? {
                Some(_) => Ok(()),
                None => Err(DirectoryError::NotSaved(Entity::User)),
            },
        }
    }

    async fn upsert_permission(
        &self,
        holder: &Holder,
        permission: &Permission,
    ) -> Result<(), DirectoryError> {
        let (path, action) = (&permission.path, &permission.action);
        check_path(path)?;
        check_action(holder, action, path)?;
        self.expect_holder(holder).await?;
        self.store_permission(holder, permission).await?;
        let upserted = Some(permission.authorized);
        self.announce(Change::permission(holder, path, action, upserted))
            .await;
        Ok(())
    }

    async fn remove_permission(
        &self,
        holder: &Holder,
        meant: &Permission,
    ) -> Result<usize, DirectoryError> {
        if let Holder::Group(name) = holder
            && name.is_admin()
        {
            return Err(DirectoryError::AdminGroup);
        }
        let is_meant = |stored: &Permission| {
            let action = &*meant.action == "*" || stored.action == meant.action;
            action && stored.path == meant.path && stored.authorized == meant.authorized
        };
        let stored = self.stored_permissions(holder).await?;
        let mut removed = 0;
        for permission in stored.into_iter().filter(is_meant) {
            removed += usize::from(self.remove_one(holder, &permission).await?);
        }
        if removed > 0 {
            let change = Change::permission(holder, &meant.path, &meant.action, None);
            self.announce(change).await;
        }
        Ok(removed)
    }

    async fn upsert_permissions(
        &self,
        holder: &Holder,
        permissions: &PermissionSet,
    ) -> Result<(), DirectoryError> {
        permissions.check(holder)?;
        self.expect_holder(holder).await?;
        self.store_permissions(holder, permissions).await?;
        let change = match holder {
            Holder::User(name) => {
                let mut said = serde_json::Map::new();
                said.insert("username".to_owned(), name.as_str().into());
                Change::user_upserted(name, said, Some(permissions), None)
            }
            Holder::Group(name) => {
                let document = self.records.get(&paths::group(name)).await?;
                let document = document.ok_or(DirectoryError::NotSaved(Entity::Group))?;
                Change::group_upserted(name, &document, Some(permissions))
            }
        };
        self.announce(change).await;
        Ok(())
    }
}
