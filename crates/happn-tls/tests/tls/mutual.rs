//! Servers that ask clients for a certificate.

use std::sync::Arc;

use happn_tls::{Clients, Identity, PemSource, TlsClient, TlsServer, Trust};
use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

use crate::stage::{Authority, Folder, hello};

/// A server whose own certificate any client accepts, and its clients.
fn server(authority: &Authority, clients: impl FnOnce(Vec<PemSource>) -> Clients) -> TlsServer {
    let own = Authority::new().certify(|_| {});
    let clients = clients(vec![PemSource::text(authority.pem())]);
    TlsServer::admitting(own, clients).unwrap()
}

fn client(identity: Option<Identity>) -> TlsClient {
    TlsClient::showing(&Trust::Anyone, identity).unwrap()
}

async fn refusal(server: &TlsServer, client: &TlsClient) -> String {
    hello(server, client, "localhost").await.unwrap_err()
}

#[tokio::test]
async fn who_shows_a_certificate_of_the_authority_is_let_in() {
    let authority = Authority::new();
    let known = client(Some(authority.certify(|_| {})));
    for server in [
        server(&authority, Clients::MustShow),
        server(&authority, Clients::MayShow),
        server(&authority, |_| Clients::Anyone),
    ] {
        assert_eq!(hello(&server, &known, "localhost").await.unwrap(), "hello");
    }
}

#[tokio::test]
async fn who_shows_none_is_let_in_only_where_that_is_enough() {
    let authority = Authority::new();
    let may = server(&authority, Clients::MayShow);
    assert_eq!(
        hello(&may, &client(None), "localhost").await.unwrap(),
        "hello"
    );
    let must = server(&authority, Clients::MustShow);
    let refused = refusal(&must, &client(None)).await;
    assert!(refused.contains("sent no certificates"), "{refused}");
}

#[tokio::test]
async fn a_wrong_certificate_is_refused_even_where_none_would_do() {
    let authority = Authority::new();
    let foreign = Authority::new().certify(|_| {});
    let only_servers = authority.certify(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    for clients in [Clients::MustShow, Clients::MayShow] {
        let server = server(&authority, clients);
        let refused = refusal(&server, &client(Some(foreign.clone()))).await;
        assert!(refused.contains("UnknownIssuer"), "{refused}");
        let refused = refusal(&server, &client(Some(only_servers.clone()))).await;
        assert!(
            refused.contains("InvalidPurpose") || refused.contains("extended key usage"),
            "{refused}"
        );
    }
}

/// Shown by a client that does not look at its own certificate, as ours would.
#[tokio::test]
async fn a_certificate_that_has_run_out_is_refused() {
    let (authority, house) = (Authority::new(), Authority::new());
    let clients = Clients::MayShow(vec![PemSource::text(authority.pem())]);
    let server = TlsServer::admitting(house.certify(|_| {}), clients).unwrap();
    let (key, certificate) = authority.certificate(|params| {
        params.not_after = date_time_ymd(2001, 1, 1);
    });
    let mut roots = RootCertStore::empty();
    roots.add(house.der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let (near, far) = tokio::io::duplex(4096);
    let dialling = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let (served, _) = tokio::join!(server.accept(far), dialling.connect(name, near));
    let refused = served.unwrap_err().to_string();
    assert!(refused.contains("certificate expired"), "{refused}");
}

#[test]
fn a_server_knows_whom_it_would_let_in() {
    let authority = Authority::new();
    let clients = Clients::MustShow(vec![PemSource::text(authority.pem())]);
    assert!(clients.check(&authority.certify(|_| {})).is_ok());
    let foreign = Authority::new().certify(|_| {});
    let told = clients.check(&foreign).unwrap_err().to_string();
    assert!(told.contains("UnknownIssuer"), "{told}");
    let old = authority.certify(|params| params.not_after = date_time_ymd(2001, 1, 1));
    let told = clients.check(&old).unwrap_err().to_string();
    assert!(told.contains("expired"), "{told}");
    assert!(Clients::Anyone.check(&foreign).is_ok());
}

#[tokio::test]
async fn authorities_and_certificates_are_replaced_for_new_connections() {
    let folder = Folder::new("mutual-reload");
    let (old, new) = (Authority::new(), Authority::new());
    let file = folder.write("clients.crt", &old.pem());
    let own = Authority::new().certify(|_| {});
    let clients = Clients::MustShow(vec![PemSource::file(&file)]);
    let server = TlsServer::admitting(own, clients).unwrap();
    let (of_old, of_new) = (
        client(Some(old.certify(|_| {}))),
        client(Some(new.certify(|_| {}))),
    );
    assert!(hello(&server, &of_old, "localhost").await.is_ok());
    assert!(hello(&server, &of_new, "localhost").await.is_err());

    folder.write("clients.crt", &new.pem());
    server.reload().unwrap();
    // Not even with what it remembers of the connection before.
    assert!(hello(&server, &of_old, "localhost").await.is_err());
    assert!(hello(&server, &of_new, "localhost").await.is_ok());

    folder.write("clients.crt", "nothing of use");
    assert!(server.reload().is_err());
    assert!(hello(&server, &of_new, "localhost").await.is_ok());
}

#[tokio::test]
async fn a_client_shows_its_new_certificate_after_a_reload() {
    let folder = Folder::new("client-reload");
    let (old, new) = (Authority::new(), Authority::new());
    let file = folder.write("trusted.crt", &old.pem());
    let server = TlsServer::new(new.certify(|_| {})).unwrap();
    let client = TlsClient::new(&Trust::file(&file)).unwrap();
    assert!(hello(&server, &client, "localhost").await.is_err());
    folder.write("trusted.crt", &new.pem());
    client.clone().reload().unwrap();
    assert!(hello(&server, &client, "localhost").await.is_ok());
    std::fs::remove_file(file).unwrap();
    assert!(client.reload().is_err());
    assert!(hello(&server, &client, "localhost").await.is_ok());
}

/// It has sent its first request by the time it is refused, and still reads why.
#[tokio::test]
async fn a_client_that_is_not_let_in_reads_why() {
    let server = server(&Authority::new(), Clients::MustShow);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        server.accept(stream).await.map(drop)
    });
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut stream = client(None).connect("localhost", stream).await.unwrap();
    let _ = stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await;
    let told = stream.read_u8().await.unwrap_err().to_string();
    assert!(told.contains("CertificateRequired"), "{told}");
    drop(stream);
    assert!(serving.await.unwrap().is_err());
}
