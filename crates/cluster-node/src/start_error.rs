//! Why a node did not start.

use std::io;
use std::path::PathBuf;

use cluster_admin::AdminError;
use cluster_orchestrator::StabiliseError;
use cluster_proxy::ProxyError;
use happn_security::authority::UnknownProvider;
use happn_security::directory::{DirectoryError, Password};
use happn_security::provision::ProvisionError;
use happn_server::BindError;
use happn_store_sqlite::OpenError;

use crate::transfer::Format;

/// Why a node did not start. Whatever had been started before is stopped again.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A data store cannot be opened.
    #[error("the data store {name} cannot be opened")]
    Store {
        /// Its name in the configuration.
        name: String,
        /// What is wrong with it.
        #[source]
        source: Box<OpenError>,
    },
    /// The file of a SQLite store is one that a JavaScript node wrote.
    #[error(
        "the data store {name} cannot be opened: {0} is a file of {format}; give the store another \
         file, then fill it with `cluster-node import --from {format} {0}`",
        file.display()
    )]
    ForeignFile {
        /// The store's name in the configuration.
        name: String,
        /// The file.
        file: PathBuf,
        /// What wrote it.
        format: Format,
    },
    /// A data store on MongoDB cannot be opened.
    #[error("the data store {name} cannot be opened")]
    Mongo {
        /// Its name in the configuration.
        name: String,
        /// What is wrong with it.
        #[source]
        source: Box<MongoError>,
    },
    /// Two stores share a name, or a pattern is empty.
    #[error(transparent)]
    Routing(#[from] happn_core::RoutingError),
    /// `host` is a name that stands for no address.
    #[error("cannot listen on {host}: the name has no address")]
    UnknownHost {
        /// The host as configured.
        host: String,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
    /// The inner server's address is taken, not this machine's, or not permitted.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The configuration cannot make a member of a cluster.
    #[error("services.orchestrator.config")]
    Cluster(#[source] cluster_orchestrator::ConfigError),
    /// The node's own record would have an illegal path.
    #[error("the node cannot be announced as {endpoint}")]
    Announce {
        /// Its endpoint.
        endpoint: String,
        /// Why the path is illegal.
        #[source]
        source: happn_paths::PathError,
    },
    /// The cluster did not become stable.
    #[error("{}", described(.0))]
    Stabilise(#[source] StabiliseError),
    /// A key or a certificate is of no use.
    #[error(transparent)]
    Tls(#[from] happn_tls::TlsError),
    /// A page to answer HTTP requests with cannot be read.
    #[error("services.connect.config.middleware.security.{member}: {}", file.display())]
    Page {
        /// Which of the two.
        member: &'static str,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        #[source]
        source: io::Error,
    },
    /// https without a certificate.
    #[error("services.transport.config: https needs a key and a certificate")]
    NoCertificate,
    /// The admin listener cannot listen.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The proxy cannot listen.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// Users and groups cannot be read or made.
    #[error("services.security.config")]
    Directory(#[from] DirectoryError),
    /// The configuration names a provider of credentials that nobody has registered.
    #[error("services.security.config.{key}")]
    AuthProvider {
        /// Which key.
        key: &'static str,
        /// Who is not there, and who is.
        #[source]
        source: UnknownProvider,
    },
    /// A file of users and groups cannot be read.
    #[error("the file of users and groups {} cannot be read", file.display())]
    ProvisionFile {
        /// The file.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file of users and groups cannot be applied.
    #[error("the file of users and groups {} cannot be applied", file.display())]
    Provision {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ProvisionError,
    },
    /// The users are kept in a store that ends with the process.
    #[error(
        "the data store {name} lives only inside a running node: it takes users from --provision"
    )]
    VolatileUsers {
        /// The store.
        name: String,
    },
    /// The rules of groups end with the process.
    #[error(
        "services.security.config.persistPermissions is false: the rules of groups live only \
         inside a running node, which takes them from --provision"
    )]
    VolatilePermissions,
    /// The node failed to start after it had made the admin user, with a password that nobody
    /// knows yet: to be shown once, and never to be logged.
    #[error("{source}")]
    WithPassword {
        /// The password.
        password: Password,
        /// Why the node did not start.
        source: Box<StartError>,
    },
    /// A thread that opened a store panicked.
    #[error("opening the data store {name} failed")]
    Internal {
        /// Its name in the configuration.
        name: String,
        /// What happened.
        #[source]
        source: tokio::task::JoinError,
    },
}

impl StartError {
    /// The same error, and a password that must not be lost with it.
    pub(crate) fn with_password(self, password: Option<Password>) -> Self {
        match password {
            Some(password) => Self::WithPassword {
                password,
                source: Box::new(self),
            },
            None => self,
        }
    }

    /// The password with which the node had made the admin user before it failed.
    #[must_use]
    pub fn made_up_password(&self) -> Option<&Password> {
        match self {
            Self::WithPassword { password, .. } => Some(password),
            _ => None,
        }
    }
}

impl From<StabiliseError> for StartError {
    fn from(error: StabiliseError) -> Self {
        Self::Stabilise(error)
    }
}

/// The error with the name by which users of the reference know it.
fn described(error: &StabiliseError) -> String {
    match error {
        StabiliseError::StabiliseTimeout => format!("StabiliseTimeout: {error}"),
        StabiliseError::Refused(_) | StabiliseError::Stopped => error.to_string(),
    }
}

/// Why a data store on MongoDB cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum MongoError {
    /// Its settings make no sense.
    #[error(transparent)]
    Settings(#[from] happn_store_mongo::SettingsError),
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] happn_store_mongo::OpenError),
}
