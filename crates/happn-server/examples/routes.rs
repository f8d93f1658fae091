//! HTTP routes beside the node, on the same port: `cargo run -p happn-server --example routes`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::time::Duration;

use happn_core::{Ending, Node};
use happn_server::mount::{Bytes, Request, Response};
use happn_server::{Server, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let node = Node::builder("example").build();
    let address = ([127, 0, 0, 1], 0).into();
    let server = Server::bind(ServerConfig::on(address), node.clone()).await?;

    let counted = node.clone();
    server.mount("/sessions", move |_: Request<Bytes>| {
        let text = format!("{} sessions\n", counted.session_count());
        async move { Response::new(text.into()) }
    })?;

    let mut stream = TcpStream::connect(server.address()).await?;
    let request = b"GET /sessions/now HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    println!("{answer}");

    server.stop(Ending::Reconnect, Duration::from_secs(5)).await;
    node.data().close().await;
    Ok(())
}
