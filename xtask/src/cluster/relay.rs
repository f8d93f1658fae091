//! A TCP relay in front of a node's inner port, at the address that the node announces.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Open,
    /// Connections are closed, and new ones refused service.
    Cut,
    /// Connections stay open and carry nothing.
    HalfOpen,
    /// So many bytes per second and connection.
    Slow(u64),
}

/// Carries what other nodes send to one node, and its answers. Dropping it closes everything.
pub(super) struct Relay {
    line: watch::Sender<Line>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Listens at `address` for connections to `target`.
    pub(super) async fn start(address: SocketAddr, target: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot relay at {address}"))?;
        let (line, seen) = watch::channel(Line::Open);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let line = seen.clone();
                if *line.borrow() != Line::Cut {
                    tokio::spawn(carry(near, target, line));
                }
            }
        });
        Ok(Self { line, task })
    }

    pub(super) fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(near: TcpStream, target: SocketAddr, mut line: watch::Receiver<Line>) {
    let Ok(far) = TcpStream::connect(target).await else {
        return;
    };
    let (there, back) = (line.clone(), line.clone());
    tokio::select! {
        () = pump(&near, &far, there) => {}
        () = pump(&far, &near, back) => {}
        _ = line.wait_for(|line| *line == Line::Cut) => {}
    }
}

/// Carries one direction until either side ends it.
async fn pump(from: &TcpStream, to: &TcpStream, mut line: watch::Receiver<Line>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        if line.wait_for(|line| *line != Line::HalfOpen).await.is_err()
            || from.readable().await.is_err()
        {
            return;
        }
        let now = *line.borrow();
        let share = match now {
            Line::HalfOpen => continue,
            Line::Slow(_) => 1024,
            Line::Open | Line::Cut => buffer.len(),
        };
        match from.try_read(&mut buffer[..share]) {
            Ok(0) => return,
            Ok(count) => {
                if write_all(to, &buffer[..count]).await.is_err() {
                    return;
                }
                if let Line::Slow(per_second) = now {
                    let micros = 1_000_000 * count as u64 / per_second.max(1);
                    sleep(Duration::from_micros(micros)).await;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

async fn write_all(to: &TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
