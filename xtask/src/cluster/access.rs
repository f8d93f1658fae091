//! Who the clients of the cluster are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context;
use happn_client::Credentials;
use serde_json::{Value, json};

const USERNAME: &str = "publisher";
/// Good for nothing but clusters that go away with their test.
const PASSWORD: &str = "of the publisher";

/// Everybody on open nodes, or a user that is made by the first start of secure ones.
pub(super) enum Access {
    Open,
    Secure { provision: PathBuf },
}

impl Access {
    /// Writes into `folder` what secure nodes are to make sure of.
    pub(super) fn prepare(secure: bool, folder: &Path) -> anyhow::Result<Self> {
        if !secure {
            return Ok(Self::Open);
        }
        let rule = json!({"actions": ["get", "set", "on"]});
        let wanted = json!({"users": [{
            "username": USERNAME,
            "password": PASSWORD,
            "permissions": {"/test-cluster/*": rule, "/test-cluster-links/*": rule},
        }]});
        let provision = folder.join("provision.json");
        std::fs::write(&provision, wanted.to_string())
            .with_context(|| format!("cannot write {}", provision.display()))?;
        Ok(Self::Secure { provision })
    }

    /// The value of `secure` in a node's configuration.
    pub(super) fn is_secure(&self) -> bool {
        matches!(self, Self::Secure { .. })
    }

    /// The value of `services.security` in a node's configuration.
    pub(super) fn settings(&self) -> Value {
        match self {
            Self::Open => json!({}),
            Self::Secure { .. } => {
                json!({"config": {"adminUser": {"password": "of the administrator"}}})
            }
        }
    }

    /// What a node's command line says besides.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        match self {
            Self::Open => Vec::new(),
            Self::Secure { provision } => vec!["--provision".into(), provision.into()],
        }
    }

    /// How clients log in.
    pub(super) fn credentials(&self) -> Option<Credentials> {
        self.is_secure().then(|| Credentials::Password {
            username: USERNAME.to_owned(),
            password: PASSWORD.to_owned(),
        })
    }
}
