//! Which policies a session gets: the first profile whose filter it meets.

use std::net::IpAddr;
use std::sync::Arc;

use happn_query::{Collation, Criteria, QueryError, Value as Queried};
use serde_json::{Map, Value, json};

use super::{Policies, Policy, PolicyError, SessionType};

/// Deepest nesting of a filter that is taken apart.
const DEPTH_MAX: usize = 32;

/// Profiles in the order they are tried: the configured ones, then the three built-in ones.
#[derive(Clone, Debug)]
pub struct Profiles(Vec<Profile>);

#[derive(Clone, Debug)]
struct Profile {
    filter: Criteria,
    policy: Arc<Policy>,
}

impl Profiles {
    /// Reads the list `services.security.config.profiles`; `null` is an empty one.
    ///
    /// # Errors
    /// When one of them cannot be used, naming it and its member.
    pub fn parse(configured: &Value) -> Result<Self, ProfileError> {
        let configured = match configured {
            Value::Null => &[],
            Value::Array(profiles) => profiles.as_slice(),
            _ => return Err(ProfileError::NotAList),
        };
        let built_in = built_in();
        let profiles = configured.iter().chain(&built_in).enumerate();
        let profiles = profiles.map(|(nth, profile)| {
            let name = profile["name"].as_str();
            Profile::parse(profile).map_err(|problem| ProfileError::Profile {
                name: name.map_or_else(|| format!("[{nth}]"), str::to_owned),
                problem,
            })
        });
        Ok(Self(profiles.collect::<Result<_, _>>()?))
    }

    /// The policies of a session that has just logged in, for both ways of using it.
    ///
    /// `session` holds what filters may ask for: `user`, `info` and so on; its `type` is ignored.
    #[must_use]
    pub fn policies(&self, session: &Map<String, Value>) -> Policies {
        let mut session = session.clone();
        let mut policy = |session_type: SessionType| {
            session.insert("type".to_owned(), json!(session_type.number()));
            let text = Value::Object(session.clone()).to_string();
            let document = Queried::parse(&text);
            let profile = self.0.iter().find(|profile| profile.fits(&document));
            profile.map(|profile| profile.policy.clone())
        };
        let stateless = policy(SessionType::Stateless);
        Policies::new(stateless, policy(SessionType::Stateful))
    }

    /// Whether `address` may log in as the user of `credentials` (`username` and so on, never the
    /// password): it has to be on the list of every profile that fits and has one.
    #[must_use]
    pub fn allow_address(&self, credentials: &Map<String, Value>, address: IpAddr) -> bool {
        let text = json!({ "user": credentials }).to_string();
        let document = Queried::parse(&text);
        self.0.iter().all(|profile| {
            let allowed = &profile.policy.source_ip_whitelist;
            let listed = |entry: &String| match entry.parse::<IpAddr>() {
                Ok(entry) => entry.to_canonical() == address.to_canonical(),
                Err(_) => false,
            };
            allowed.is_empty() || allowed.iter().any(listed) || !profile.fits(&document)
        })
    }
}

impl Default for Profiles {
    /// The built-in ones.
    fn default() -> Self {
        Self::parse(&Value::Null).unwrap_or_else(|_| Self(Vec::new()))
    }
}

impl Profile {
    fn parse(profile: &Value) -> Result<Self, ProfileProblem> {
        let filter = match &profile["session"] {
            Value::Object(filter) => Value::Object(dotted(filter, DEPTH_MAX)),
            _ => return Err(ProfileProblem::NoFilter),
        };
        let filter = Criteria::parse_stored_names(&filter.to_string())?;
        filter.check_evaluable()?;
        let policy = Policy::parse(&profile["policy"])?;
        Ok(Self {
            filter,
            policy: Arc::new(policy),
        })
    }

    fn fits(&self, session: &Queried<'_>) -> bool {
        self.filter.matches(session, &Collation::default())
    }
}

/// Why the profiles cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// They are not a list.
    #[error("`profiles` must be a list of {{name, session, policy}}")]
    NotAList,
    /// One of them cannot be used.
    #[error("profile {name}: {problem}")]
    Profile {
        /// Its name, or its place in the list.
        name: String,
        /// What is wrong with it.
        problem: ProfileProblem,
    },
}

/// What is wrong with a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileProblem {
    /// It has no filter.
    #[error("`session` must be a filter such as {{\"user.username\": \"x\"}}; {{}} means all")]
    NoFilter,
    /// Its filter cannot be used.
    #[error("`session`: {0}")]
    Filter(#[from] QueryError),
    /// Its policy cannot be used.
    #[error("`policy`: {0}")]
    Policy(#[from] PolicyError),
}

fn built_in() -> [Value; 3] {
    let unlimited = json!({"ttl": 0, "inactivity_threshold": null});
    [
        json!({
            "name": "default-browser",
            "session": {"info._browser": {"$eq": true}},
            "policy": {"ttl": "7 days", "inactivity_threshold": "1 hour"},
        }),
        json!({"name": "default-stateful", "session": {"type": 1}, "policy": unlimited}),
        json!({"name": "default-stateless", "session": {"type": 0}, "policy": unlimited}),
    ]
}

/// The filter with nested objects as dotted names: `{user: {username: "x"}}` asks for that one
/// member, not for a user who has no other.
fn dotted(filter: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, value) in filter {
        match value {
            Value::Array(items) if name.starts_with('$') && depth > 0 => {
                let items = items.iter().map(|item| match item {
                    Value::Object(filter) => Value::Object(dotted(filter, depth - 1)),
                    other => other.clone(),
                });
                out.insert(name.clone(), items.collect());
            }
            Value::Object(inner) if is_nested(name, inner) && depth > 0 => {
                for (below, value) in dotted(inner, depth - 1) {
                    out.insert(format!("{name}.{below}"), value);
                }
            }
            other => {
                out.insert(name.clone(), other.clone());
            }
        }
    }
    out
}

fn is_nested(name: &str, inner: &Map<String, Value>) -> bool {
    let operator = |name: &str| name.starts_with('$');
    !operator(name) && !inner.is_empty() && !inner.keys().any(|name| operator(name))
}

#[cfg(test)]
mod tests;
