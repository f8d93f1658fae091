//! What is configured about logins and sessions.

use std::borrow::Cow;
use std::time::Duration;

use happn_core::{Connection, Cookie};

use super::provider::AuthProviders;
use crate::credentials::{LockoutConfig, Nonces};
use crate::policy::Profiles;
use crate::rules::Matching;

/// What `services.security.config` says about logins and sessions.
#[derive(Clone)]
pub struct AuthorityConfig {
    /// The node's name: where its tokens come from.
    pub node_name: String,
    /// Where browsers keep their token.
    pub cookie_name: String,
    /// Whether protected connections use a cookie of their own, `<name>_https`.
    pub https_cookie: bool,
    /// Told to browsers with their token.
    pub cookie_domain: Option<String>,
    /// Whether `_ANONYMOUS` may log in, without a password.
    pub allow_anonymous: bool,
    /// Whether a token may only be used for the type of login that made it.
    pub lock_token_to_login_type: bool,
    /// Whether a token is refused once its user was deleted and made anew.
    pub lock_token_to_user_id: bool,
    /// Whether `_ADMIN` may log in over a network.
    pub allow_admin_over_network: bool,
    /// Who guesses too often.
    pub lockout: LockoutConfig,
    /// Whether a password hash that is weaker than new ones is replaced at a login.
    pub rehash_passwords: bool,
    /// How long a nonce may be used.
    pub nonce_ttl: Duration,
    /// How long and how often sessions may be used.
    pub profiles: Profiles,
    /// Whether a login may name the provider that checks it.
    pub allow_choosing_provider: bool,
    /// Who checks credentials.
    pub providers: AuthProviders,
    /// How long it is kept what each session did last; `None` keeps no record of it.
    pub session_activity_ttl: Option<Duration>,
    /// Whether a token without a ttl can be revoked; the revocation is kept for ever then.
    pub allow_revoking_without_ttl: bool,
    /// Whether `count` needs no permission. For applications that were written for that.
    pub open_count: bool,
    /// Whether a `**` request that no rule covers gets what narrower rules allow.
    pub nested_permissions: bool,
    /// How the masks of rules compare with paths.
    pub matching: Matching,
    /// Whether subscriptions are asked about again when rights change.
    pub recheck_subscriptions: bool,
}

impl AuthorityConfig {
    /// The defaults for a node called `node_name`.
    #[must_use]
    pub fn of_node(node_name: &str) -> Self {
        Self {
            node_name: node_name.to_owned(),
            cookie_name: Cookie::default().name.into_owned(),
            https_cookie: false,
            cookie_domain: None,
            allow_anonymous: false,
            lock_token_to_login_type: true,
            lock_token_to_user_id: false,
            allow_admin_over_network: true,
            lockout: LockoutConfig::default(),
            rehash_passwords: true,
            nonce_ttl: Nonces::TTL_DEFAULT,
            profiles: Profiles::default(),
            allow_choosing_provider: true,
            providers: AuthProviders::default(),
            session_activity_ttl: None,
            allow_revoking_without_ttl: true,
            open_count: false,
            nested_permissions: false,
            matching: Matching::Strict,
            recheck_subscriptions: true,
        }
    }

    pub(super) fn cookie(&self, connection: &Connection) -> Cookie {
        let is_https = self.https_cookie && (connection.encrypted || connection.secure);
        let name = match is_https {
            true => format!("{}_https", self.cookie_name),
            false => self.cookie_name.clone(),
        };
        Cookie {
            name: Cow::Owned(name),
            https_apart: self.https_cookie,
        }
    }
}
