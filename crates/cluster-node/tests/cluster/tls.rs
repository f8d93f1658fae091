//! Nodes that clients and peers reach with TLS.

use std::path::{Path, PathBuf};

use cluster_node::{Node, StartError};
use happn_client::{Client, ClientConfig, ClientError, SubscribeOptions, Trust};
use happn_tls::TlsClient;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Folder, Plan, cluster, credentials, open_and_secure, soon, stop};

open_and_secure!(
    a_node_does_not_replicate_to_itself,
    peers_reach_each_other_with_tls
);

/// A key and a self-signed certificate for this machine.
pub(crate) struct Pem {
    key: PathBuf,
    pub(crate) certificate: PathBuf,
}

impl Pem {
    pub(crate) fn made_in(folder: &Folder, name: &str) -> Self {
        let pem = Self {
            key: folder.file(&format!("{name}.key")),
            certificate: folder.file(&format!("{name}.crt")),
        };
        pem.renew();
        pem
    }

    /// Another key and certificate in the same files.
    pub(crate) fn renew(&self) {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        std::fs::write(&self.key, made.signing_key.serialize_pem()).unwrap();
        std::fs::write(&self.certificate, made.cert.pem()).unwrap();
    }

    pub(crate) fn at(&self, section: &str, plan: Plan) -> Plan {
        let text = |path: &Path| path.display().to_string();
        plan.with(&format!("{section}.keyPath"), &text(&self.key))
            .with(&format!("{section}.certPath"), &text(&self.certificate))
    }

    pub(crate) fn trusted(&self) -> Trust {
        Trust::file(&self.certificate)
    }
}

async fn encrypted_client(node: &Node, trust: Trust) -> Result<Client, ClientError> {
    let address = node.proxy().address().await.unwrap();
    let config = ClientConfig {
        trust,
        credentials: credentials(node),
        ..ClientConfig::url(format!("https://localhost:{}", address.port()))
    };
    soon("the client connects", Client::connect(config)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_reach_the_proxy_with_tls() {
    let folder = Folder::new();
    let pem = Pem::made_in(&folder, "proxy");
    let plan = pem.at("services.proxy.config", Plan::new());
    let node = plan.start().await.unwrap();
    let client = encrypted_client(&node, pem.trusted()).await.unwrap();
    let mut events = client.on("/x", SubscribeOptions::default()).await.unwrap();
    // More than one TLS record, so that something is left for a flush.
    let large = "x".repeat(100_000);
    client.set("/x", &large).await.unwrap();
    let event = soon("the event arrives", events.next()).await.unwrap();
    assert_eq!(event.path(), "/x");
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_trust_the_certificate_stays_away() {
    let folder = Folder::new();
    let pem = Pem::made_in(&folder, "proxy");
    let plan = pem.at("services.proxy.config", Plan::new());
    let node = plan.start().await.unwrap();
    let refused = encrypted_client(&node, Trust::Public).await.unwrap_err();
    assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_shown_after_a_reload_and_connections_live_on() {
    let folder = Folder::new();
    let pem = Pem::made_in(&folder, "proxy");
    let plan = pem.at("services.proxy.config", Plan::new());
    let node = plan.start().await.unwrap();
    let early = encrypted_client(&node, pem.trusted()).await.unwrap();
    pem.renew();
    node.reload_certificates().unwrap();
    let late = encrypted_client(&node, pem.trusted()).await.unwrap();
    early.set("/x", &1).await.unwrap();
    late.set("/x", &2).await.unwrap();

    std::fs::write(&pem.certificate, "nothing of use").unwrap();
    let told = node.reload_certificates().unwrap_err().to_string();
    let expected = "proxy.crt (services.proxy.config.certPath) holds no certificate";
    assert!(told.contains(expected), "{told}");
    late.set("/x", &3).await.unwrap();
    stop(vec![node]).await;
}

async fn peers_reach_each_other_with_tls(folder: Folder) {
    let pem = Pem::made_in(&folder, "inner");
    let authority = pem.certificate.display().to_string();
    let nodes = cluster(&folder, 2, |plan| {
        pem.at("services.transport.config", plan)
            .with("services.transport.config.mode", "https")
            .with("services.transport.config.caPath", &authority)
    })
    .await;
    assert!(
        nodes
            .iter()
            .all(|node| node.orchestrator().peers().len() == 2)
    );
    let one = crate::harness::client(&nodes[0]).await;
    let other = crate::harness::client(&nodes[1]).await;
    let mut events = other.on("/x", SubscribeOptions::default()).await.unwrap();
    one.set("/x", &1).await.unwrap();
    let event = soon("the event crosses", events.next()).await.unwrap();
    assert_eq!(event.path(), "/x");
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_missing_ends_the_start_and_is_named() {
    let folder = Folder::new();
    let pem = Pem::made_in(&folder, "proxy");
    std::fs::remove_file(&pem.certificate).unwrap();
    let plan = pem.at("services.proxy.config", Plan::new());
    let error = plan.start().await.unwrap_err();
    assert!(matches!(error, StartError::Tls(_)), "{error:?}");
    let told = error.to_string();
    let expected = "proxy.crt (services.proxy.config.certPath): No such file";
    assert!(told.contains(expected), "{told}");
}

/// Every pairing of an open or encrypted door with an open or encrypted inner server serves the
/// client script and clients.
#[tokio::test(flavor = "multi_thread")]
async fn doors_and_inner_servers_with_and_without_tls_go_together() {
    let folder = Folder::new();
    let pem = Pem::made_in(&folder, "both");
    for (door, inner) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut plan = Plan::new();
        if door {
            plan = pem.at("services.proxy.config", plan);
        }
        if inner {
            plan = pem
                .at("services.transport.config", plan)
                .with("services.transport.config.mode", "https");
        }
        let node = plan.start().await.unwrap();
        let script = door_page(&node, door.then(|| pem.trusted())).await;
        assert!(script.contains("HappnClient"), "door {door}, inner {inner}");
        let client = match door {
            true => encrypted_client(&node, pem.trusted()).await.unwrap(),
            false => crate::harness::client(&node).await,
        };
        client.set("/x", &7).await.unwrap();
        let item = client.get::<serde_json::Value>("/x").await.unwrap();
        assert_eq!(item.unwrap().data["value"], 7);
        stop(vec![node]).await;
    }
}

async fn door_page(node: &Node, trust: Option<Trust>) -> String {
    let stream = TcpStream::connect(node.proxy().address().await.unwrap());
    let stream = stream.await.unwrap();
    match trust {
        None => script_on(stream).await,
        Some(trust) => {
            let tls = TlsClient::new(&trust).unwrap();
            script_on(tls.connect("localhost", stream).await.unwrap()).await
        }
    }
}

async fn script_on(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
    let request = b"GET /browser_client HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut page = Vec::new();
    // A server may end an encrypted stream without a good-bye.
    let _ = stream.read_to_end(&mut page).await;
    String::from_utf8_lossy(&page).into_owned()
}

async fn a_node_does_not_replicate_to_itself(folder: Folder) {
    let pem = Pem::made_in(&folder, "proxy");
    let plan = pem.at("services.proxy.config", Plan::in_cluster(&folder, 1));
    let node = plan.start().await.unwrap();
    let client = encrypted_client(&node, pem.trusted()).await.unwrap();
    let mut events = client
        .on("/x/*", SubscribeOptions::default())
        .await
        .unwrap();
    for path in ["/x/once", "/x/end"] {
        client.set(path, &1).await.unwrap();
    }
    for path in ["/x/once", "/x/end"] {
        let event = soon("the event arrives", events.next()).await.unwrap();
        assert_eq!(event.path(), path);
    }
    stop(vec![node]).await;
}
