//! A TCP relay in front of a node, to cut and to stall its links.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the relay does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Open,
    /// Connections stay open and carry nothing.
    Stalled,
    /// Connections are closed, new ones at once.
    Cut,
}

pub(crate) struct Relay {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
}

impl Relay {
    /// Relays to `target`.
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mode, seen) = watch::channel(Mode::Open);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let seen = seen.clone();
                if *seen.borrow() != Mode::Cut {
                    tokio::spawn(relay(near, target, seen));
                }
            }
        });
        Self { address, mode }
    }

    pub(crate) fn endpoint(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

async fn relay(near: TcpStream, target: SocketAddr, mut mode: watch::Receiver<Mode>) {
    let Ok(far) = TcpStream::connect(target).await else {
        return;
    };
    let (there, back) = (mode.clone(), mode.clone());
    tokio::select! {
        () = pump(&near, &far, there) => {}
        () = pump(&far, &near, back) => {}
        _ = mode.wait_for(|mode| *mode == Mode::Cut) => {}
    }
}

async fn pump(from: &TcpStream, to: &TcpStream, mut mode: watch::Receiver<Mode>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        if mode.wait_for(|mode| *mode != Mode::Stalled).await.is_err() {
            return;
        }
        if from.readable().await.is_err() {
            return;
        }
        if *mode.borrow() == Mode::Stalled {
            continue;
        }
        match from.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => {
                if write_all(to, &buffer[..count]).await.is_err() {
                    return;
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
