//! The command `provision`: users, groups and tables of a file, into the configured stores.
//! With a url, [`crate::administer`] does it.

use std::path::PathBuf;
use std::sync::Arc;

use happn_core::SystemClock;
use happn_security::audit::Actor;
use happn_security::provision::Provisioned;

use crate::administer::Access;
use crate::config::{Provider, Settings};
use crate::start_error::StartError;
use crate::{security, stores};

/// What the command `provision` is to do.
#[derive(Clone, Debug)]
pub struct ProvisionRequest {
    /// The file.
    pub file: PathBuf,
    /// Whether to print JSON.
    pub json: bool,
    /// The running cluster to which it is applied, instead of the configured stores.
    pub access: Option<Access>,
}

/// A path of users, to find the store they live in.
const A_USER: &str = "/_SYSTEM/_SECURITY/_USER/x";

/// Makes sure of what the file says in the configured stores, and answers what is different now.
/// Nodes on the same store notice within seconds.
///
/// # Errors
/// When the stores cannot be opened or end with the process, or the file cannot be applied; or the
/// rules of groups end with the process.
pub async fn provision(
    settings: &Settings,
    request: &ProvisionRequest,
) -> Result<Vec<Provisioned>, StartError> {
    if !settings.services.security.persist_permissions {
        return Err(StartError::VolatilePermissions);
    }
    let data = stores::open_all(&settings.services.data).await?;
    let store = data.store_name(A_USER);
    let stores = &settings.services.data.datastores;
    let is_volatile =
        |it: &&crate::config::Store| it.name == *store && it.provider == Provider::Memory;
    let outcome = match stores.iter().find(is_volatile) {
        Some(store) => Err(StartError::VolatileUsers {
            name: store.name.clone(),
        }),
        None => {
            let clock = Arc::new(SystemClock::new());
            let directory = security::directory(settings, data.clone(), clock);
            let actor = Actor::new("(command)", &request.file.display().to_string());
            security::provision(&request.file, &directory.acting_as(actor)).await
        }
    };
    data.close().await;
    outcome
}
