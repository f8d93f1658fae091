//! Logging in with a token.

use std::sync::Arc;
use std::time::Duration;

use happn_core::{Admission, Refusal};

use super::attempt::Attempt;
use super::refusals::{by_policy, failed, invalid_credentials, revoked};
use super::session_object::NewSession;
use super::{NODE_SESSION, Shared};
use crate::credentials::SessionToken;
use crate::directory::{DirectoryError, User};
use crate::policy::{SessionType, Usage};

impl Shared {
    pub(super) async fn login_by_token(
        self: &Arc<Self>,
        attempt: Attempt,
        token: &str,
    ) -> Result<Admission, Refusal> {
        if self.directory.is_revoked(token) {
            return Err(revoked());
        }
        let content = SessionToken::decode(token, &self.secret)
            .map_err(|_| Refusal::denied(401, "Invalid credentials: invalid session token"))?;
        self.check_use(&content, &attempt)?;
        let user = self.owner_of(&content).await?;
        self.check_limits(&content)?;
        let user = user.ok_or_else(invalid_credentials)?;
        self.lockout.succeeded(&content.username, attempt.source);
        let session = NewSession::of_token(&attempt, user, token, content);
        self.admit(session, &attempt).await
    }

    /// Whether a token may be used for this login at all.
    fn check_use(&self, content: &SessionToken, attempt: &Attempt) -> Result<(), Refusal> {
        let made_for = content.session_type;
        if self.config.lock_token_to_login_type && made_for != attempt.session_type {
            let message = format!(
                "token was created using the login type {}, which does not match how the new \
                 token is to be created",
                made_for.number()
            );
            return Err(Refusal::denied(403, message));
        }
        if !content.id.starts_with(NODE_SESSION) {
            self.check_admin(Some(&content.username), attempt)?;
        }
        let policies = content.policies.as_ref();
        let Some(policy) = policies.and_then(|policies| policies.of(SessionType::Stateful)) else {
            return Ok(());
        };
        if policy.disallow_token_logins {
            let message = "logins with this token are disallowed by policy";
            return Err(Refusal::denied(403, message));
        }
        if policy.lock_token_to_origin && content.origin != self.config.node_name {
            let message = "this token is locked to a different origin by policy";
            return Err(Refusal::denied(403, message));
        }
        Ok(())
    }

    /// The user of a token, if there still is one, and the same one where that matters.
    pub(super) async fn owner_of(
        &self,
        content: &SessionToken,
    ) -> Result<Option<Arc<User>>, Refusal> {
        let user = match self.directory.user(&content.username).await {
            Ok(user) => user,
            Err(DirectoryError::Name(_)) => None,
            Err(error) => return Err(failed(&error)),
        };
        let stored = user.as_ref().and_then(|user| user.userid());
        if self.config.lock_token_to_user_id && stored != content.userid.as_deref() {
            let username = &content.username;
            let message = format!("token userid does not match userid for username: {username}");
            return Err(Refusal::denied(403, message));
        }
        Ok(user)
    }

    /// Whether a token's time is over, or what it was for is used up.
    fn check_limits(&self, content: &SessionToken) -> Result<(), Refusal> {
        let (age, now) = (self.age_of(content), self.clock.monotonic());
        // A login is no request: what it uses is counted with the session it makes.
        let live = self.live.usage_of(&content.id);
        let mut usage = live.map_or_else(Usage::default, |usage| usage.snapshot());
        let policies = content.policies.as_ref();
        let admitted = usage.admit(policies, content.session_type, age, now);
        admitted
            .map(|_| ())
            .map_err(|refusal| by_policy(401, refusal))
    }

    /// How long ago a token was made, by the wall clocks of both nodes.
    pub(super) fn age_of(&self, content: &SessionToken) -> Duration {
        let age = self.clock.wall_ms().saturating_sub(content.timestamp_ms);
        Duration::from_millis(u64::try_from(age).unwrap_or_default())
    }
}
