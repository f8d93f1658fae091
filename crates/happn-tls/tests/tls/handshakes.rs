//! Servers that let everybody in.

use happn_tls::{TlsClient, TlsServer, Trust};
use tokio::io::AsyncWriteExt;

use crate::stage::{Folder, certificate, hello, trusting};

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
