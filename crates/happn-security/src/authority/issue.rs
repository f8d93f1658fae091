//! Tokens that are made for somebody, and what there is to know of a token.

use std::sync::Arc;
use std::time::Duration;

use happn_core::Refusal;

use super::SecurityAuthority;
use super::refusals::{failed, unusable};
use super::session_object::NewSession;
use crate::credentials::SessionToken;
use crate::policy::SessionType;

/// What there is to know of a token, but for the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// The session that it stands for.
    pub id: String,
    /// Whose it is.
    pub username: String,
    /// The node that made it; empty if it does not say.
    pub origin: String,
    /// When it was made, ms since 1970 by that node's clock.
    pub issued: i64,
    /// Until when it may be used, likewise; `None` for ever.
    pub expires: Option<i64>,
    /// Whether its validity was taken away.
    pub is_revoked: bool,
}

impl SecurityAuthority {
    /// Makes a token that `username` can use as if he had logged in now, but not for longer than
    /// `ttl`. `None` when there is no such user. Whoever calls this knows whom he lets in.
    ///
    /// # Errors
    /// When the directory fails.
    pub async fn issue_token(
        &self,
        username: &str,
        session_type: SessionType,
        ttl: Option<Duration>,
    ) -> Result<Option<(Arc<str>, TokenFacts)>, Refusal> {
        let (shared, directory) = (&self.shared, &self.shared.directory);
        let Ok(name) = directory.user_name(username) else {
            return Ok(None);
        };
        let user = directory.user(username).await;
        let Some(user) = user.map_err(|error| failed(&error))? else {
            return Ok(None);
        };
        let rights = directory.rights_of(&name).await;
        let rights = rights.map_err(|error| failed(&error))?;
        let now = shared.clock.wall_ms();
        let session = NewSession::to_be(user, session_type);
        let facts = session.facts(now, &shared.config.node_name);
        let mut policies = shared.policies_of(&session, &rights, &facts);
        if let Some(ttl) = ttl {
            policies = policies.limited_to(ttl);
        }
        let token = session.make_token(shared, now, &policies)?;
        let facts = self.token_facts(&token);
        let facts = facts.ok_or_else(|| unusable("the token cannot be read"))?;
        Ok(Some((token, facts)))
    }

    /// What a token says, if it is one of ours; it may have expired.
    #[must_use]
    pub fn token_facts(&self, token: &str) -> Option<TokenFacts> {
        let content = SessionToken::decode(token, &self.shared.secret).ok()?;
        let lifetime = self.shared.lifetime(&content);
        let expires = i64::try_from(lifetime)
            .ok()
            .filter(|lifetime| *lifetime > 0);
        Some(TokenFacts {
            issued: content.timestamp_ms,
            expires: expires.map(|lifetime| content.timestamp_ms.saturating_add(lifetime)),
            is_revoked: self.shared.directory.is_revoked(token),
            id: content.id,
            username: content.username,
            origin: content.origin,
        })
    }
}
