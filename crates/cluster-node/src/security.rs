//! What makes a node secure: its directory, its authority, and how it logs in to other nodes.

mod providers;
mod upkeep;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use happn_client::{Credentials, PeerCredentials};
use happn_core::{ChangeReplication, Clock, DataService};
use happn_security::authority::{AuthorityConfig, NODE_SESSION, SecurityAuthority};
use happn_security::credentials::{LockoutConfig, Passwords, SessionToken, TokenSecret};
use happn_security::directory::{
    ADMIN, AdminUser, Directory, HashingPool, NameFolding, Password, StartUp,
};
use happn_security::policy::{Policies, Profiles, SessionType};
use happn_security::provision::{Provision, ProvisionError, Provisioned};
use happn_security::rules::Matching;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::Settings;
use crate::start_error::StartError;
use crate::stores;

/// Passwords that may wait to be checked; further logins are told to come back.
const WAITING_MAX: usize = 1000;
/// The most passwords checked at a time.
const CONCURRENT_MAX: usize = 4;
/// The password of a development node's admin.
const DEV_PASSWORD: &str = "happn";
/// How long a peer takes a token by its own clock. Clocks of machines may be hours apart, and must
/// not part the nodes.
const PEER_TOKEN_TTL: Duration = Duration::from_secs(24 * 3600);

/// The security of a node that has it.
pub(crate) struct Security {
    pub(crate) directory: Directory,
    pub(crate) authority: Arc<SecurityAuthority>,
    pub(crate) peers: Arc<PeerTokens>,
    /// A password that nobody knows yet.
    pub(crate) made_up: Option<Password>,
    records_activity: bool,
    cancel: CancellationToken,
}

impl Security {
    /// Tells other nodes through `replication` from now on, and looks after the directory.
    pub(crate) fn begin(&self, replication: Arc<dyn ChangeReplication>, clock: Arc<dyn Clock>) {
        self.directory.replicate_with(replication);
        self.spawn(upkeep::of_directory(self.authority.clone(), clock.clone()));
        if self.records_activity {
            self.spawn(upkeep::of_activity(self.authority.clone(), clock));
        }
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let cancel = self.cancel.clone();
        tokio::spawn(cancel.run_until_cancelled_owned(work));
    }

    pub(crate) fn end(&self) {
        self.cancel.cancel();
    }

    /// Writes what is not written yet; the sessions have ended.
    pub(crate) async fn finish(&self) {
        upkeep::write_activity(&self.authority).await;
    }
}

/// Opens the directory of the users in `data`; nothing is read or written yet.
pub(crate) fn directory(
    settings: &Settings,
    data: DataService,
    clock: Arc<dyn Clock>,
) -> Directory {
    let section = &settings.services.security;
    let passwords = Arc::new(Passwords::new(section.pbkdf2_iterations));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // One core is left to those who are logged in.
    let concurrent = cores.saturating_sub(1).clamp(1, CONCURRENT_MAX);
    let hashing = HashingPool::new(passwords, concurrent, WAITING_MAX);
    let folding = NameFolding {
        case_insensitive: section.usernames_case_insensitive,
        exclude: section.usernames_case_insensitive_exclude.clone(),
    };
    Directory::new(data, clock, hashing, folding)
}

/// Makes sure of the documents that a secure node needs, and decides by them from now on. An open
/// node needs none, and makes none.
pub(crate) async fn start(
    settings: &Settings,
    data: &DataService,
    clock: &Arc<dyn Clock>,
    node_name: &str,
) -> Result<Option<Security>, StartError> {
    if !settings.secure {
        return Ok(None);
    }
    let section = &settings.services.security;
    let config = AuthorityConfig {
        providers: providers::configured(section)?,
        ..authority_config(settings, node_name)
    };
    if !section.persist_permissions {
        stores::forget_permissions(data)?;
    }
    let directory = directory(settings, data.clone(), clock.clone());
    let started = directory.start(start_up(settings)).await?;
    let secret = started.token_secret;
    let admin = directory.user(ADMIN).await?;
    let userid = admin.and_then(|admin| admin.userid().map(str::to_owned));
    let peers = PeerTokens {
        secret: secret.clone(),
        clock: clock.clone(),
        node_name: node_name.to_owned(),
        userid,
    };
    Ok(Some(Security {
        records_activity: section.log_session_activity,
        cancel: CancellationToken::new(),
        authority: SecurityAuthority::new(config, directory.clone(), secret, clock.clone()),
        directory,
        peers: Arc::new(peers),
        made_up: match started.admin {
            AdminUser::MadeUp(password) => Some(password),
            AdminUser::Found | AdminUser::Made => None,
        },
    }))
}

fn start_up(settings: &Settings) -> StartUp {
    let section = &settings.services.security;
    let dev = settings.dev.then(|| Password::new(DEV_PASSWORD));
    StartUp {
        admin_password: section.admin_user.password.clone().or(dev),
        admin_public_key: section.admin_user.public_key.clone(),
        admin_custom_data: section.admin_user.custom_data.clone(),
        admin_group_custom_data: section.admin_group.custom_data.clone(),
        token_secret: section
            .session_token_secret
            .as_ref()
            .map(|secret| secret.reveal().to_owned()),
        allow_anonymous: section.allow_anonymous_access,
    }
}

fn authority_config(settings: &Settings, node_name: &str) -> AuthorityConfig {
    let section = &settings.services.security;
    AuthorityConfig {
        cookie_name: section.cookie_name.clone(),
        https_cookie: section.https_cookie,
        cookie_domain: section.cookie_domain.clone(),
        allow_anonymous: section.allow_anonymous_access,
        lock_token_to_login_type: section.lock_token_to_login_type,
        lock_token_to_user_id: section.lock_token_to_user_id,
        allow_admin_over_network: !settings.disable_default_admin_network_connections,
        lockout: LockoutConfig {
            enabled: section.account_lockout.enabled,
            attempts: section.account_lockout.attempts,
            retry_interval: section.account_lockout.retry_interval,
        },
        rehash_passwords: section.rehash_passwords,
        nonce_ttl: section.default_nonce_ttl,
        // They were read once when the configuration was checked.
        profiles: Profiles::parse(&section.profiles).unwrap_or_default(),
        allow_choosing_provider: section.allow_user_choose_auth_provider,
        session_activity_ttl: section
            .log_session_activity
            .then_some(section.session_activity_ttl),
        allow_revoking_without_ttl: section.allow_ttl0_revocations,
        open_count: section.open_count,
        nested_permissions: settings.allow_nested_permissions,
        matching: match section.loose_masks {
            true => Matching::Loose,
            false => Matching::Strict,
        },
        recheck_subscriptions: section.update_subscriptions_on_security_directory_changed,
        ..AuthorityConfig::of_node(node_name)
    }
}

/// Reads a file of groups, users and tables and makes sure of them.
pub(crate) async fn provision(
    file: &Path,
    directory: &Directory,
) -> Result<Vec<Provisioned>, StartError> {
    let text = std::fs::read_to_string(file).map_err(|source| StartError::ProvisionFile {
        file: file.to_owned(),
        source,
    })?;
    let failed = |source| StartError::Provision {
        file: file.to_owned(),
        source,
    };
    let provision =
        Provision::parse(&text).map_err(|wrong| failed(ProvisionError::Invalid(wrong)))?;
    provision.apply(directory).await.map_err(failed)
}

/// Tokens with which this node logs in to others: they hold the same secret, so that no password
/// is ever sent, wherever an address may lead.
pub(crate) struct PeerTokens {
    secret: TokenSecret,
    clock: Arc<dyn Clock>,
    node_name: String,
    userid: Option<String>,
}

impl PeerTokens {
    /// A token of the admin user for a login that begins now.
    pub(crate) fn mint(&self) -> Option<String> {
        // Others let it in also where the admin user is kept away from networks.
        let id = format!("{NODE_SESSION}{}", Uuid::new_v4());
        let ttl = u64::try_from(PEER_TOKEN_TTL.as_millis()).ok()?;
        let policy = json!({ "ttl": ttl, "inactivity_threshold": null });
        let token = SessionToken {
            parent_id: id.clone(),
            id,
            https_cookie: None,
            info: None,
            session_type: SessionType::Stateful,
            timestamp_ms: self.clock.wall_ms(),
            origin: self.node_name.clone(),
            policies: Policies::parse(&json!({ "0": policy, "1": policy })).ok(),
            username: ADMIN.to_owned(),
            userid: self.userid.clone(),
        };
        token.encode(&self.secret).ok()
    }
}

impl PeerCredentials for PeerTokens {
    fn fresh(&self) -> Option<Credentials> {
        self.mint().map(Credentials::Token)
    }
}

impl fmt::Debug for PeerTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerTokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
