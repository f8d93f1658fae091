//! A secure node whose users have rules, and clients without sockets.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use happn_core::{
    AccountRequest, Admission, Afterwards, Authorisation, Authority, BoxFuture, Connection,
    DataStore, Drained, EventSink, LoginRequest, MemoryStore, Node, Operation, PathFilter,
    Received, Refusal, Session, SessionRights, Write, WriteMode,
};
use happn_paths::Path;
use happn_protocol::Json;
use happn_security::rules::{Decision, Filter, Rule, RuleSet, Settings, Standing};
use serde_json::{Value, json};

/// How long anything may take before a test gives up.
const DEADLINE: Duration = Duration::from_secs(10);

/// A node with documents and users.
pub(crate) struct House {
    node: Arc<Node>,
}

impl House {
    /// A node that holds documents at `paths` and knows `bob`, who may do what `permissions` say,
    /// and `admin`, an administrator.
    pub(crate) async fn new(permissions: Value, paths: &[&str]) -> Self {
        let store = Arc::new(MemoryStore::new());
        for path in paths {
            store.upsert(document(path)).await.unwrap();
        }
        let bob = rules(&permissions, Standing::Ordinary);
        let admin = rules(&json!({"*": {"actions": ["*"]}}), Standing::Admin);
        let users = HashMap::from([("bob".to_owned(), bob), ("admin".to_owned(), admin)]);
        let authority = Arc::new(ByRules { users });
        let node = Node::builder("house")
            .store(store)
            .authority(authority)
            .build();
        Self { node }
    }

    /// The node itself publishes something.
    pub(crate) fn happens(&self, path: &str) {
        self.node.originate(path, &Json::EMPTY_OBJECT);
    }

    pub(crate) fn stranger(&self) -> Client {
        let session = self.node.attach(Connection::in_process());
        let mut client = Client {
            node: self.node.clone(),
            session,
            frames: Vec::new(),
            requests: 0,
        };
        client.send(&json!({"action": "configure-session", "data": {"protocol": "happn_4"}}));
        client.events();
        client
    }

    pub(crate) async fn client(&self, username: &str) -> Client {
        let mut client = self.stranger();
        let answer = client
            .ask(json!({"action": "login", "data": {"username": username}}))
            .await;
        assert_eq!(answer["_meta"]["status"], "ok", "{answer}");
        client
    }
}

fn document(path: &str) -> Write {
    Write {
        path: Path::for_set(path).unwrap(),
        data: Json::encode(&json!({"secret": "T0p"})).unwrap(),
        mode: WriteMode::Replace,
        at: 1,
        modified_by: None,
    }
}

fn rules(permissions: &Value, standing: Standing) -> Arc<RuleSet> {
    let settings = Settings {
        standing,
        ..Settings::default()
    };
    let rules = Rule::read_all(permissions).unwrap();
    Arc::new(RuleSet::compile(&rules, &json!({}), settings))
}

/// A client whose frames are handed over by hand.
pub(crate) struct Client {
    node: Arc<Node>,
    session: Arc<Session>,
    frames: Vec<Value>,
    requests: u32,
}

impl Client {
    pub(crate) async fn get(&mut self, path: &str) -> Value {
        self.ask(json!({"action": "get", "path": path})).await
    }

    pub(crate) async fn count(&mut self, path: &str) -> Value {
        self.ask(json!({"action": "count", "path": path})).await
    }

    pub(crate) async fn set(&mut self, path: &str) -> Value {
        self.ask(json!({"action": "set", "path": path, "data": {"a": 1}}))
            .await
    }

    pub(crate) async fn on(&mut self, channel: &str) -> Value {
        self.ask(json!({"action": "on", "path": channel, "data": null}))
            .await
    }

    /// Sends a request and waits for its answer; events before it are kept.
    pub(crate) async fn ask(&mut self, mut request: Value) -> Value {
        self.requests += 1;
        request["eventId"] = self.requests.into();
        self.send(&request);
        let wanted = |frame: &Value| {
            let meta = match frame {
                Value::Array(items) => items.last().unwrap_or(&Value::Null),
                frame => &frame["_meta"],
            };
            meta["type"] == "response" && meta["eventId"] == request["eventId"]
        };
        tokio::time::timeout(DEADLINE, async {
            loop {
                self.arrive();
                if let Some(at) = self.frames.iter().position(wanted) {
                    return self.frames.remove(at);
                }
                self.session.outbox().ready().await;
            }
        })
        .await
        .unwrap()
    }

    /// The paths of the events that have arrived.
    pub(crate) fn events(&mut self) -> Vec<String> {
        self.arrive();
        let events = self.frames.drain(..);
        events
            .filter_map(|event| event["_meta"]["path"].as_str().map(str::to_owned))
            .collect()
    }

    fn send(&self, request: &Value) {
        let frame = Bytes::from(request.to_string());
        match self.node.receive(&self.session, &frame) {
            Received::Done | Received::Control(_) => {}
            Received::Answer(rest) | Received::Blocked(rest) => drop(tokio::spawn(rest)),
        }
    }

    fn arrive(&mut self) {
        let mut frames = Vec::new();
        while self.session.outbox().drain(&mut frames) == Drained::Frames {}
        let parsed = frames
            .iter()
            .map(|frame| serde_json::from_slice(frame.payload()).unwrap());
        self.frames.extend(parsed);
    }
}

/// The paths in a list that was answered.
pub(crate) fn paths(answer: &Value) -> Vec<String> {
    let items = answer
        .as_array()
        .unwrap_or_else(|| panic!("a list: {answer}"))
        .iter();
    items
        .filter_map(|item| item["_meta"]["path"].as_str().map(str::to_owned))
        .collect()
}

#[track_caller]
pub(crate) fn assert_refused(answer: &Value) {
    assert_eq!(answer["_meta"]["error"]["code"], 403, "{answer}");
}

#[track_caller]
pub(crate) fn assert_ok(answer: &Value) {
    assert_eq!(answer["_meta"]["status"], "ok", "{answer}");
}

/// Everybody who is known may log in.
struct ByRules {
    users: HashMap<String, Arc<RuleSet>>,
}

impl Authority for ByRules {
    fn is_secure(&self) -> bool {
        true
    }

    fn login(&self, request: LoginRequest) -> BoxFuture<'static, Result<Admission, Refusal>> {
        let data: Value = request.data.decode().unwrap();
        let username = data["username"].as_str().unwrap();
        let rights = Rights {
            username: username.into(),
            session_id: request.session_id,
            rules: self.users[username].clone(),
        };
        let admission = Admission {
            members: Json::EMPTY_OBJECT,
            rights: Some(Arc::new(rights)),
            token: None,
            may_be_node: false,
        };
        Box::pin(async move { Ok(admission) })
    }

    fn bearer(&self, _token: &str) -> BoxFuture<'static, Result<Arc<dyn SessionRights>, Refusal>> {
        Box::pin(async { Err(Refusal::no_login()) })
    }
}

#[derive(Debug)]
struct Rights {
    username: Arc<str>,
    session_id: Arc<str>,
    rules: Arc<RuleSet>,
}

impl SessionRights for Rights {
    fn username(&self) -> &Arc<str> {
        &self.username
    }

    fn session_id(&self) -> &Arc<str> {
        &self.session_id
    }

    fn authorise(&self, operation: Operation<'_>, path: &str) -> Authorisation {
        let action = match operation {
            Operation::Count => "get",
            other => other.as_str(),
        };
        let only = |filter: Filter| -> Arc<dyn PathFilter> { Arc::new(Only(filter)) };
        match self.rules.decide(action, path) {
            Decision::Allowed => Authorisation::Allowed(self.rules.filter(action, path).map(only)),
            _ => match self.rules.nested(action, path) {
                Some(filter) => Authorisation::Allowed(Some(only(filter))),
                None => Authorisation::Denied(Refusal::denied(403, "unauthorized")),
            },
        }
    }

    fn may_keep(&self, mask: &str) -> Authorisation {
        self.authorise(Operation::On, mask)
    }

    fn on_behalf_of(
        &self,
        _user: &str,
    ) -> BoxFuture<'static, Result<Arc<dyn SessionRights>, Refusal>> {
        Box::pin(async { Err(Refusal::no_login()) })
    }

    fn account(&self, _request: AccountRequest) -> BoxFuture<'static, Result<Afterwards, Refusal>> {
        Box::pin(async { Ok(None) })
    }
}

#[derive(Debug)]
struct Only(Filter);

impl PathFilter for Only {
    fn admits(&self, path: &str) -> bool {
        self.0.allows(path)
    }
}
