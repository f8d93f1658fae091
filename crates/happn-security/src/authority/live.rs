//! Sessions that are logged in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::rights::UserRights;
use crate::policy::{Policies, PolicyRefusal, SessionType, Usage};

/// The logins that still count, by session. A login that is over takes itself out.
#[derive(Debug, Default)]
pub(super) struct LiveSessions {
    logins: Mutex<HashMap<Arc<str>, Login>>,
    next: AtomicU64,
}

#[derive(Debug)]
struct Login {
    /// A later login of the session has another one.
    number: u64,
    rights: Weak<UserRights>,
}

/// A place among the live sessions, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    live: Weak<LiveSessions>,
    session_id: Arc<str>,
    number: u64,
}

impl LiveSessions {
    /// Makes rights that are listed as long as they live.
    pub(super) fn enter(
        self: &Arc<Self>,
        session_id: &Arc<str>,
        make: impl FnOnce(Weak<UserRights>, Place) -> UserRights,
    ) -> Arc<UserRights> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let place = Place {
            live: Arc::downgrade(self),
            session_id: session_id.clone(),
            number,
        };
        let rights = Arc::new_cyclic(|this| make(this.clone(), place));
        let login = Login {
            number,
            rights: Arc::downgrade(&rights),
        };
        self.logins().insert(session_id.clone(), login);
        rights
    }

    /// All of them, in no order.
    pub(super) fn all(&self) -> Vec<Arc<UserRights>> {
        let logins = self.logins();
        let live = logins.values().filter_map(|login| login.rights.upgrade());
        live.collect()
    }

    /// What the session `id` has used up so far.
    pub(super) fn usage_of(&self, id: &str) -> Option<Arc<SharedUsage>> {
        let rights = self.logins().get(id)?.rights.upgrade()?;
        Some(rights.usage().clone())
    }

    fn logins(&self) -> MutexGuard<'_, HashMap<Arc<str>, Login>> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(live) = self.live.upgrade() {
            let mut logins = live.logins();
            let is_last = |login: &Login| login.number == self.number;
            if logins.get(&self.session_id).is_some_and(is_last) {
                logins.remove(&self.session_id);
            }
        }
    }
}

/// What a session, and the requests over HTTP with its token, have used up.
#[derive(Debug, Default)]
pub(super) struct SharedUsage(Mutex<Usage>);

impl SharedUsage {
    pub(super) fn snapshot(&self) -> Usage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn admit(
        &self,
        policies: Option<&Policies>,
        session_type: SessionType,
        age: Duration,
        now: Duration,
    ) -> Result<(), PolicyRefusal> {
        let mut usage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        usage.admit(policies, session_type, age, now).map(|_| ())
    }
}
