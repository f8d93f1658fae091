//! A chat room in a few lines: `cargo run -p happn-client --example chat -- NAME [HOST:PORT]`.
//!
//! What you type is published to everybody in the room, on whatever node they are.

#![allow(clippy::print_stdout, reason = "a chat talks to its user")]

use std::error::Error;

use happn_client::{Client, ClientConfig, SubscribeOptions};
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
    let name = arguments.next().ok_or("usage: chat NAME [HOST:PORT]")?;
    let address = arguments.next().unwrap_or("127.0.0.1:55000".to_owned());

    let client = Client::connect(ClientConfig::url(address)).await?;
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
