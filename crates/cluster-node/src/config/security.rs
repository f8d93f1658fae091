//! `services.security.config` and what belongs to it, typed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use happn_security::authority::AuthProvider;
use happn_security::directory::Password;
use serde::Deserialize;
use serde_json::Value;

use super::settings::interval;

/// `services.security.config`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecuritySettings {
    /// `adminUser`.
    pub admin_user: AdminUserSettings,
    /// `adminGroup`.
    #[serde(default)]
    pub admin_group: AdminGroupSettings,
    /// What signs tokens.
    pub session_token_secret: Option<Password>,
    /// Iterations of new password hashes.
    pub pbkdf2_iterations: u32,
    /// Whether weak password hashes are replaced at a login.
    pub rehash_passwords: bool,
    /// How long a nonce may be used.
    #[serde(rename = "defaultNonceTTL", deserialize_with = "interval")]
    pub default_nonce_ttl: Duration,
    /// Whether a token only works for the type of login that made it.
    pub lock_token_to_login_type: bool,
    /// Whether a token ends with its user.
    pub lock_token_to_user_id: bool,
    /// `accountLockout`.
    pub account_lockout: AccountLockoutSettings,
    /// Profiles as configured; checked.
    pub profiles: Value,
    /// Whether `_ANONYMOUS` may log in.
    pub allow_anonymous_access: bool,
    /// Names of providers and whether they are wanted.
    #[serde(default)]
    pub auth_providers: BTreeMap<String, Value>,
    /// Who checks logins that name nobody.
    pub default_auth_provider: String,
    /// What the program around the node has registered: `authProviders` chooses from it.
    #[serde(skip)]
    pub registered: RegisteredProviders,
    /// Whether a login may name who checks it.
    pub allow_user_choose_auth_provider: bool,
    /// Whether a token without a ttl can be revoked.
    #[serde(rename = "allowTTL0Revocations")]
    pub allow_ttl0_revocations: bool,
    /// Whether the case of user names does not matter.
    pub usernames_case_insensitive: bool,
    /// User names of which it does.
    pub usernames_case_insensitive_exclude: Vec<String>,
    /// Whether subscriptions are checked again.
    pub update_subscriptions_on_security_directory_changed: bool,
    /// Whether masks of rules are read as JavaScript nodes do.
    pub loose_masks: bool,
    /// Whether `count` needs no permission.
    pub open_count: bool,
    /// Whether it is stored what each session did last.
    pub log_session_activity: bool,
    /// How long that is kept.
    #[serde(rename = "sessionActivityTTL", deserialize_with = "interval")]
    pub session_activity_ttl: Duration,
    /// Whether the rules of groups are stored.
    pub persist_permissions: bool,
    /// Where browsers keep their token.
    pub cookie_name: String,
    /// The domain of that cookie.
    pub cookie_domain: Option<String>,
    /// Whether it has another name over https.
    pub https_cookie: bool,
}

/// Ways of checking credentials that a program brings along, by name.
///
/// ```
/// # use std::sync::Arc;
/// # use happn_core::{BoxFuture, Connection, Refusal};
/// # use happn_protocol::Json;
/// use cluster_node::config::Config;
/// use happn_security::authority::AuthProvider;
/// use serde_json::json;
///
/// struct Door;
/// # impl AuthProvider for Door {
/// #     fn authenticate(
/// #         &self,
/// #         _: &Json,
/// #         _: &Connection,
/// #     ) -> BoxFuture<'static, Result<Arc<str>, Refusal>> {
/// #         Box::pin(async { Ok("ann".into()) })
/// #     }
/// # }
/// let section = json!({"authProviders": {"door": true}, "defaultAuthProvider": "door"});
/// let tree = json!({"secure": true, "services": {"security": {"config": section}}});
/// let mut config = Config::from_tree(&tree)?;
/// let registered = &mut config.settings.services.security.registered;
/// registered.add("door", Arc::new(Door));
/// # Ok::<(), cluster_node::config::ConfigError>(())
/// ```
#[derive(Clone, Default)]
pub struct RegisteredProviders(BTreeMap<String, Arc<dyn AuthProvider>>);

impl RegisteredProviders {
    /// Registers `provider` as `name`, in place of an earlier one of that name.
    pub fn add(&mut self, name: &str, provider: Arc<dyn AuthProvider>) {
        self.0.insert(name.to_owned(), provider);
    }

    /// The provider called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn AuthProvider>> {
        self.0.get(name)
    }

    /// Their names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl fmt::Debug for RegisteredProviders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// `services.security.config.adminUser`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdminUserSettings {
    /// The password when the user is made.
    pub password: Option<Password>,
    /// The key when the user is made.
    pub public_key: Option<String>,
    /// What applications keep with it.
    #[serde(rename = "custom_data")]
    pub custom_data: Option<Value>,
}

/// `services.security.config.adminGroup`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AdminGroupSettings {
    /// What applications keep with it.
    pub custom_data: Option<Value>,
}

/// `services.security.config.accountLockout`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountLockoutSettings {
    /// Whether anything is counted.
    pub enabled: bool,
    /// How many failures lock.
    pub attempts: u32,
    /// For how long.
    #[serde(deserialize_with = "interval")]
    pub retry_interval: Duration,
}
