//! A websocket client that does nothing by itself: it sends what it is told and hands over what
//! arrives, so that a test can break every rule.

mod frames;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;

pub use frames::{Opcode, encode};

/// How long anything that must come may take.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// The largest frame and HTTP head this client takes in.
const TAKEN_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Something that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    /// An HTTP head; of anything but an upgrade also the body, up to the end of the stream.
    Http(String),
    Text(String),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    /// A frame no server of this protocol sends.
    Odd(u8),
    /// The other side is done, or the connection broke.
    End,
}

/// One connection.
pub struct RawSocket {
    writer: OwnedWriteHalf,
    arriving: mpsc::UnboundedReceiver<Got>,
    /// Arrived and not yet asked for.
    pub waiting: VecDeque<Got>,
}

impl RawSocket {
    /// Opens a connection and sends `head`, an HTTP request.
    pub async fn open(address: SocketAddr, head: &[u8]) -> std::io::Result<Self> {
        Self::on(TcpStream::connect(address).await?, head).await
    }

    async fn on(stream: TcpStream, head: &[u8]) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        let (reader, mut writer) = stream.into_split();
        let (arrived, arriving) = mpsc::unbounded_channel();
        tokio::spawn(read(BufReader::new(reader), arrived));
        writer.write_all(head).await?;
        Ok(Self {
            writer,
            arriving,
            waiting: VecDeque::new(),
        })
    }

    /// A websocket that is open.
    pub async fn websocket(address: SocketAddr) -> Self {
        Self::open(address, UPGRADE).await.unwrap().upgraded().await
    }

    /// A websocket of a client whose address is `from`, on this machine.
    pub async fn websocket_from(from: IpAddr, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let stream = socket.connect(address).await.unwrap();
        Self::on(stream, UPGRADE).await.unwrap().upgraded().await
    }

    async fn upgraded(mut self) -> Self {
        let answer = self.next().await;
        assert!(
            matches!(&answer, Got::Http(head) if head.starts_with("HTTP/1.1 101")),
            "the upgrade was answered with {answer:?}"
        );
        self
    }

    /// Sends bytes as they are. A closed connection is no error: what arrives will tell.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        let _ = self.writer.write_all(bytes).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.send_raw(&encode(Opcode::Text, text.as_bytes())).await;
    }

    /// Ends this side of the stream.
    pub async fn finish(&mut self) {
        let _ = self.writer.shutdown().await;
    }

    /// The next thing that arrives, in order.
    pub async fn next(&mut self) -> Got {
        match self.waiting.pop_front() {
            Some(got) => got,
            None => self
                .arrival(DEADLINE)
                .await
                .expect("nothing arrived in time"),
        }
    }

    /// Moves the next arrival into the waiting ones. False when `deadline` passed first or the
    /// end has been seen.
    pub async fn wait(&mut self, deadline: Duration) -> bool {
        let got = self.arrival(deadline).await;
        let came = got.is_some();
        self.waiting.extend(got);
        came
    }

    async fn arrival(&mut self, deadline: Duration) -> Option<Got> {
        tokio::time::timeout(deadline, self.arriving.recv())
            .await
            .ok()?
    }
}

/// An upgrade every server takes.
pub const UPGRADE: &[u8] = b"GET /primus HTTP/1.1\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Host: localhost\r\n\r\n";

async fn read(
    mut stream: impl AsyncRead + Unpin,
    arrived: mpsc::UnboundedSender<Got>,
) -> Option<()> {
    let got = read_all(&mut stream, &arrived).await;
    arrived.send(Got::End).ok()?;
    got
}

async fn read_all(
    stream: &mut (impl AsyncRead + Unpin),
    arrived: &mpsc::UnboundedSender<Got>,
) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let upgraded = head.starts_with(b"HTTP/1.1 101");
    if !upgraded {
        let _ = stream.take(TAKEN_BYTES_MAX).read_to_end(&mut head).await;
    }
    arrived
        .send(Got::Http(String::from_utf8_lossy(&head).into()))
        .ok()?;
    if !upgraded {
        return Some(());
    }
    loop {
        let got = frames::read(stream, TAKEN_BYTES_MAX).await.ok()?;
        arrived.send(got).ok()?;
    }
}
