//! A server that does what the test says, frame by frame.
#![allow(
    clippy::missing_panics_doc,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "every method fails the test that calls it when things are not as it says"
)]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// How long anything in a test may take.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Waits for `future`, but not forever.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("in time")
}

/// A listener on a port of its own.
#[derive(Debug)]
pub struct ScriptedServer {
    listener: TcpListener,
}

impl ScriptedServer {
    /// One that listens.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener }
    }

    /// One that listens at `listener`.
    #[must_use]
    pub fn on(listener: TcpListener) -> Self {
        Self { listener }
    }

    /// `host:port`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    /// The port alone.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// The next TCP connection, before any upgrade.
    pub async fn accept_raw(&self) -> TcpStream {
        within(self.listener.accept()).await.unwrap().0
    }

    /// The next websocket.
    pub async fn accept(&self) -> ScriptedSession {
        let stream = self.accept_raw().await;
        let mut target = String::new();
        #[allow(clippy::result_large_err, reason = "the library's signature")]
        let note_target = |request: &Request, response: Response| {
            target = request.uri().to_string();
            Ok::<_, ErrorResponse>(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, note_target);
        let socket = within(socket).await.unwrap();
        ScriptedSession { socket, target }
    }

    /// The next websocket, after the login of session `id`.
    pub async fn welcome(&self, id: &str) -> ScriptedSession {
        let mut session = self.accept().await;
        session.log_in(id).await;
        session
    }
}

/// One websocket as the server sees it.
#[derive(Debug)]
pub struct ScriptedSession {
    /// For frames beyond text.
    pub socket: WebSocketStream<TcpStream>,
    /// Path and query of the upgrade.
    pub target: String,
}

impl ScriptedSession {
    /// The next text frame.
    pub async fn text(&mut self) -> String {
        loop {
            match within(self.socket.next()).await {
                Some(Ok(Message::Text(text))) => return text.as_str().to_owned(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("a text frame was expected: {other:?}"),
            }
        }
    }

    /// The next request, which must be `action`.
    pub async fn request(&mut self, action: &str) -> Value {
        let request: Value = serde_json::from_str(&self.text().await).unwrap();
        assert_eq!(request["action"], action, "{request}");
        request
    }

    /// Sends a text frame.
    pub async fn send(&mut self, text: impl Into<String>) {
        let text: String = text.into();
        within(self.socket.send(Message::text(text))).await.unwrap();
    }

    /// Sends a binary frame.
    pub async fn binary(&mut self, bytes: Vec<u8>) {
        within(self.socket.send(Message::binary(bytes)))
            .await
            .unwrap();
    }

    /// Answers `request` with `data`.
    pub async fn answer(&mut self, request: &Value, data: Value) {
        let meta = json!({
            "type": "response", "status": "ok", "published": false,
            "eventId": request["eventId"], "action": request["action"],
        });
        let answer = json!({"data": data, "_meta": meta, "protocol": "happn_4"});
        self.send(answer.to_string()).await;
    }

    /// Answers `request` with an error.
    pub async fn refuse(&mut self, request: &Value, error: Value) {
        let meta = json!({
            "type": "response", "status": "error", "published": false,
            "eventId": request["eventId"], "action": request["action"], "error": error,
        });
        let answer = json!({"data": null, "_meta": meta, "protocol": "happn_4"});
        self.send(answer.to_string()).await;
    }

    /// Takes the next request, which must be `action`, and answers it.
    pub async fn serve(&mut self, action: &str, data: Value) -> Value {
        let request = self.request(action).await;
        self.answer(&request, data).await;
        request
    }

    /// Takes the three requests of a login and opens session `id` at the node `node-a`.
    pub async fn log_in(&mut self, id: &str) {
        self.serve("configure-session", Value::Null).await;
        let description = json!({"name": "node-a", "secure": false});
        self.serve("describe", description.clone()).await;
        let session = json!({"id": id, "protocol": "happn_4", "happn": description});
        self.serve("login", session).await;
    }

    /// Sends an event on `channel`.
    pub async fn event(&mut self, channel: &str, path: &str, number: u64, data: &Value) {
        self.event_with(channel, path, number, data, 2).await;
    }

    /// The same with another consistency.
    pub async fn event_with(
        &mut self,
        channel: &str,
        path: &str,
        number: u64,
        data: &Value,
        consistency: u8,
    ) {
        let event = json!({
            "data": data,
            "_meta": {
                "action": format!("/SET@{path}"), "type": "data", "sessionId": "S9",
                "consistency": consistency, "publicationId": format!("S9-{number}"),
                "path": path, "created": 1, "modified": 2, "channel": channel,
            },
            "protocol": "happn_4",
        });
        self.send(event.to_string()).await;
    }

    /// Waits until the client has closed, whatever it says before.
    pub async fn closed(&mut self) {
        within(async {
            // Reading on after the close frame is what answers it.
            while let Some(Ok(_)) = self.socket.next().await {}
        })
        .await;
    }
}
