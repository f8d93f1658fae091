//! What each session did last, for those who look after a node.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use happn_core::Refusal;

use super::SecurityAuthority;
use crate::directory::{Directory, DirectoryError, SessionActivity};

/// Sessions whose last request waits to be written.
const PENDING_MAX: usize = 50_000;
/// Longest path that is kept, bytes.
const PATH_BYTES_MAX: usize = 1024;

/// Collects what sessions do and writes it now and then: of what one session does in between, the
/// last request. Requests wait for nothing.
pub(super) struct ActivityLog {
    ttl: Duration,
    pending: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    by_session: HashMap<Arc<str>, SessionActivity>,
    /// Requests of sessions for which there was no room.
    left_out: u64,
}

/// A request and what was decided about it.
pub(super) struct Request<'a> {
    pub(super) session_id: &'a Arc<str>,
    pub(super) action: &'a str,
    /// A login has none.
    pub(super) path: Option<&'a str>,
    pub(super) refusal: Option<&'a Refusal>,
}

impl ActivityLog {
    pub(super) fn new(ttl: Duration) -> Self {
        Self {
            ttl,
            pending: Mutex::default(),
        }
    }

    pub(super) fn note(&self, request: &Request<'_>) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let id = request.session_id;
        if pending.by_session.len() >= PENDING_MAX && !pending.by_session.contains_key(id) {
            pending.left_out += 1;
            return;
        }
        let activity = activity(request);
        pending.by_session.insert(id.clone(), activity);
    }

    fn take(&self) -> Pending {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *pending)
    }

    async fn write(&self, directory: &Directory) -> Result<(), DirectoryError> {
        let taken = self.take();
        if taken.left_out > 0 {
            let requests = taken.left_out;
            tracing::warn!(requests, "too many sessions to record what each did last");
        }
        let activities = taken.by_session.into_values().collect();
        directory
            .record_session_activity(activities, self.ttl)
            .await
    }
}

fn activity(request: &Request<'_>) -> SessionActivity {
    let told = request.refusal.map(|refusal| &refusal.error);
    let is_failure = |code: Option<u16>| !matches!(code, Some(401 | 403));
    let failure = told.filter(|error| is_failure(error.code));
    let reason = told.filter(|error| !is_failure(error.code));
    SessionActivity {
        session_id: request.session_id.to_string(),
        action: request.action.to_owned(),
        path: request.path.map(|path| shortened(path).to_owned()),
        authorized: told.is_none(),
        error: failure.map_or_else(String::new, |error| error.message.to_string()),
        reason: reason.map(|error| error.message.to_string()),
        at: None,
    }
}

/// The path, or its beginning.
fn shortened(path: &str) -> &str {
    let mut end = path.len().min(PATH_BYTES_MAX);
    while !path.is_char_boundary(end) {
        end -= 1;
    }
    &path[..end]
}

impl SecurityAuthority {
    /// Writes what sessions of this node did last, if a record of it is kept. To be called every
    /// few seconds, and before the stores are closed.
    ///
    /// # Errors
    /// When the store does not answer; what was to be written is lost then.
    pub async fn write_session_activity(&self) -> Result<(), DirectoryError> {
        match &self.shared.activity {
            Some(log) => log.write(&self.shared.directory).await,
            None => Ok(()),
        }
    }

    /// What each session did last, of all nodes, by session. Those of this node are up to date,
    /// others as of a few seconds ago; nothing where no record is kept.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn session_activity(&self) -> Result<Vec<SessionActivity>, DirectoryError> {
        self.write_session_activity().await?;
        self.shared.directory.list_session_activity().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(session_id: &'a Arc<str>, path: &'a str) -> Request<'a> {
        Request {
            session_id,
            action: "get",
            path: Some(path),
            refusal: None,
        }
    }

    #[test]
    fn of_many_requests_of_a_session_the_last_one_is_kept() {
        let log = ActivityLog::new(Duration::from_secs(1));
        let id = Arc::from("s");
        for number in 0..1000 {
            log.note(&request(&id, &format!("/a/{number}")));
        }
        let pending = log.take().by_session;
        assert_eq!(pending.len(), 1);
        assert_eq!(pending["s"].path.as_deref(), Some("/a/999"));
        assert!(log.take().by_session.is_empty());
    }

    #[test]
    fn any_number_of_sessions_leaves_a_bounded_number_waiting() {
        let log = ActivityLog::new(Duration::from_secs(1));
        for number in 0..PENDING_MAX + 10 {
            let id = Arc::from(number.to_string());
            log.note(&request(&id, "/a"));
        }
        log.note(&request(&Arc::from("0"), "/b"));
        let pending = log.take();
        assert_eq!(
            (pending.by_session.len(), pending.left_out),
            (PENDING_MAX, 10)
        );
        assert_eq!(pending.by_session["0"].path.as_deref(), Some("/b"));
    }

    #[test]
    fn a_refusal_is_told_from_a_failure_and_a_long_path_is_cut() {
        let id = Arc::from("s");
        let refused = Refusal::denied(403, "unauthorized");
        let path = "é".repeat(PATH_BYTES_MAX);
        let of = |refusal| {
            activity(&Request {
                refusal: Some(refusal),
                ..request(&id, &path)
            })
        };
        let noted = of(&refused);
        assert_eq!(noted.reason.as_deref(), Some("unauthorized"));
        assert_eq!((noted.authorized, &*noted.error), (false, ""));
        assert_eq!(noted.path.unwrap().len(), PATH_BYTES_MAX);
        let failed = super::super::refusals::failed(&"no store");
        let noted = of(&failed);
        assert_eq!((noted.reason, &*noted.error), (None, "no store"));
    }
}
