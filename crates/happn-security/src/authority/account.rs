//! What clients may ask for their own account.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use happn_core::{AccountRequest, Afterwards, Refusal};
use happn_protocol::{Json, WireError};
use serde::Deserialize;

use super::Shared;
use super::refusals::{failed, unusable};
use super::rights::UserRights;
use crate::audit::Actor;
use crate::credentials::SessionToken;
use crate::directory::{DirectoryError, Password};
use crate::policy::SessionType;

/// What sessions whose token is not accepted any more are told.
pub(super) const TOKEN_REVOKED: &str = "token-revoked";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewPassword {
    old_password: Password,
    new_password: Password,
}

impl UserRights {
    pub(super) async fn do_for_account(
        self: Arc<Self>,
        request: AccountRequest,
    ) -> Result<Afterwards, Refusal> {
        match request {
            AccountRequest::RevokeToken { reason } => self.revoke_own(&reason).await,
            AccountRequest::DisconnectChildren => {
                self.disconnect_children();
                Ok(None)
            }
            AccountRequest::ChangePassword(data) => self.change_password(&data).await,
        }
    }

    /// The session itself is told after its answer; the others at once.
    async fn revoke_own(self: Arc<Self>, reason: &str) -> Result<Afterwards, Refusal> {
        let invalid = || Refusal::from(WireError::plain("invalid token"));
        let token = self.token.clone().ok_or_else(invalid)?;
        self.ends_itself.store(true, Ordering::Release);
        let actor = self.actor.clone();
        let revoked = self.shared.revoke(&token, reason, actor).await;
        if revoked.is_err() {
            self.ends_itself.store(false, Ordering::Release);
        }
        revoked?;
        Ok(Some(Box::pin(async move {
            if let Some(control) = self.shared.control() {
                control.end(&self.session_id, TOKEN_REVOKED);
            }
        })))
    }

    fn disconnect_children(&self) {
        let Some(control) = self.shared.control() else {
            return;
        };
        for other in self.shared.live.all() {
            let is_child = other.parent_id == self.session_id;
            if is_child && other.session_id != self.session_id {
                control.end(&other.session_id, TOKEN_REVOKED);
            }
        }
    }

    /// Guesses of the old password count like those of a login, and wait for their turn with them.
    async fn change_password(&self, data: &Json) -> Result<Afterwards, Refusal> {
        let parsed = data.decode::<NewPassword>();
        let usable = parsed.ok().filter(|data| {
            !data.old_password.reveal().is_empty() && !data.new_password.reveal().is_empty()
        });
        let data = usable
            .ok_or_else(|| unusable("Invalid parameters: oldPassword and newPassword required"))?;
        let (shared, name) = (&self.shared, &*self.username);
        let now = || shared.clock.monotonic();
        let _turn = shared.turns.wait(self.source).await;
        let locked = shared.lockout.check(name, self.source, now());
        locked.map_err(|locked| Refusal::denied(403, locked.to_string()))?;
        let directory = shared.directory.acting_as(self.actor.clone());
        let changed = directory.change_password(name, data.old_password, data.new_password);
        match changed.await {
            Ok(()) => Ok(None),
            Err(error @ DirectoryError::OldPassword) => {
                shared.lockout.failed(name, self.source, now());
                Err(unusable(error.to_string()))
            }
            Err(error @ DirectoryError::Store(_)) => Err(failed(&error)),
            Err(error) => Err(unusable(error.to_string())),
        }
    }
}

impl Shared {
    pub(super) async fn revoke(
        &self,
        token: &str,
        reason: &str,
        actor: Actor,
    ) -> Result<(), Refusal> {
        let content = SessionToken::decode(token, &self.secret);
        let content = content.map_err(|_| Refusal::from(WireError::plain("invalid token")))?;
        let ttl = self.lifetime(&content);
        if ttl == 0 && !self.config.allow_revoking_without_ttl {
            let message = "revoking a token without a ttl is not possible as this means it is \
                           in the revocation list permanently";
            return Err(WireError::plain(message).into());
        }
        let session = Json::encode(&content.json()).unwrap_or(Json::NULL);
        let directory = self.directory.acting_as(actor);
        let revoked = directory.revoke_token(token, session, reason, ttl);
        revoked.await.map_err(|error| failed(&error))
    }

    /// How long a token lives, ms; 0 for ever.
    pub(super) fn lifetime(&self, content: &SessionToken) -> u64 {
        let ttl = |session_type| {
            let policy = content.policies.as_ref()?.of(session_type)?;
            policy.ttl
        };
        let is_browser = content
            .info
            .as_ref()
            .is_some_and(|info| info["_browser"] == true);
        let lifetime = match () {
            () if is_browser => ttl(SessionType::Stateful),
            () if self.config.lock_token_to_login_type => ttl(content.session_type),
            () => match (ttl(SessionType::Stateless), ttl(SessionType::Stateful)) {
                (Some(one), Some(other)) => Some(one.max(other)),
                _ => None,
            },
        };
        let ms = lifetime.map_or(0, |lifetime: Duration| lifetime.as_millis());
        u64::try_from(ms).unwrap_or(u64::MAX)
    }
}
