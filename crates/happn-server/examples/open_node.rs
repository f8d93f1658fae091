//! An open happn node in memory: `cargo run -p happn-server --example open_node -- 55000`.

use std::sync::Arc;

use happn_core::{DataService, MemoryStore, Node, NodeConfig, OpenAuthority, SystemClock};
use happn_server::{Server, ServerConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args()
        .nth(1)
        .map_or(Ok(0), |port| port.parse::<u16>())?;
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let clock = Arc::new(SystemClock::new());
    let node = Node::new(
        NodeConfig::named("example"),
        data,
        Arc::new(OpenAuthority),
        clock,
    );
    let server = Server::bind(ServerConfig::on(([127, 0, 0, 1], port).into()), node).await?;
    #[allow(
        clippy::print_stdout,
        reason = "the reader wants to know where to connect"
    )]
    {
        println!("listening on {}", server.address());
    }
    std::future::pending().await
}
