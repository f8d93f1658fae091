//! An authority that does what a test says.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, Weak};

use happn_core::{
    AccountRequest, Admission, Afterwards, Authorisation, Authority, BoxFuture, LoginRequest, Node,
    Operation, PathFilter, Refusal, SessionControl, SessionRights,
};
use happn_protocol::{Json, WireError};
use serde_json::{Value, json};

/// A secure node, and what its authority is told.
pub(crate) struct Guard {
    node: Arc<Node>,
    rules: Arc<Rules>,
}

#[derive(Debug, Default)]
struct Rules {
    sessions: OnceLock<Weak<dyn SessionControl>>,
    now: Mutex<Now>,
}

#[derive(Clone, Debug, Default)]
struct Now {
    refused: HashSet<String>,
    hidden: HashSet<String>,
    is_slow: bool,
    is_expired: bool,
}

pub(crate) fn secure_node() -> Guard {
    let rules = Arc::new(Rules::default());
    let node = Node::builder("test")
        .authority(Arc::new(TestAuthority(rules.clone())))
        .build();
    Guard { node, rules }
}

impl Guard {
    pub(crate) fn node(&self) -> Arc<Node> {
        self.node.clone()
    }

    pub(crate) fn refuse(&self, path: &str) {
        self.change(|now| now.refused.insert(path.to_owned()));
    }

    pub(crate) fn allow(&self, path: &str) {
        self.change(|now| now.refused.remove(path));
    }

    pub(crate) fn hide(&self, path: &str) {
        self.change(|now| now.hidden.insert(path.to_owned()));
    }

    pub(crate) fn be_slow(&self) {
        self.change(|now| now.is_slow = true);
    }

    pub(crate) fn expire(&self) {
        self.change(|now| now.is_expired = true);
    }

    pub(crate) async fn recheck(&self, session_id: &str) {
        self.control().recheck(session_id).await;
    }

    pub(crate) fn tell(&self, session_id: &str, change: &Value) {
        let change = Json::encode(change).unwrap();
        self.control().tell(session_id, &change);
    }

    fn control(&self) -> Arc<dyn SessionControl> {
        self.rules.control()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Now) -> T) {
        change(&mut self.rules.now.lock().unwrap());
    }
}

impl Rules {
    fn control(&self) -> Arc<dyn SessionControl> {
        self.sessions.get().unwrap().upgrade().unwrap()
    }
}

struct TestAuthority(Arc<Rules>);

impl Authority for TestAuthority {
    fn is_secure(&self) -> bool {
        true
    }

    fn attach(&self, sessions: Weak<dyn SessionControl>) {
        self.0.sessions.set(sessions).ok().unwrap();
    }

    fn login(&self, request: LoginRequest) -> BoxFuture<'static, Result<Admission, Refusal>> {
        let data: Value = request.data.decode().unwrap();
        let username = data["username"].as_str().unwrap();
        let answer = match username {
            "nobody" => Err(Refusal::denied(401, "Invalid credentials")),
            _ => Ok(Admission {
                members: Json::encode(&json!({"user": {"username": username}})).unwrap(),
                rights: Some(rights(username, &request.session_id, &self.0)),
                token: None,
                may_be_node: username == "_ADMIN",
            }),
        };
        Box::pin(async move { answer })
    }

    fn bearer(&self, _token: &str) -> BoxFuture<'static, Result<Arc<dyn SessionRights>, Refusal>> {
        Box::pin(async { Err(Refusal::no_login()) })
    }
}

fn rights(username: &str, session_id: &str, rules: &Arc<Rules>) -> Arc<dyn SessionRights> {
    Arc::new(Rights {
        username: username.into(),
        session_id: session_id.into(),
        rules: rules.clone(),
    })
}

#[derive(Debug)]
struct Rights {
    username: Arc<str>,
    session_id: Arc<str>,
    rules: Arc<Rules>,
}

impl SessionRights for Rights {
    fn username(&self) -> &Arc<str> {
        &self.username
    }

    fn session_id(&self) -> &Arc<str> {
        &self.session_id
    }

    fn authorise(&self, _operation: Operation<'_>, path: &str) -> Authorisation {
        let now = self.rules.now.lock().unwrap().clone();
        if now.is_expired {
            let refusal = Refusal::denied(403, "expired session token");
            return Authorisation::Denied(refusal.ending("token-expired"));
        }
        let decision = decide(&now, path);
        if now.is_slow {
            return Authorisation::Pending(Box::pin(async move {
                tokio::task::yield_now().await;
                decision
            }));
        }
        match decision {
            Ok(only) => Authorisation::Allowed(only),
            Err(refusal) => Authorisation::Denied(refusal),
        }
    }

    fn may_keep(&self, mask: &str) -> Authorisation {
        self.authorise(Operation::On, mask)
    }

    fn on_behalf_of(
        &self,
        user: &str,
    ) -> BoxFuture<'static, Result<Arc<dyn SessionRights>, Refusal>> {
        let mut refusal = WireError::access_denied(403, "unauthorized");
        let reason = Json::parse(r#""on behalf of user does not exist""#).unwrap();
        refusal.members.push(("reason", reason));
        let answer = match user {
            "nobody" => Err(refusal.into()),
            _ => Ok(rights(user, &format!("hidden-{user}"), &self.rules)),
        };
        Box::pin(async move { answer })
    }

    fn account(&self, _request: AccountRequest) -> BoxFuture<'static, Result<Afterwards, Refusal>> {
        let (control, session_id) = (self.rules.control(), self.session_id.clone());
        Box::pin(async move {
            let then: BoxFuture<'static, ()> = Box::pin(async move {
                assert!(control.end(&session_id, "token-revoked"));
            });
            Ok(Some(then))
        })
    }
}

fn decide(now: &Now, path: &str) -> Result<Option<Arc<dyn PathFilter>>, Refusal> {
    if now.refused.contains(path) {
        return Err(Refusal::denied(403, "unauthorized"));
    }
    let hides = path.contains('*') && !now.hidden.is_empty();
    let only: Arc<dyn PathFilter> = Arc::new(Hidden(now.hidden.clone()));
    Ok(hides.then_some(only))
}

#[derive(Debug)]
struct Hidden(HashSet<String>);

impl PathFilter for Hidden {
    fn admits(&self, path: &str) -> bool {
        !self.0.contains(path)
    }
}
