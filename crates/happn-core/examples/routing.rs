//! Sends some paths to a store of their own, and takes it away again, while the node runs.
//!
//! `cargo run -p happn-core --example routing`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::sync::Arc;

use happn_core::{DataService, MemoryStore, Node, NodeConfig, OpenAuthority, SystemClock};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let clock = Arc::new(SystemClock::new());
    let config = NodeConfig::named("example");
    let node = Node::new(config, data, Arc::new(OpenAuthority), clock);
    let show = |when: &str| {
        let sessions = node.data().store_name("/sessions/7");
        let orders = node.data().store_name("/orders/7");
        println!("{when}: /sessions/7 lives in {sessions}, /orders/7 in {orders}");
    };
    show("at first");

    node.data()
        .add_store("volatile", Arc::new(MemoryStore::new()))?;
    node.data()
        .add_data_store_filter("/sessions/*", "volatile")?;
    show("with a store for sessions");

    // What the store had accepted is finished before it is closed; items are not moved.
    node.data().remove_store("volatile").await?;
    show("without it");

    node.data().close().await;
    Ok(())
}
