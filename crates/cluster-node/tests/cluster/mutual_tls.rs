//! Nodes that let only those in who show a certificate.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use cluster_node::{Node, StartError};
use happn_client::{Client, ClientConfig, ClientError, Identity, SubscribeOptions, Trust};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::net::TcpStream;

use crate::harness::{Folder, Plan, SOON, cluster, soon, stop, until_peers};

const TRANSPORT: &str = "services.transport.config";
const PROXY: &str = "services.proxy.config";

/// Signs certificates for this machine; its own is in a file.
struct Authority<'f> {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: &'f Folder,
    file: PathBuf,
}

/// A key and a certificate in files.
struct Issued {
    key: PathBuf,
    certificate: PathBuf,
}

impl<'f> Authority<'f> {
    fn new(folder: &'f Folder, name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Two authorities of one name would be told apart by their signatures only.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let own_name = format!("{name} {number}");
        params.distinguished_name.push(DnType::CommonName, own_name);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        let file = folder.file(&format!("{name}.crt"));
        std::fs::write(&file, issuer.pem()).unwrap();
        Self {
            issuer,
            folder,
            file,
        }
    }

    fn issue(&self, name: &str) -> Issued {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let issued = Issued {
            key: self.folder.file(&format!("{name}.key")),
            certificate: self.folder.file(&format!("{name}.pem")),
        };
        std::fs::write(&issued.key, key.serialize_pem()).unwrap();
        std::fs::write(&issued.certificate, certificate.pem()).unwrap();
        issued
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

impl Issued {
    fn identity(&self) -> Identity {
        Identity::files(&self.key, &self.certificate)
    }

    /// A section that shows this certificate.
    fn shown(&self, section: &str, plan: Plan) -> Plan {
        plan.with(&format!("{section}.keyPath"), &text(&self.key))
            .with(&format!("{section}.certPath"), &text(&self.certificate))
    }

    /// An inner server that shows this certificate, trusting `authority`.
    fn inner(&self, authority: &Path, plan: Plan) -> Plan {
        self.shown(TRANSPORT, plan)
            .with(&format!("{TRANSPORT}.mode"), "https")
            .with(&format!("{TRANSPORT}.caPath"), &text(authority))
    }
}

/// A section that asks for certificates of `authority`.
fn asking(section: &str, authority: &Path, required: bool, plan: Plan) -> Plan {
    plan.with(&format!("{section}.clientCaPath"), &text(authority))
        .with(
            &format!("{section}.requireClientCert"),
            &required.to_string(),
        )
}

/// A client of `port` that trusts `authority` and shows `identity`.
async fn client(
    port: u16,
    authority: &Path,
    identity: Option<Identity>,
) -> Result<Client, ClientError> {
    let config = ClientConfig {
        trust: Trust::file(authority),
        identity,
        ..ClientConfig::url(format!("https://localhost:{port}"))
    };
    soon("an answer to a client", Client::connect(config)).await
}

async fn door(node: &Node) -> u16 {
    node.proxy().address().await.unwrap().port()
}

fn told(refused: Result<Client, ClientError>) -> String {
    refused.map(drop).unwrap_err().to_string()
}

/// An event that `from` publishes reaches a client of `to`, both without sockets of their own.
async fn crosses(from: &Node, to: &Node, path: &str) {
    let (from, to) = (
        from.local_client().await.unwrap(),
        to.local_client().await.unwrap(),
    );
    let mut events = to.on(path, SubscribeOptions::default()).await.unwrap();
    from.set(path, &1).await.unwrap();
    let event = soon("the event crosses", events.next()).await.unwrap();
    assert_eq!(event.path(), path);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_with_certificates_are_a_cluster_that_strangers_cannot_enter_or_hold_up() {
    let folder = Folder::new();
    let authority = Authority::new(&folder, "house");
    let own = authority.issue("node");
    let plan = |plan| {
        let plan = own.inner(&authority.file, plan);
        asking(TRANSPORT, &authority.file, true, plan)
    };
    let mut nodes = cluster(&folder, 2, plan).await;
    let inner = nodes[0].address();

    let refused = told(client(inner.port(), &authority.file, None).await);
    assert!(refused.contains("CertificateRequired"), "{refused}");
    let foreign = Authority::new(&folder, "foreign").issue("stranger");
    let refused = told(client(inner.port(), &authority.file, Some(foreign.identity())).await);
    assert!(refused.contains("UnknownCA"), "{refused}");
    // They say nothing, and hold their connections.
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(inner).await.unwrap());
    }
    let third = plan(Plan::in_cluster(&folder, 2)).start().await.unwrap();
    until_peers(&third, 3).await;
    nodes.push(third);
    crosses(&nodes[2], &nodes[0], "/x").await;
    crosses(&nodes[0], &nodes[1], "/y").await;
    let known = client(inner.port(), &authority.file, Some(own.identity())).await;
    known.unwrap().set("/z", &1).await.unwrap();
    drop(silent);
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_secure_nodes_with_certificates_are_one_cluster() {
    let folder = Folder::new();
    let authority = Authority::new(&folder, "house");
    let own = authority.issue("node");
    let users = folder.file("users.json");
    let everybody = r#"{"groups": [{"name": "ALL", "permissions": {"/*": {"actions": ["*"]}}}],
        "users": [{"username": "ann", "password": "s3cret", "groups": ["ALL"]}]}"#;
    std::fs::write(&users, everybody).unwrap();
    let nodes = cluster(&folder, 3, |plan| {
        let plan = asking(
            TRANSPORT,
            &authority.file,
            true,
            own.inner(&authority.file, plan),
        );
        let plan = asking(PROXY, &authority.file, false, own.shown(PROXY, plan));
        plan.with("secure", "true")
            .with("services.security.config.pbkdf2Iterations", "100")
            .with("provision", &text(&users))
    })
    .await;
    let ann = |port: u16| {
        let config = ClientConfig {
            trust: Trust::file(&authority.file),
            credentials: Some(happn_client::Credentials::Password {
                username: "ann".to_owned(),
                password: "s3cret".to_owned(),
            }),
            ..ClientConfig::url(format!("https://localhost:{port}"))
        };
        soon("ann is let in", Client::connect(config))
    };
    let (one, other) = (ann(door(&nodes[0]).await), ann(door(&nodes[2]).await));
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    let mut events = other.on("/x", SubscribeOptions::default()).await.unwrap();
    one.set("/x", &1).await.unwrap();
    let event = soon("the event crosses", events.next()).await.unwrap();
    assert_eq!(event.path(), "/x");
    // The password alone is not enough where a certificate is needed.
    let refused = told(ann(nodes[1].address().port()).await);
    assert!(refused.contains("CertificateRequired"), "{refused}");
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_authority_stays_outside_and_the_others_go_on() {
    let folder = Folder::new();
    let authority = Authority::new(&folder, "house");
    let own = authority.issue("node");
    let plan = |plan| {
        let plan = own.inner(&authority.file, plan);
        asking(TRANSPORT, &authority.file, true, plan)
    };
    let nodes = cluster(&folder, 2, plan).await;
    let foreign = Authority::new(&folder, "foreign");
    let stranger = foreign.issue("stranger");
    // It trusts them, but they do not trust it.
    let outside = stranger
        .inner(&authority.file, Plan::in_cluster(&folder, 3))
        .with("services.orchestrator.config.stabiliseTimeout", "1500");
    let error = outside.start().await.unwrap_err();
    assert!(matches!(error, StartError::Stabilise(_)), "{error:?}");
    crosses(&nodes[0], &nodes[1], "/x").await;
    until_peers(&nodes[0], 2).await;
    stop(nodes).await;
}

/// Every pairing of doors and inner servers with and without TLS, asking for certificates where
/// they can: whoever has one gets through, and whoever has none where none is needed.
#[tokio::test(flavor = "multi_thread")]
async fn doors_and_inner_servers_ask_for_certificates_each_for_itself() {
    let folder = Folder::new();
    let authority = Authority::new(&folder, "house");
    let own = authority.issue("node");
    for (door_tls, inner_tls) in [(false, false), (false, true), (true, false), (true, true)] {
        for required in [true, false] {
            let case = format!("door {door_tls}, inner {inner_tls}, required {required}");
            let stores = Folder::new();
            let nodes = cluster(&stores, 2, |mut plan| {
                if inner_tls {
                    plan = own.inner(&authority.file, plan);
                    plan = asking(TRANSPORT, &authority.file, required, plan);
                }
                if door_tls {
                    plan = own.shown(PROXY, plan);
                    plan = asking(PROXY, &authority.file, required, plan);
                }
                plan
            })
            .await;
            crosses(&nodes[0], &nodes[1], "/x").await;
            let sides = [
                (door(&nodes[0]).await, door_tls),
                (nodes[0].address().port(), inner_tls),
            ];
            for (port, tls) in sides.into_iter().filter(|(_, tls)| *tls) {
                let known = client(port, &authority.file, Some(own.identity())).await;
                known.unwrap().set("/y", &1).await.unwrap();
                let unknown = client(port, &authority.file, None).await;
                assert_eq!(unknown.is_err(), required, "{case}, tls {tls}");
            }
            stop(nodes).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn authorities_and_certificates_are_replaced_without_losing_a_connection() {
    let folder = Folder::new();
    let old = Authority::new(&folder, "authority");
    let own = old.issue("node");
    let early = old.issue("early");
    let plan = |plan| {
        let plan = asking(TRANSPORT, &old.file, true, own.inner(&old.file, plan));
        asking(PROXY, &old.file, true, own.shown(PROXY, plan))
    };
    let mut nodes = cluster(&folder, 2, plan).await;
    let port = door(&nodes[0]).await;
    let connected = client(port, &old.file, Some(early.identity())).await;
    let connected = connected.unwrap();

    // The same files with another authority and what it has signed.
    let new = Authority::new(&folder, "authority");
    let _ = new.issue("node");
    let late = new.issue("late");
    for node in &nodes {
        node.reload_certificates().unwrap();
    }
    connected.set("/x", &1).await.unwrap();
    crosses(&nodes[0], &nodes[1], "/y").await;
    let refused = told(client(port, &new.file, Some(early.identity())).await);
    assert!(refused.contains("UnknownCA"), "{refused}");
    let welcome = client(port, &new.file, Some(late.identity())).await;
    welcome.unwrap().set("/x", &2).await.unwrap();
    // A newcomer knows only the new ones, and the others dial it with theirs.
    let third = plan(Plan::in_cluster(&folder, 2)).start().await.unwrap();
    until_peers(&third, 3).await;
    until_peers(&nodes[0], 3).await;
    nodes.push(third);
    crosses(&nodes[2], &nodes[1], "/z").await;

    std::fs::write(&new.file, "nothing of use").unwrap();
    let told = nodes[0].reload_certificates().unwrap_err().to_string();
    for setting in [
        "transport.config.clientCaPath",
        "transport.config.caPath",
        "proxy.config.clientCaPath",
    ] {
        assert!(
            told.contains(&format!("(services.{setting}) holds no certificate")),
            "{told}"
        );
    }
    connected.set("/x", &3).await.unwrap();
    for node in nodes {
        node.stop(SOON).await;
    }
}
