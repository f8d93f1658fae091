//! Who checks the credentials of logins.

use std::collections::BTreeMap;
use std::sync::Arc;

use happn_core::{BoxFuture, Connection, Refusal};
use happn_protocol::Json;

/// Checks the credentials of logins in another way than by the directory's passwords and keys.
pub trait AuthProvider: Send + Sync + 'static {
    /// Answers whose login this is: the name of a user of the directory, which cannot be `_ADMIN`.
    /// `data` is what the client sent, an object. Failures count towards the lock-out of the
    /// `username` in it, as others do. After 30 s nobody waits any more.
    fn authenticate(
        &self,
        data: &Json,
        connection: &Connection,
    ) -> BoxFuture<'static, Result<Arc<str>, Refusal>>;
}

/// What the directory is called where a provider is named.
pub const DIRECTORY_PROVIDER: &str = "happn";

/// Who may be asked to check a login: whom the login names, else whom its user's `authType` names,
/// else the default. Whoever is not known counts as not named. The default is the directory alone.
///
/// Logins of `_ADMIN` are checked by the directory, whatever they say.
#[derive(Clone, Default)]
pub struct AuthProviders {
    others: BTreeMap<String, Arc<dyn AuthProvider>>,
    without_directory: bool,
    default: Checker,
}

impl AuthProviders {
    /// `others` by their names, and unless `without_directory` the directory, which is called
    /// [`DIRECTORY_PROVIDER`]; `default` is the name of one of them.
    ///
    /// # Errors
    /// When `default` is none of them.
    pub fn new(
        others: BTreeMap<String, Arc<dyn AuthProvider>>,
        without_directory: bool,
        default: &str,
    ) -> Result<Self, UnknownProvider> {
        let mut providers = Self {
            others,
            without_directory,
            default: Checker::Directory,
        };
        let named = providers.named(Some(default));
        providers.default = named.ok_or_else(|| UnknownProvider {
            name: default.to_owned(),
            known: providers.names(),
        })?;
        Ok(providers)
    }

    /// Their names, the directory's included if it is one of them.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let directory = (!self.without_directory).then(|| DIRECTORY_PROVIDER.to_owned());
        directory
            .into_iter()
            .chain(self.others.keys().cloned())
            .collect()
    }

    pub(super) fn named(&self, name: Option<&str>) -> Option<Checker> {
        match name? {
            DIRECTORY_PROVIDER => (!self.without_directory).then_some(Checker::Directory),
            other => self.others.get(other).cloned().map(Checker::Other),
        }
    }

    /// Whether somebody beside the directory is called `name`.
    pub(super) fn is_other(&self, name: &str) -> bool {
        self.others.contains_key(name)
    }

    pub(super) fn usual(&self) -> &Checker {
        &self.default
    }
}

/// There is no such provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no provider called {name}, only: {}", listed(known))]
pub struct UnknownProvider {
    /// Who was named.
    pub name: String,
    /// Those that there are.
    pub known: Vec<String>,
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "none at all".to_owned(),
        names => names.join(", "),
    }
}

/// Who checks one login.
#[derive(Clone, Default)]
pub(super) enum Checker {
    #[default]
    Directory,
    Other(Arc<dyn AuthProvider>),
}
