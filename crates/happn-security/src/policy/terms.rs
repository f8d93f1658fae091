//! Policies.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{DurationError, parse_duration};

/// How a session is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionType {
    /// One request at a time, over HTTP.
    Stateless,
    /// A connection.
    Stateful,
}

impl SessionType {
    /// 0 or 1, as it travels.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Stateless => 0,
            Self::Stateful => 1,
        }
    }

    /// The type that a JSON number means, if it is 0 or 1.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        match value.as_f64()? {
            0.0 => Some(Self::Stateless),
            1.0 => Some(Self::Stateful),
            _ => None,
        }
    }
}

/// The limits of a session of one type.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// How long after its login a session may be used; `None` is for ever.
    pub ttl: Option<Duration>,
    /// How long it may do nothing.
    pub inactivity_threshold: Option<Duration>,
    /// How many requests it may make.
    pub usage_limit: Option<u64>,
    /// Rules, `{path: {actions, prohibit}}`, that take the place of those of the user.
    pub permissions: Option<Value>,
    /// Whether tokens of such a session are refused at login.
    pub disallow_token_logins: bool,
    /// Whether tokens of such a session are accepted by the node that made them only.
    pub lock_token_to_origin: bool,
    /// The only addresses that may log in; empty is all.
    pub source_ip_whitelist: Vec<String>,
    /// All members as they travel.
    members: Map<String, Value>,
}

impl Policy {
    /// Reads a policy of a configuration or of a token.
    ///
    /// # Errors
    /// When a member cannot be used, naming it.
    pub fn parse(value: &Value) -> Result<Self, PolicyError> {
        let Value::Object(members) = value else {
            return Err(PolicyError::NotAnObject);
        };
        let mut members = members.clone();
        Ok(Self {
            ttl: duration(&mut members, "ttl", json!(0))?,
            inactivity_threshold: duration(&mut members, "inactivity_threshold", Value::Null)?,
            usage_limit: usage_limit(members.get("usage_limit"))?,
            permissions: permissions(members.get("permissions"))?,
            disallow_token_logins: flag(&members, "disallowTokenLogins")?,
            lock_token_to_origin: flag(&members, "lockTokenToOrigin")?,
            source_ip_whitelist: addresses(members.get("sourceIPWhitelist"))?,
            members,
        })
    }

    /// The same policy for sessions that last no longer than `ttl`.
    #[must_use]
    pub fn limited_to(&self, ttl: Duration) -> Self {
        let ttl = self.ttl.map_or(ttl, |own| own.min(ttl));
        let ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let mut limited = self.clone();
        limited.ttl = Some(ttl);
        limited.members.insert("ttl".to_owned(), json!(ms));
        limited
    }

    /// The policy as it travels: durations in ms, no limit on inactivity as `null`.
    #[must_use]
    pub fn json(&self) -> Value {
        Value::Object(self.members.clone())
    }
}

/// Why a policy cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is not an object.
    #[error("a policy must be an object")]
    NotAnObject,
    /// A duration cannot be read.
    #[error("`{member}`: {problem}")]
    Duration {
        /// Which one.
        member: &'static str,
        /// What is wrong with it.
        problem: DurationError,
    },
    /// A member has the wrong type.
    #[error("`{member}` must be {allowed}")]
    Member {
        /// Which one.
        member: &'static str,
        /// What it may be.
        allowed: &'static str,
    },
}

/// The policies of a session for both ways of using it. Cheap to clone. The default has none,
/// and allows nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policies {
    stateless: Option<Arc<Policy>>,
    stateful: Option<Arc<Policy>>,
}

impl Policies {
    /// The policies of `stateless` and of `stateful` use.
    #[must_use]
    pub fn new(stateless: Option<Arc<Policy>>, stateful: Option<Arc<Policy>>) -> Self {
        Self {
            stateless,
            stateful,
        }
    }

    /// Reads `{"0": …, "1": …}`; one that is missing or `null` is none.
    ///
    /// # Errors
    /// When it is not an object, or one of its policies cannot be used.
    pub fn parse(value: &Value) -> Result<Self, PolicyError> {
        let Value::Object(members) = value else {
            return Err(PolicyError::NotAnObject);
        };
        let policy = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(policy) => Policy::parse(policy).map(|policy| Some(Arc::new(policy))),
        };
        Ok(Self::new(policy("0")?, policy("1")?))
    }

    /// The policy for one way of using the session.
    #[must_use]
    pub fn of(&self, session_type: SessionType) -> Option<&Policy> {
        match session_type {
            SessionType::Stateless => self.stateless.as_deref(),
            SessionType::Stateful => self.stateful.as_deref(),
        }
    }

    /// The same policies for sessions that last no longer than `ttl`.
    #[must_use]
    pub fn limited_to(&self, ttl: Duration) -> Self {
        let limited =
            |policy: &Option<Arc<Policy>>| Some(Arc::new(policy.as_ref()?.limited_to(ttl)));
        Self::new(limited(&self.stateless), limited(&self.stateful))
    }

    /// Both as they travel.
    #[must_use]
    pub fn json(&self) -> Value {
        let json = |policy: &Option<Arc<Policy>>| policy.as_ref().map(|policy| policy.json());
        let mut members = Map::new();
        members.insert("0".to_owned(), json!(json(&self.stateless)));
        members.insert("1".to_owned(), json!(json(&self.stateful)));
        Value::Object(members)
    }
}

/// Reads a duration and puts it into ms where it stands; `unlimited` is how no limit travels.
fn duration(
    members: &mut Map<String, Value>,
    member: &'static str,
    unlimited: Value,
) -> Result<Option<Duration>, PolicyError> {
    let Some(value) = members.get_mut(member) else {
        return Ok(None);
    };
    let duration = parse_duration(value);
    let duration = duration.map_err(|problem| PolicyError::Duration { member, problem })?;
    *value = match duration {
        Some(duration) => json!(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
        None if value.as_f64() == Some(0.0) => json!(0),
        None => unlimited,
    };
    Ok(duration)
}

fn usage_limit(value: Option<&Value>) -> Result<Option<u64>, PolicyError> {
    let wrong = PolicyError::Member {
        member: "usage_limit",
        allowed: "a number of requests that is not negative",
    };
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text == "Infinity" => Ok(None),
        Some(value) => {
            let limit = value.as_f64().filter(|limit| *limit >= 0.0);
            let limit = limit.ok_or(wrong)? as u64;
            Ok((limit > 0).then_some(limit))
        }
    }
}

fn permissions(value: Option<&Value>) -> Result<Option<Value>, PolicyError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(rules @ Value::Object(_)) => Ok(Some(rules.clone())),
        Some(_) => Err(PolicyError::Member {
            member: "permissions",
            allowed: "an object of rules such as {\"/a/*\": {\"actions\": [\"get\"]}}",
        }),
    }
}

fn flag(members: &Map<String, Value>, member: &'static str) -> Result<bool, PolicyError> {
    match members.get(member) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(PolicyError::Member {
            member,
            allowed: "true or false",
        }),
    }
}

fn addresses(value: Option<&Value>) -> Result<Vec<String>, PolicyError> {
    let texts = |items: &Vec<Value>| {
        let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
        texts.collect::<Option<Vec<_>>>()
    };
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => value.as_array().and_then(texts).ok_or(PolicyError::Member {
            member: "sourceIPWhitelist",
            allowed: "a list of addresses",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_travels_with_its_durations_in_milliseconds() {
        let configured = json!({
            "ttl": "4 hours", "inactivity_threshold": "30 minutes", "usage_limit": 100,
            "permissions": {"/only/*": {"actions": ["get"]}}, "other": [1],
        });
        let policy = Policy::parse(&configured).unwrap();
        let mut expected = configured;
        expected["ttl"] = json!(14_400_000);
        expected["inactivity_threshold"] = json!(1_800_000);
        assert_eq!(policy.json(), expected);
        assert_eq!(policy.ttl, Some(Duration::from_secs(14_400)));
        assert_eq!(policy.usage_limit, Some(100));
        assert_eq!(Policy::parse(&policy.json()).unwrap(), policy);
    }

    #[test]
    fn a_limit_only_ever_shortens_a_ttl_and_travels_with_it() {
        let configured = json!({"0": {"ttl": 5000}, "1": {"ttl": 0}});
        let policies = Policies::parse(&configured).unwrap();
        let limited = policies.limited_to(Duration::from_secs(60));
        assert_eq!(limited.json()["0"]["ttl"], 5000);
        assert_eq!(limited.json()["1"]["ttl"], 60_000);
        assert_eq!(Policies::parse(&limited.json()).unwrap(), limited);
    }

    #[test]
    fn no_limit_travels_as_the_reference_writes_it() {
        let unlimited = json!({"ttl": 0, "inactivity_threshold": "Infinity"});
        let policy = Policy::parse(&unlimited).unwrap();
        assert_eq!(
            policy.json(),
            json!({"ttl": 0, "inactivity_threshold": null})
        );
        assert_eq!((policy.ttl, policy.inactivity_threshold), (None, None));
    }

    #[test]
    fn a_member_of_the_wrong_type_is_named_with_what_is_allowed() {
        for (policy, problem) in [
            (json!([]), "a policy must be an object"),
            (json!({"ttl": "soon"}), "`ttl`: \"soon\" is not a duration"),
            (
                json!({"inactivity_threshold": -1}),
                "`inactivity_threshold`",
            ),
            (
                json!({"usage_limit": "many"}),
                "`usage_limit` must be a number",
            ),
            (
                json!({"permissions": []}),
                "`permissions` must be an object",
            ),
            (
                json!({"disallowTokenLogins": 1}),
                "`disallowTokenLogins` must be true or false",
            ),
            (json!({"lockTokenToOrigin": "yes"}), "`lockTokenToOrigin`"),
            (
                json!({"sourceIPWhitelist": [1]}),
                "`sourceIPWhitelist` must be a list",
            ),
        ] {
            let told = Policy::parse(&policy).unwrap_err().to_string();
            assert!(told.starts_with(problem), "{told}");
        }
    }
}
