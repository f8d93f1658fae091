//! The sessions that are logged in, for whoever administers the node.

use std::sync::Arc;
use std::time::Duration;

use happn_core::Refusal;

use super::SecurityAuthority;
use super::rights::UserRights;
use crate::audit::Actor;
use crate::policy::SessionType;

/// A session that is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveSession {
    /// Its id.
    pub session_id: Arc<str>,
    /// Who has logged in.
    pub username: Arc<str>,
    /// The session whose token it logged in with; its own id without one.
    pub parent_id: Arc<str>,
    /// How the login proved who it is: `password`, `digest`, `token`, or the name of a provider.
    pub auth_type: Arc<str>,
    /// How it is used.
    pub session_type: SessionType,
    /// How long ago it logged in.
    pub age: Duration,
}

impl SecurityAuthority {
    /// The sessions of this node that are logged in, oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<ActiveSession> {
        let now = self.shared.clock.monotonic();
        let active = |rights: &Arc<UserRights>| ActiveSession {
            session_id: rights.session_id.clone(),
            username: rights.username.clone(),
            parent_id: rights.parent_id.clone(),
            auth_type: rights.auth_type.clone(),
            session_type: rights.limits.session_type,
            age: now.saturating_sub(rights.limits.since),
        };
        let mut sessions: Vec<_> = self.shared.live.all().iter().map(active).collect();
        sessions.sort_by(|left, right| {
            let by_id = || left.session_id.cmp(&right.session_id);
            right.age.cmp(&left.age).then_with(by_id)
        });
        sessions
    }

    /// Takes the validity of a session's token away on every node, for `reason`, as `actor`: that
    /// ends the session, the one whose token it used, and every other session of that token.
    /// False when there is no such session here.
    ///
    /// # Errors
    /// When the token cannot be revoked, or the directory fails.
    pub async fn revoke_session(
        &self,
        session_id: &str,
        reason: &str,
        actor: Actor,
    ) -> Result<bool, Refusal> {
        let sessions = self.shared.live.all().into_iter();
        let mut sessions = sessions.filter(|rights| *rights.session_id == *session_id);
        let Some(rights) = sessions.next() else {
            return Ok(false);
        };
        let Some(token) = &rights.token else {
            return Ok(self.end_session(session_id, reason));
        };
        self.shared.revoke(token, reason, actor).await?;
        Ok(true)
    }

    /// Ends a session of this node; its client is told `reason` and does not come back by itself.
    /// False when there is no such session.
    #[must_use]
    pub fn end_session(&self, session_id: &str, reason: &str) -> bool {
        let control = self.shared.control();
        control.is_some_and(|control| control.end(session_id, reason))
    }
}
