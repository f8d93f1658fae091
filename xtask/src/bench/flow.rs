//! A publisher that is never further ahead of its listeners than they allow.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{SinkExt, StreamExt};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;

use super::client::{Socket, frames};

/// What goes out with one flush.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    pub(super) publications: usize,
    /// How many get each of them.
    pub(super) listeners: usize,
}

/// Counts what arrives and gives its permits back.
pub(super) async fn listen(
    mut socket: Socket,
    permits: Arc<Semaphore>,
    delivered: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    loop {
        let count = frames(&mut socket).await?;
        delivered.fetch_add(count as u64, Ordering::Relaxed);
        permits.add_permits(count);
    }
}

/// Publishes while there are permits, one for each delivery, and drops the answers.
pub(super) async fn publish(
    socket: Socket,
    publication: Message,
    permits: Arc<Semaphore>,
    batch: Batch,
) -> anyhow::Result<()> {
    let wanted = u32::try_from(batch.publications * batch.listeners)?;
    let (mut sink, mut answers) = socket.split();
    let sending = async {
        loop {
            permits.acquire_many(wanted).await?.forget();
            for _ in 0..batch.publications {
                sink.feed(publication.clone()).await?;
            }
            sink.flush().await?;
        }
    };
    let draining = async {
        loop {
            frames(&mut answers).await?;
        }
    };
    tokio::select! {
        ended = sending => ended,
        ended = draining => ended,
    }
}
