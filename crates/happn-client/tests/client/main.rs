//! The client's verbs, as the server sees them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails panics"
)]

mod calling;
mod connecting;
mod listening;

use happn_client::{Client, ClientConfig, ClientError, SubscribeOptions, Subscription};
use serde_json::{Value, json};
use testkit::{ScriptedServer, ScriptedSession, within};

async fn connected(server: &ScriptedServer) -> (Client, ScriptedSession) {
    let config = ClientConfig::url(server.endpoint());
    let (client, session) = tokio::join!(within(Client::connect(config)), server.welcome("S1"));
    (client.unwrap(), session)
}

async fn subscribed(
    client: &Client,
    session: &mut ScriptedSession,
    mask: &str,
    options: SubscribeOptions,
) -> (Subscription, Value) {
    let (subscription, request) = tokio::join!(
        within(client.on(mask, options)),
        session.serve("on", json!({"id": "REF-1"})),
    );
    (subscription.unwrap(), request)
}

/// Runs `call` against a server that answers its request with `data`, and returns what it sent.
async fn exchanged<T>(
    session: &mut ScriptedSession,
    action: &str,
    data: Value,
    call: impl Future<Output = Result<T, ClientError>>,
) -> (T, Value) {
    let (outcome, request) = tokio::join!(within(call), session.serve(action, data));
    (outcome.unwrap(), request)
}
