//! One HTTP request, and the answer that the test wants it to have.
#![allow(
    clippy::missing_panics_doc,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "every method fails the test that calls it when things are not as it says"
)]

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::scripted::{ScriptedServer, within};

/// A request, as the server sees it. Dropping it closes the connection without an answer.
#[derive(Debug)]
pub struct Exchange<S> {
    /// Verb and target, such as `GET /health?x=1`.
    pub what: String,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    stream: BufReader<S>,
}

impl ScriptedServer {
    /// The next HTTP request, on a connection of its own.
    pub async fn exchange(&self) -> Exchange<TcpStream> {
        Exchange::over(self.accept_raw().await).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Exchange<S> {
    /// The request that comes over `stream`.
    pub async fn over(stream: S) -> Self {
        within(Self::read(BufReader::new(stream))).await
    }

    async fn read(mut stream: BufReader<S>) -> Self {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let what = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.push((name.to_lowercase(), value.to_owned()));
        }
        let mut exchange = Self {
            what,
            headers,
            body: String::new(),
            stream,
        };
        let length = exchange.header("content-length").unwrap_or("0");
        let mut body = vec![0; length.parse().unwrap()];
        exchange.stream.read_exact(&mut body).await.unwrap();
        exchange.body = String::from_utf8(body).unwrap();
        exchange
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// Answers, and closes.
    pub async fn answer(self, status: u16, body: &str) {
        self.answer_with("content-type: application/json", status, body)
            .await;
    }

    /// The same with another header than that of JSON.
    pub async fn answer_with(mut self, header: &str, status: u16, body: &str) {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status} Scripted\r\n{header}\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{body}"
        );
        within(self.stream.write_all(text.as_bytes()))
            .await
            .unwrap();
        within(self.stream.shutdown()).await.unwrap();
    }
}
