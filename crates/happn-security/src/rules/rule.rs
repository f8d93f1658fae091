//! One rule as it is stored: a path, and what is allowed and prohibited there.

use serde_json::{Map, Value};

/// What is allowed and what is prohibited on a path.
///
/// The path may be a mask and may hold templates; an action may be `*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The path, mask or template.
    pub path: String,
    /// What is allowed.
    pub actions: Vec<String>,
    /// What is prohibited, whatever allows it.
    pub prohibit: Vec<String>,
}

/// The actions that a rule may name when it is saved. Stored rules may name others; they are
/// compared as text.
pub const ACTIONS: [&str; 10] = [
    "set", "get", "remove", "on", "*", "delete", "put", "post", "head", "options",
];

/// What a `*` in a path is stored as; a path must not contain it.
const STORED_STAR: &str = "{{w}}";

/// Why rules are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The permissions are no JSON object.
    #[error("permissions must be an object of paths, each with actions, prohibit or both")]
    NotAnObject,
    /// A path's value is no object.
    #[error("the permission on {path} must be an object with actions, prohibit or both")]
    NotAPermission {
        /// The path.
        path: String,
    },
    /// A list of actions is none.
    #[error("{list} of the permission on {path} must be an array of action names")]
    NotActions {
        /// The path.
        path: String,
        /// `actions` or `prohibit`.
        list: &'static str,
    },
    /// An action that does not exist.
    #[error("unknown action {action} in the permission on {path}; known are {}", ACTIONS.join(", "))]
    UnknownAction {
        /// The path.
        path: String,
        /// The action.
        action: String,
    },
    /// An empty path.
    #[error("a permission needs a path")]
    EmptyPath,
    /// A path that could not be told from another one when stored.
    #[error("the path {path} of a permission must not contain {STORED_STAR}")]
    StoredStar {
        /// The path.
        path: String,
    },
}

impl Rule {
    /// The rules of a JSON object `{path: {actions: […], prohibit: […]}}`, in its order. Both
    /// lists may be missing.
    ///
    /// # Errors
    /// When it has another shape. Which actions there are is for [`Rule::check`] to say.
    pub fn read_all(permissions: &Value) -> Result<Vec<Self>, RuleError> {
        let Value::Object(permissions) = permissions else {
            return Err(RuleError::NotAnObject);
        };
        permissions
            .iter()
            .map(|(path, value)| Self::read(path, value))
            .collect()
    }

    fn read(path: &str, value: &Value) -> Result<Self, RuleError> {
        let Value::Object(lists) = value else {
            return Err(RuleError::NotAPermission {
                path: path.to_owned(),
            });
        };
        Ok(Self {
            path: path.to_owned(),
            actions: actions(path, lists, "actions")?,
            prohibit: actions(path, lists, "prohibit")?,
        })
    }

    /// Whether the rule may be saved.
    ///
    /// # Errors
    /// When it names an unknown action or a path that cannot be stored.
    pub fn check(&self) -> Result<(), RuleError> {
        let path = || self.path.clone();
        if self.path.is_empty() {
            return Err(RuleError::EmptyPath);
        }
        if self.path.contains(STORED_STAR) {
            return Err(RuleError::StoredStar { path: path() });
        }
        let mut named = self.actions.iter().chain(&self.prohibit);
        match named.find(|action| !ACTIONS.contains(&action.as_str())) {
            None => Ok(()),
            Some(action) => Err(RuleError::UnknownAction {
                path: path(),
                action: action.clone(),
            }),
        }
    }
}

fn actions(
    path: &str,
    lists: &Map<String, Value>,
    list: &'static str,
) -> Result<Vec<String>, RuleError> {
    let refused = || RuleError::NotActions {
        path: path.to_owned(),
        list,
    };
    match lists.get(list) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(names)) => names
            .iter()
            .map(|name| name.as_str().map(str::to_owned).ok_or_else(refused))
            .collect(),
        Some(_) => Err(refused()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_are_read_from_the_shape_clients_send() {
        let rules =
            Rule::read_all(&json!({"/a/*": {"actions": ["get"]}, "/a/b": {"prohibit": ["*"]}}));
        let rules = rules.unwrap();
        assert_eq!(rules[0].actions, ["get"]);
        assert_eq!(rules[1].prohibit, ["*"]);
        assert_eq!(Rule::read_all(&json!({})), Ok(Vec::new()));
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_named() {
        let problem = |value| Rule::read_all(&value).unwrap_err().to_string();
        assert!(problem(json!([])).contains("an object of paths"));
        assert!(problem(json!({"/a": 5})).contains("permission on /a must be an object"));
        assert!(
            problem(json!({"/a": {"actions": "get"}}))
                .starts_with("actions of the permission on /a")
        );
        let check = |path: &str, action: &str| {
            let actions = vec![action.to_owned()];
            Rule {
                path: path.to_owned(),
                actions,
                ..Rule::default()
            }
            .check()
            .unwrap_err()
            .to_string()
        };
        assert!(
            check("/a", "grab")
                .contains("unknown action grab in the permission on /a; known are set, get")
        );
        assert!(check("/{{w}}", "get").contains("must not contain {{w}}"));
        assert!(check("", "get").contains("needs a path"));
    }
}
