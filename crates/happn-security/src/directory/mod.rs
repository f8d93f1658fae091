//! Users, groups, rules and tables, as documents in the node's store.
//!
//! | part | what it is about |
//! |---|---|
//! | [`Directory`] | all of it: reads through caches, changes, tells who is concerned |
//! | [`User`], [`Group`], [`Permission`], [`LookupPermission`] | what is stored |
//! | [`UserDraft`], [`GroupDraft`], [`PermissionSet`] | what is asked for |
//! | [`Change`], [`ChangeListener`] | what happened, and who wants to know |
//! | [`StartUp`] | the documents every secure node needs, made once |
//! | [`HashingPool`] | passwords, hashed without stalling anything else |
//!
//! The documents are those of JavaScript nodes, so both kinds can share a collection. Nothing here
//! shows a password or its hash, but for [`User::password_hash`].

mod activity;
mod caches;
mod change;
mod error;
mod group;
mod groups;
mod links;
mod listing;
mod lookup;
mod lookups;
mod names;
mod passwords;
mod paths;
mod permission;
mod permissions;
mod records;
mod rehash;
mod revoked;
mod rights;
mod start;
mod tokens;
mod user;
mod users;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use happn_core::{BoxFuture, ChangeReplication, Clock, DataService, SecurityChange, StoreError};

use crate::audit::{Actor, Audit, LoggedAudit, Record};
use caches::{Bounded, Caches};
use records::Records;
use revoked::RevokedTokens;

pub(crate) use lookup::check_path as check_lookup_path;

pub use activity::SessionActivity;
pub use change::{Change, ChangeKind, Concern, UnreadableChange};
pub use error::{DirectoryError, Entity};
pub use group::{Group, GroupDraft};
pub use listing::Listing;
pub use lookup::{LookupError, LookupPermission, LookupTable};
pub use names::{ADMIN, ANONYMOUS, GroupName, NameError, TableName, UserName};
pub use passwords::{HashingPool, Password, PasswordError, PasswordHasher};
pub use permission::{Holder, PathPermissions, Permission, PermissionError, PermissionSet};
pub use rights::Rights;
pub use start::{AdminUser, StartUp, Started};
pub use tokens::RevokedToken;
pub use user::{Memberships, User, UserDraft};

/// Users, groups, rules, tables and revoked tokens. Cheap to clone; all clones are one directory.
///
/// Reads go through bounded caches. A change is written, then forgotten in the caches, then told
/// to the other nodes and to the listeners; when its future completes, all of that has happened.
/// Changes are carried through even when their future is dropped.
#[derive(Clone)]
pub struct Directory(Arc<Inner>, Arc<Actor>);

struct Inner {
    records: Records,
    hashing: HashingPool,
    folding: NameFolding,
    caches: Caches,
    revoked: RevokedTokens,
    listeners: RwLock<Vec<Arc<dyn ChangeListener>>>,
    replication: RwLock<Option<Arc<dyn ChangeReplication>>>,
    version: VersionSeen,
    audit: Arc<dyn Audit>,
}

tokio::task_local! {
    /// Who makes the change that this task carries.
    static ACTOR: Arc<Actor>;
}

type VersionSeen = std::sync::Mutex<Option<u64>>;

/// Whether upper and lower case of user names are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameFolding {
    /// User names are stored and looked for in lower case.
    pub case_insensitive: bool,
    /// Names that stay as they are; [`ADMIN`] and [`ANONYMOUS`] always do.
    pub exclude: Vec<String>,
}

impl NameFolding {
    fn fold(&self, text: &str) -> String {
        let kept = [ADMIN, ANONYMOUS].contains(&text) || self.exclude.iter().any(|it| it == text);
        match self.case_insensitive && !kept {
            true => text.to_lowercase(),
            false => text.to_owned(),
        }
    }
}

/// Wants to know what happens to the directory.
pub trait ChangeListener: Send + Sync + 'static {
    /// A change was made here; the caches know. Whoever made it waits for this.
    fn changed(&self, change: &Change) -> BoxFuture<'_, ()>;
}

impl Directory {
    /// The directory whose documents are in `data`. Changes are recorded in the log.
    #[must_use]
    pub fn new(
        data: DataService,
        clock: Arc<dyn Clock>,
        hashing: HashingPool,
        folding: NameFolding,
    ) -> Self {
        let audit = Arc::new(LoggedAudit::new(clock.clone()));
        Self::with_audit(data, clock, hashing, folding, audit)
    }

    /// The same, and changes are recorded in `audit`.
    #[must_use]
    pub fn with_audit(
        data: DataService,
        clock: Arc<dyn Clock>,
        hashing: HashingPool,
        folding: NameFolding,
        audit: Arc<dyn Audit>,
    ) -> Self {
        let inner = Arc::new(Inner {
            records: Records::new(data, clock),
            hashing,
            folding,
            caches: Caches::default(),
            revoked: RevokedTokens::default(),
            listeners: RwLock::default(),
            replication: RwLock::default(),
            version: VersionSeen::default(),
            audit,
        });
        Self(inner, Arc::new(Actor::node()))
    }

    /// The same directory; what is changed through this clone is recorded as done by `actor`.
    #[must_use]
    pub fn acting_as(&self, actor: Actor) -> Self {
        Self(self.0.clone(), Arc::new(actor))
    }

    /// Where changes are recorded.
    #[must_use]
    pub fn audit(&self) -> &Arc<dyn Audit> {
        &self.0.audit
    }

    /// Tells `listener` of every change that is made here from now on.
    pub fn listen(&self, listener: Arc<dyn ChangeListener>) {
        let mut listeners = self
            .0
            .listeners
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        listeners.push(listener);
    }

    /// Tells other nodes through `replication` from now on.
    pub fn replicate_with(&self, replication: Arc<dyn ChangeReplication>) {
        let mut place = self
            .0
            .replication
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *place = Some(replication);
    }

    /// The pool that hashes passwords.
    #[must_use]
    pub fn hashing(&self) -> &HashingPool {
        &self.0.hashing
    }

    /// The user name that `text` means here.
    ///
    /// # Errors
    /// When no user can have it.
    pub fn user_name(&self, text: &str) -> Result<UserName, NameError> {
        UserName::new(&self.0.folding.fold(text))
    }

    /// How many changes are known so far. What was derived from the directory is up to date as long
    /// as this stays.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.caches.generation()
    }

    /// Whether something that `user`, a member of `groups`, may do can have changed since
    /// `generation`.
    #[must_use]
    pub fn changed_since<'a>(
        &self,
        generation: u64,
        user: &str,
        groups: impl Iterator<Item = &'a str>,
    ) -> bool {
        self.0.caches.changed_since(generation, user, groups)
    }

    /// Takes in a change that another node made: forgets what it makes outdated, and answers what
    /// it is. Listeners are not told and nothing is sent on. May be done twice.
    ///
    /// # Errors
    /// When the change cannot be understood; then everything is forgotten, to be safe.
    pub fn apply(&self, told: SecurityChange) -> Result<Change, UnreadableChange> {
        let change = Change::read(told).inspect_err(|_| self.forget_everything())?;
        self.0.revoked.apply(&change, self.0.records.now());
        self.0.caches.forget(&change);
        Ok(change)
    }

    /// Forgets everything that is remembered of the documents: they may have changed unseen.
    pub fn forget_everything(&self) {
        self.0.caches.forget_everything();
    }

    /// Compares the store's count of changes with what was seen, and forgets everything when they
    /// differ: changes of other nodes may have been missed. Answers whether it did. Changes of
    /// JavaScript nodes are not counted.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn check_version(&self) -> Result<bool, DirectoryError> {
        let stored = self.0.stored_version().await?;
        let differs = self.0.see_version(stored);
        if differs {
            self.forget_everything();
        }
        Ok(differs)
    }

    /// Runs a change to its end, whatever happens to the caller.
    async fn carry<T, F>(&self, change: impl FnOnce(Arc<Inner>) -> F) -> Result<T, DirectoryError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, DirectoryError>> + Send + 'static,
    {
        let change = ACTOR.scope(self.1.clone(), change(self.0.clone()));
        tokio::spawn(change)
            .await
            .unwrap_or(Err(StoreError::Closed.into()))
    }
}

impl Inner {
    /// What `cache` remembers under `key`, or else what `load` answers.
    async fn cached<T: Clone>(
        &self,
        cache: &Bounded<T>,
        key: &str,
        load: impl Future<Output = Result<T, DirectoryError>>,
    ) -> Result<T, DirectoryError> {
        if let Some(known) = cache.get(key) {
            return Ok(known);
        }
        let before = self.caches.generation();
        let loaded = load.await?;
        cache.insert_if(key, loaded.clone(), || self.caches.generation() == before);
        Ok(loaded)
    }

    /// Tells of a change that is stored.
    async fn announce(&self, change: Change) {
        self.caches.forget(&change);
        self.record(&change);
        let replication = self
            .replication
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(replication) = replication {
            replication.replicate(change.told.clone());
        }
        self.count_change().await;
        let listeners = self
            .listeners
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for listener in listeners {
            listener.changed(&change).await;
        }
    }

    fn record(&self, change: &Change) {
        let actor = ACTOR.try_with(Arc::clone);
        let actor = actor.unwrap_or_else(|_| Arc::new(Actor::node()));
        self.audit.record(&Record::Changed {
            actor: &actor,
            kind: change.kind.as_str(),
            object: change.object(),
        });
    }

    async fn count_change(&self) {
        match self.records.count_up(paths::VERSION, VERSION_GAUGE).await {
            Ok(version) => self.count_own(version),
            Err(error) => tracing::warn!(%error, "a security change is not counted"),
        }
    }

    /// A change of our own is nothing missed, unless others were counted in between.
    fn count_own(&self, version: u64) {
        let mut seen = self.version.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_none_or(|seen| seen + 1 == version) {
            *seen = Some(version);
        }
    }

    /// Whether `version` is another than that seen before; the first one is not.
    fn see_version(&self, version: u64) -> bool {
        let mut seen = self.version.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.replace(version);
        before.is_some_and(|before| before != version)
    }

    async fn stored_version(&self) -> Result<u64, DirectoryError> {
        let document = self.records.get(paths::VERSION).await?;
        let data = document.and_then(|it| it.data.decode::<serde_json::Value>().ok());
        let version = data.and_then(|data| data[VERSION_GAUGE]["value"].as_u64());
        Ok(version.unwrap_or_default())
    }
}

/// Where the count of changes is in its document.
const VERSION_GAUGE: &str = "changes";

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory")
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}
