//! A secure node in memory: `cargo run -p happn-server --example secure_node -- 55000`.
//!
//! Its user `bob`, whose password is `secret`, may do everything below `/bob` and read below
//! `/news`. With a port it serves until it is killed; without one it says where and stops.

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::sync::Arc;
use std::time::Duration;

use happn_core::{Clock, DataService, Ending, MemoryStore, Node, SystemClock};
use happn_security::authority::{AuthorityConfig, SecurityAuthority};
use happn_security::credentials::Passwords;
use happn_security::directory::{
    AdminUser, Directory, HashingPool, NameFolding, Password, PermissionSet, StartUp, UserDraft,
};
use happn_server::{Server, ServerConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).map(|port| port.parse::<u16>());
    let port = port.transpose()?;
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let passwords = Arc::new(Passwords::new(Passwords::ITERATIONS_DEFAULT));
    let hashing = HashingPool::new(passwords, 2, 1_000);
    let directory = Directory::new(data.clone(), clock.clone(), hashing, NameFolding::default());

    let started = directory.start(StartUp::default()).await?;
    if let AdminUser::MadeUp(password) = &started.admin {
        println!("_ADMIN's password is {}", password.reveal());
    }
    let rules = PermissionSet::new()
        .allow("/bob/*", &["*"])
        .allow("/news/*", &["get", "on"]);
    let bob = UserDraft::new("bob")
        .password(Password::new("secret"))
        .permissions(rules);
    directory.upsert_user(bob, true).await?;

    let config = AuthorityConfig::of_node("example");
    let node = Node::builder("example")
        .data(data)
        .authority(SecurityAuthority::new(
            config,
            directory,
            started.token_secret,
            clock.clone(),
        ))
        .clock(clock)
        .build();
    let address = ([127, 0, 0, 1], port.unwrap_or(0)).into();
    let server = Server::bind(ServerConfig::on(address), node).await?;
    println!("listening on {}", server.address());
    if port.is_some() {
        std::future::pending::<()>().await;
    }
    server.stop(Ending::Reconnect, Duration::from_secs(5)).await;
    Ok(())
}
