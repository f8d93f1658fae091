//! What two ends of a TLS connection see, and what is said about bad certificates.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic")]

use std::path::{Path, PathBuf};

use happn_tls::{Identity, TlsClient, TlsError, TlsServer, Trust};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A folder of PEM files, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = format!("happn-tls-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn identity(&self, made: &CertifiedKey<KeyPair>) -> Identity {
        Identity::files(
            self.write("node.key", &made.signing_key.serialize_pem()),
            self.write("node.crt", &made.cert.pem()),
        )
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn certificate(host: &str) -> CertifiedKey<KeyPair> {
    generate_simple_self_signed([host.to_owned()]).unwrap()
}

/// Says hello through the client and answers what the server read, or why there was no hello.
async fn hello(server: &TlsServer, client: &TlsClient, host: &str) -> Result<String, String> {
    let (near, far) = tokio::io::duplex(4096);
    let serving = async {
        let mut stream = server.accept(far).await.map_err(|it| it.to_string())?;
        let mut text = String::new();
        let read = stream.read_to_string(&mut text).await;
        read.map(|_| text).map_err(|it| it.to_string())
    };
    // The stream lives until both are done, or the server could not send its tickets.
    let dialling = async {
        let stream = client.connect(host, near).await;
        let mut stream = stream.map_err(|it| it.to_string())?;
        let sent = stream.write_all(b"hello").await;
        let ended = sent.and(stream.shutdown().await);
        ended.map(|()| stream).map_err(|it| it.to_string())
    };
    let (served, dialled) = tokio::join!(serving, dialling);
    dialled.and(served)
}

fn trusting(file: &Path) -> TlsClient {
    TlsClient::new(&Trust::Authorities(vec![file.to_owned()])).unwrap()
}

fn complaint(identity: Identity) -> String {
    TlsServer::new(identity).unwrap_err().to_string()
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_gets_through() {
    let folder = Folder::new("trusted");
    let server = TlsServer::new(folder.identity(&certificate("node.example"))).unwrap();
    let client = trusting(&folder.0.join("node.crt"));
    assert_eq!(
        hello(&server, &client, "node.example").await.unwrap(),
        "hello"
    );
}

#[tokio::test]
async fn a_client_refuses_a_certificate_for_another_host() {
    let folder = Folder::new("other-host");
    let server = TlsServer::new(folder.identity(&certificate("node.example"))).unwrap();
    let client = trusting(&folder.0.join("node.crt"));
    let refused = hello(&server, &client, "other.example").await.unwrap_err();
    assert!(refused.contains("not valid for name"), "{refused}");
}

#[tokio::test]
async fn a_client_of_the_public_authorities_refuses_a_self_signed_certificate() {
    let folder = Folder::new("public");
    let server = TlsServer::new(folder.identity(&certificate("localhost"))).unwrap();
    let client = TlsClient::new(&Trust::Public).unwrap();
    let refused = hello(&server, &client, "localhost").await.unwrap_err();
    assert!(refused.contains("UnknownIssuer"), "{refused}");
}

#[tokio::test]
async fn a_client_that_trusts_anyone_gets_through_by_address_too() {
    let folder = Folder::new("anyone");
    let server = TlsServer::new(folder.identity(&certificate("localhost"))).unwrap();
    let client = TlsClient::new(&Trust::Anyone).unwrap();
    assert_eq!(hello(&server, &client, "127.0.0.1").await.unwrap(), "hello");
    assert_eq!(hello(&server, &client, "[::1]").await.unwrap(), "hello");
}

#[tokio::test]
async fn new_connections_get_the_reloaded_certificate() {
    let folder = Folder::new("reload");
    let server = TlsServer::new(folder.identity(&certificate("old.example"))).unwrap();
    folder.identity(&certificate("new.example"));
    server.reload().unwrap();
    let client = trusting(&folder.0.join("node.crt"));
    assert_eq!(
        hello(&server, &client, "new.example").await.unwrap(),
        "hello"
    );
}

#[tokio::test]
async fn a_reload_that_fails_leaves_the_old_certificate_in_use() {
    let folder = Folder::new("bad-reload");
    let server = TlsServer::new(folder.identity(&certificate("old.example"))).unwrap();
    let client = trusting(&folder.0.join("node.crt"));
    folder.write("node.crt", "nothing of use");
    assert!(server.reload().is_err());
    assert_eq!(
        hello(&server, &client, "old.example").await.unwrap(),
        "hello"
    );
}

#[tokio::test]
async fn a_client_that_speaks_no_tls_is_refused() {
    let folder = Folder::new("no-tls");
    let server = TlsServer::new(folder.identity(&certificate("localhost"))).unwrap();
    let (mut near, far) = tokio::io::duplex(4096);
    near.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(server.accept(far).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_does_not_hold_the_handshake_open() {
    let folder = Folder::new("silent");
    let server = TlsServer::new(folder.identity(&certificate("localhost"))).unwrap();
    let (_near, far) = tokio::io::duplex(4096);
    let refused = server.accept(far).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::TimedOut);
}

#[test]
fn inline_text_works_like_files() {
    let made = certificate("localhost");
    let identity = Identity::inline(made.signing_key.serialize_pem(), made.cert.pem());
    assert!(!format!("{identity:?}").contains("BEGIN"));
    assert!(TlsServer::new(identity).is_ok());
}

#[test]
fn a_missing_file_is_named() {
    let folder = Folder::new("missing");
    let key = folder.0.join("absent.key");
    let told = complaint(Identity::files(&key, folder.0.join("absent.crt")));
    assert!(
        told.starts_with(&format!("cannot read {}", key.display())),
        "{told}"
    );
}

#[test]
fn a_folder_in_place_of_a_file_is_told() {
    let folder = Folder::new("folder");
    let told = complaint(Identity::files(&folder.0, &folder.0));
    assert!(told.ends_with("it is not a regular file"), "{told}");
}

#[test]
fn a_key_of_another_certificate_is_told_without_showing_it() {
    let (one, other) = (certificate("localhost"), certificate("localhost"));
    let identity = Identity::inline(one.signing_key.serialize_pem(), other.cert.pem());
    let told = TlsServer::new(identity).unwrap_err();
    assert!(matches!(told, TlsError::Mismatch { .. }), "{told}");
    assert!(!told.to_string().contains("BEGIN"));
}

#[test]
fn key_and_certificate_mixed_up_are_told() {
    let made = certificate("localhost");
    let told = complaint(Identity::inline(
        made.cert.pem(),
        made.signing_key.serialize_pem(),
    ));
    assert!(
        told.starts_with("the inline key holds no private key"),
        "{told}"
    );
}

#[test]
fn an_encrypted_key_is_told() {
    let made = certificate("localhost");
    let text = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let told = complaint(Identity::inline(text, made.cert.pem()));
    assert_eq!(
        told,
        "the private key in the inline key is encrypted; decrypt it first"
    );
}

#[test]
fn garbage_between_the_markers_is_no_pem() {
    let made = certificate("localhost");
    let text = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    let told = complaint(Identity::inline(made.signing_key.serialize_pem(), text));
    assert!(
        told.starts_with("the inline certificate is not valid PEM"),
        "{told}"
    );
}

#[test]
fn a_certificate_that_is_none_is_told() {
    let made = certificate("localhost");
    let text = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    let told = complaint(Identity::inline(made.signing_key.serialize_pem(), text));
    assert!(
        told.starts_with("the inline certificate cannot be used"),
        "{told}"
    );
}
