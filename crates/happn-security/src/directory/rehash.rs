//! Replacing the weak hash of a password by a strong one.

use std::sync::Arc;

use happn_core::WriteMode;
use happn_protocol::Json;
use serde_json::json;

use super::error::DirectoryError;
use super::names::UserName;
use super::passwords::Password;
use super::user::User;
use super::{Directory, Inner, paths};

impl Directory {
    /// Hashes a password anew, as those of new users are, and stores that in place of `hash`, which
    /// it has just matched. A password that was changed meanwhile, on whatever node, stays changed.
    /// Answers the new hash, or `None` when `hash` is not the stored one any more.
    ///
    /// Nobody is told: the user may do what it could do, and whoever remembers the old hash gets
    /// the right answer from it.
    ///
    /// # Errors
    /// When the password cannot be hashed, or the store does not answer.
    pub async fn rehash(
        &self,
        user: &UserName,
        password: Password,
        hash: Arc<str>,
    ) -> Result<Option<Arc<str>>, DirectoryError> {
        let user = user.clone();
        self.carry(move |inner| async move { inner.rehash(&user, password, hash).await })
            .await
    }
}

impl Inner {
    async fn rehash(
        &self,
        name: &UserName,
        password: Password,
        hash: Arc<str>,
    ) -> Result<Option<Arc<str>>, DirectoryError> {
        let stored = self.stored_user(name).await?;
        let is_stored = stored.is_some_and(|user| user.password_hash() == Some(&hash));
        let replaced = match is_stored {
            true => self.replace_hash(name, password, hash).await?,
            // Another node was quicker.
            false => None,
        };
        self.caches.forget_user(name);
        Ok(replaced)
    }

    async fn replace_hash(
        &self,
        name: &UserName,
        password: Password,
        hash: Arc<str>,
    ) -> Result<Option<Arc<str>>, DirectoryError> {
        let new: Arc<str> = self.hashing.hash(password).await?.into();
        let data = Json::encode(&json!({ "password": *new })).unwrap_or(Json::EMPTY_OBJECT);
        let mode = WriteMode::MergeIf {
            member: "password",
            was: hash,
        };
        let document = self.records.write(&paths::user(name), data, mode).await?;
        let is_ours = User::read(&document)?.password_hash() == Some(&new);
        Ok(is_ours.then_some(new))
    }
}
