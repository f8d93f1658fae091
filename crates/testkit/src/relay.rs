//! A TCP relay that cuts, stalls, delays and throttles the connections through it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// The most bytes carried in one step.
const STEP: usize = 64 * 1024;
/// The most bytes carried in one step of a slow line.
const SLOW_STEP: usize = 1024;

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// It carries everything as fast as it can.
    Open,
    /// Connections are closed, new ones at once.
    Cut,
    /// Connections stay open, new ones too, and carry nothing. What stalled so goes on when the
    /// line is open again.
    HalfOpen,
    /// So many bytes per second, connection and direction.
    Slow(u64),
    /// Bytes arrive so much later, in both directions; no more than 64 KiB are on their way.
    Delayed(Duration),
}

/// Carries connections to one address. Dropping it takes no new ones; [`Line::Cut`] ends those
/// that are there.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    line: watch::Sender<Line>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Listens at `address`, of which the port may be 0, for connections to `target`. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// When nobody can listen there.
    pub async fn start(address: SocketAddr, target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (line, seen) = watch::channel(Line::Open);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let line = seen.clone();
                if *line.borrow() != Line::Cut {
                    tokio::spawn(carry(near, target, line));
                }
            }
        });
        Ok(Self {
            address,
            line,
            task,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on the network does this.
    pub fn set(&self, line: Line) {
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
    // What arrives together leaves together already; the system must not hold back the rest.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (there, back) = (line.clone(), line.clone());
    tokio::select! {
        () = pump(&near, &far, there) => {}
        () = pump(&far, &near, back) => {}
        _ = line.wait_for(|line| *line == Line::Cut) => {}
    }
}

/// Carries one direction until either side ends it.
async fn pump(from: &TcpStream, to: &TcpStream, mut line: watch::Receiver<Line>) {
    let mut buffer = vec![0; STEP];
    loop {
        if line.wait_for(|line| *line != Line::HalfOpen).await.is_err()
            || from.readable().await.is_err()
        {
            return;
        }
        let now = *line.borrow();
        let share = match now {
            Line::HalfOpen => continue,
            Line::Slow(_) => SLOW_STEP,
            Line::Open | Line::Cut | Line::Delayed(_) => STEP,
        };
        match from.try_read(&mut buffer[..share]) {
            Ok(0) => return,
            Ok(count) => {
                // A sleep of nothing would still wait for the timer's next millisecond.
                if let Some(pause) = pause(now, count) {
                    sleep(pause).await;
                }
                if write_all(to, &buffer[..count]).await.is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// How long `count` bytes are on their way, when the line holds them up.
fn pause(line: Line, count: usize) -> Option<Duration> {
    match line {
        Line::Open | Line::Cut | Line::HalfOpen => None,
        Line::Slow(per_second) => {
            let micros = 1_000_000 * count as u64 / per_second.max(1);
            Some(Duration::from_micros(micros))
        }
        Line::Delayed(delay) => Some(delay),
    }
}

async fn write_all(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::within;

    /// A connection through a relay to someone who answers every byte with itself.
    async fn echoed() -> (Relay, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut reader, mut writer) = stream.split();
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
        });
        let relay = Relay::start(([127, 0, 0, 1], 0).into(), target)
            .await
            .unwrap();
        let stream = TcpStream::connect(relay.address()).await.unwrap();
        (relay, stream)
    }

    async fn echo(stream: &mut TcpStream, byte: u8) -> io::Result<u8> {
        stream.write_u8(byte).await?;
        within(stream.read_u8()).await
    }

    #[tokio::test]
    async fn an_open_line_carries_and_a_cut_one_ends_the_connection() {
        let (relay, mut stream) = echoed().await;
        assert_eq!(echo(&mut stream, 7).await.unwrap(), 7);
        relay.set(Line::Cut);
        assert!(within(stream.read_u8()).await.is_err());
    }

    #[tokio::test]
    async fn what_a_half_open_line_held_back_follows_when_it_opens() {
        let (relay, mut stream) = echoed().await;
        assert_eq!(echo(&mut stream, 1).await.unwrap(), 1);
        relay.set(Line::HalfOpen);
        stream.write_u8(2).await.unwrap();
        relay.set(Line::Open);
        assert_eq!(within(stream.read_u8()).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_delayed_line_takes_its_time() {
        let (relay, mut stream) = echoed().await;
        assert_eq!(echo(&mut stream, 1).await.unwrap(), 1);
        let delay = Duration::from_millis(50);
        relay.set(Line::Delayed(delay));
        let since = tokio::time::Instant::now();
        assert_eq!(echo(&mut stream, 2).await.unwrap(), 2);
        assert!(since.elapsed() >= 2 * delay);
    }
}
