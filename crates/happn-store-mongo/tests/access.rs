//! Who gets in: encrypted connections and credentials.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests stop at what fails, as tests do, and say what they leave out"
)]

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use happn_core::{DataStore, Query, SystemClock};
use happn_paths::StoreGlob;
use happn_store_mongo::{MongoConfig, MongoSettings, MongoStore, OpenError};
use happn_tls::{Identity, TlsServer};
use support::Place;
use tokio::net::{TcpListener, TcpStream};

/// A door with TLS in front of the database, and the file of who vouches for it.
struct Encrypted {
    address: SocketAddr,
    authority: PathBuf,
}

impl Encrypted {
    async fn to(url: &str) -> Self {
        let target = url.split("://").nth(1).unwrap();
        let target = target.split(['/', '?']).next().unwrap().to_owned();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let identity = Identity::inline(made.signing_key.serialize_pem(), made.cert.pem());
        let tls = TlsServer::new(identity).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let name = format!("happn-mongo-{}-{}.crt", std::process::id(), address.port());
        let authority = std::env::temp_dir().join(name);
        std::fs::write(&authority, made.cert.pem()).unwrap();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (tls, target) = (tls.clone(), target.clone());
                tokio::spawn(async move {
                    if let Ok(mut client) = tls.accept(client).await {
                        let mut server = TcpStream::connect(target).await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        Self { address, authority }
    }

    fn url(&self, options: &str) -> String {
        format!(
            "mongodb://localhost:{}/?tls=true{options}",
            self.address.port()
        )
    }
}

impl Drop for Encrypted {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.authority);
    }
}

async fn open(place: &Place, url: String) -> Result<MongoStore, OpenError> {
    let settings = MongoSettings {
        url: Some(url),
        ..place.settings()
    };
    let config = MongoConfig::new(settings).unwrap();
    MongoStore::open(config, &SystemClock::new()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_reached_with_tls_when_its_certificate_is_trusted() {
    let Some(place) = Place::new() else { return };
    let encrypted = Encrypted::to(&place.url).await;
    let authority = encrypted.authority.display().to_string();
    let url = encrypted.url(&format!("&tlsCAFile={}", authority.replace('/', "%2F")));
    let store = open(&place, url).await.unwrap();
    let all = Query::all(StoreGlob::new("/none/*"));
    assert_eq!(store.count(all).await, Ok(0));
    store.close().await;

    let error = open(&place, encrypted.url("")).await.err().unwrap();
    let error = error.to_string();
    assert!(error.contains("certificate"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_that_the_database_refuses_are_said_without_the_password() {
    let Some(place) = Place::new() else { return };
    let hosts = place.url.split("://").nth(1).unwrap();
    let url = format!("mongodb://nobody:s%40cret@{hosts}/?authSource=admin");
    let error = open(&place, url).await.err().unwrap();
    let error = error.to_string();
    assert!(error.to_lowercase().contains("auth"), "{error}");
    assert!(!error.contains("cret"), "{error}");
}
