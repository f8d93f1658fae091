//! Who gets in, and where: addresses, encrypted connections, credentials.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests stop at what fails, as tests do, and say what they leave out"
)]

mod support;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use bson::{Document, doc};
use happn_core::{DataStore, Query, SystemClock, Write, WriteMode};
use happn_paths::{Path, StoreGlob};
use happn_protocol::Json;
use happn_store_mongo::{MongoConfig, MongoSettings, MongoStore, OpenError};
use happn_tls::{Identity, TlsServer};
use support::Place;
use support::relay::Relay;
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

/// A server that asks nobody for credentials still checks those that it is given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_logs_in_with_a_password_that_has_to_be_escaped() {
    let Some(place) = Place::new() else { return };
    let raw = place.raw().await;
    let admin = raw.client().database("admin");
    let name = format!("happn-{}", std::process::id());
    let roles = vec![doc! {"role": "readWriteAnyDatabase", "db": "admin"}];
    let create = doc! {"createUser": &name, "pwd": "p@ss/w:rd%", "roles": roles};
    admin.run_command(create).await.unwrap();
    let hosts = place.url.split("://").nth(1).unwrap();
    let url = |password| format!("mongodb://{name}:{password}@{hosts}/elsewhere?authSource=admin");
    let store = open(&place, url("p%40ss%2Fw%3Ard%25")).await;
    let refused = open(&place, url("p%40ss%2Fw%3Ard")).await;
    admin.run_command(doc! {"dropUser": &name}).await.unwrap();
    let store = store.unwrap();
    let all = Query::all(StoreGlob::new("/none/*"));
    assert_eq!(store.count(all).await, Ok(0));
    store.close().await;
    assert!(matches!(refused, Err(OpenError::Unreachable { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ipv6_address_is_kept_while_the_configured_database_takes_the_place_of_its_own() {
    let Some(place) = Place::new() else { return };
    let any_port = (Ipv6Addr::LOCALHOST, 0).into();
    let Ok(relay) = Relay::on(any_port, &place.url).await else {
        eprintln!("LEFT OUT: this machine has no IPv6");
        return;
    };
    assert!(relay.url().starts_with("mongodb://[::1]:"));
    let store = open(&place, format!("{}/elsewhere", relay.url())).await;
    let store = store.unwrap();
    let write = Write {
        path: Path::for_set("/six").unwrap(),
        data: Json::parse("{}").unwrap(),
        mode: WriteMode::Replace,
        at: 1,
        modified_by: None,
    };
    store.upsert(write).await.unwrap();
    store.close().await;
    let configured = place.raw().await;
    let item = doc! {"path": "/six"};
    assert!(configured.find_one(item).await.unwrap().is_some());
    let elsewhere = configured.client().database("elsewhere");
    let elsewhere = elsewhere.collection::<Document>(&place.collection);
    assert_eq!(elsewhere.count_documents(doc! {}).await.unwrap(), 0);
}

/// `.invalid` is a name that never exists.
#[cfg(feature = "srv")]
#[tokio::test]
async fn a_name_that_cannot_be_looked_up_is_said_within_seconds_without_the_password() {
    let settings = MongoSettings {
        url: Some("mongodb+srv://user:s%40cret@happn.invalid/x?w=majority".to_owned()),
        ..MongoSettings::default()
    };
    let clock = SystemClock::new();
    let opening = MongoStore::open(MongoConfig::new(settings).unwrap(), &clock);
    let opened = tokio::time::timeout(std::time::Duration::from_secs(15), opening).await;
    let error = opened.expect("an answer within seconds").err().unwrap();
    let error = error.to_string();
    assert!(error.contains("mongodb+srv://happn.invalid: "), "{error}");
    assert!(!error.contains("cret"), "{error}");
}
