//! The accept loop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use happn_core::{Arrival, ByteStream, DoorRules, Ingress};
use happn_tls::TlsServer;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backoff::{Backoff, concerns_one_connection};
use crate::door::{Door, Places, Seated};
use crate::proxy::ProxyConfig;

/// A reading of the proxy's counters.
///
/// `open ≤ accepted`; connections turned away are not among the accepted ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections handed to the node since the proxy was made.
    pub accepted: u64,
    /// Connections closed at once because all places were taken.
    pub turned_away: u64,
    /// Failed attempts to accept.
    pub failed: u64,
    /// Connections whose TLS handshake failed. They are among the accepted ones.
    pub handshakes_failed: u64,
    /// Connections that the node still holds.
    pub open: usize,
}

/// What the accept loop shares with its owner.
pub(crate) struct Reception {
    ingress: Arc<dyn Ingress>,
    tls: Option<TlsServer>,
    rules: Arc<DoorRules>,
    places: Arc<Places>,
    accepted: AtomicU64,
    turned_away: AtomicU64,
    failed: AtomicU64,
    handshakes_failed: AtomicU64,
}

impl Reception {
    pub(crate) fn new(ingress: Arc<dyn Ingress>, config: &ProxyConfig) -> Arc<Self> {
        Arc::new(Self {
            ingress,
            tls: config.tls.clone(),
            rules: Arc::new(config.rules()),
            places: Places::new(config.connections_max),
            accepted: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            handshakes_failed: AtomicU64::new(0),
        })
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            accepted: self.accepted.load(Ordering::Relaxed),
            turned_away: self.turned_away.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            handshakes_failed: self.handshakes_failed.load(Ordering::Relaxed),
            open: self.places.taken(),
        }
    }

    /// Accepts until `stop`; the door is closed when this returns.
    pub(crate) async fn serve<D: Door>(self: Arc<Self>, door: D, stop: CancellationToken) {
        let mut backoff = Backoff::default();
        let mut full = false;
        let handshakes = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                // A full backlog must not delay the stop.
                biased;
                () = stop.cancelled() => break,
                accepted = door.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    if backoff.worked() {
                        tracing::info!("accepting clients again");
                    }
                    match self.seat(stream, address, full) {
                        Some(stream) => {
                            full = false;
                            self.hand_on(stream, address, &handshakes, &stop);
                        }
                        None => full = true,
                    }
                }
                Err(error) => {
                    self.failed.fetch_add(1, Ordering::Relaxed);
                    if !concerns_one_connection(&error) {
                        pause(&mut backoff, &error, &stop).await;
                    }
                }
            }
        }
        handshakes.close();
        handshakes.wait().await;
    }

    /// Gives the stream a place, or closes it when there is none.
    fn seat<S: ByteStream>(
        &self,
        stream: S,
        address: SocketAddr,
        was_full: bool,
    ) -> Option<Seated<S>> {
        if let Some(place) = self.places.take() {
            self.accepted.fetch_add(1, Ordering::Relaxed);
            return Some(Seated::new(stream, place));
        }
        self.turned_away.fetch_add(1, Ordering::Relaxed);
        if !was_full {
            tracing::warn!(%address, "all connections are taken, turning clients away");
        }
        None
    }

    /// Hands the stream to the node, after the TLS handshake if there is to be one. Handshakes
    /// run beside each other and end with the door.
    fn hand_on<S: ByteStream>(
        self: &Arc<Self>,
        stream: Seated<S>,
        address: SocketAddr,
        handshakes: &TaskTracker,
        stop: &CancellationToken,
    ) {
        let arrival = Arrival {
            address,
            encrypted: self.tls.is_some(),
            door: Some(self.rules.clone()),
        };
        let Some(tls) = self.tls.clone() else {
            return self.ingress.accept(Box::new(stream), arrival);
        };
        let (reception, stop) = (self.clone(), stop.clone());
        handshakes.spawn(async move {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = tls.accept(stream) => accepted,
            };
            match accepted {
                Ok(stream) => reception.ingress.accept(Box::new(stream), arrival),
                Err(error) => {
                    reception.handshakes_failed.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(%address, %error, "no TLS with a client");
                }
            }
        });
    }
}

/// Waits as long as the failures in a row ask for, or until `stop`.
async fn pause(backoff: &mut Backoff, error: &io::Error, stop: &CancellationToken) {
    let pause = backoff.failed();
    tracing::warn!(%error, ?pause, "cannot accept clients, waiting");
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    struct NoIngress;

    impl Ingress for NoIngress {
        fn accept(&self, _stream: Box<dyn ByteStream>, _arrival: Arrival) {}
    }

    /// A door that is always ready and always fails, like a listener without descriptors.
    struct BrokenDoor(io::ErrorKind);

    impl Door for BrokenDoor {
        type Stream = tokio::io::DuplexStream;

        async fn accept(&self) -> io::Result<(Self::Stream, SocketAddr)> {
            tokio::task::yield_now().await;
            Err(io::Error::from(self.0))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_door_that_always_fails_is_tried_about_once_a_second_and_stops_at_once() {
        let reception = Reception::new(Arc::new(NoIngress), &ProxyConfig::new("127.0.0.1", 0));
        let stop = CancellationToken::new();
        let door = BrokenDoor(io::ErrorKind::Other);
        let serving = tokio::spawn(reception.clone().serve(door, stop.clone()));
        tokio::time::sleep(Duration::from_secs(60)).await;
        let failed = reception.counters().failed;
        assert!((50..80).contains(&failed), "{failed} attempts in a minute");
        stop.cancel();
        serving.await.unwrap();
    }
}
