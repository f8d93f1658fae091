//! Who is in which group.

use std::sync::Arc;

use happn_core::WriteMode;
use serde_json::{Map, Value};

use super::change::Change;
use super::error::{DirectoryError, Entity};
use super::names::{ADMIN, ANONYMOUS, GroupName, UserName};
use super::user::Memberships;
use super::users::encoded;
use super::{Directory, Inner, paths};

impl Directory {
    /// The groups of `user`; remembered. A user that does not exist is in none.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn memberships(&self, user: &UserName) -> Result<Arc<Memberships>, DirectoryError> {
        self.0.memberships(user).await
    }

    /// Puts `user` into `group`; `data` is kept with the link.
    ///
    /// # Errors
    /// When one of them does not exist, or the store does not answer.
    pub async fn link_group(
        &self,
        group: &GroupName,
        user: &UserName,
        data: Option<Map<String, Value>>,
    ) -> Result<(), DirectoryError> {
        let (group, user) = (group.clone(), user.clone());
        self.carry(
            move |inner| async move { inner.link(&group, &user, data.unwrap_or_default()).await },
        )
        .await
    }

    /// Takes `user` out of `group`, and answers whether it was in there.
    ///
    /// # Errors
    /// When one of them does not exist, it is the admin user and group, or the store does not
    /// answer.
    pub async fn unlink_group(
        &self,
        group: &GroupName,
        user: &UserName,
    ) -> Result<bool, DirectoryError> {
        let (group, user) = (group.clone(), user.clone());
        self.carry(move |inner| async move { inner.unlink(&group, &user).await })
            .await
    }

    /// Puts the anonymous user into `group`.
    ///
    /// # Errors
    /// When there is no anonymous user; and as [`Directory::link_group`].
    pub async fn link_anonymous_group(&self, group: &GroupName) -> Result<(), DirectoryError> {
        let user = self.anonymous().await?;
        self.link_group(group, &user, None).await
    }

    /// Takes the anonymous user out of `group`.
    ///
    /// # Errors
    /// When there is no anonymous user; and as [`Directory::unlink_group`].
    pub async fn unlink_anonymous_group(&self, group: &GroupName) -> Result<bool, DirectoryError> {
        let user = self.anonymous().await?;
        self.unlink_group(group, &user).await
    }

    async fn anonymous(&self) -> Result<UserName, DirectoryError> {
        let user = UserName::known(ANONYMOUS);
        match self.0.user(&user).await? {
            Some(_) => Ok(user),
            None => Err(DirectoryError::AnonymousNotConfigured),
        }
    }
}

impl Inner {
    async fn memberships(&self, user: &UserName) -> Result<Arc<Memberships>, DirectoryError> {
        let load = async {
            let links = self.records.below(&paths::links_of(user)).await?;
            Ok(Arc::new(Memberships::of(&links)))
        };
        let cache = &self.caches.memberships;
        self.cached(cache, user.as_str(), load).await
    }

    async fn expect_both(&self, group: &GroupName, user: &UserName) -> Result<(), DirectoryError> {
        self.expect_group(group).await?;
        match self.stored_user(user).await? {
            Some(_) => Ok(()),
            None => Err(DirectoryError::NotSaved(Entity::User)),
        }
    }

    async fn link(
        &self,
        group: &GroupName,
        user: &UserName,
        data: Map<String, Value>,
    ) -> Result<(), DirectoryError> {
        self.expect_both(group, user).await?;
        let path = paths::link(user, group);
        let write = self
            .records
            .write(&path, encoded(&data), WriteMode::Replace);
        let document = write.await?;
        // Whoever deletes one of them meanwhile may have looked for links too early.
        if let Err(gone) = self.expect_both(group, user).await {
            self.records.remove(&path).await?;
            return Err(gone);
        }
        self.announce(Change::linked(user, &document)).await;
        Ok(())
    }

    async fn unlink(&self, group: &GroupName, user: &UserName) -> Result<bool, DirectoryError> {
        if group.is_admin() && user.as_str() == ADMIN {
            return Err(DirectoryError::AdminGroup);
        }
        self.expect_both(group, user).await?;
        let path = paths::link(user, group);
        let removed = self.records.remove(&path).await?;
        self.announce(Change::unlinked(user, &path)).await;
        Ok(removed > 0)
    }
}
