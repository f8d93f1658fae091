//! An open happn node in memory: `cargo run -p happn-server --example open_node -- 55000`.
//!
//! With a port it serves until it is killed; without one it takes a free port, says so and stops.

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::time::Duration;

use happn_core::{Ending, Node};
use happn_server::{Server, ServerConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).map(|port| port.parse::<u16>());
    let port = port.transpose()?;
    let node = Node::builder("example").build();
    let address = ([127, 0, 0, 1], port.unwrap_or(0)).into();
    let server = Server::bind(ServerConfig::on(address), node.clone()).await?;
    println!("listening on {}", server.address());
    if port.is_some() {
        std::future::pending::<()>().await;
    }
    server.stop(Ending::Reconnect, Duration::from_secs(5)).await;
    node.data().close().await;
    Ok(())
}
