//! A chat room in a few lines: `cargo run -p happn-client --example chat -- NAME HOST:PORT`.
//!
//! What you type is published to everybody in the room, on whatever node they are. Without an
//! address the room is on a node of its own, in this process. The end of the input ends it.

#![allow(clippy::print_stdout, reason = "a chat talks to its user")]

use std::error::Error;

use happn_client::{Client, ClientConfig, SubscribeOptions};
use happn_core::Node;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader};

#[derive(Serialize, Deserialize)]
struct Line {
    from: String,
    text: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or("guest".to_owned());
    let client = match arguments.next() {
        Some(address) => Client::connect(ClientConfig::url(address)).await?,
        None => Client::local(Node::builder("room").build(), ClientConfig::default()).await?,
    };
    let mut room = client.on("/chat/*", SubscribeOptions::default()).await?;
    let path = format!("/chat/{name}");
    let mut typed = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            line = typed.next_line() => match line? {
                Some(text) => {
                    let line = Line { from: name.clone(), text };
                    client.publish(&path, &line).await?;
                }
                None => break,
            },
            event = room.next() => match event {
                Some(event) => {
                    let line: Line = event.data()?;
                    println!("{}: {}", line.from, line.text);
                }
                None => break,
            },
        }
    }
    client.disconnect().await;
    Ok(())
}
