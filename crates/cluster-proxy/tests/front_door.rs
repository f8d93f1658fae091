//! What clients see of the front door.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of tests may panic"
)]

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cluster_proxy::{Proxy, ProxyConfig, ProxyError, UpgradeRate};
use happn_core::{Arrival, ByteStream, Ingress};
use happn_tls::{Identity, TlsClient, TlsServer, Trust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Passes every stream on to the test.
struct FakeIngress(mpsc::UnboundedSender<(Box<dyn ByteStream>, Arrival)>);

impl Ingress for FakeIngress {
    fn accept(&self, stream: Box<dyn ByteStream>, arrival: Arrival) {
        let _ = self.0.send((stream, arrival));
    }
}

type Arrivals = mpsc::UnboundedReceiver<(Box<dyn ByteStream>, Arrival)>;

fn proxy(config: ProxyConfig) -> (Proxy, Arrivals) {
    let (sender, arrivals) = mpsc::unbounded_channel();
    (Proxy::new(config, Arc::new(FakeIngress(sender))), arrivals)
}

fn anywhere() -> ProxyConfig {
    ProxyConfig::new("127.0.0.1", 0)
}

async fn next(arrivals: &mut Arrivals) -> (Box<dyn ByteStream>, Arrival) {
    tokio::time::timeout(Duration::from_secs(5), arrivals.recv())
        .await
        .expect("a client arrives in time")
        .expect("the proxy lives")
}

async fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn bytes_flow_both_ways_through_the_same_socket() {
    let (proxy, mut arrivals) = proxy(anywhere());
    let address = proxy.start().await.unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    let (mut stream, arrival) = next(&mut arrivals).await;
    assert_eq!(arrival.address, client.local_addr().unwrap());
    assert!(!arrival.encrypted);

    client.write_all(b"ping").await.unwrap();
    let mut read = [0; 4];
    stream.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"ping");
    stream.write_all(b"pong").await.unwrap();
    client.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"pong");
}

#[tokio::test]
async fn the_port_does_not_listen_before_start_nor_after_stop() {
    let address = free_address().await;
    let (proxy, mut arrivals) = proxy(ProxyConfig::new("127.0.0.1", address.port()));
    assert!(TcpStream::connect(address).await.is_err());
    assert_eq!(proxy.address().await, None);

    assert_eq!(proxy.start().await.unwrap(), address);
    assert_eq!(proxy.address().await, Some(address));
    let mut client = TcpStream::connect(address).await.unwrap();
    let (mut stream, _) = next(&mut arrivals).await;

    proxy.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
    // Whoever is inside stays inside.
    stream.write_all(b"x").await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'x');
}

#[tokio::test]
async fn a_stopped_proxy_opens_again() {
    let (proxy, mut arrivals) = proxy(anywhere());
    proxy.start().await.unwrap();
    proxy.stop().await;
    let address = proxy.start().await.unwrap();
    let _client = TcpStream::connect(address).await.unwrap();
    next(&mut arrivals).await;
}

#[tokio::test]
async fn opening_twice_is_an_error_that_names_the_address() {
    let (proxy, _arrivals) = proxy(anywhere());
    let address = proxy.start().await.unwrap();
    let error = proxy.start().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the proxy already listens on {address}")
    );
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_the_address() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let (proxy, _arrivals) = proxy(ProxyConfig::new("127.0.0.1", port));
    let error = proxy.start().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the proxy cannot listen on 127.0.0.1:{port}")
    );
    let ProxyError::Bind { source, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(source.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.source().is_some());
}

#[tokio::test]
async fn a_client_too_many_is_closed_and_a_place_comes_free_again() {
    let config = ProxyConfig {
        connections_max: 1,
        ..anywhere()
    };
    let (proxy, mut arrivals) = proxy(config);
    let address = proxy.start().await.unwrap();
    let _first = TcpStream::connect(address).await.unwrap();
    let (held, _) = next(&mut arrivals).await;

    let mut second = TcpStream::connect(address).await.unwrap();
    let mut nothing = Vec::new();
    second.read_to_end(&mut nothing).await.unwrap();
    assert!(nothing.is_empty());
    let counters = proxy.counters();
    assert_eq!(
        (counters.accepted, counters.turned_away, counters.open),
        (1, 1, 1)
    );

    drop(held);
    let _third = TcpStream::connect(address).await.unwrap();
    next(&mut arrivals).await;
    assert_eq!(proxy.counters().accepted, 2);
}

#[tokio::test]
async fn the_node_learns_what_applies_to_clients_of_the_door() {
    let config = ProxyConfig {
        idle_max: Some(Duration::from_secs(7)),
        upgrade_rate: Some(UpgradeRate {
            allowed: 1,
            interval: Duration::from_secs(60),
            retry_after: Some(Duration::from_secs(9)),
        }),
        ..anywhere()
    };
    let (proxy, mut arrivals) = proxy(config);
    let _client = TcpStream::connect(proxy.start().await.unwrap())
        .await
        .unwrap();
    let (_stream, arrival) = next(&mut arrivals).await;
    let rules = arrival.door.unwrap();
    assert_eq!(rules.idle_max, Some(Duration::from_secs(7)));
    assert!(!rules.trusts_forwarded);
    assert_eq!(rules.upgrades.admit(), Ok(()));
    assert_eq!(rules.upgrades.admit(), Err(Duration::from_secs(9)));
}

fn with_tls() -> ProxyConfig {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let identity = Identity::inline(made.signing_key.serialize_pem(), made.cert.pem());
    ProxyConfig {
        tls: Some(TlsServer::new(identity).unwrap()),
        ..anywhere()
    }
}

#[tokio::test]
async fn tls_ends_at_the_door() {
    let (proxy, mut arrivals) = proxy(with_tls());
    let stream = TcpStream::connect(proxy.start().await.unwrap())
        .await
        .unwrap();
    let client = TlsClient::new(&Trust::Anyone).unwrap();
    let mut client = client.connect("localhost", stream).await.unwrap();
    let (mut stream, arrival) = next(&mut arrivals).await;
    assert!(arrival.encrypted);
    client.write_all(b"ping").await.unwrap();
    let mut read = [0; 4];
    stream.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"ping");
}

#[tokio::test]
async fn whoever_speaks_no_tls_is_closed_and_frees_his_place() {
    let (proxy, mut arrivals) = proxy(with_tls());
    let address = proxy.start().await.unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut alert = Vec::new();
    let _ = client.read_to_end(&mut alert).await;
    let counters = proxy.counters();
    assert_eq!((counters.handshakes_failed, counters.open), (1, 0));
    assert!(arrivals.try_recv().is_err());
}

#[tokio::test]
async fn a_handshake_under_way_does_not_hold_up_the_stop() {
    let (proxy, _arrivals) = proxy(with_tls());
    let address = proxy.start().await.unwrap();
    let _silent = TcpStream::connect(address).await.unwrap();
    let stopping = tokio::time::timeout(Duration::from_secs(5), proxy.stop());
    stopping.await.expect("stops at once");
}
