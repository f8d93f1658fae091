//! A node inside a program, used without any socket:
//! `cargo run -p happn-client --example embedded`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;

use happn_client::{Client, ClientConfig, SubscribeOptions};
use happn_core::{Node, SessionEvent, SessionEvents};
use happn_protocol::Json;
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let node = Node::builder("embedded").build();
    let mut sessions = node.watch();

    // Whoever is in the same process gets the verbs of any client.
    let info = Json::encode(&json!({"role": "thermometer"}))?;
    let config = ClientConfig {
        info,
        ..ClientConfig::default()
    };
    let thermometer = Client::local(node.clone(), config).await?;
    let admin = Client::admin(node.clone(), ClientConfig::default()).await?;

    let mut rooms = admin.on("/rooms/*", SubscribeOptions::default()).await?;
    thermometer
        .set("/rooms/kitchen", &json!({"celsius": 21.5}))
        .await?;
    thermometer
        .publish("/rooms/attic", &json!({"celsius": 9}))
        .await?;
    for _ in 0..2 {
        if let Some(event) = rooms.next().await {
            println!("{} {}", event.path(), event.json());
        }
    }
    println!("stored: {:?}", admin.get_paths("/rooms/*").await?);

    // The program can end any session, and sees everybody come and go.
    if let Some(id) = thermometer.session_id() {
        node.end_session(&id, Some("that was enough"));
    }
    let mut gone = 0;
    while gone == 0 {
        match sessions.recv().await? {
            SessionEvent::Attached { session_id } => println!("{session_id} connected"),
            SessionEvent::Authenticated { session_id, .. } => println!("{session_id} logged in"),
            SessionEvent::Detached { session_id } => {
                println!("{session_id} is gone");
                gone += 1;
            }
            other => println!("{other:?}"),
        }
    }
    println!("the thermometer says: {:?}", *thermometer.state().borrow());
    admin.disconnect().await;
    node.data().close().await;
    Ok(())
}
