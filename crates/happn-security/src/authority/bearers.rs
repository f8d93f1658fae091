//! Requests that come with a token and belong to no session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use happn_core::Refusal;
use serde_json::{Map, json};

use super::Shared;
use super::limits::Limits;
use super::refusals::{failed, revoked, unauthorized};
use super::rights::UserRights;
use crate::audit::Actor;
use crate::credentials::SessionToken;
use crate::policy::SessionType;

/// Tokens whose rights are kept compiled from request to request.
const BEARERS_MAX: usize = 4_096;

/// The rights of tokens that were presented lately.
#[derive(Default)]
pub(super) struct Bearers(Mutex<HashMap<Arc<str>, Arc<UserRights>>>);

impl Bearers {
    /// The rights of whoever presents `token`.
    pub(super) async fn rights(
        &self,
        shared: &Arc<Shared>,
        token: &Arc<str>,
    ) -> Result<Arc<UserRights>, Refusal> {
        if shared.directory.is_revoked(token) {
            return Err(revoked());
        }
        let unreadable = |_| Refusal::denied(401, "invalid token format or null token");
        let content = SessionToken::decode(token, &shared.secret).map_err(unreadable)?;
        let user = shared
            .owner_of(&content)
            .await
            .map_err(as_unauthenticated)?;
        let user = user.ok_or_else(unauthorized)?;
        if let Some(known) = self.get(token) {
            return Ok(known);
        }
        let mut facts = Map::new();
        facts.insert("id".to_owned(), json!(content.id));
        facts.insert("isToken".to_owned(), json!(true));
        let name = user.name().clone();
        let compiled = shared.compile(&name, facts.clone()).await;
        let compiled = compiled.map_err(|error| failed(&error))?;
        let compiled = compiled.ok_or_else(unauthorized)?;
        let usage = shared.live.usage_of(&content.id).unwrap_or_default();
        let limits = Limits {
            age_then: shared.age_of(&content),
            since: shared.clock.monotonic(),
            session_type: SessionType::Stateless,
            policies: content.policies,
            apply: true,
        };
        let only = limits.only(&facts, shared);
        let id = content.id.into();
        let rights = Arc::new_cyclic(|this| UserRights {
            parent_id: content.parent_id.into(),
            token: Some(token.clone()),
            usage,
            only,
            actor: Actor::new(name.as_str(), "(http)"),
            ..UserRights::new(
                this.clone(),
                shared.clone(),
                name,
                id,
                limits,
                facts,
                compiled,
            )
        });
        self.keep(token, &rights);
        Ok(rights)
    }

    fn get(&self, token: &str) -> Option<Arc<UserRights>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(token).cloned()
    }

    fn keep(&self, token: &Arc<str>, rights: &Arc<UserRights>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= BEARERS_MAX {
            known.clear();
        }
        known.insert(token.clone(), rights.clone());
    }
}

/// Over HTTP a token of somebody else's is no credential.
fn as_unauthenticated(mut refusal: Refusal) -> Refusal {
    if refusal.error.code == Some(403) {
        refusal.error.code = Some(401);
    }
    refusal
}
