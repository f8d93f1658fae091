//! A secure node in memory with its admin listener, and whoever asks it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cluster_admin::{AdminConfig, AdminServer, Api, ApiConfig, Site};
use happn_core::{
    Clock, Connection, DataService, MemoryStore, Node, Received, Session, SystemClock,
};
use happn_security::audit::{Audit, Record};
use happn_security::authority::{AuthorityConfig, SecurityAuthority};
use happn_security::credentials::{Passwords, TokenSecret};
use happn_security::directory::{
    Directory, HashingPool, NameFolding, Password, StartUp, UserDraft,
};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpSocket;

pub(crate) const SOON: Duration = Duration::from_secs(20);
pub(crate) const ADMIN_PASSWORD: &str = "s3cret-of-admin";
const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(crate) struct Secure {
    pub(crate) server: AdminServer,
    pub(crate) node: Arc<Node>,
    pub(crate) authority: Arc<SecurityAuthority>,
    pub(crate) directory: Directory,
    pub(crate) records: Arc<Records>,
}

/// What was recorded, one line each.
#[derive(Default)]
pub(crate) struct Records(Mutex<Vec<String>>);

impl Audit for Records {
    fn record(&self, record: &Record<'_>) {
        let line = match record {
            Record::Changed {
                actor,
                kind,
                object,
            } => format!("{} {}: {kind}: {object}", actor.name, actor.from),
            Record::Refused {
                actor,
                action,
                path,
                reason,
            } => {
                let (who, from) = (&actor.name, &actor.from);
                format!("{who} {from}: refused {action} {path}: {reason}")
            }
        };
        self.0.lock().unwrap().push(line);
    }
}

impl Records {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

pub(crate) struct Setup {
    pub(crate) admin: AdminConfig,
    pub(crate) api: ApiConfig,
    pub(crate) authority: AuthorityConfig,
}

pub(crate) async fn secure() -> Secure {
    secure_with(|_| ()).await
}

pub(crate) async fn secure_with(change: impl FnOnce(&mut Setup)) -> Secure {
    let mut setup = Setup {
        admin: AdminConfig::on("127.0.0.1", 0),
        api: ApiConfig::default(),
        authority: AuthorityConfig::of_node("test"),
    };
    change(&mut setup);
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let hashing = HashingPool::new(Arc::new(Passwords::new(1)), 2, 64);
    let records = Arc::new(Records::default());
    let directory = Directory::with_audit(
        data.clone(),
        clock.clone(),
        hashing,
        NameFolding::default(),
        records.clone(),
    );
    let start = StartUp {
        admin_password: Some(Password::new(ADMIN_PASSWORD)),
        ..StartUp::default()
    };
    let started = directory.start(start).await.unwrap();
    let secret = TokenSecret::new(started.token_secret.reveal()).unwrap();
    let authority =
        SecurityAuthority::new(setup.authority, directory.clone(), secret, clock.clone());
    let node = Node::builder("test")
        .data(data)
        .authority(authority.clone())
        .clock(clock)
        .build();
    let api = Api::new(node.clone(), Some(authority.clone()), setup.api);
    let site = Arc::new(Site::default().with_api(api));
    let server = AdminServer::bind(setup.admin, site).await.unwrap();
    Secure {
        server,
        node,
        authority,
        directory,
        records,
    }
}

/// A listener of a node without users.
pub(crate) async fn open() -> AdminServer {
    let api = Api::new(Node::builder("open").build(), None, ApiConfig::default());
    let site = Arc::new(Site::default().with_api(api));
    let config = AdminConfig::on("127.0.0.1", 0);
    AdminServer::bind(config, site).await.unwrap()
}

impl Secure {
    /// An administrator who has logged in.
    pub(crate) async fn admin(&self) -> Caller {
        let mut caller = Caller::of(&self.server).await;
        let token = caller.log_in("_ADMIN", ADMIN_PASSWORD).await;
        caller.token = token;
        caller
    }

    /// A user whose password is its name.
    pub(crate) async fn user(&self, name: &str) {
        let draft = UserDraft::new(name).password(Password::new(name));
        self.directory.upsert_user(draft, true).await.unwrap();
    }

    /// A client with a connection that has logged in with `data`.
    pub(crate) async fn client(&self, data: &Value) -> Client {
        let connection = Connection {
            url: "/primus".into(),
            headers: Vec::new(),
            encrypted: false,
            ip: "10.1.2.3".into(),
            port: 1,
            secure: false,
        };
        let client = Client {
            session: self.node.attach(connection),
        };
        let configure = json!({"action": "configure-session", "data": {"protocol": "happn_4"}});
        let login = json!({"action": "login", "eventId": 1, "data": data});
        for frame in [configure, login] {
            let frame = Bytes::from(frame.to_string());
            match self.node.receive(&client.session, &frame) {
                Received::Done | Received::Control(_) => {}
                Received::Answer(rest) | Received::Blocked(rest) => rest.await,
            }
        }
        let answer = client.hears("\"token\"").await;
        assert!(answer.contains("\"ok\""), "{answer}");
        client
    }
}

pub(crate) struct Client {
    pub(crate) session: Arc<Session>,
}

impl Client {
    pub(crate) fn id(&self) -> String {
        self.session.id().to_string()
    }

    /// The first frames that hold `text`.
    pub(crate) async fn hears(&self, text: &str) -> String {
        soon(async {
            loop {
                let mut frames = Vec::new();
                self.session.outbox().drain(&mut frames);
                let payloads = frames
                    .iter()
                    .map(|it| String::from_utf8_lossy(it.payload()));
                let heard = payloads.collect::<Vec<_>>().join("\n");
                if heard.contains(text) {
                    return heard;
                }
                self.session.outbox().ready().await;
            }
        })
        .await
    }
}

/// Fails the test when `work` takes too long.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(SOON, Box::pin(work)).await;
    done.expect("it is done soon")
}

/// Somebody who asks, over one connection as long as it lives.
pub(crate) struct Caller {
    pub(crate) token: String,
    address: SocketAddr,
    from: IpAddr,
    connection: Option<SendRequest<Full<Bytes>>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn kind(&self) -> &str {
        self.body["error"]["kind"].as_str().unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn problems(&self) -> Vec<&str> {
        let problems = self.body["error"]["problems"].as_array();
        problems
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// Status and kind of a refusal.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.kind())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Caller {
    pub(crate) async fn of(server: &AdminServer) -> Self {
        Self::from(server, LOCAL).await
    }

    /// Somebody at another address of this machine.
    pub(crate) async fn from(server: &AdminServer, from: IpAddr) -> Self {
        let mut address = server.address();
        if address.ip().is_unspecified() {
            address.set_ip(from);
        }
        Self {
            token: String::new(),
            address,
            from,
            connection: None,
        }
    }

    pub(crate) async fn log_in(&mut self, username: &str, password: &str) -> String {
        let answer = self.try_log_in(username, password).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn try_log_in(&mut self, username: &str, password: &str) -> Answer {
        let body = json!({"username": username, "password": password});
        self.ask("POST", "/login", &body).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, &Value::Null).await
    }

    pub(crate) async fn put(&mut self, path: &str, body: &Value) -> Answer {
        self.ask("PUT", path, body).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, body).await
    }

    pub(crate) async fn delete(&mut self, path: &str) -> Answer {
        self.ask("DELETE", path, &Value::Null).await
    }

    /// Asks with a JSON body, unless it is null.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        match body {
            Value::Null => self.send(method, path, &[], "").await,
            body => {
                let media_type = ("content-type", "application/json");
                self.send(method, path, &[media_type], &body.to_string())
                    .await
            }
        }
    }

    /// Asks with these headers, besides that of the token.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("host", self.address.to_string());
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.to_owned())).unwrap();
        soon(self.exchange(request)).await
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Answer {
        let mut connection = match self.connection.take() {
            Some(connection) if !connection.is_closed() => connection,
            _ => self.connect().await,
        };
        connection.ready().await.unwrap();
        let response = connection.send_request(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        self.connection = Some(connection);
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: match body.is_empty() {
                true => Value::Null,
                false => serde_json::from_slice(&body).expect("every answer is JSON"),
            },
        }
    }

    async fn connect(&self) -> SendRequest<Full<Bytes>> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((self.from, 0).into()).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }
}
