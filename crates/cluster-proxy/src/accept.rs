//! The accept loop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use happn_core::{Arrival, Ingress};
use tokio_util::sync::CancellationToken;

use crate::backoff::{Backoff, concerns_one_connection};
use crate::door::{Door, Places, Seated};

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
    /// Connections that the node still holds.
    pub open: usize,
}

/// What the accept loop shares with its owner.
pub(crate) struct Reception {
    ingress: Arc<dyn Ingress>,
    places: Arc<Places>,
    accepted: AtomicU64,
    turned_away: AtomicU64,
    failed: AtomicU64,
}

impl Reception {
    pub(crate) fn new(ingress: Arc<dyn Ingress>, connections_max: usize) -> Arc<Self> {
        Arc::new(Self {
            ingress,
            places: Places::new(connections_max),
            accepted: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        })
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            accepted: self.accepted.load(Ordering::Relaxed),
            turned_away: self.turned_away.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            open: self.places.taken(),
        }
    }

    /// Accepts until `stop`; the door is closed when this returns.
    pub(crate) async fn serve<D: Door>(self: Arc<Self>, door: D, stop: CancellationToken) {
        let mut backoff = Backoff::default();
        let mut full = false;
        loop {
            let accepted = tokio::select! {
                // A full backlog must not delay the stop.
                biased;
                () = stop.cancelled() => return,
                accepted = door.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    if backoff.worked() {
                        tracing::info!("accepting clients again");
                    }
                    full = self.admit(stream, address, full);
                }
                Err(error) => {
                    self.failed.fetch_add(1, Ordering::Relaxed);
                    if !concerns_one_connection(&error) {
                        pause(&mut backoff, &error, &stop).await;
                    }
                }
            }
        }
    }

    /// Hands the stream on, or closes it when all places are taken. Whether they were.
    fn admit<S: happn_core::ByteStream>(
        &self,
        stream: S,
        address: SocketAddr,
        was_full: bool,
    ) -> bool {
        let Some(place) = self.places.take() else {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
            if !was_full {
                tracing::warn!(%address, "all connections are taken, turning clients away");
            }
            return true;
        };
        self.accepted.fetch_add(1, Ordering::Relaxed);
        let arrival = Arrival {
            address,
            encrypted: false,
        };
        self.ingress
            .accept(Box::new(Seated::new(stream, place)), arrival);
        false
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

    use happn_core::ByteStream;

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
        let reception = Reception::new(Arc::new(NoIngress), 1);
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
