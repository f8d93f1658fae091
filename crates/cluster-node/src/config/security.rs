//! `services.security.config` and what belongs to it, typed.

use std::time::Duration;

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
    /// Where browsers keep their token.
    pub cookie_name: String,
    /// The domain of that cookie.
    pub cookie_domain: Option<String>,
    /// Whether it has another name over https.
    pub https_cookie: bool,
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
