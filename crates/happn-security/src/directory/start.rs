//! The documents that every secure node needs, made once, whoever starts first.

use happn_core::{Document, WriteMode};
use happn_protocol::Json;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::DirectoryError;
use super::names::{ADMIN, ANONYMOUS, GroupName, UserName};
use super::passwords::Password;
use super::permission::{Holder, Permission};
use super::user::User;
use super::users::encoded;
use super::{Directory, Inner, paths};
use crate::credentials::TokenSecret;

/// What the configuration says about the documents of a secure node.
#[derive(Clone, Debug, Default)]
pub struct StartUp {
    /// The password of the admin user when it is made; without one, one is made up.
    pub admin_password: Option<Password>,
    /// The admin user's key for logins by digest, when it is made.
    pub admin_public_key: Option<String>,
    /// What applications keep with the admin user, when it is made.
    pub admin_custom_data: Option<Value>,
    /// What applications keep with the admin group; written at every start.
    pub admin_group_custom_data: Option<Value>,
    /// The secret that signs tokens; without one, or with an empty one, the stored one or a new
    /// one.
    pub token_secret: Option<String>,
    /// There is to be an anonymous user.
    pub allow_anonymous: bool,
}

/// What a node has to know after [`Directory::start`].
#[derive(Clone, Debug)]
pub struct Started {
    /// Signs tokens.
    pub token_secret: TokenSecret,
    /// What became of the admin user.
    pub admin: AdminUser,
}

/// What became of the admin user at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminUser {
    /// It was there, and a configured password is its password.
    Found,
    /// It was made with the configured password.
    Made,
    /// It was made with a password that nobody knows yet: to be shown once, on the terminal of
    /// whoever started the node, and never to be logged.
    MadeUp(Password),
}

/// The password that every JavaScript node gives its anonymous user, and fills in for those who
/// log in as it: where anonymous access is allowed, no secret.
const ANONYMOUS_PASSWORD: &str = "anonymous";

impl Directory {
    /// Makes the documents that are missing, and answers what is there then. Of several nodes that
    /// start on an empty store at the same moment, one makes each document, and all are answered
    /// with that.
    ///
    /// # Errors
    /// [`DirectoryError::AdminPassword`] when the configured password is not the stored one;
    /// otherwise when the store does not answer, or holds what cannot be read.
    pub async fn start(&self, config: StartUp) -> Result<Started, DirectoryError> {
        self.carry(move |inner| async move { inner.start(&config).await })
            .await
    }
}

impl Inner {
    async fn start(&self, config: &StartUp) -> Result<Started, DirectoryError> {
        self.make_admin_group(config.admin_group_custom_data.as_ref())
            .await?;
        let admin = self.make_admin(config).await?;
        if config.allow_anonymous {
            self.make_anonymous().await?;
        }
        let token_secret = self.token_secret(config.token_secret.as_deref()).await?;
        self.load_revoked(None).await?;
        let version = self.stored_version().await?;
        self.see_version(version);
        Ok(Started {
            token_secret,
            admin,
        })
    }

    async fn make_admin_group(&self, custom_data: Option<&Value>) -> Result<(), DirectoryError> {
        let described = || json!({ "description": "the default administration group for happn" });
        let data = json!({
            "custom_data": custom_data.cloned().unwrap_or_else(described),
            "name": ADMIN,
        });
        let holder = Holder::Group(GroupName::known(ADMIN));
        let rule = Permission {
            action: "*".into(),
            authorized: true,
            path: "*".into(),
        };
        let group = paths::group(&GroupName::known(ADMIN));
        self.keep(&group, &data).await?;
        let rule_path = paths::permission(&holder, "*", "*");
        self.keep(&rule_path, &json!(rule)).await
    }

    /// Writes `data` unless it is there already.
    async fn keep(&self, path: &str, data: &Value) -> Result<(), DirectoryError> {
        let stored = self.records.get(path).await?;
        let same = stored.is_some_and(|it| it.data.decode::<Value>().is_ok_and(|it| it == *data));
        if !same {
            let data = Json::encode(data).unwrap_or(Json::EMPTY_OBJECT);
            self.records.write(path, data, WriteMode::Replace).await?;
        }
        Ok(())
    }

    async fn make_admin(&self, config: &StartUp) -> Result<AdminUser, DirectoryError> {
        let name = UserName::known(ADMIN);
        if let Some(stored) = self.stored_user(&name).await? {
            return self.found_admin(stored, config).await;
        }
        let password = match &config.admin_password {
            Some(password) => password.clone(),
            None => Password::new(&Uuid::new_v4().simple().to_string()),
        };
        let mut members = Map::new();
        if let Some(key) = &config.admin_public_key {
            members.insert("publicKey".to_owned(), key.as_str().into());
        }
        if let Some(data) = &config.admin_custom_data {
            members.insert("custom_data".to_owned(), data.clone());
        }
        let group = GroupName::known(ADMIN);
        let (stored, is_ours) = self
            .make_user(&name, &password, members, Some(&group))
            .await?;
        match (is_ours, &config.admin_password) {
            (true, Some(_)) => Ok(AdminUser::Made),
            (true, None) => Ok(AdminUser::MadeUp(password)),
            (false, _) => self.found_admin(stored, config).await,
        }
    }

    /// A configured password is of no use when it is not that of the stored user.
    async fn found_admin(
        &self,
        stored: User,
        config: &StartUp,
    ) -> Result<AdminUser, DirectoryError> {
        let Some(configured) = config.admin_password.clone() else {
            return Ok(AdminUser::Found);
        };
        let hash = stored.password_hash().cloned();
        match self.hashing.matches(configured, hash).await? {
            true => Ok(AdminUser::Found),
            false => Err(DirectoryError::AdminPassword),
        }
    }

    async fn make_anonymous(&self) -> Result<(), DirectoryError> {
        let name = UserName::known(ANONYMOUS);
        if self.stored_user(&name).await?.is_none() {
            let password = Password::new(ANONYMOUS_PASSWORD);
            self.make_user(&name, &password, Map::new(), None).await?;
        }
        Ok(())
    }

    /// Makes a user unless another node has, and answers it and whether it is ours. The link comes
    /// first: whoever finds the user takes its links for complete.
    async fn make_user(
        &self,
        name: &UserName,
        password: &Password,
        others: Map<String, Value>,
        group: Option<&GroupName>,
    ) -> Result<(User, bool), DirectoryError> {
        let hash = self.hashing.hash(password.clone()).await?;
        let userid = Uuid::new_v4().to_string();
        if let Some(group) = group {
            let link = paths::link(name, group);
            self.insert(&link, Json::EMPTY_OBJECT).await?;
        }
        let mut members = Map::new();
        members.insert("username".to_owned(), name.as_str().into());
        members.insert("password".to_owned(), hash.into());
        members.extend(others);
        members.insert("userid".to_owned(), userid.as_str().into());
        let stored = self.insert(&paths::user(name), encoded(&members)).await?;
        let user = User::read(&stored)?;
        let is_ours = user.userid() == Some(&userid);
        Ok((user, is_ours))
    }

    async fn insert(&self, path: &str, data: Json) -> Result<Document, DirectoryError> {
        Ok(self.records.write(path, data, WriteMode::Insert).await?)
    }

    async fn token_secret(&self, configured: Option<&str>) -> Result<TokenSecret, DirectoryError> {
        if let Some(secret) = configured.and_then(TokenSecret::new) {
            self.keep(paths::TOKEN_SECRET, &json!({ "secret": secret.reveal() }))
                .await?;
            return Ok(secret);
        }
        let made = format!("{}{}", Uuid::new_v4(), Uuid::new_v4());
        let data = Json::encode(&json!({ "secret": made })).unwrap_or(Json::EMPTY_OBJECT);
        let stored = self.insert(paths::TOKEN_SECRET, data).await?;
        let data: Value = stored.data.decode().unwrap_or_default();
        let secret = data["secret"].as_str().and_then(TokenSecret::new);
        secret.ok_or_else(|| DirectoryError::Malformed {
            path: paths::TOKEN_SECRET.to_owned(),
            problem: "it has no text `secret`".to_owned(),
        })
    }
}
