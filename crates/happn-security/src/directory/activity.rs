//! What each session did last: one document per session, as JavaScript nodes keep it.

use std::time::Duration;

use happn_core::{Document, WriteMode};
use happn_protocol::Json;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::DirectoryError;
use super::{Directory, Inner, paths};

/// Writes that wait for the store together.
const AT_ONCE: usize = 256;

/// The last request of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionActivity {
    /// The session.
    pub session_id: String,
    /// What it wanted: `get`, `set`, `login` and so on.
    pub action: String,
    /// Where; absent for a login.
    pub path: Option<String>,
    /// Whether it might.
    pub authorized: bool,
    /// Why nobody could say whether it might; empty otherwise.
    pub error: String,
    /// Why it might not.
    pub reason: Option<String>,
    /// When that was written, ms since 1970; absent before it is.
    pub at: Option<i64>,
}

#[derive(Deserialize)]
struct Stored {
    data: StoredRequest,
    #[serde(default)]
    ttl: Option<f64>,
}

#[derive(Deserialize)]
struct StoredRequest {
    #[serde(default)]
    action: String,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    authorized: bool,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    reason: Option<String>,
}

impl SessionActivity {
    fn read(document: &Document) -> Option<Self> {
        let session_id = document.path.strip_prefix(paths::SESSION_ACTIVITY)?;
        let said = document.data.decode::<Stored>().ok()?.data;
        Some(Self {
            session_id: session_id.into(),
            action: said.action,
            path: said.path,
            authorized: said.authorized,
            error: said.error.as_str().unwrap_or_default().to_owned(),
            reason: said.reason,
            at: document.modified,
        })
    }

    fn document(&self, ttl: Duration) -> Value {
        let mut data = json!({
            "path": self.path,
            "action": self.action,
            "id": self.session_id,
            "error": self.error,
            "authorized": self.authorized,
        });
        if let Some(reason) = &self.reason {
            data["reason"] = json!(reason);
        }
        let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        json!({ "data": data, "key": self.session_id, "ttl": ttl, "noclone": false })
    }
}

impl Directory {
    /// Writes what sessions did last, to be kept for `ttl`.
    ///
    /// # Errors
    /// When the store does not answer; some may be written then and some not.
    pub async fn record_session_activity(
        &self,
        activities: Vec<SessionActivity>,
        ttl: Duration,
    ) -> Result<(), DirectoryError> {
        self.carry(move |inner| async move { inner.record_activity(&activities, ttl).await })
            .await
    }

    /// What each session of any node did last, by session, as far as that was written and its time
    /// has not passed.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list_session_activity(&self) -> Result<Vec<SessionActivity>, DirectoryError> {
        let now = self.0.records.now();
        let documents = self.0.records.below(paths::SESSION_ACTIVITY).await?;
        let kept = documents.iter().filter(|it| !has_passed(it, now));
        Ok(kept.filter_map(SessionActivity::read).collect())
    }

    /// Removes the records whose time has passed. To be called at the start, and every now and
    /// then, where such records are kept.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn sweep_session_activity(&self) -> Result<(), DirectoryError> {
        self.carry(|inner| async move { inner.sweep_activity().await })
            .await
    }
}

impl Inner {
    async fn record_activity(
        &self,
        activities: &[SessionActivity],
        ttl: Duration,
    ) -> Result<(), DirectoryError> {
        for some in activities.chunks(AT_ONCE) {
            let begun = some.iter().map(|activity| {
                let path = paths::activity_of(&activity.session_id);
                let data = Json::encode(&activity.document(ttl)).unwrap_or(Json::EMPTY_OBJECT);
                self.records.begin_write(&path, data, WriteMode::Replace)
            });
            for write in begun.collect::<Vec<_>>() {
                write.await?;
            }
        }
        Ok(())
    }

    async fn sweep_activity(&self) -> Result<(), DirectoryError> {
        let now = self.records.now();
        for document in self.records.below(paths::SESSION_ACTIVITY).await? {
            if has_passed(&document, now) {
                self.records.remove(&document.path).await?;
            }
        }
        Ok(())
    }
}

fn has_passed(document: &Document, now: i64) -> bool {
    let ttl = || document.data.decode::<Stored>().ok()?.ttl;
    let until = document.modified.zip(ttl().map(|ttl| ttl as i64));
    until.is_some_and(|(at, ttl)| at.saturating_add(ttl) <= now)
}
