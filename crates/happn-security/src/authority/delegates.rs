//! Acting on behalf of somebody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use happn_core::Refusal;
use serde_json::{Map, json};
use uuid::Uuid;

use super::limits::Limits;
use super::refusals::{failed, on_behalf_of};
use super::rights::UserRights;
use crate::audit::Actor;
use crate::directory::ADMIN;
use crate::policy::SessionType;

/// Members of this group may act on behalf of others, as `_ADMIN` may.
const DELEGATES: &str = "_MESH_DELEGATE";
/// Users one session acts for, until their hidden sessions are made anew.
const DELEGATES_MAX: usize = 256;

pub(super) const UNKNOWN_USER: &str = "on behalf of user does not exist";

/// The hidden sessions of users that one session acts for: events name them, so they stay the
/// same from request to request.
#[derive(Default)]
pub(super) struct Delegates(Mutex<HashMap<String, Arc<UserRights>>>);

impl Delegates {
    fn get(&self, user: &str) -> Option<Arc<UserRights>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(user).cloned()
    }

    /// Whoever comes second at the same moment gets what the first one made.
    fn keep(&self, user: &str, made: Arc<UserRights>) -> Arc<UserRights> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= DELEGATES_MAX {
            known.clear();
        }
        known.entry(user.to_owned()).or_insert(made).clone()
    }
}

impl UserRights {
    /// The rights of `user`, if this session may act for others.
    pub(super) async fn delegate(&self, user: &str) -> Result<Arc<Self>, Refusal> {
        if !self.may_delegate().await? {
            let cause = "session attempting to act on behalf of is not authorized";
            return Err(on_behalf_of(user, cause));
        }
        if let Some(known) = self.delegates.get(user) {
            return Ok(known);
        }
        let made = self.make_delegate(user).await?;
        Ok(self.delegates.keep(user, made))
    }

    async fn may_delegate(&self) -> Result<bool, Refusal> {
        if self.is_delegate {
            return Ok(false);
        }
        let is_admin = self.user.as_str() == ADMIN;
        Ok(is_admin || self.compiled().await?.memberships().contains(DELEGATES))
    }

    async fn make_delegate(&self, user: &str) -> Result<Arc<Self>, Refusal> {
        let unknown = || on_behalf_of(user, UNKNOWN_USER);
        let name = self.shared.directory.user_name(user);
        let name = name.map_err(|_| unknown())?;
        let id = Uuid::new_v4().to_string();
        let mut facts = Map::new();
        facts.insert("id".to_owned(), json!(id));
        facts.insert("username".to_owned(), json!(name.as_str()));
        facts.insert("info".to_owned(), json!({ "delegatedBy": *self.username }));
        let compiled = self.shared.compile(&name, facts.clone()).await;
        let compiled = compiled.map_err(|error| failed(&error))?;
        let compiled = compiled.ok_or_else(unknown)?;
        let limits = Limits::none(SessionType::Stateful);
        let from = format!("{} for {}", self.actor.from, self.username);
        let actor = Actor::new(name.as_str(), &from);
        let (shared, id) = (self.shared.clone(), Arc::from(id));
        Ok(Arc::new_cyclic(|this| Self {
            is_delegate: true,
            actor,
            ..Self::new(this.clone(), shared, name, id, limits, facts, compiled)
        }))
    }
}
