//! From a user who may log in to a session with rights.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use happn_core::{Admission, Refusal, SessionControl, Via};
use happn_protocol::Json;
use serde_json::{Map, Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::Shared;
use super::activity::Request;
use super::attempt::Attempt;
use super::compiled::{Compiled, is_admin, user_facts};
use super::limits::Limits;
use super::live::Place;
use super::refusals::{failed, revoked, unusable};
use super::rights::UserRights;
use crate::credentials::SessionToken;
use crate::directory::{DirectoryError, Holder, PermissionSet, Rights, User, UserName};
use crate::policy::{Policies, PolicyRefusal, SessionType};

/// A session to be.
pub(super) struct NewSession {
    user: Arc<User>,
    session_id: Arc<str>,
    parent_id: Arc<str>,
    /// The token it logged in with.
    token: Option<Arc<str>>,
    session_type: SessionType,
    info: Option<Value>,
}

impl NewSession {
    /// Of somebody who proved who he is.
    pub(super) fn of(attempt: &Attempt, user: Arc<User>) -> Self {
        let session_id = attempt.request.session_id.clone();
        Self {
            user,
            parent_id: session_id.clone(),
            session_id,
            token: None,
            session_type: attempt.session_type,
            info: attempt.info.clone(),
        }
    }

    /// Of somebody who has a token; the token stays the same.
    pub(super) fn of_token(
        attempt: &Attempt,
        user: Arc<User>,
        token: &str,
        content: SessionToken,
    ) -> Self {
        Self {
            parent_id: content.id.into(),
            token: Some(token.into()),
            session_type: content.session_type,
            ..Self::of(attempt, user)
        }
    }

    /// Of nobody yet: for a token that somebody will use.
    pub(super) fn to_be(user: Arc<User>, session_type: SessionType) -> Self {
        let session_id: Arc<str> = Uuid::new_v4().to_string().into();
        Self {
            user,
            parent_id: session_id.clone(),
            session_id,
            token: None,
            session_type,
            info: None,
        }
    }

    /// What profiles and templates may ask for, besides the user.
    pub(super) fn facts(&self, timestamp: i64, origin: &str) -> Map<String, Value> {
        let mut facts = Map::new();
        let mut add = |name: &str, value: Value| facts.insert(name.to_owned(), value);
        add("id", json!(*self.session_id));
        add("username", json!(self.user.name().as_str()));
        if let Some(info) = &self.info {
            add("info", info.clone());
        }
        add("type", json!(self.session_type.number()));
        add("timestamp", json!(timestamp));
        add("parentId", json!(*self.parent_id));
        add("origin", json!(origin));
        facts
    }

    pub(super) fn make_token(
        &self,
        shared: &Shared,
        timestamp: i64,
        policies: &Policies,
    ) -> Result<Arc<str>, Refusal> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        let content = SessionToken {
            id: self.session_id.to_string(),
            https_cookie: shared.config.https_cookie.then_some(true),
            info: self.info.clone(),
            session_type: self.session_type,
            timestamp_ms: timestamp,
            parent_id: self.parent_id.to_string(),
            origin: shared.config.node_name.clone(),
            policies: Some(policies.clone()),
            username: self.user.name().as_str().to_owned(),
            userid: self.user.userid().map(str::to_owned),
        };
        let token = content.encode(&shared.secret);
        token
            .map(Into::into)
            .map_err(|error| unusable(error.to_string()))
    }
}

/// What the answer to a login tells.
struct Told<'a> {
    session: &'a NewSession,
    user: &'a User,
    rights: &'a Rights,
    permissions: Value,
    timestamp: i64,
    policies: &'a Policies,
    token: &'a str,
}

impl Shared {
    /// What `user` may do now, compiled; `None` when there is no such user.
    pub(super) async fn compile(
        &self,
        user: &UserName,
        facts: Map<String, Value>,
    ) -> Result<Option<Compiled>, DirectoryError> {
        // First the rights: they know how old they are.
        let rights = self.directory.rights_of(user).await?;
        let user = self.directory.user(user.as_str()).await?;
        Ok(user.map(|user| Compiled::new(rights, &user, facts, self)))
    }

    pub(super) async fn admit(
        self: &Arc<Self>,
        session: NewSession,
        attempt: &Attempt,
    ) -> Result<Admission, Refusal> {
        let name = session.user.name().clone();
        let rights = self.directory.rights_of(&name).await;
        let rights = rights.map_err(|error| failed(&error))?;
        let holder = Holder::User(name.clone());
        let own = self.directory.permissions(&holder).await;
        let own = own.map_err(|error| failed(&error))?;
        let timestamp = self.clock.wall_ms();
        let facts = session.facts(timestamp, &self.config.node_name);
        let policies = self.policies_of(&session, &rights, &facts);
        let token = session.make_token(self, timestamp, &policies)?;
        let members = Told {
            user: &session.user,
            rights: &rights,
            permissions: json!(PermissionSet::of(&own)),
            timestamp,
            policies: &policies,
            token: &token,
            session: &session,
        }
        .members(self);
        let may_be_node = is_admin(&rights.memberships);
        let compiled = Compiled::new(rights, &session.user, facts.clone(), self);
        let is_session = attempt.request.via != Via::Http;
        let timer = match is_session {
            true => self.end_in_time(&session, &policies),
            false => None,
        };
        let limits = Limits {
            session_type: session.session_type,
            policies: Some(policies),
            apply: true,
            since: self.clock.monotonic(),
            age_then: Duration::ZERO,
        };
        let only = limits.only(&facts, self);
        let make = |this, place: Option<Place>| UserRights {
            parent_id: session.parent_id.clone(),
            token: Some(token.clone()),
            only,
            source: attempt.source,
            actor: attempt.actor(name.as_str()),
            auth_type: self.means_of(attempt),
            _timer: timer,
            _place: place,
            ..UserRights::new(
                this,
                self.clone(),
                name,
                session.session_id.clone(),
                limits,
                facts,
                compiled,
            )
        };
        let rights = match is_session {
            true => self
                .live
                .enter(&session.session_id, |this, place| make(this, Some(place))),
            false => Arc::new_cyclic(|this| make(this.clone(), None)),
        };
        // Whoever revoked it meanwhile did not find the session yet.
        if self.directory.is_revoked(&token) {
            return Err(revoked());
        }
        if let Some(log) = &self.activity {
            log.note(&Request {
                session_id: &session.session_id,
                action: "login",
                path: None,
                refusal: None,
            });
        }
        Ok(Admission {
            members,
            rights: Some(rights),
            token: Some(token),
            may_be_node,
        })
    }

    pub(super) fn policies_of(
        &self,
        session: &NewSession,
        rights: &Rights,
        facts: &Map<String, Value>,
    ) -> Policies {
        let mut seen = facts.clone();
        let user = user_facts(&session.user, &rights.memberships);
        seen.insert("user".to_owned(), user);
        self.config.profiles.policies(&seen)
    }

    /// How a login proves who somebody is: `token`, `password`, `digest`, or the provider it names.
    fn means_of(&self, attempt: &Attempt) -> Arc<str> {
        let named = attempt.auth_type.as_deref();
        let provider = named.filter(|named| self.config.providers.is_other(named));
        match (&attempt.token, provider, &attempt.password) {
            (Some(_), ..) => "token".into(),
            (None, Some(provider), _) => provider.into(),
            (None, None, Some(_)) => "password".into(),
            (None, None, None) => "digest".into(),
        }
    }

    /// Ends the session when its time is over, also when it does nothing.
    fn end_in_time(
        self: &Arc<Self>,
        session: &NewSession,
        policies: &Policies,
    ) -> Option<DropGuard> {
        let ttl = policies.of(session.session_type)?.ttl?;
        let (control, id) = (self.control()?, session.session_id.clone());
        let stopped = CancellationToken::new();
        let (time, guard) = (self.clock.sleep(ttl), stopped.clone().drop_guard());
        let control = Arc::downgrade(&control);
        tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = time => {
                    if let Some(control) = control.upgrade() {
                        control.end(&id, PolicyRefusal::Expired.disconnect_reason());
                    }
                }
            }
        });
        Some(guard)
    }

    /// The node's sessions, as long as there is a node.
    pub(super) fn control(&self) -> Option<Arc<dyn SessionControl>> {
        self.sessions.get()?.upgrade()
    }
}

impl Told<'_> {
    fn members(&self, shared: &Shared) -> Json {
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
        add("type", json!(self.session.session_type.number()));
        let mut user = self.user.members().clone();
        user.insert("permissions".to_owned(), self.permissions.clone());
        add("user", Value::Object(user));
        add("timestamp", json!(self.timestamp));
        add("parentId", json!(*self.session.parent_id));
        add("origin", json!(shared.config.node_name));
        add("policy", self.policies.json());
        add("permissionSetKey", json!(permission_set_key(self.rights)));
        add("token", json!(self.token));
        if let Some(domain) = &shared.config.cookie_domain {
            add("cookieDomain", json!(domain));
        }
        Json::encode(&members).unwrap_or(Json::EMPTY_OBJECT)
    }
}

/// Equal for sessions with the same groups and the same rules of their own.
fn permission_set_key(rights: &Rights) -> String {
    let groups = rights.memberships.groups().map(|group| group.as_str());
    let own = rights.own_paths.iter().map(String::as_str);
    set_key(groups.chain(own).collect())
}

/// Names are sorted as JavaScript does it.
fn set_key(mut names: Vec<&str>) -> String {
    names.sort_by(|left, right| left.encode_utf16().cmp(right.encode_utf16()));
    let joined = names.join("/");
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, joined.as_bytes());
    STANDARD.encode(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_permission_sets_are_those_of_the_reference() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/vectors/security/authorize.json"
        );
        let text = std::fs::read_to_string(path).unwrap();
        let vectors: Value = serde_json::from_str(&text).unwrap();
        let cases = vectors["permission_set_key"]["cases"].as_array().unwrap();
        for case in cases {
            let texts = |name: &str| case[name].as_array().cloned().unwrap_or_default();
            let (groups, own) = (texts("groups"), texts("user_permission_paths"));
            let names = groups.iter().chain(&own).filter_map(Value::as_str);
            assert_eq!(json!(set_key(names.collect())), case["key"], "{case}");
        }
        assert!(cases.len() > 5);
    }
}
