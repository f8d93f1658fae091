//! A front door that opens when its house is ready:
//! `cargo run -p cluster-proxy --example front_door`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::sync::Arc;

use cluster_proxy::{Proxy, ProxyConfig};
use happn_core::{Arrival, ByteStream, Ingress};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Stands where a node would serve the client.
struct House;

impl Ingress for House {
    fn accept(&self, mut stream: Box<dyn ByteStream>, arrival: Arrival) {
        tokio::spawn(async move {
            let greeting = format!("welcome, {}\n", arrival.address.ip());
            if let Err(error) = stream.write_all(greeting.as_bytes()).await {
                println!("the client is gone: {error}");
            }
        });
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let proxy = Proxy::new(ProxyConfig::new("127.0.0.1", 0), Arc::new(House));
    println!("before: {:?}", proxy.address().await);
    let address = proxy.start().await?;

    let mut client = TcpStream::connect(address).await?;
    let mut heard = String::new();
    client.read_to_string(&mut heard).await?;
    println!("the client hears: {}", heard.trim_end());

    proxy.stop().await;
    println!(
        "afterwards: {:?}, {:?}",
        proxy.address().await,
        proxy.counters()
    );
    Ok(())
}
