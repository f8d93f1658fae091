//! The writing half: everything queued goes out in one flush.

use std::time::Duration;

use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{ConnectionEnd, Socket};

/// How many messages one flush takes along.
const BATCH: usize = 256;

/// Writes until the connection breaks. Dropping it midway loses what it had taken from the queue
/// and not yet encoded; a frame is never cut short, so that a close frame may follow.
pub(super) async fn write_loop<S: Socket>(
    sink: &mut SplitSink<S, Message>,
    queue: &mut mpsc::Receiver<Message>,
    deadline: Duration,
) -> ConnectionEnd {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        if queue.recv_many(&mut batch, BATCH).await == 0 {
            return ConnectionEnd::Closed;
        }
        if let Err(reason) = write_batch(sink, &mut batch, deadline).await {
            return ConnectionEnd::Lost(reason);
        }
    }
}

/// Writes what is still queued, then the close frame.
pub(super) async fn say_goodbye<S: Socket>(
    sink: &mut SplitSink<S, Message>,
    queue: &mut mpsc::Receiver<Message>,
    deadline: Duration,
) -> Result<(), String> {
    queue.close();
    let mut batch = Vec::new();
    while let Ok(message) = queue.try_recv() {
        batch.push(message);
    }
    batch.push(Message::Close(None));
    write_batch(sink, &mut batch, deadline).await
}

/// The deadline is for each step, so that a slow line may take long over a large batch as long as
/// it moves.
async fn write_batch<S: Socket>(
    sink: &mut SplitSink<S, Message>,
    batch: &mut Vec<Message>,
    deadline: Duration,
) -> Result<(), String> {
    for message in batch.drain(..) {
        within(deadline, sink.feed(message)).await?;
    }
    within(deadline, sink.flush()).await
}

async fn within(
    deadline: Duration,
    step: impl Future<Output = Result<(), Error>>,
) -> Result<(), String> {
    match tokio::time::timeout(deadline, step).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("the server took no bytes for {deadline:?}")),
    }
}
