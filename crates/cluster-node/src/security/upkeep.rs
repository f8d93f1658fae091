//! What a secure node does every now and then.

use std::sync::Arc;
use std::time::Duration;

use happn_core::{Clock, SecurityChanges};
use happn_security::authority::SecurityAuthority;
use happn_security::directory::DirectoryError;

/// How often to look whether changes of other nodes were missed.
const VERSION_INTERVAL: Duration = Duration::from_secs(10);
/// How often what has expired is swept out.
const SWEEP_INTERVAL: Duration = Duration::from_secs(3600);
/// How often it is written what sessions did last.
const ACTIVITY_INTERVAL: Duration = Duration::from_secs(5);

/// Looks after the directory: notices missed changes, sweeps out revocations that have expired.
pub(super) async fn of_directory(authority: Arc<SecurityAuthority>, clock: Arc<dyn Clock>) {
    let directory = authority.directory().clone();
    let mut since_sweep = Duration::ZERO;
    loop {
        clock.sleep(VERSION_INTERVAL).await;
        match directory.check_version().await {
            Ok(false) => {}
            // What was missed may have taken rights away from those who are here.
            Ok(true) => authority.reload().await,
            Err(error) => report(&error),
        }
        since_sweep += VERSION_INTERVAL;
        if since_sweep >= SWEEP_INTERVAL {
            since_sweep = Duration::ZERO;
            if let Err(error) = directory.load_revoked_tokens().await {
                report(&error);
            }
        }
    }
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
