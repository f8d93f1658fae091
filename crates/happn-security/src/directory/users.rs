//! What can be done with users.

use std::sync::Arc;

use happn_core::{Document, WriteMode};
use happn_protocol::Json;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::change::{Change, Removed};
use super::error::{DirectoryError, Entity};
use super::listing::Listing;
use super::names::{ADMIN, GroupName, UserName};
use super::passwords::Password;
use super::permission::Holder;
use super::user::{User, UserDraft};
use super::{Directory, Inner, paths};

impl Directory {
    /// The user called `name`; remembered.
    ///
    /// # Errors
    /// When the name is none, or the store does not answer.
    pub async fn user(&self, name: &str) -> Result<Option<Arc<User>>, DirectoryError> {
        let name = self.user_name(name)?;
        self.0.user(&name).await
    }

    /// Makes a user, or changes one: what the draft says replaces what is stored, the rest stays;
    /// its rules are added. With `overwrite` false a user that exists is an error.
    ///
    /// # Errors
    /// When the draft is not valid (nothing is changed then), or the store does not answer.
    pub async fn upsert_user(
        &self,
        draft: UserDraft,
        overwrite: bool,
    ) -> Result<User, DirectoryError> {
        self.carry(move |inner| async move { inner.upsert_user(draft, overwrite).await })
            .await
    }

    /// Deletes a user with links and rules, and answers whether there was one.
    ///
    /// # Errors
    /// When the user is the node's own, or the store does not answer.
    pub async fn delete_user(&self, name: &str) -> Result<bool, DirectoryError> {
        let name = self.user_name(name)?;
        self.carry(move |inner| async move { inner.delete_user(&name).await })
            .await
    }

    /// Users whose name starts with `pattern`, which may hold `*`.
    ///
    /// # Errors
    /// When the criteria cannot be evaluated, or the store does not answer.
    pub async fn list_users(
        &self,
        pattern: &str,
        listing: &Listing,
    ) -> Result<Vec<User>, DirectoryError> {
        let place = (paths::USERS, pattern);
        let read = |document: &Document| {
            // Links live below their users.
            paths::user_at(&document.path)?;
            User::read(document).ok()
        };
        listing.run(&self.0.records, place, read).await
    }

    /// How many users [`Directory::list_users`] would answer.
    ///
    /// # Errors
    /// As there.
    pub async fn count_users(
        &self,
        pattern: &str,
        listing: &Listing,
    ) -> Result<usize, DirectoryError> {
        let place = (paths::USERS, pattern);
        let users = listing.run(&self.0.records, place, |document| {
            paths::user_at(&document.path)
        });
        Ok(users.await?.len())
    }

    /// The names of the members of `group`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list_user_names_by_group(
        &self,
        group: &GroupName,
    ) -> Result<Vec<UserName>, DirectoryError> {
        self.0.members_of(group).await
    }

    /// The members of `group`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list_users_by_group(
        &self,
        group: &GroupName,
    ) -> Result<Vec<Arc<User>>, DirectoryError> {
        let mut users = Vec::new();
        for name in self.0.members_of(group).await? {
            users.extend(self.0.user(&name).await?);
        }
        Ok(users)
    }

    /// Gives a user a new password, if `old` is the present one.
    ///
    /// # Errors
    /// When it is not, the user is the admin or nobody, the new password is unusable, or the store
    /// does not answer.
    pub async fn change_password(
        &self,
        name: &str,
        old: Password,
        new: Password,
    ) -> Result<(), DirectoryError> {
        let name = self.user_name(name)?;
        if name.as_str() == ADMIN {
            return Err(DirectoryError::AdminUser);
        }
        let user = self.0.stored_user(&name).await?;
        let hash = user.as_ref().and_then(|user| user.password_hash().cloned());
        let matches = self.0.hashing.matches(old, hash).await?;
        if user.is_none() || !matches {
            return Err(DirectoryError::OldPassword);
        }
        let draft = UserDraft::new(name.as_str()).password(new);
        self.upsert_user(draft, true).await.map(drop)
    }
}

impl Inner {
    pub(super) async fn user(&self, name: &UserName) -> Result<Option<Arc<User>>, DirectoryError> {
        if let Some(known) = self.caches.users.get(name.as_str()) {
            return Ok(Some(known));
        }
        // That somebody does not exist is not remembered: names to try are endless.
        let before = self.caches.generation();
        let user = self.stored_user(name).await?.map(Arc::new);
        if let Some(user) = &user {
            let is_current = || self.caches.generation() == before;
            self.caches
                .users
                .insert_if(name.as_str(), user.clone(), is_current);
        }
        Ok(user)
    }

    pub(super) async fn stored_user(
        &self,
        name: &UserName,
    ) -> Result<Option<User>, DirectoryError> {
        let document = self.records.get(&paths::user(name)).await?;
        document.as_ref().map(User::read).transpose()
    }

    async fn members_of(&self, group: &GroupName) -> Result<Vec<UserName>, DirectoryError> {
        let mask = happn_paths::StoreGlob::new(&paths::links_to(group));
        let links = self.records.find(happn_core::Query::all(mask)).await?;
        let linked = links.iter().filter_map(|link| paths::linked(&link.path));
        let members = linked.filter(|(_, linked)| linked == group);
        Ok(members.map(|(user, _)| user).collect())
    }

    async fn upsert_user(&self, draft: UserDraft, overwrite: bool) -> Result<User, DirectoryError> {
        let name = UserName::for_upsert(&self.folding.fold(&draft.username))?;
        let holder = Holder::User(name.clone());
        if let Some(permissions) = &draft.permissions {
            permissions.check(&holder)?;
        }
        let existing = self.stored_user(&name).await?;
        match &existing {
            Some(_) if !overwrite => return Err(taken(&name)),
            None if draft.password.is_none() && !draft.members.contains_key("publicKey") => {
                return Err(DirectoryError::NoCredentials);
            }
            _ => {}
        }
        let document = self
            .store_user(&name, &draft, existing.is_none(), overwrite)
            .await?;
        if let Some(permissions) = &draft.permissions {
            self.store_permissions(&holder, permissions).await?;
        }
        let user = User::read(&document)?;
        let stored = user.members().clone();
        let given = given(&draft);
        let permissions = draft.permissions.as_ref();
        self.announce(Change::user_upserted(
            &name,
            stored,
            permissions,
            Some(given),
        ))
        .await;
        Ok(user)
    }

    /// Writes the user's own document. Of several nodes that make a user one does; the others
    /// change it.
    async fn store_user(
        &self,
        name: &UserName,
        draft: &UserDraft,
        is_new: bool,
        overwrite: bool,
    ) -> Result<Document, DirectoryError> {
        let mut data = Map::new();
        data.insert("username".to_owned(), name.as_str().into());
        if let Some(password) = &draft.password {
            let hash = self.hashing.hash(password.clone()).await?;
            data.insert("password".to_owned(), hash.into());
        }
        data.extend(draft.members.clone());
        let path = paths::user(name);
        if is_new {
            let userid = Uuid::new_v4().to_string();
            let mut made = data.clone();
            made.insert("userid".to_owned(), userid.as_str().into());
            let document = self
                .records
                .write(&path, encoded(&made), WriteMode::Insert)
                .await?;
            if User::read(&document)?.userid() == Some(&userid) {
                return Ok(document);
            }
            if !overwrite {
                return Err(taken(name));
            }
        }
        let merged = self.records.write(&path, encoded(&data), WriteMode::Merge);
        Ok(merged.await?)
    }

    /// Rights first, so that a deletion that breaks off leaves a user with fewer of them.
    async fn delete_user(&self, name: &UserName) -> Result<bool, DirectoryError> {
        if name.is_reserved() {
            return Err(DirectoryError::ReservedUser(name.to_string()));
        }
        let rules = paths::permissions_of(&Holder::User(name.clone()));
        let path = paths::user(name);
        let removed = Removed {
            permissions: self.records.remove_all(&format!("{rules}*")).await?,
            links: self.records.remove_all(&format!("{path}/*")).await?,
            own: self.records.remove(&path).await?,
            at: self.records.now(),
        };
        self.announce(Change::user_deleted(name, &removed)).await;
        Ok(removed.own > 0)
    }
}

fn taken(name: &UserName) -> DirectoryError {
    DirectoryError::AlreadyExists {
        what: Entity::User,
        name: name.to_string(),
    }
}

/// What was asked for, as other nodes are told: without the password.
fn given(draft: &UserDraft) -> Map<String, Value> {
    let mut given = Map::new();
    given.insert("username".to_owned(), draft.username.as_str().into());
    given.extend(draft.members.clone());
    if let Some(permissions) = &draft.permissions {
        let permissions = serde_json::to_value(permissions).unwrap_or_default();
        given.insert("permissions".to_owned(), permissions);
    }
    given
}

/// Objects always have an encoding.
pub(super) fn encoded(members: &Map<String, Value>) -> Json {
    Json::encode(members).unwrap_or(Json::EMPTY_OBJECT)
}
