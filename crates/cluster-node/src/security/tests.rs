//! What the configuration says about logins, and what becomes of it.

use std::sync::Arc;

use happn_core::{BoxFuture, Connection, Refusal};
use happn_protocol::Json;
use happn_security::authority::AuthProvider;
use serde_json::{Value, json};

use super::*;
use crate::config::Config;

struct Nobody;

impl AuthProvider for Nobody {
    fn authenticate(
        &self,
        _data: &Json,
        _connection: &Connection,
    ) -> BoxFuture<'static, Result<Arc<str>, Refusal>> {
        Box::pin(async { Err(Refusal::denied(401, "Invalid credentials")) })
    }
}

fn settings(section: &Value) -> Settings {
    let tree = json!({"secure": true, "services": {"security": {"config": section}}});
    let config = Config::from_tree(&tree).unwrap();
    assert_eq!(config.warnings, [""; 0]);
    config.settings
}

/// The names of the providers, or why the node does not start.
fn providers_of(section: &Value) -> Result<Vec<String>, String> {
    let mut settings = settings(section);
    let registered = &mut settings.services.security.registered;
    registered.add("ldap", Arc::new(Nobody));
    registered.add("ad", Arc::new(Nobody));
    let made = providers::configured(&settings.services.security);
    made.map(|providers| providers.names())
        .map_err(|error| crate::one_line(&error))
}

#[test]
fn the_configuration_chooses_from_the_providers_that_are_registered() {
    let named = |names: &[&str]| Ok(names.iter().map(|name| (*name).to_owned()).collect());
    for (section, expected) in [
        (json!({}), named(&["happn"])),
        (
            json!({"authProviders": {"ldap": true, "ad": false}}),
            named(&["happn", "ldap"]),
        ),
        (
            json!({"authProviders": {"ad": "./ad.js"}}),
            named(&["happn", "ad"]),
        ),
        (
            json!({"authProviders": {"happn": false, "ad": true}, "defaultAuthProvider": "ad"}),
            named(&["ad"]),
        ),
    ] {
        assert_eq!(providers_of(&section), expected, "{section}");
    }
}

#[test]
fn a_provider_that_is_not_there_keeps_the_node_from_starting() {
    let section = "services.security.config";
    for (given, expected) in [
        (
            json!({"authProviders": {"kerberos": true}}),
            format!(
                "{section}.authProviders: there is no provider called kerberos, only: happn, ad, \
                 ldap"
            ),
        ),
        (
            json!({"authProviders": {"ad": true}, "defaultAuthProvider": "ldap"}),
            format!(
                "{section}.defaultAuthProvider: there is no provider called ldap, only: happn, ad"
            ),
        ),
        (
            json!({"authProviders": {"happn": false}}),
            format!(
                "{section}.defaultAuthProvider: there is no provider called happn, only: none at \
                 all"
            ),
        ),
    ] {
        assert_eq!(providers_of(&given), Err(expected), "{given}");
    }
}

/// Of every key that concerns logins and sessions one value that is not the default.
#[test]
fn every_key_of_the_section_reaches_the_authority() {
    let profile = json!({"name": "x", "session": {"user.username": "x"}, "policy": {"ttl": 7}});
    let made = authority_config(
        &settings(&json!({
            "cookieName": "c",
            "httpsCookie": true,
            "cookieDomain": ".example.com",
            "allowAnonymousAccess": true,
            "lockTokenToLoginType": false,
            "lockTokenToUserId": true,
            "accountLockout": {"enabled": false, "attempts": 7, "retryInterval": "3 seconds"},
            "rehashPasswords": false,
            "defaultNonceTTL": "2 minutes",
            "profiles": [profile],
            "allowUserChooseAuthProvider": false,
            "logSessionActivity": true,
            "sessionActivityTTL": "7 days",
            "allowTTL0Revocations": false,
            "openCount": true,
            "looseMasks": true,
            "updateSubscriptionsOnSecurityDirectoryChanged": false,
        })),
        "n",
    );
    let usual = AuthorityConfig::of_node("n");
    assert_eq!(made.cookie_name, "c");
    assert_eq!(made.cookie_domain.as_deref(), Some(".example.com"));
    assert_eq!(made.nonce_ttl, Duration::from_secs(120));
    assert_eq!(
        made.session_activity_ttl,
        Some(Duration::from_secs(7 * 86_400))
    );
    let lockout = made.lockout;
    assert_eq!((lockout.enabled, lockout.attempts), (false, 7));
    assert_eq!(lockout.retry_interval, Duration::from_secs(3));
    for (name, made, usual) in [
        ("httpsCookie", made.https_cookie, usual.https_cookie),
        (
            "allowAnonymousAccess",
            made.allow_anonymous,
            usual.allow_anonymous,
        ),
        (
            "lockTokenToLoginType",
            made.lock_token_to_login_type,
            usual.lock_token_to_login_type,
        ),
        (
            "lockTokenToUserId",
            made.lock_token_to_user_id,
            usual.lock_token_to_user_id,
        ),
        (
            "rehashPasswords",
            made.rehash_passwords,
            usual.rehash_passwords,
        ),
        (
            "allowUserChooseAuthProvider",
            made.allow_choosing_provider,
            usual.allow_choosing_provider,
        ),
        (
            "allowTTL0Revocations",
            made.allow_revoking_without_ttl,
            usual.allow_revoking_without_ttl,
        ),
        ("openCount", made.open_count, usual.open_count),
        (
            "looseMasks",
            matches!(made.matching, Matching::Loose),
            matches!(usual.matching, Matching::Loose),
        ),
        (
            "updateSubscriptionsOnSecurityDirectoryChanged",
            made.recheck_subscriptions,
            usual.recheck_subscriptions,
        ),
    ] {
        assert_ne!(made, usual, "{name}");
    }
    let facts = json!({"user": {"username": "x"}, "type": 1});
    let ttl = |config: &AuthorityConfig| {
        let policies = config.profiles.policies(facts.as_object().unwrap());
        policies.of(SessionType::Stateful).unwrap().ttl
    };
    assert_eq!(ttl(&made), Some(Duration::from_millis(7)));
    assert_ne!(ttl(&made), ttl(&usual));
}

#[test]
fn the_keys_beside_the_section_reach_it_too() {
    let tree = json!({
        "secure": true,
        "allowNestedPermissions": true,
        "disableDefaultAdminNetworkConnections": true,
    });
    let config = Config::from_tree(&tree).unwrap();
    let made = authority_config(&config.settings, "n");
    assert!(made.nested_permissions && !made.allow_admin_over_network);
    assert_eq!(made.session_activity_ttl, None);
}
