//! The node's [`happn_core::Authority`]: logins and decisions from the directory.
//!
//! | part | what it does |
//! |---|---|
//! | [`SecurityAuthority`] | the authority itself |
//! | [`AuthorityConfig`] | what `services.security.config` says about logins and sessions |
//! | [`ActiveSession`], [`TokenFacts`] | for whoever administers the node |
//! | [`AuthProvider`], [`AuthProviders`] | check credentials in another way than the directory |
//!
//! A login makes the rights of a session: rules compiled for its user, which are compiled again
//! when the directory says that something about that user has changed. As long as nothing has, a
//! decision costs one look at a number and one at the compiled rules.

mod account;
mod active;
mod activity;
mod attempt;
mod bearers;
mod changes;
mod compiled;
mod config;
mod delegates;
mod issue;
mod limits;
mod live;
mod login;
mod provider;
mod refusals;
mod rehash;
mod rights;
mod session_object;
mod token_login;
mod turns;

use std::sync::{Arc, OnceLock, Weak};

use happn_core::{
    Admission, Authority, BoxFuture, Clock, Connection, Cookie, LoginRequest, Refusal,
    SessionControl, SessionRights,
};
use tokio::sync::Semaphore;

use crate::audit::Actor;
use crate::credentials::{Lockout, Nonces, SessionToken, TokenSecret, VerifiedPasswords};
use crate::directory::Directory;
use crate::rules::{RuleCache, RuleSet};
use activity::ActivityLog;
use attempt::source_of;
use bearers::Bearers;
use changes::Effects;
use compiled::everything;
use live::LiveSessions;
use turns::Turns;

pub use active::ActiveSession;
pub use config::AuthorityConfig;
pub use issue::TokenFacts;
pub use provider::{AuthProvider, AuthProviders, DIRECTORY_PROVIDER, UnknownProvider};

/// What the ids of sessions begin with that nodes make tokens for, to log in to each other. Those
/// of clients are uuids, so no client has such a token; `_ADMIN` may log in with one over a network
/// where it may not with others.
pub const NODE_SESSION: &str = "node-";

/// Decides about logins, and by the rights it gives out about every request.
///
/// It also implements [`happn_core::SecurityChanges`]: what other nodes tell.
pub struct SecurityAuthority {
    shared: Arc<Shared>,
    bearers: Arc<Bearers>,
    /// Listens to the directory as long as this lives.
    _effects: Arc<Effects>,
}

/// What logins and rights need.
struct Shared {
    config: AuthorityConfig,
    /// What sessions have in common.
    rules: RuleCache,
    /// What may be counted where counting needs no permission.
    counting: RuleSet,
    directory: Directory,
    clock: Arc<dyn Clock>,
    secret: TokenSecret,
    lockout: Lockout,
    nonces: Nonces,
    verified: VerifiedPasswords,
    turns: Turns,
    /// Free when no hash is being replaced.
    rehashing: Arc<Semaphore>,
    live: Arc<LiveSessions>,
    /// Absent where no record of it is kept.
    activity: Option<ActivityLog>,
    sessions: OnceLock<Weak<dyn SessionControl>>,
}

impl SecurityAuthority {
    /// An authority over `directory`, which has been started; `secret` signs tokens.
    #[must_use]
    pub fn new(
        config: AuthorityConfig,
        directory: Directory,
        secret: TokenSecret,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let shared = Arc::new(Shared {
            lockout: Lockout::new(config.lockout),
            nonces: Nonces::new(config.nonce_ttl),
            verified: VerifiedPasswords::new(),
            turns: Turns::default(),
            rehashing: Arc::new(Semaphore::new(1)),
            live: Arc::default(),
            activity: config.session_activity_ttl.map(ActivityLog::new),
            sessions: OnceLock::new(),
            rules: RuleCache::default(),
            counting: everything(&config),
            config,
            directory,
            clock,
            secret,
        });
        let effects = Arc::new(Effects::of(&shared));
        shared.directory.listen(effects.clone());
        Arc::new(Self {
            shared,
            bearers: Arc::default(),
            _effects: effects,
        })
    }

    /// The users, groups and rules it decides by.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.shared.directory
    }

    /// What a token says, if it is one of ours; it may have expired or been revoked.
    #[must_use]
    pub fn read_token(&self, token: &str) -> Option<SessionToken> {
        SessionToken::decode(token, &self.shared.secret).ok()
    }

    /// Takes the validity of a token away on every node, for `reason`, and ends its sessions.
    ///
    /// # Errors
    /// When it is no token of ours, or the directory fails.
    pub async fn revoke_token(&self, token: &str, reason: &str) -> Result<(), Refusal> {
        self.revoke_token_as(token, reason, Actor::node()).await
    }

    /// The same, recorded as done by `actor`.
    ///
    /// # Errors
    /// When it is no token of ours, or the directory fails.
    pub async fn revoke_token_as(
        &self,
        token: &str,
        reason: &str,
        actor: Actor,
    ) -> Result<(), Refusal> {
        self.shared.revoke(token, reason, actor).await
    }
}

impl Authority for SecurityAuthority {
    fn is_secure(&self) -> bool {
        true
    }

    fn attach(&self, sessions: Weak<dyn SessionControl>) {
        // A second node on one authority would not be reached by changes.
        if self.shared.sessions.set(sessions).is_err() {
            tracing::error!("one authority cannot serve two nodes");
        }
    }

    fn cookie(&self, connection: &Connection) -> Cookie {
        self.shared.config.cookie(connection)
    }

    fn login(&self, request: LoginRequest) -> BoxFuture<'static, Result<Admission, Refusal>> {
        let shared = self.shared.clone();
        Box::pin(async move { shared.login(request).await })
    }

    fn nonce(&self, public_key: &str, connection: &Connection) -> Result<String, Refusal> {
        let now = self.shared.clock.monotonic();
        let nonces = &self.shared.nonces;
        let nonce = nonces.issue(public_key, source_of(connection), now);
        nonce.map_err(|error| refusals::failed(&error))
    }

    fn bearer(&self, token: &str) -> BoxFuture<'static, Result<Arc<dyn SessionRights>, Refusal>> {
        let (shared, bearers) = (self.shared.clone(), self.bearers.clone());
        let token: Arc<str> = token.into();
        Box::pin(async move {
            let rights = bearers.rights(&shared, &token).await?;
            Ok(rights as Arc<dyn SessionRights>)
        })
    }
}
