//! Hashing passwords without stalling anything else.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::credentials::Passwords;

/// A password as somebody typed it. Shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Arc<str>);

impl Password {
    /// Takes any text; whether it is long enough is somebody else's rule.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text, for whoever has to compute with it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<password>")
    }
}

impl<'de> serde::Deserialize<'de> for Password {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The usual error of a wrong type would quote the value.
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(Self::new(&text)),
            _ => Err(serde::de::Error::custom("a password must be a string")),
        }
    }
}

/// Makes and checks password hashes. Both may take long: they are called where nothing else waits.
pub trait PasswordHasher: Send + Sync + 'static {
    /// The text to store for `password`.
    ///
    /// # Errors
    /// Why there is none, such as an empty password.
    fn hash(&self, password: &str) -> Result<String, String>;

    /// Whether `password` belongs to the hash `stored`. Takes as long without one.
    fn matches(&self, password: &str, stored: Option<&str>) -> bool;

    /// Whether `stored` is weaker than a new hash. Quick.
    fn is_outdated(&self, stored: &str) -> bool {
        let _ = stored;
        false
    }
}

impl PasswordHasher for Passwords {
    fn hash(&self, password: &str) -> Result<String, String> {
        Self::hash(self, password).map_err(|error| error.to_string())
    }

    fn matches(&self, password: &str, stored: Option<&str>) -> bool {
        let matches = Self::matches(self, password, stored);
        matches.unwrap_or_else(|error| {
            tracing::warn!(%error, "the stored hash of a password can match none");
            false
        })
    }

    fn is_outdated(&self, stored: &str) -> bool {
        Self::is_outdated(self, stored)
    }
}

/// Runs a [`PasswordHasher`] on tokio's blocking threads, a few at a time.
#[derive(Clone)]
pub struct HashingPool {
    hasher: Arc<dyn PasswordHasher>,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl HashingPool {
    /// Hashes at most `concurrent` passwords at a time (at least one) while at most `waiting_max`
    /// wait; further ones are refused at once.
    #[must_use]
    pub fn new(hasher: Arc<dyn PasswordHasher>, concurrent: usize, waiting_max: usize) -> Self {
        let concurrent = concurrent.clamp(1, Semaphore::MAX_PERMITS / 2);
        let waiting = waiting_max.min(Semaphore::MAX_PERMITS / 2);
        Self {
            hasher,
            running: Arc::new(Semaphore::new(concurrent)),
            waiting: Arc::new(Semaphore::new(concurrent + waiting)),
        }
    }

    /// The text to store for `password`.
    ///
    /// # Errors
    /// When the password cannot be hashed, or too many wait. Dropping the future leaves a begun
    /// hash running to its end, within its place.
    pub async fn hash(&self, password: Password) -> Result<String, PasswordError> {
        let hashed = self.run(move |hasher| hasher.hash(password.reveal()));
        hashed.await?.map_err(PasswordError::Unusable)
    }

    /// Whether `password` belongs to the hash `stored`; takes as long for `None`.
    ///
    /// # Errors
    /// When too many wait. As [`HashingPool::hash`] when dropped.
    pub async fn matches(
        &self,
        password: Password,
        stored: Option<Arc<str>>,
    ) -> Result<bool, PasswordError> {
        let work =
            move |hasher: &dyn PasswordHasher| hasher.matches(password.reveal(), stored.as_deref());
        self.run(work).await
    }

    /// Whether `stored` is weaker than a new hash.
    #[must_use]
    pub fn is_outdated(&self, stored: &str) -> bool {
        self.hasher.is_outdated(stored)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn PasswordHasher) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let waiting = self.waiting.clone().try_acquire_owned();
        let waiting = waiting.map_err(|_| PasswordError::Overloaded)?;
        let running = self.running.clone().acquire_owned().await;
        let running = running.map_err(|_| PasswordError::Overloaded)?;
        let hasher = self.hasher.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _places = (waiting, running);
            work(&*hasher)
        });
        done.await.map_err(|_| PasswordError::Overloaded)
    }
}

impl fmt::Debug for HashingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashingPool")
            .field("free", &self.running.available_permits())
            .finish_non_exhaustive()
    }
}

/// Why a password was neither hashed nor checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many others wait. Worth a retry.
    #[error("too many passwords are being checked, try again later")]
    Overloaded,
    /// It is none that can be used.
    #[error("{0}")]
    Unusable(String),
}
