//! What a token says.

use serde_json::{Map, Value, json};

use super::{TokenError, TokenSecret};
use crate::policy::{Policies, SessionType};

/// A session as its token keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionToken {
    /// The session that made the token.
    pub id: String,
    /// Whether cookies carry another name over https; absent unless configured.
    pub https_cookie: Option<bool>,
    /// Free data of the client's login. Not to be trusted.
    pub info: Option<Value>,
    /// The type of login that made the token.
    pub session_type: SessionType,
    /// When the session logged in, ms since 1970 by the wall clock of the node `origin`.
    pub timestamp_ms: i64,
    /// The session that all sessions of this token belong to.
    pub parent_id: String,
    /// The node that made the token; empty if it does not say.
    pub origin: String,
    /// What the session may do for how long, for both session types. Without any it may do nothing.
    pub policies: Option<Policies>,
    /// Whose session it is.
    pub username: String,
    /// That user's identity, which a deleted and re-created user does not share.
    pub userid: Option<String>,
}

impl SessionToken {
    /// The token, signed with `secret`.
    ///
    /// # Errors
    /// [`TokenError::TooLarge`] when `info` makes it too large to be accepted again.
    pub fn encode(&self, secret: &TokenSecret) -> Result<String, TokenError> {
        secret.sign(&self.json())
    }

    /// Reads a token that was signed with `secret`. It may have expired or been revoked.
    ///
    /// # Errors
    /// When it was not, or does not hold a session.
    pub fn decode(token: &str, secret: &TokenSecret) -> Result<Self, TokenError> {
        Self::from_json(secret.verify(token)?)
    }

    /// The session as JSON, in the order of members that JavaScript nodes use.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
        add("id", json!(self.id));
        if let Some(https_cookie) = self.https_cookie {
            add("httpsCookie", json!(https_cookie));
        }
        if let Some(info) = &self.info {
            add("info", info.clone());
        }
        add("type", json!(self.session_type.number()));
        add("timestamp", json!(self.timestamp_ms));
        add("parentId", json!(self.parent_id));
        add("origin", json!(self.origin));
        if let Some(policies) = &self.policies {
            add("policy", policies.json());
        }
        add("isToken", json!(true));
        add("username", json!(self.username));
        if let Some(userid) = &self.userid {
            add("userid", json!(userid));
        }
        Value::Object(members)
    }

    fn from_json(session: Value) -> Result<Self, TokenError> {
        let Value::Object(mut members) = session else {
            return Err(TokenError::Member("id"));
        };
        if members.get("isToken") != Some(&Value::Bool(true)) {
            return Err(TokenError::Member("isToken"));
        }
        let id = required(&mut members, "id")?;
        let session_type = members.get("type").and_then(SessionType::of);
        let timestamp = members.get("timestamp").and_then(Value::as_f64);
        let policies = members.get("policy").filter(|policies| !policies.is_null());
        let policies = policies.map(Policies::parse).transpose();
        Ok(Self {
            https_cookie: members.get("httpsCookie").and_then(Value::as_bool),
            info: members.remove("info"),
            session_type: session_type.ok_or(TokenError::Member("type"))?,
            timestamp_ms: timestamp.ok_or(TokenError::Member("timestamp"))? as i64,
            parent_id: optional(&mut members, "parentId")?.unwrap_or_else(|| id.clone()),
            origin: optional(&mut members, "origin")?.unwrap_or_default(),
            policies: policies.map_err(|_| TokenError::Member("policy"))?,
            username: required(&mut members, "username")?,
            userid: optional(&mut members, "userid")?,
            id,
        })
    }
}

fn required(members: &mut Map<String, Value>, name: &'static str) -> Result<String, TokenError> {
    let text = optional(members, name)?.filter(|text| !text.is_empty());
    text.ok_or(TokenError::Member(name))
}

fn optional(
    members: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Option<String>, TokenError> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenError::Member(name)),
    }
}
