//! A secure node in memory, and clients without sockets.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use happn_core::{
    Authority, Connection, DataService, Drained, LoginRequest, MemoryStore, Node, Received,
    Session, SystemClock, Via,
};
use happn_protocol::Json;
use happn_security::audit::{Audit, Record};
use happn_security::authority::{AuthorityConfig, SecurityAuthority};
use happn_security::credentials::{Passwords, TokenSecret};
use happn_security::directory::{
    Directory, GroupDraft, GroupName, HashingPool, NameFolding, Password, PermissionSet, StartUp,
    UserDraft, UserName,
};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(10);

pub(crate) struct Secure {
    pub(crate) node: Arc<Node>,
    pub(crate) authority: Arc<SecurityAuthority>,
    pub(crate) directory: Directory,
    pub(crate) secret: TokenSecret,
    pub(crate) refusals: Arc<Refusals>,
}

/// Who was refused what, as it was recorded.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Vec<String>>);

impl Audit for Refusals {
    fn record(&self, record: &Record<'_>) {
        if let Record::Refused {
            actor,
            action,
            path,
            reason,
        } = record
        {
            let line = format!("{} {} {action} {path}: {reason}", actor.name, actor.from);
            self.0.lock().unwrap().push(line);
        }
    }
}

impl Refusals {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A node with the usual configuration.
pub(crate) async fn secure() -> Secure {
    secure_with(|_| ()).await
}

pub(crate) async fn secure_with(change: impl FnOnce(&mut AuthorityConfig)) -> Secure {
    on(&DataService::new(Arc::new(MemoryStore::new())), change).await
}

/// A node on documents that others may share.
pub(crate) async fn on(data: &DataService, change: impl FnOnce(&mut AuthorityConfig)) -> Secure {
    hashing_with(data, 1, change).await
}

/// The same, where a new password takes as many iterations.
pub(crate) async fn hashing_with(
    data: &DataService,
    iterations: u32,
    change: impl FnOnce(&mut AuthorityConfig),
) -> Secure {
    let hashing = HashingPool::new(Arc::new(Passwords::new(iterations)), 2, 64);
    hashed_by(data, hashing, change).await
}

/// The same, with a pool of one's own.
pub(crate) async fn hashed_by(
    data: &DataService,
    hashing: HashingPool,
    change: impl FnOnce(&mut AuthorityConfig),
) -> Secure {
    let clock = Arc::new(SystemClock::new());
    let refusals = Arc::new(Refusals::default());
    let directory = Directory::with_audit(
        data.clone(),
        clock.clone(),
        hashing,
        NameFolding::default(),
        refusals.clone(),
    );
    let mut config = AuthorityConfig::of_node("test");
    change(&mut config);
    let start = StartUp {
        admin_password: Some(Password::new("happn")),
        allow_anonymous: config.allow_anonymous,
        ..StartUp::default()
    };
    let started = directory.start(start).await.unwrap();
    let secret = started.token_secret.clone();
    let authority = SecurityAuthority::new(config, directory.clone(), secret, clock.clone());
    let node = Node::builder("test")
        .data(data.clone())
        .authority(authority.clone())
        .clock(clock)
        .build();
    Secure {
        node,
        authority,
        directory,
        secret: started.token_secret,
        refusals,
    }
}

impl Secure {
    /// A user whose password is its name.
    pub(crate) async fn user(&self, name: &str, groups: &[&str]) {
        let draft = UserDraft::new(name).password(Password::new(name));
        self.directory.upsert_user(draft, true).await.unwrap();
        for group in groups {
            self.link(group, name).await;
        }
    }

    pub(crate) async fn group(&self, name: &str, rules: Value) {
        let draft = GroupDraft::new(name).permissions(permissions(rules));
        self.directory.upsert_group(draft, true).await.unwrap();
    }

    pub(crate) async fn link(&self, group: &str, user: &str) {
        let (group, user) = (GroupName::new(group).unwrap(), UserName::new(user).unwrap());
        let linked = self.directory.link_group(&group, &user, None).await;
        linked.unwrap();
    }

    /// A client that has logged in with its name as password.
    pub(crate) async fn client(&self, name: &str) -> Client {
        let mut client = self.stranger();
        let data = json!({"username": name, "password": name});
        let answer = client.login(&data).await;
        assert_eq!(answer["_meta"]["status"], "ok", "{answer}");
        client
    }

    pub(crate) async fn admin(&self) -> Client {
        let mut client = self.stranger();
        let data = json!({"username": "_ADMIN", "password": "happn"});
        let answer = client.login(&data).await;
        assert_eq!(answer["_meta"]["status"], "ok", "{answer}");
        client
    }

    pub(crate) fn stranger(&self) -> Client {
        self.stranger_at("127.0.0.1")
    }

    pub(crate) fn stranger_at(&self, ip: &str) -> Client {
        Client::of(&self.node, ip)
    }

    /// The token of a login over HTTP.
    pub(crate) async fn http_token(&self, name: &str) -> String {
        let data = Json::encode(&json!({"username": name, "password": name})).unwrap();
        let request = LoginRequest {
            session_id: format!("http-{name}").into(),
            data,
            connection: connection("127.0.0.1"),
            via: Via::Http,
        };
        let admission = self.authority.login(request).await.unwrap();
        admission.token.unwrap().to_string()
    }
}

pub(crate) fn permissions(rules: Value) -> PermissionSet {
    serde_json::from_value(rules).unwrap()
}

pub(crate) fn connection(ip: &str) -> Connection {
    Connection {
        url: "/primus".into(),
        headers: Vec::new(),
        encrypted: false,
        ip: ip.into(),
        port: 1,
        secure: false,
    }
}

/// What a client was refused.
pub(crate) fn refusal(answer: &Value) -> (u64, &str) {
    let error = &answer["_meta"]["error"];
    let code = error["code"].as_u64().unwrap_or_default();
    (code, error["message"].as_str().unwrap_or_default())
}

pub(crate) struct Client {
    node: Arc<Node>,
    pub(crate) session: Arc<Session>,
    pub(crate) token: String,
    event_id: u32,
    frames: VecDeque<Value>,
}

impl Client {
    fn of(node: &Arc<Node>, ip: &str) -> Self {
        let client = Self {
            node: node.clone(),
            session: node.attach(connection(ip)),
            token: String::new(),
            event_id: 0,
            frames: VecDeque::new(),
        };
        let configure = r#"{"action":"configure-session","data":{"protocol":"happn_4"}}"#;
        client.send(configure);
        let mut frames = Vec::new();
        client.session.outbox().drain(&mut frames);
        client
    }

    pub(crate) async fn login(&mut self, data: &Value) -> Value {
        let answer = self.call("login", "", data, &json!({})).await;
        let token = answer["data"]["token"].as_str();
        self.token = token.unwrap_or_default().to_owned();
        answer
    }

    pub(crate) fn send(&self, frame: &str) {
        match self
            .node
            .receive(&self.session, &Bytes::from(frame.to_owned()))
        {
            Received::Done | Received::Control(_) => {}
            Received::Answer(rest) | Received::Blocked(rest) => drop(tokio::spawn(rest)),
        }
    }

    /// Sends a request and waits for its answer; other frames stay queued.
    pub(crate) async fn call(
        &mut self,
        action: &str,
        path: &str,
        data: &Value,
        options: &Value,
    ) -> Value {
        self.event_id += 1;
        let id = self.event_id;
        self.send(
            &json!({"action": action, "eventId": id, "path": path, "data": data, "options": options})
                .to_string(),
        );
        let mut others = VecDeque::new();
        loop {
            let frame = self.next().await;
            let meta = match &frame {
                Value::Array(items) => items.last().unwrap(),
                other => &other["_meta"],
            };
            if meta["eventId"] == id && meta["type"] == "response" {
                others.extend(self.frames.drain(..));
                self.frames = others;
                return frame;
            }
            others.push_back(frame);
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Value {
        self.call("get", path, &Value::Null, &json!({})).await
    }

    pub(crate) async fn set(&mut self, path: &str) -> Value {
        self.call("set", path, &json!({"a": 1}), &json!({})).await
    }

    pub(crate) async fn on(&mut self, channel: &str) -> Value {
        self.call("on", channel, &Value::Null, &json!({})).await
    }

    /// The paths that a `get` of a mask answers.
    pub(crate) async fn found(&mut self, mask: &str) -> Vec<String> {
        let answer = self.get(mask).await;
        let items = answer.as_array().unwrap_or_else(|| panic!("{answer}"));
        let paths = items
            .iter()
            .filter_map(|item| item["_meta"]["path"].as_str());
        paths.map(str::to_owned).collect()
    }

    pub(crate) async fn next(&mut self) -> Value {
        tokio::time::timeout(DEADLINE, async {
            loop {
                self.arrived();
                if let Some(frame) = self.frames.pop_front() {
                    return frame;
                }
                self.session.outbox().ready().await;
            }
        })
        .await
        .expect("a frame within the deadline")
    }

    /// Everything that has arrived and was not looked at.
    pub(crate) fn rest(&mut self) -> Vec<Value> {
        self.arrived();
        self.frames.drain(..).collect()
    }

    fn arrived(&mut self) {
        let mut frames = Vec::new();
        while self.session.outbox().drain(&mut frames) == Drained::Frames {}
        let parsed = frames
            .iter()
            .map(|frame| serde_json::from_slice(frame.payload()).unwrap());
        self.frames.extend(parsed);
    }
}
