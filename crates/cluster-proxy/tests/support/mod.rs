//! A server to be led to, and clients that speak raw HTTP.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cluster_proxy::{Proxy, ProxyConfig, Remote, RemoteConfig};
use happn_core::ByteStream;
use happn_tls::{Identity, TlsClient, TlsServer, Trust};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// How long anything that must happen may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);

pub async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(SOON, work).await {
        Ok(done) => done,
        Err(_) => panic!("not within {SOON:?}: {what}"),
    }
}

/// What the target got.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    pub url: String,
    pub headers: HeaderMap,
}

/// A server with the routes of the recording, which notes what it gets.
pub struct Target {
    pub address: SocketAddr,
    pub received: Arc<Mutex<Vec<Received>>>,
    pub connections: Arc<AtomicUsize>,
}

type Page = Response<BoxBody<Bytes, Infallible>>;

impl Target {
    pub async fn start(tls: Option<TlsServer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Self {
            address: listener.local_addr().unwrap(),
            received: Arc::default(),
            connections: Arc::default(),
        };
        let (received, connections) = (target.received.clone(), target.connections.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (received, tls) = (received.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(Box::new(stream), received).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(Box::new(stream), received).await;
                            }
                        }
                    }
                });
            }
        });
        target
    }

    pub fn url(&self, scheme: &str) -> cluster_proxy::Target {
        let url = format!("{scheme}://{}", self.address);
        url.parse().unwrap()
    }

    pub fn take(&self) -> Option<Received> {
        self.received.lock().unwrap().pop()
    }
}

async fn serve(stream: Box<dyn ByteStream>, received: Arc<Mutex<Vec<Received>>>) {
    let service = service_fn(move |request: Request<Incoming>| {
        received.lock().unwrap().push(Received {
            method: request.method().to_string(),
            url: request.uri().to_string(),
            headers: request.headers().clone(),
        });
        async move { Ok::<_, Infallible>(respond(request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let _ = connection.await;
}

fn page(status: StatusCode, body: impl Into<Bytes>) -> Page {
    let mut page = Response::new(Full::new(body.into()).boxed());
    *page.status_mut() = status;
    page
}

async fn respond(mut request: Request<Incoming>) -> Page {
    let path = request.uri().path().to_owned();
    match path.as_str() {
        "/primus" if request.headers().contains_key("upgrade") => echoing(&mut request),
        "/primus" => page(StatusCode::UPGRADE_REQUIRED, ""),
        "/slow" => std::future::pending().await,
        "/redir" => with(
            page(StatusCode::FOUND, ""),
            "location",
            "http://127.0.0.1:21051/x",
        ),
        "/version" => {
            let version = page(StatusCode::OK, r#"{"version":"13.1.3-prerelease-1"}"#);
            with(version, "content-type", "application/json")
        }
        "/nocl" | "/stalls" => pieces(path == "/stalls"),
        echo if echo.starts_with("/echo") => {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let page = page(StatusCode::OK, [b"got:", &body[..]].concat());
            let page = with(page, "x-from", "target");
            let page = with(page, "set-cookie", "a=1; Path=/");
            with(page, "set-cookie", "b=2; Domain=other.example; Secure")
        }
        _ => {
            let text = format!(
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>Cannot {} {path}</pre>\n</body>\n</html>\n",
                request.method()
            );
            let page = page(StatusCode::NOT_FOUND, text);
            let page = with(page, "content-security-policy", "default-src 'none'");
            let page = with(page, "x-content-type-options", "nosniff");
            with(page, "content-type", "text/html; charset=utf-8")
        }
    }
}

fn with(mut page: Page, name: &'static str, value: &'static str) -> Page {
    page.headers_mut().append(name, value.parse().unwrap());
    page
}

/// Two pieces without a length, and for some tests never an end.
fn pieces(stalls: bool) -> Page {
    let (sender, mut receiver) = mpsc::unbounded_channel::<&'static str>();
    for piece in ["a", "b"] {
        sender.send(piece).unwrap();
    }
    if stalls {
        std::mem::forget(sender);
    }
    let stream = futures_util::stream::poll_fn(move |context| {
        let piece = receiver.poll_recv(context);
        piece.map(|piece| piece.map(|piece| Ok(Frame::data(Bytes::from(piece)))))
    });
    Response::new(BodyExt::boxed(StreamBody::new(SyncStream(Mutex::new(
        Box::pin(stream),
    )))))
}

/// Boxed bodies want their stream to be `Sync`.
struct SyncStream<S>(Mutex<std::pin::Pin<Box<S>>>);

impl<S: futures_util::Stream> futures_util::Stream for SyncStream<S> {
    type Item = S::Item;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<S::Item>> {
        self.0.lock().unwrap().as_mut().poll_next(context)
    }
}

/// Agrees to any websocket and sends back whatever comes.
fn echoing(request: &mut Request<Incoming>) -> Page {
    let upgrading = hyper::upgrade::on(request);
    tokio::spawn(async move {
        let mut stream = TokioIo::new(upgrading.await.unwrap());
        let mut buffer = [0; 1024];
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            stream.write_all(&buffer[..length]).await.unwrap();
        }
    });
    let page = page(StatusCode::SWITCHING_PROTOCOLS, "");
    let page = with(page, "upgrade", "websocket");
    let page = with(page, "connection", "Upgrade");
    with(page, "sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
}

/// A certificate for this machine and who vouches for it.
pub fn certificate() -> TlsServer {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let identity = Identity::inline(made.signing_key.serialize_pem(), made.cert.pem());
    TlsServer::new(identity).unwrap()
}

/// An open door that leads to a target.
pub struct Door {
    pub proxy: Proxy,
    pub remote: Arc<Remote>,
    pub address: SocketAddr,
    encrypted: bool,
}

impl Door {
    pub async fn open(proxy: ProxyConfig, remote: RemoteConfig) -> Self {
        let encrypted = proxy.tls.is_some();
        let remote = Arc::new(Remote::new(remote).unwrap());
        let proxy = Proxy::new(proxy, remote.clone());
        let address = proxy.start().await.unwrap();
        Self {
            proxy,
            remote,
            address,
            encrypted,
        }
    }

    pub async fn connect(&self) -> Box<dyn ByteStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        match self.encrypted {
            false => Box::new(stream),
            true => {
                let tls = TlsClient::new(&Trust::Anyone).unwrap();
                Box::new(tls.connect("localhost", stream).await.unwrap())
            }
        }
    }
}

/// An answer as it came.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Reads a recorded answer.
    pub fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut answer = Self::head(head);
        answer.body = body.to_owned();
        if answer.header("transfer-encoding").is_some() {
            answer.body = joined(&answer.body);
        }
        answer
    }

    fn head(text: &str) -> Self {
        let mut lines = text.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_lowercase(), value.trim().to_owned())
        };
        Self {
            status: status.parse().unwrap(),
            headers: lines.map(header).collect(),
            body: String::new(),
        }
    }
}

/// The text of chunks.
fn joined(chunked: &str) -> String {
    let lines: Vec<&str> = chunked.split("\r\n").collect();
    lines.iter().skip(1).step_by(2).copied().collect()
}

/// The next answer on the stream; without a body after `HEAD`. None when there is none.
pub async fn answer(stream: &mut Box<dyn ByteStream>, has_body: bool) -> Option<Answer> {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        text.push(char::from(stream.read_u8().await.ok()?));
    }
    let mut answer = Answer::head(text.trim_end());
    let length = answer
        .header("content-length")
        .map(|text| text.parse::<usize>().unwrap());
    if !has_body || answer.status == 101 {
        return Some(answer);
    }
    if answer.header("transfer-encoding").is_some() {
        let mut body = String::new();
        while !body.ends_with("0\r\n\r\n") {
            body.push(char::from(stream.read_u8().await.ok()?));
        }
        answer.body = joined(&body);
    } else {
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await.ok()?;
        answer.body = String::from_utf8(body).unwrap();
    }
    Some(answer)
}

pub async fn ask(stream: &mut Box<dyn ByteStream>, text: &str) -> Option<Answer> {
    stream.write_all(text.as_bytes()).await.unwrap();
    soon("an answer", answer(stream, !text.starts_with("HEAD"))).await
}

/// Whether the server has closed the stream and sent nothing more.
pub async fn is_closed(stream: &mut Box<dyn ByteStream>) -> bool {
    let mut rest = Vec::new();
    let _ = soon("the connection ends", stream.read_to_end(&mut rest)).await;
    rest.is_empty()
}
