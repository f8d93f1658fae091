//! TLS, and who may do without.

use std::net::{IpAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use happn_tls::{Identity, TlsClient, TlsServer, Trust};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{ADMIN_PASSWORD, Caller, Secure, secure_with, soon};

/// A key and a self-signed certificate in files that vanish with the test.
struct Pem(PathBuf);

impl Pem {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cluster-admin-tls-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let pem = Self(folder);
        pem.renew();
        pem
    }

    fn renew(&self) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(self.0.join("key"), made.signing_key.serialize_pem()).unwrap();
        std::fs::write(self.0.join("crt"), made.cert.pem()).unwrap();
    }

    fn server(&self) -> TlsServer {
        TlsServer::new(Identity::files(self.0.join("key"), self.0.join("crt"))).unwrap()
    }

    fn client(&self) -> TlsClient {
        TlsClient::new(&Trust::file(self.0.join("crt"))).unwrap()
    }
}

impl Drop for Pem {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An address of this machine that is not loopback, where it has one.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: the system only says from where it would be.
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

async fn over_tls(secure: &Secure, client: &TlsClient, from: IpAddr) -> String {
    let stream = TcpStream::connect((from, secure.server.address().port())).await;
    let mut stream = soon(client.connect("localhost", stream.unwrap()))
        .await
        .unwrap();
    let body = json!({"username": "_ADMIN", "password": ADMIN_PASSWORD}).to_string();
    let head = format!(
        "POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A server may end an encrypted stream without a good-bye.
    let _ = soon(stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn over_a_network_only_https_is_answered() {
    let Some(own) = own_address() else {
        return;
    };
    let everywhere = |setup: &mut crate::support::Setup| setup.admin.host = "0.0.0.0".to_owned();
    let secure = secure_with(everywhere).await;
    let local = IpAddr::from([127, 0, 0, 1]);
    let mut admin = Caller::from(&secure.server, local).await;
    let token = admin.log_in("_ADMIN", ADMIN_PASSWORD).await;
    let mut remote = Caller::from(&secure.server, own).await;
    let refused = remote.try_log_in("_ADMIN", ADMIN_PASSWORD).await;
    assert_eq!(refused.refusal(), (403, "forbidden"), "{}", refused.body);
    assert!(
        refused.message().contains("admin.certPath"),
        "{}",
        refused.body
    );
    remote.token = token;
    assert_eq!(remote.get("/users").await.refusal(), (403, "forbidden"));
    assert_eq!(remote.get("/openapi.json").await.status, 200);

    let pem = Pem::new();
    let secure = secure_with(|setup| {
        setup.admin.host = "0.0.0.0".to_owned();
        setup.admin.tls = Some(pem.server());
    })
    .await;
    let answer = over_tls(&secure, &pem.client(), own).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_certificate_is_read_again_and_plain_http_is_no_tls() {
    let pem = Pem::new();
    let secure = secure_with(|setup| setup.admin.tls = Some(pem.server())).await;
    let local = IpAddr::from([127, 0, 0, 1]);
    assert!(secure.server.is_encrypted());
    let answer = over_tls(&secure, &pem.client(), local).await;
    assert!(answer.contains("\"token\""), "{answer}");
    pem.renew();
    secure.server.reload_certificate().unwrap();
    let answer = over_tls(&secure, &pem.client(), local).await;
    assert!(answer.contains("\"token\""), "{answer}");
    std::fs::write(pem.0.join("crt"), "nothing of use").unwrap();
    assert!(secure.server.reload_certificate().is_err());

    let mut plain = TcpStream::connect(secure.server.address()).await.unwrap();
    plain
        .write_all(b"GET /api/v1/users HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = soon(plain.read_to_end(&mut answer)).await;
    assert!(!answer.starts_with(b"HTTP"), "{:?}", Value::from(answer));
}
