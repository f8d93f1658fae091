//! What can go wrong, and what the process says of it at its end.

use std::io;
use std::path::PathBuf;

use cluster_admin::{FetchError, Fetched, Target};
use serde::Deserialize;

use super::secret::SecretError;
use crate::Exit;
use crate::listener::{ListenerError, hint};

/// Why what was asked for is not done.
#[derive(Debug, thiserror::Error)]
pub enum AdministerError {
    /// It is not known whom to ask.
    #[error(transparent)]
    Listener(#[from] ListenerError),
    /// A secret would travel where others can read it.
    #[error(
        "a password or a token is not sent in clear to {target}, which is not this machine: use \
         https://{}, or run the command there", target.authority()
    )]
    Clear {
        /// Who would have been asked.
        target: Target,
    },
    /// There is no password or token.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A file cannot be sent.
    #[error("cannot read {}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{} is no JSON", file.display())]
    NotJson {
        /// Which.
        file: PathBuf,
        /// What the parser stumbled over.
        #[source]
        source: serde_json::Error,
    },
    /// There is no answer.
    #[error("{source}{}", hint(source))]
    Fetch {
        /// Why not.
        #[from]
        source: FetchError,
    },
    /// The server refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What was to be made is there.
    #[error("conflict: {0} is there already; the verb `change` changes it")]
    Exists(String),
    /// What was to be changed is not there.
    #[error("not-found: there is no {0}")]
    Missing(String),
    /// Somebody else answers.
    #[error(
        "what {target} answers is not the administration of a node (status {status}): is this the \
         admin listener of a node of this version? Clients and peers have ports of their own"
    )]
    NotTheApi {
        /// Who was asked.
        target: Target,
        /// The HTTP status of the answer.
        status: u16,
    },
}

/// What the server says when it does not do it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Refusal {
    /// Such as `not-found` or `forbidden`.
    pub kind: String,
    /// In words.
    pub message: String,
    /// All that is wrong, where it can be more than one thing.
    #[serde(default)]
    pub problems: Vec<String>,
}

#[derive(Deserialize)]
struct Enveloped {
    error: Refusal,
}

impl AdministerError {
    /// What an answer that is no success says.
    pub(super) fn of(target: &Target, answer: &Fetched) -> Self {
        match serde_json::from_str(&answer.body) {
            Ok(Enveloped { error }) => Self::Refused(error),
            Err(_) => Self::NotTheApi {
                target: target.clone(),
                status: answer.status,
            },
        }
    }

    /// All that is wrong, where it can be more than one thing.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        match self {
            Self::Refused(refusal) => &refusal.problems,
            _ => &[],
        }
    }

    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused(refusal) => match refusal.kind.as_str() {
                "unauthorized" | "forbidden" => Exit::NotLetIn,
                "not-found" => Exit::NotFound,
                "invalid" | "conflict" | "not-secure" => Exit::Refused,
                _ => Exit::Failed,
            },
            Self::Exists(_) => Exit::Refused,
            Self::Missing(_) => Exit::NotFound,
            _ => Exit::Failed,
        }
    }
}
