//! Starting nodes and clients, and hearing what clients hear.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cluster_node::config::{Config, FlagValue, Settings, Sources};
use cluster_node::{Node, StartError};
use happn_client::{Client, ClientConfig, Credentials, SubscribeOptions, Subscription};
use serde_json::json;
use testkit::Relay;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Says where a MongoDB is; `cargo xtask mongo` sets it.
const MONGO_URL: &str = "HAPPN_TEST_MONGO_URL";

/// How long anything that must happen may take on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Who is in charge of secure nodes.
pub(crate) const ADMIN_PASSWORD: &str = "of the administrator";

/// Makes tests of behaviours that are the same on open nodes and on secure ones: each is a function
/// of the folder that its nodes share.
macro_rules! open_and_secure {
    ($($behaviour:ident),+ $(,)?) => {
        mod open {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                super::$behaviour(crate::harness::Folder::new()).await;
            })+
        }
        mod secure {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                super::$behaviour(crate::harness::Folder::of_secure_nodes()).await;
            })+
        }
    };
}
pub(crate) use open_and_secure;

/// A directory that vanishes with the test.
pub(crate) struct Folder {
    path: PathBuf,
    /// The nodes that share it are secure.
    is_secure: bool,
}

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cluster-node-nodes-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        let is_secure = false;
        Self { path, is_secure }
    }

    pub(crate) fn of_secure_nodes() -> Self {
        let mut folder = Self::new();
        folder.is_secure = true;
        folder
    }

    pub(crate) fn database(&self) -> String {
        self.file("happn.sqlite").display().to_string()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// The settings of a node to be: quick timing, loopback, free ports, no file.
pub(crate) struct Plan(Vec<(String, String)>);

impl Plan {
    pub(crate) fn new() -> Self {
        let timing = "services.orchestrator.config.timing";
        Self(Vec::new())
            .with("host", "127.0.0.1")
            .with("port", "0")
            .with("services.proxy.config.host", "127.0.0.1")
            .with("services.proxy.config.port", "0")
            .with(
                "services.data.config.datastores",
                r#"[{"provider": "memory"}]"#,
            )
            .with(&format!("{timing}.keepAlive"), "400")
            .with(&format!("{timing}.keepAliveThreshold"), "4000")
            .with(&format!("{timing}.memberRefresh"), "200")
    }

    /// A node that shares `folder`'s database and is stable with `minimum` nodes.
    pub(crate) fn in_cluster(folder: &Folder, minimum: u32) -> Self {
        let plan = Self::new()
            .with("services.data.config.datastores", &folder.database())
            .with(
                "services.orchestrator.config.minimumPeers",
                &minimum.to_string(),
            );
        match folder.is_secure {
            true => plan.secure(),
            false => plan,
        }
    }

    /// The same with users; whoever makes the first one makes an administrator everybody knows.
    pub(crate) fn secure(self) -> Self {
        let security = "services.security.config";
        self.with("secure", "true")
            .with(&format!("{security}.pbkdf2Iterations"), "100")
            .with(&format!("{security}.adminUser.password"), ADMIN_PASSWORD)
    }

    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.0.push((key.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn settings(self) -> Settings {
        let flag = |(key, text)| FlagValue {
            flag: "test".into(),
            key,
            text,
        };
        let sources = Sources {
            flags: self.0.into_iter().map(flag).collect(),
            ..Sources::default()
        };
        let config = Config::load(&sources).unwrap();
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        config.settings
    }

    pub(crate) async fn start(self) -> Result<Node, StartError> {
        soon("the node starts", Node::start(&self.settings())).await
    }

    pub(crate) async fn bind(self) -> Node {
        Node::bind(&self.settings()).await.unwrap()
    }
}

/// A collection of a MongoDB, to be cleared.
pub(crate) struct Collection(String);

impl Collection {
    /// A new one; none, and that loudly, where there is no MongoDB.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let Ok(url) = std::env::var(MONGO_URL) else {
            let hint =
                format!("{MONGO_URL} is not set; run this by `cargo xtask mongo -- cargo test …`");
            assert!(std::env::var_os("CI").is_none(), "{hint}");
            eprintln!("LEFT OUT: {hint}");
            return None;
        };
        let collection = format!("{name}-{}", std::process::id());
        let settings = json!({"url": url, "database": "happn-test", "collection": collection});
        let stores = json!([{"provider": "mongo", "isDefault": true, "settings": settings}]);
        Some(Self(stores.to_string()))
    }

    /// A node that keeps its documents there and is stable with `minimum` nodes.
    pub(crate) fn plan(&self, minimum: u32) -> Plan {
        Plan::new()
            .with("services.data.config.datastores", &self.0)
            .with(
                "services.orchestrator.config.minimumPeers",
                &minimum.to_string(),
            )
    }

    /// Removes everything.
    pub(crate) async fn clear(self) {
        let node = self.plan(1).start().await.unwrap();
        client(&node).await.remove("*").await.unwrap();
        node.stop(SOON).await;
    }
}

/// A node of one of several services on `folder`'s database; `cluster` says how many it needs.
pub(crate) fn of_service(folder: &Folder, service: &str, cluster: &str) -> Plan {
    Plan::in_cluster(folder, 1)
        .with("services.orchestrator.config.serviceName", service)
        .with("services.orchestrator.config.cluster", cluster)
}

pub(crate) async fn all_ready(nodes: &[Node]) {
    for node in nodes {
        soon("the node is ready", node.ready()).await.unwrap();
    }
}

/// `number` nodes on one database, all stable.
pub(crate) async fn cluster(
    folder: &Folder,
    number: u32,
    plan: impl Fn(Plan) -> Plan,
) -> Vec<Node> {
    let mut nodes = Vec::new();
    for _ in 0..number {
        nodes.push(plan(Plan::in_cluster(folder, number)).bind().await);
    }
    all_ready(&nodes).await;
    nodes
}

/// Nodes that reach each other through relays only, at addresses of their own.
pub(crate) async fn relayed(folder: &Folder, number: u8) -> (Vec<Node>, Vec<Relay>) {
    let (mut nodes, mut relays) = (Vec::new(), Vec::new());
    for at in 1..=number {
        let port = free_port().await;
        let announced = SocketAddr::from(([127, 0, 2, at], port));
        let inner = SocketAddr::from(([127, 0, 0, 1], port));
        relays.push(Relay::start(announced, inner).await.unwrap());
        let plan = Plan::in_cluster(folder, number.into())
            .with("port", &port.to_string())
            .with("announceHost", &announced.ip().to_string());
        nodes.push(plan.bind().await);
    }
    all_ready(&nodes).await;
    (nodes, relays)
}

/// Stops all nodes at once.
pub(crate) async fn stop(nodes: Vec<Node>) {
    let stops: Vec<_> = nodes
        .into_iter()
        .map(|node| tokio::spawn(node.stop(SOON)))
        .collect();
    for stop in stops {
        stop.await.unwrap();
    }
}

/// A client of the node's proxy; on a secure node it is the administrator.
pub(crate) async fn client(node: &Node) -> Client {
    let address = node.proxy().address().await.expect("the proxy is open");
    client_of(node, address).await
}

/// The same at another address of the node.
pub(crate) async fn client_of(node: &Node, address: SocketAddr) -> Client {
    let config = ClientConfig {
        credentials: credentials(node),
        ..ClientConfig::new(&address.ip().to_string(), address.port())
    };
    soon("a client connects", Client::connect(config))
        .await
        .unwrap()
}

/// What a client of the node logs in with.
pub(crate) fn credentials(node: &Node) -> Option<Credentials> {
    node.directory().map(|_| Credentials::Password {
        username: "_ADMIN".to_owned(),
        password: ADMIN_PASSWORD.to_owned(),
    })
}

/// A client that never answers a good-bye.
pub(crate) async fn deaf_client(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /primus HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 101");
    stream
}

/// A client with its ears open.
pub(crate) struct Listener {
    pub(crate) client: Client,
    subscription: Subscription,
}

impl Listener {
    pub(crate) async fn on(node: &Node, mask: &str) -> Self {
        let client = client(node).await;
        let subscription = client.on(mask, SubscribeOptions::default()).await.unwrap();
        Self {
            client,
            subscription,
        }
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> happn_client::Event {
        let next = soon("an event arrives", self.subscription.next()).await;
        next.expect("the client lives")
    }

    /// The paths and data of all events up to one on `last`, which does not count.
    pub(crate) async fn until(&mut self, last: &str) -> Vec<(String, String)> {
        let mut heard = Vec::new();
        loop {
            let event = self.next().await;
            if event.path() == last {
                return heard;
            }
            heard.push((event.path().to_owned(), event.json().as_str().to_owned()));
        }
    }
}

/// Fails the test when `work` takes too long.
pub(crate) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(SOON, Box::pin(work)).await {
        Ok(done) => done,
        Err(_) => panic!("not within {SOON:?}: {what}"),
    }
}

/// Waits until the node counts so many peers, itself included.
pub(crate) async fn until_peers(node: &Node, number: usize) {
    let mut view = node.orchestrator().view();
    let counts = |view: &std::sync::Arc<cluster_orchestrator::View>| {
        view.members.iter().filter(|member| member.is_peer).count() == number
    };
    let what = format!("{} has {number} peers", node.name());
    soon(&what, view.wait_for(counts)).await.unwrap();
}

/// A port that nobody listens on right now.
pub(crate) async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

pub(crate) async fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).await.is_ok()
}
