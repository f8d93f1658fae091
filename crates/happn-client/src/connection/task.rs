//! The life of a connection's task, up to its good-bye.

use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::reader::Reader;
use super::{Bounds, ConnectionEnd, Inbox, Shared, Socket, writer};

/// How long a good-bye may take, both the last bytes out and the server's close frame in.
const GOODBYE: Duration = Duration::from_secs(2);

/// Owns the socket until the connection ends.
pub(super) async fn run<I: Inbox>(
    socket: impl Socket,
    mut reader: Reader<I>,
    mut queue: mpsc::Receiver<Message>,
    bounds: Bounds,
    cancel: CancellationToken,
    end_sender: watch::Sender<Option<ConnectionEnd>>,
) {
    let (mut sink, mut stream) = socket.split();
    let end = tokio::select! {
        // Reading and writing may not starve each other; a wish to stop comes before both.
        biased;
        () = cancel.cancelled() => ConnectionEnd::Closed,
        end = both(
            reader.read_loop(&mut stream),
            writer::write_loop(&mut sink, &mut queue, bounds.write),
        ) => end,
    };
    tracing::debug!(?end, "a connection ended");
    let on_purpose = end == ConnectionEnd::Closed;
    if on_purpose {
        goodbye(&mut sink, &mut stream, &mut queue).await;
        announce(&reader.shared, &end_sender, end);
    } else {
        // Whoever waits hears it first; what they had queued is not sent any more.
        announce(&reader.shared, &end_sender, end);
        let _ = tokio::time::timeout(GOODBYE, sink.close()).await;
    }
}

/// The last messages out, the close frame out, the server's close frame in.
async fn goodbye<S: Socket>(
    sink: &mut SplitSink<S, Message>,
    stream: &mut SplitStream<S>,
    queue: &mut mpsc::Receiver<Message>,
) {
    if writer::say_goodbye(sink, queue, GOODBYE).await.is_err() {
        return;
    }
    let farewell = async {
        while let Some(Ok(message)) = stream.next().await {
            if message.is_close() {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(GOODBYE, farewell).await;
}

/// The first of two ends; polled in turn, at random, so that neither starves.
async fn both(
    reading: impl Future<Output = ConnectionEnd>,
    writing: impl Future<Output = ConnectionEnd>,
) -> ConnectionEnd {
    tokio::select! {
        end = reading => end,
        end = writing => end,
    }
}

/// The reason first, so that whoever is woken by the closed rooms can read it.
fn announce(shared: &Shared, sender: &watch::Sender<Option<ConnectionEnd>>, end: ConnectionEnd) {
    sender.send_replace(Some(end));
    shared.replies.close();
    shared.publications.close();
}
