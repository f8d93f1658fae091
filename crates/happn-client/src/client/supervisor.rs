//! Keeps a client connected: notices the loss, comes back, subscribes again.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;

use super::core::Core;
use super::subscribe::ask;
use crate::backoff::Backoff;
use crate::connection::{Connection, ConnectionEnd};
use crate::registry::{Off, WireKey};
use crate::{ClientError, ConnectionState};

/// How many requests of the supervisor may wait for their answer at a time.
const AT_ONCE: usize = 64;

/// Runs until the client is closed or the server does not want it back.
pub(super) async fn supervise(core: Arc<Core>, mut connection: Connection, mut backoff: Backoff) {
    let mut reconnects = 0;
    loop {
        let end = watch_over(&core, &connection).await;
        core.set_connection(None);
        let reason = match end {
            ConnectionEnd::Closed => return finish(&core, ConnectionState::Closed),
            ConnectionEnd::Ended(reason) => {
                tracing::info!(reason, "the server ended the session");
                return finish(&core, ConnectionState::Ended { reason });
            }
            ConnectionEnd::Lost(reason)
            | ConnectionEnd::TooLarge(reason)
            | ConnectionEnd::Parted(reason) => reason,
        };
        tracing::info!(reason, "connection lost");
        core.state
            .send_replace(ConnectionState::Disconnected { reason });
        let coming_back = come_back(&core, &connection, &mut backoff);
        let (next, session_id) = tokio::select! {
            biased;
            () = core.cancel.cancelled() => return finish(&core, ConnectionState::Closed),
            next = coming_back => next,
        };
        backoff.reset();
        reconnects += 1;
        core.set_connection(Some(next.clone()));
        connection = next;
        tracing::info!(reconnects, "connected again");
        core.state.send_replace(ConnectionState::Connected {
            session_id,
            reconnects,
        });
    }
}

/// Ends dropped subscriptions until the connection ends or the client is closed.
async fn watch_over(core: &Arc<Core>, connection: &Connection) -> ConnectionEnd {
    let unsubscribing = async {
        loop {
            let offs = stream::iter(core.next_offs().await);
            offs.for_each_concurrent(AT_ONCE, |off| unsubscribe(core, off))
                .await;
        }
    };
    tokio::select! {
        biased;
        () = core.cancel.cancelled() => {
            connection.close().await;
            ConnectionEnd::Closed
        }
        end = connection.ended() => end,
        end = unsubscribing => end,
    }
}

async fn unsubscribe(core: &Core, off: Off) {
    if let Err(error) = core.take_back(&off).await {
        tracing::warn!(channel = %off.channel, %error, "cannot unsubscribe");
    }
}

/// Tries until it works. Dropping the future abandons the attempt under way.
async fn come_back(
    core: &Arc<Core>,
    lost: &Connection,
    backoff: &mut Backoff,
) -> (Connection, Arc<str>) {
    loop {
        tokio::time::sleep(backoff.next_wait()).await;
        match attempt(core, lost, backoff.nonce()).await {
            Ok(back) => return back,
            Err(error) => {
                let reason = error.to_string();
                tracing::info!(reason, "cannot connect again yet");
                core.state
                    .send_replace(ConnectionState::Disconnected { reason });
            }
        }
    }
}

async fn attempt(
    core: &Arc<Core>,
    lost: &Connection,
    nonce: u64,
) -> Result<(Connection, Arc<str>), ClientError> {
    let (connection, session_id) = core.establish(nonce, lost.session_id()).await?;
    resubscribe(core, &connection).await?;
    Ok((connection, session_id))
}

/// Asks again for every subscription. Those the server now refuses end; any other failure means
/// that the connection is no good.
async fn resubscribe(core: &Arc<Core>, connection: &Connection) -> Result<(), ClientError> {
    let again = core.registry.restart(&ClientError::Disconnected {
        reason: "the connection was lost before the subscription was confirmed".to_owned(),
    });
    // From here on only references of the new session can come in.
    core.forget_offs();
    let mut asking = stream::iter(again)
        .map(|(key, attempt)| resubscribe_one(Arc::clone(core), connection.clone(), key, attempt))
        .buffered(AT_ONCE);
    while let Some(outcome) = asking.next().await {
        outcome?;
    }
    Ok(())
}

async fn resubscribe_one(
    core: Arc<Core>,
    connection: Connection,
    key: WireKey,
    attempt: u64,
) -> Result<(), ClientError> {
    let options = key.options.to_string();
    match ask(&core, &connection, &key, attempt, options).await {
        Err(error) if error.is_access_denied() => {
            tracing::warn!(channel = %key.channel, %error, "a subscription has ended");
            core.registry.refuse(&key, attempt, error);
            Ok(())
        }
        outcome => outcome,
    }
}

fn finish(core: &Core, state: ConnectionState) {
    core.registry.clear();
    core.state.send_replace(state);
}
