//! Two nodes on one database, a client on each: `cargo run -p cluster-node --example two_nodes`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::time::Duration;

use cluster_node::Node;
use cluster_node::config::{Config, FlagValue, Settings, Sources};
use happn_client::{Client, ClientConfig, SubscribeOptions};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::temp_dir().join(format!("happn-two-nodes-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let settings = settings(&directory.join("happn.sqlite").display().to_string())?;

    let (one, other) = (Node::bind(&settings).await?, Node::bind(&settings).await?);
    let (listening, reading) = (one.ready().await?, other.ready().await?);
    println!("{} and {} are stable", one.name(), other.name());

    // Clients come in through the proxies; the program around a node needs no socket.
    let writer = Client::local(one.core().clone(), ClientConfig::default()).await?;
    let address = reading.or(listening).ok_or("no proxy is open")?;
    let reader = Client::connect(ClientConfig::url(address.to_string())).await?;
    let mut orders = reader.on("/orders/*", SubscribeOptions::default()).await?;
    writer.set("/orders/7", &json!({"state": "new"})).await?;
    if let Some(event) = orders.next().await {
        println!(
            "heard on {}: {} {}",
            other.name(),
            event.path(),
            event.json()
        );
    }
    println!("documents: {:?}", reader.get_paths("/orders/*").await?);

    reader.disconnect().await;
    tokio::join!(one.stop(PATIENCE), other.stop(PATIENCE));
    std::fs::remove_dir_all(directory)?;
    Ok(())
}

/// What a file, the environment or flags would say.
fn settings(database: &str) -> Result<Settings, Box<dyn Error>> {
    let flag = |key: &str, text: &str| FlagValue {
        flag: "example".to_owned(),
        key: key.to_owned(),
        text: text.to_owned(),
    };
    let sources = Sources {
        flags: vec![
            flag("host", "127.0.0.1"),
            flag("port", "0"),
            flag("services.proxy.config.host", "127.0.0.1"),
            flag("services.proxy.config.port", "0"),
            flag("services.orchestrator.config.minimumPeers", "2"),
            flag("services.orchestrator.config.timing.memberRefresh", "300"),
            flag("services.data.config.datastores", database),
        ],
        ..Sources::default()
    };
    Ok(Config::load(&sources)?.settings)
}
