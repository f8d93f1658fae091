//! Who gets what over HTTP from a secure node. The authority is scripted: what a token may do
//! follows from its name. The recordings are asked again with the real one, too.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests may panic and print"
)]

mod behaviour;
mod real;
mod recorded;
mod scripted;

#[allow(dead_code, reason = "shared with other tests")]
#[path = "../raw/mod.rs"]
mod raw;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use happn_core::{DataService, MemoryStore, Node, NodeConfig, SessionRights, SystemClock};
use happn_server::mount::{Bytes, Request, Response};
use happn_server::{HttpSecurity, Server, ServerConfig};
use raw::{Got, RawSocket};

/// A secure node with a route that says who asks, and one that everybody may ask.
pub async fn serve(security: HttpSecurity) -> Server {
    let node = Node::new(
        NodeConfig::named("n"),
        DataService::new(Arc::new(MemoryStore::new())),
        Arc::new(scripted::Scripted::default()),
        Arc::new(SystemClock::new()),
    );
    bind(node, security).await
}

/// Another port of `node`.
pub async fn bind(node: Arc<Node>, security: HttpSecurity) -> Server {
    let mut config = ServerConfig::on((Ipv4Addr::LOCALHOST, 0).into());
    config.version = "13.12.1".to_owned();
    config.security = security;
    let server = Server::bind(config, node).await.unwrap();
    server.mount("/secure", echo).unwrap();
    server
        .mount("/open", async |_| Response::new("open".into()))
        .unwrap();
    server
}

async fn echo(request: Request<Bytes>) -> Response<Bytes> {
    let rights = request.extensions().get::<Arc<dyn SessionRights>>();
    let user = rights.map_or("nobody", |rights| rights.username());
    let body = match request.body().is_empty() {
        true => "{}",
        false => std::str::from_utf8(request.body()).unwrap(),
    };
    let (url, text) = (request.uri(), "\"type\":0");
    let text = format!("{{\"url\":\"{url}\",\"user\":\"{user}\",{text},\"body\":{body}}}");
    let mut response = Response::new(text.into());
    let json = "application/json".parse().unwrap();
    response.headers_mut().insert("content-type", json);
    response
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub reason: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// Asks with `head`, the lines of a request without its end.
pub async fn ask(server: &Server, head: &str, body: &str) -> Answer {
    let length = body.len();
    let text = format!(
        "{head}\r\nHost: here\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let mut socket = RawSocket::open(server.address(), text.as_bytes())
        .await
        .unwrap();
    let Got::Http(answer) = socket.next().await else {
        panic!("{head} was not answered");
    };
    parse(&answer)
}

pub fn parse(answer: &str) -> Answer {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").unwrap();
    let (status, reason) = status.split_once(' ').unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    Answer {
        status: status.parse().unwrap(),
        reason: reason.to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}
