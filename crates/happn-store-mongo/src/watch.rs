//! Hearing of new items from the database, where it tells.

use std::time::Duration;

use bson::{RawDocumentBuf, doc};
use happn_core::ChangeHints;
use happn_paths::StoreGlob;
use mongodb::change_stream::ChangeStream;
use mongodb::change_stream::event::ChangeStreamEvent;
use mongodb::error::Error;
use tokio_util::sync::CancellationToken;

use crate::connection::{Connection, within};
use crate::failure::{self, Failure};
use crate::questions;

/// Only replica sets and sharded clusters have change streams: the server's number for that.
const NOT_A_REPLICA_SET: i32 = 40573;
/// Servers that only speak the protocol may not know the stage, or the command for it.
const UNKNOWN: [i32; 3] = [59, 115, 40324];
/// How long the server waits for news before it says that there are none.
const NEWS_MAX: Duration = Duration::from_secs(1);

/// A stream of new items.
pub(crate) type Stream = ChangeStream<ChangeStreamEvent<RawDocumentBuf>>;

/// Asks to be told of items that are made where `selector` points; `None` when this database
/// cannot tell.
pub(crate) async fn open(
    connection: &Connection,
    selector: &StoreGlob,
    patience: Duration,
) -> Result<Option<Stream>, Failure> {
    // Changes and removals of items say nothing of their paths.
    let mut new = questions::items(selector, "fullDocument.path");
    new.insert("operationType", doc! {"$in": ["insert", "replace"]});
    let watching = connection
        .collection
        .watch()
        .pipeline([doc! {"$match": new}])
        .max_await_time(NEWS_MAX);
    match within(patience, watching).await {
        Ok(stream) => Ok(Some(stream)),
        Err(Failure::Driver(error)) if is_unsupported(&error) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn is_unsupported(error: &Error) -> bool {
    failure::code(error).is_some_and(|code| code == NOT_A_REPLICA_SET || UNKNOWN.contains(&code))
}

/// Hints at every new item until nobody listens, the store closes, or the stream breaks.
pub(crate) async fn run(
    mut stream: Stream,
    hints: ChangeHints,
    patience: Duration,
    closing: CancellationToken,
) {
    loop {
        let news = tokio::select! {
            news = within(NEWS_MAX + patience, stream.next_if_any()) => news,
            () = hints.unheard() => return,
            () = closing.cancelled() => return,
        };
        match news {
            Ok(Some(_)) => hints.hint(),
            Ok(None) if stream.is_alive() => {}
            Ok(None) => return,
            Err(failure) => {
                tracing::debug!(reason = failure.reason(), "a change stream broke");
                return;
            }
        }
    }
}
