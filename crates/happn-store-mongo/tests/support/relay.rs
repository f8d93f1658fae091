//! A TCP relay between the driver and the database, which can misbehave, and which hears the
//! commands that pass.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bson::Document;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the relay does with connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Bytes pass.
    Open,
    /// Bytes pass, each piece this much later.
    Slow(Duration),
    /// Nothing passes in either direction; connections stay open.
    Silent,
    /// Requests pass, answers do not.
    Deaf,
    /// Connections are reset, new ones too.
    Reset,
}

/// A relay to one server.
pub struct Relay {
    address: SocketAddr,
    line: watch::Sender<Line>,
    heard: Arc<Mutex<Vec<Document>>>,
}

impl Relay {
    /// A relay to the server of `url`.
    pub async fn to(url: &str) -> Self {
        let any_port = (Ipv4Addr::LOCALHOST, 0).into();
        Self::on(any_port, url).await.unwrap()
    }

    /// A relay that listens on `address`.
    pub async fn on(address: SocketAddr, url: &str) -> std::io::Result<Self> {
        let target = url.split("://").nth(1).unwrap();
        let target = target.split(['/', '?']).next().unwrap().to_owned();
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr().unwrap();
        let (line, state) = watch::channel(Line::Open);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ears = heard.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (target, state, ears) = (target.clone(), state.clone(), ears.clone());
                tokio::spawn(connection(client, target, state, ears));
            }
        });
        Ok(Self {
            address,
            line,
            heard,
        })
    }

    pub fn url(&self) -> String {
        format!("mongodb://{}", self.address)
    }

    pub fn set(&self, line: Line) {
        self.line.send_replace(line);
    }

    /// The commands that have passed since the last time, session fields left out, those of the
    /// driver itself too.
    pub fn commands(&self) -> Vec<Document> {
        let heard = std::mem::take(&mut *self.heard.lock().unwrap());
        let own = ["hello", "isMaster", "ismaster", "ping", "endSessions"];
        heard
            .into_iter()
            .filter(|command| own.iter().all(|name| !command.contains_key(name)))
            .map(|command| {
                let kept = |(key, _): &(String, bson::Bson)| {
                    !matches!(key.as_str(), "lsid" | "$db" | "txnNumber" | "$clusterTime")
                };
                command.into_iter().filter(kept).collect()
            })
            .collect()
    }
}

async fn connection(
    client: TcpStream,
    target: String,
    mut line: watch::Receiver<Line>,
    heard: Arc<Mutex<Vec<Document>>>,
) {
    if *line.borrow() == Line::Reset {
        // Closes so that the peer sees a reset rather than an end.
        let _ = client.set_zero_linger();
        return;
    }
    let server = TcpStream::connect(target).await.unwrap();
    let (mut client_read, mut client_write) = client.into_split();
    let (mut server_read, mut server_write) = server.into_split();
    let to_server = {
        let mut line = line.clone();
        async move {
            let mut pending = Vec::new();
            let mut buffer = vec![0; 65536];
            while let Ok(count @ 1..) = client_read.read(&mut buffer).await {
                pass(&mut line, |line| line != Line::Silent).await;
                pending.extend_from_slice(&buffer[..count]);
                heard.lock().unwrap().extend(messages(&mut pending));
                if server_write.write_all(&buffer[..count]).await.is_err() {
                    return;
                }
            }
        }
    };
    let to_client = {
        let mut line = line.clone();
        async move {
            let mut buffer = vec![0; 65536];
            while let Ok(count @ 1..) = server_read.read(&mut buffer).await {
                pass(&mut line, |line| !matches!(line, Line::Silent | Line::Deaf)).await;
                if client_write.write_all(&buffer[..count]).await.is_err() {
                    return;
                }
            }
        }
    };
    let cut = line.wait_for(|line| *line == Line::Reset);
    tokio::select! {
        () = to_server => {}
        () = to_client => {}
        _ = cut => {}
    }
}

/// Waits until bytes may pass.
async fn pass(line: &mut watch::Receiver<Line>, may: impl Fn(Line) -> bool) {
    let now = line.wait_for(|line| may(*line)).await.map(|line| *line);
    if let Ok(Line::Slow(delay)) = now {
        tokio::time::sleep(delay).await;
    }
}

/// Takes the whole messages out of `pending` and answers their commands.
fn messages(pending: &mut Vec<u8>) -> Vec<Document> {
    let mut commands = Vec::new();
    while pending.len() >= 16 {
        let number = |at: usize| i32::from_le_bytes(pending[at..at + 4].try_into().unwrap());
        let length = usize::try_from(number(0)).unwrap();
        if pending.len() < length {
            break;
        }
        if number(12) == 2013 {
            commands.extend(command(&pending[20..length]));
        }
        pending.drain(..length);
    }
    commands
}

/// The sections of a message: one document, and lists of documents that belong into it.
fn command(mut sections: &[u8]) -> Option<Document> {
    let mut command = Document::new();
    while sections.len() > 4 {
        let (kind, rest) = sections.split_first()?;
        let length = usize::try_from(i32::from_le_bytes(rest[..4].try_into().ok()?)).ok()?;
        if *kind == 0 {
            command.extend(Document::from_reader(&rest[..length]).ok()?);
        } else {
            let end = rest[4..].iter().position(|byte| *byte == 0)? + 4;
            let name = String::from_utf8(rest[4..end].to_vec()).ok()?;
            let mut items = &rest[end + 1..length];
            let mut list = Vec::new();
            while !items.is_empty() {
                list.push(bson::Bson::Document(
                    Document::from_reader(&mut items).ok()?,
                ));
            }
            command.insert(name, list);
        }
        sections = &rest[length..];
    }
    Some(command)
}
