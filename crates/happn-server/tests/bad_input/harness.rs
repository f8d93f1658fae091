//! A server to be treated badly, and clients that look whether it still answers.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use happn_core::{DataService, MemoryStore, Node, NodeConfig, OpenAuthority, SystemClock};
use happn_server::{Server, ServerConfig};
use serde_json::{Value, json};

use crate::raw::{Got, RawSocket};

pub async fn serve(
    node: impl FnOnce(&mut NodeConfig),
    server: impl FnOnce(&mut ServerConfig),
) -> (Server, Arc<Node>) {
    let mut node_config = NodeConfig::named("target");
    node(&mut node_config);
    let mut config = ServerConfig::on((Ipv4Addr::LOCALHOST, 0).into());
    server(&mut config);
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let clock = Arc::new(SystemClock::new());
    let node = Node::new(node_config, data, Arc::new(OpenAuthority), clock);
    (Server::bind(config, node.clone()).await.unwrap(), node)
}

pub async fn plain() -> Server {
    serve(|_| (), |_| ()).await.0
}

/// A websocket that speaks the current dialect.
pub async fn client(server: &Server) -> RawSocket {
    configured(RawSocket::websocket(server.address()).await).await
}

/// The same, of a client whose address is `from`.
pub async fn client_from(from: IpAddr, server: &Server) -> RawSocket {
    configured(RawSocket::websocket_from(from, server.address()).await).await
}

async fn configured(mut socket: RawSocket) -> RawSocket {
    let configure = json!({"action": "configure-session", "eventId": "configure",
        "data": {"protocol": "happn_4", "version": "13.12.1"}});
    socket.send_text(&configure.to_string()).await;
    answer(&mut socket, &json!("configure")).await;
    socket
}

/// The answer to `event_id`; whatever comes before it is dropped.
pub async fn answer(socket: &mut RawSocket, event_id: &Value) -> Value {
    loop {
        match socket.next().await {
            Got::Text(text) => {
                // What is nested too deeply for this reader is nothing a test waits for.
                let value: Value = serde_json::from_str(&text).unwrap_or_default();
                let meta = match &value {
                    Value::Array(items) => &items.last().unwrap()["eventId"],
                    other => &other["_meta"]["eventId"],
                };
                if meta == event_id {
                    return value;
                }
            }
            Got::Close(..) | Got::End => panic!("closed while waiting for {event_id}"),
            _ => {}
        }
    }
}

pub async fn request(socket: &mut RawSocket, request: Value) -> Value {
    socket.send_text(&request.to_string()).await;
    answer(socket, &request["eventId"]).await
}

pub async fn assert_answers(socket: &mut RawSocket) {
    let described = request(socket, json!({"action": "describe", "eventId": "alive"})).await;
    assert_eq!(described["data"]["name"], "target");
}

/// What the server still sends before it closes.
pub async fn until_closed(socket: &mut RawSocket) -> Vec<Got> {
    let mut came = Vec::new();
    loop {
        match socket.next().await {
            Got::End => return came,
            got => came.push(got),
        }
    }
}
