//! A node that lets in who knows the word of the day, and asks its directory only what he may do
//! then: `cargo run -p cluster-node --example own_logins`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use cluster_node::Node;
use cluster_node::config::Config;
use happn_client::{Client, ClientConfig, Credentials};
use happn_core::{BoxFuture, Connection, Refusal};
use happn_protocol::Json;
use happn_security::authority::AuthProvider;
use happn_security::directory::{PermissionSet, UserDraft};
use serde::Deserialize;
use serde_json::json;

/// Would ask somebody else's service; here there is only one word.
struct WordOfTheDay(&'static str);

#[derive(Deserialize)]
struct Said {
    username: String,
    password: String,
}

impl AuthProvider for WordOfTheDay {
    fn authenticate(
        &self,
        data: &Json,
        _connection: &Connection,
    ) -> BoxFuture<'static, Result<Arc<str>, Refusal>> {
        let answer = match data.decode::<Said>() {
            Ok(said) if said.password == self.0 => Ok(said.username.into()),
            _ => Err(Refusal::denied(401, "Invalid credentials")),
        };
        Box::pin(std::future::ready(answer))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A file would say the same; without a provider of that name the node would not start.
    let mut config = Config::from_tree(&json!({
        "host": "127.0.0.1",
        "port": 0,
        "secure": true,
        "services": {
            "data": {"config": {"datastores": [{"provider": "memory"}]}},
            "proxy": {"config": {"host": "127.0.0.1", "port": 0}},
            "security": {"config": {
                "authProviders": {"word": true},
                "defaultAuthProvider": "word",
            }},
        },
    }))?;
    let section = &mut config.settings.services.security;
    section
        .registered
        .add("word", Arc::new(WordOfTheDay("heron")));
    let node = Node::start(&config.settings).await?;

    // Who is let in must be a user; the key is no use to anybody, but a user has to have something.
    let directory = node.directory().ok_or("the node is secure")?;
    let ann = UserDraft::new("ann")
        .public_key("none")
        .permissions(PermissionSet::new().allow("/ann/*", &["*"]));
    directory.upsert_user(ann, true).await?;

    let address = node.proxy().address().await.ok_or("the proxy is open")?;
    for word in ["sparrow", "heron"] {
        let mut client = ClientConfig::new(&address.ip().to_string(), address.port());
        client.credentials = Some(Credentials::Password {
            username: "ann".to_owned(),
            password: word.to_owned(),
        });
        match Client::connect(client).await {
            Ok(client) => {
                client.set("/ann/1", &json!({"word": word})).await?;
                println!("{word}: ann is in");
            }
            Err(error) => println!("{word}: {error}"),
        }
    }
    node.stop(Duration::from_secs(5)).await;
    Ok(())
}
