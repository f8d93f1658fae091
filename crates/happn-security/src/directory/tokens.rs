//! What can be done with session tokens: take their validity away, and give it back.

use happn_core::{Document, WriteMode};
use happn_protocol::Json;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::change::Change;
use super::error::DirectoryError;
use super::revoked::expiry;
use super::{Directory, Inner, paths};

/// How far the clocks of two machines may be apart before a late revocation is found late, too.
const CLOCKS_DIFFER_MS: i64 = 600_000;

/// A token that works no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RevokedToken {
    /// The token.
    pub token: String,
    /// Why; shown to admins.
    pub reason: String,
    /// When, ms since 1970.
    pub timestamp: i64,
    /// How long the revocation is kept, ms; 0 for ever. As long as the token would live.
    pub ttl: u64,
}

#[derive(Deserialize)]
struct Stored {
    data: StoredReason,
    #[serde(default)]
    ttl: Option<f64>,
}

#[derive(Deserialize)]
struct StoredReason {
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    timestamp: Option<f64>,
}

impl RevokedToken {
    fn read(document: &Document) -> Option<Self> {
        let token = document.path.strip_prefix(paths::REVOKED_TOKENS)?;
        let stored = document.data.decode::<Stored>().ok()?;
        let timestamp = stored.data.timestamp.map(|at| at as i64);
        Some(Self {
            token: token.to_owned(),
            reason: stored.data.reason.unwrap_or_default(),
            timestamp: timestamp.or(document.modified).unwrap_or_default(),
            ttl: stored.ttl.map_or(0, |ttl| ttl as u64),
        })
    }

    fn has_passed(&self, now: i64) -> bool {
        expiry(self.timestamp, self.ttl).is_some_and(|until| until <= now)
    }

    fn document(&self) -> Value {
        json!({
            "data": { "reason": self.reason, "timestamp": self.timestamp, "ttl": self.ttl },
            "key": self.token,
            "ttl": (self.ttl > 0).then_some(self.ttl),
            "noclone": false,
        })
    }
}

impl Directory {
    /// Whether `token` is revoked. Looks nowhere but in memory.
    #[must_use]
    pub fn is_revoked(&self, token: &str) -> bool {
        self.0.revoked.contains(token)
    }

    /// Takes the validity of a token away, on every node. `session` is what the token says,
    /// decoded: JavaScript nodes need it. `ttl` is how long the token would live, ms; 0 for ever.
    ///
    /// # Errors
    /// When too many tokens are revoked, or the store does not answer; the token is refused on
    /// this node all the same then.
    pub async fn revoke_token(
        &self,
        token: &str,
        session: Json,
        reason: &str,
        ttl: u64,
    ) -> Result<(), DirectoryError> {
        let revoked = RevokedToken {
            token: token.to_owned(),
            reason: reason.to_owned(),
            timestamp: self.0.records.now(),
            ttl,
        };
        self.carry(move |inner| async move { inner.revoke(&revoked, &session).await })
            .await
    }

    /// Makes a revoked token valid again, on every node.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn restore_token(&self, token: &str) -> Result<(), DirectoryError> {
        let token = token.to_owned();
        self.carry(move |inner| async move {
            inner.records.remove(&paths::revoked(&token)).await?;
            inner.revoked.remove(&token);
            inner.announce(Change::token_restored(&token)).await;
            Ok(())
        })
        .await
    }

    /// The tokens that are revoked.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list_revoked_tokens(&self) -> Result<Vec<RevokedToken>, DirectoryError> {
        let now = self.0.records.now();
        let documents = self.0.records.below(paths::REVOKED_TOKENS).await?;
        let read = documents.iter().filter_map(RevokedToken::read);
        Ok(read.filter(|token| !token.has_passed(now)).collect())
    }

    /// Reads which tokens are revoked, and removes the documents of those whose time has passed.
    /// To be called at the start, and every now and then. Answers whether there was one that nobody
    /// had told of.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn load_revoked_tokens(&self) -> Result<bool, DirectoryError> {
        self.carry(|inner| async move { inner.load_revoked(None).await })
            .await
    }

    /// The same for the tokens that were revoked since this was last asked. JavaScript nodes tell
    /// nobody of a revocation, and lose what else they had to tell with it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn load_late_revocations(&self) -> Result<bool, DirectoryError> {
        self.carry(|inner| async move {
            let newest = inner.revoked.newest();
            let since = newest.map(|newest| newest - CLOCKS_DIFFER_MS);
            inner.load_revoked(since).await
        })
        .await
    }
}

impl Inner {
    /// Refused here at once, whatever the store says.
    async fn revoke(&self, revoked: &RevokedToken, session: &Json) -> Result<(), DirectoryError> {
        let RevokedToken {
            token,
            reason,
            timestamp,
            ttl,
        } = revoked;
        if !self.revoked.add(token, *timestamp, *ttl, *timestamp) {
            return Err(DirectoryError::TooManyRevoked);
        }
        let data = Json::encode(&revoked.document()).unwrap_or(Json::EMPTY_OBJECT);
        let path = paths::revoked(token);
        let written = self.records.write(&path, data, WriteMode::Replace).await;
        let how = (reason.as_str(), *timestamp, *ttl);
        self.announce(Change::token_revoked(token, session, how))
            .await;
        written?;
        Ok(())
    }

    /// All, or those that were written at `since` or later.
    pub(super) async fn load_revoked(&self, since: Option<i64>) -> Result<bool, DirectoryError> {
        let now = self.records.now();
        self.revoked.sweep(now);
        let mut untold = false;
        let written = self.records.written_below(paths::REVOKED_TOKENS, since);
        for document in written.await? {
            let Some(token) = RevokedToken::read(&document) else {
                tracing::warn!("the document of a revoked token cannot be read");
                continue;
            };
            self.revoked.seen(document.modified.unwrap_or_default());
            if token.has_passed(now) {
                self.records.remove(&document.path).await?;
                continue;
            }
            untold |= !self.revoked.contains(&token.token);
            let (at, ttl) = (token.timestamp, token.ttl);
            if !self.revoked.add(&token.token, at, ttl, now) {
                return Err(DirectoryError::TooManyRevoked);
            }
        }
        Ok(untold)
    }
}
