//! The signals that ask a process to stop, or to read its certificates again.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What comes so soon after the first signal is the same wish: a terminal, a shell and a service
/// manager may each send one.
const ONE_WISH: Duration = Duration::from_millis(500);

/// SIGINT and SIGTERM. While this lives they do not end the process by themselves.
#[derive(Debug)]
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// Begins to listen. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one and answers its name. Cancel-safe.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }

    /// Waits for one that is a wish of its own: not within half a second of this call. Cancel-safe.
    pub async fn next_wish(&mut self) -> &'static str {
        let settled = tokio::time::sleep(ONE_WISH);
        tokio::pin!(settled);
        loop {
            tokio::select! {
                // What came in while the process was busy came in time.
                biased;
                _ = self.next() => {}
                () = &mut settled => break,
            }
        }
        self.next().await
    }
}

/// SIGHUP. While this lives it does not end the process.
#[derive(Debug)]
pub struct ReloadSignals(Signal);

impl ReloadSignals {
    /// Begins to listen. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn listen() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Waits for the next one. Cancel-safe.
    pub async fn next(&mut self) {
        self.0.recv().await;
    }
}
