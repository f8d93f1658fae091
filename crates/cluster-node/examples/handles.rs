//! What a program can do with the node it holds: `cargo run -p cluster-node --example handles`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::time::Duration;

use cluster_node::Node;
use cluster_node::config::{Config, Settings};
use cluster_orchestrator::{PeerChange, State};
use happn_client::SubscribeOptions;
use happn_protocol::Json;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::temp_dir().join(format!("happn-handles-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let database = directory.join("happn.sqlite");
    let one = Node::start(&settings("one", &database.display().to_string())?).await?;

    // State, and peers that come and go; those that are there already come first.
    let mut state = one.orchestrator().state();
    let mut peers = one.orchestrator().peer_changes();
    state.wait_for(|state| *state == State::Stable).await?;
    let two = Node::start(&settings("two", &database.display().to_string())?).await?;
    if let Some(PeerChange::Added { name, endpoint }) = peers.next().await {
        println!("{name} arrived at {endpoint}");
    }
    for member in one.orchestrator().members() {
        let name = member.name.as_deref().unwrap_or("somebody");
        println!("member {name}, peer: {}", member.is_peer);
    }

    // A client without a socket; what it hears comes from either node.
    let (here, there) = (one.local_client().await?, two.local_client().await?);
    let mut orders = here.on("/orders/*", SubscribeOptions::default()).await?;
    there.set("/orders/7", &json!({"state": "new"})).await?;
    if let Some(event) = orders.next().await {
        println!("heard: {} {}", event.path(), event.json());
    }

    // Messages from node to node, by topic.
    let mut alarms = two.replicator().subscribe("alarm");
    one.replicator().send("alarm", Some(Json::encode(&"fire")?));
    let alarm = alarms.recv().await?;
    println!("{} says {:?}", alarm.origin, alarm.payload);

    // The front door opens when the program says so, because of `defer`.
    let address = one.proxy().start().await?;
    println!("clients may connect to {address}");
    one.proxy().stop().await;
    println!("ready: {}", one.health().await.ready);

    two.stop(PATIENCE).await;
    if let Some(PeerChange::Removed { name, .. }) = peers.next().await {
        println!("{name} left");
    }
    one.stop(PATIENCE).await;
    std::fs::remove_dir_all(directory)?;
    Ok(())
}

/// What a file would say.
fn settings(name: &str, database: &str) -> Result<Settings, Box<dyn Error>> {
    let config = Config::from_tree(&json!({
        "name": name,
        "host": "127.0.0.1",
        "port": 0,
        "services": {
            "data": {"config": {"datastores": [{"settings": {"filename": database}}]}},
            "proxy": {"config": {"host": "127.0.0.1", "port": 0, "defer": true}},
            "orchestrator": {"config": {
                "timing": {"keepAlive": 1000, "keepAliveThreshold": 3000, "memberRefresh": 200},
            }},
        },
    }))?;
    Ok(config.settings)
}
