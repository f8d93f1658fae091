//! What a secure node does every now and then.

use std::sync::Arc;
use std::time::Duration;

use happn_core::{Clock, SecurityChanges};
use happn_security::authority::SecurityAuthority;
use happn_security::directory::{Directory, DirectoryError};

/// How often to look whether changes of other nodes were missed, or not told.
const VERSION_INTERVAL: Duration = Duration::from_secs(10);
/// How often what has expired is swept out.
const SWEEP_INTERVAL: Duration = Duration::from_secs(3600);
/// How often it is written what sessions did last.
const ACTIVITY_INTERVAL: Duration = Duration::from_secs(5);

/// Looks after the directory: notices missed changes, sweeps out revocations that have expired.
pub(super) async fn of_directory(authority: Arc<SecurityAuthority>, clock: Arc<dyn Clock>) {
    let mut since_sweep = Duration::ZERO;
    loop {
        clock.sleep(VERSION_INTERVAL).await;
        since_sweep += VERSION_INTERVAL;
        let is_sweep = since_sweep >= SWEEP_INTERVAL;
        if is_sweep {
            since_sweep = Duration::ZERO;
        }
        if has_missed(authority.directory(), is_sweep).await {
            // It may have taken rights away from those who are here.
            authority.reload().await;
        }
    }
}

/// Whether something happened that nobody told of.
async fn has_missed(directory: &Directory, is_sweep: bool) -> bool {
    let changed = directory.check_version().await;
    let revoked = match is_sweep {
        true => directory.load_revoked_tokens().await,
        false => directory.load_late_revocations().await,
    };
    [changed, revoked].into_iter().any(|outcome| {
        outcome.unwrap_or_else(|error| {
            report(&error);
            false
        })
    })
}

/// Writes what sessions did last, and sweeps out what is too old.
pub(super) async fn of_activity(authority: Arc<SecurityAuthority>, clock: Arc<dyn Clock>) {
    let mut since_sweep = SWEEP_INTERVAL;
    loop {
        if since_sweep >= SWEEP_INTERVAL {
            since_sweep = Duration::ZERO;
            if let Err(error) = authority.directory().sweep_session_activity().await {
                tracing::warn!(%error, "old records of what sessions did stay");
            }
        }
        clock.sleep(ACTIVITY_INTERVAL).await;
        since_sweep += ACTIVITY_INTERVAL;
        write_activity(&authority).await;
    }
}

pub(super) async fn write_activity(authority: &SecurityAuthority) {
    if let Err(error) = authority.write_session_activity().await {
        tracing::warn!(%error, "what sessions did last is not recorded");
    }
}

fn report(error: &DirectoryError) {
    tracing::warn!(%error, "users and groups cannot be compared with the store");
}
