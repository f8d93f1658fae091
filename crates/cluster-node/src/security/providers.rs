//! Who checks credentials, as the configuration chooses from what the program has registered.

use std::collections::BTreeMap;

use happn_security::authority::{AuthProviders, DIRECTORY_PROVIDER, UnknownProvider};

use crate::config::SecuritySettings;
use crate::start_error::StartError;

/// The providers that the section wants.
pub(super) fn configured(section: &SecuritySettings) -> Result<AuthProviders, StartError> {
    let registered = &section.registered;
    let unknown = |name: &str| UnknownProvider {
        name: name.to_owned(),
        known: [DIRECTORY_PROVIDER]
            .into_iter()
            .chain(registered.names())
            .map(str::to_owned)
            .collect(),
    };
    let mut others = BTreeMap::new();
    for name in wanted(section).filter(|name| *name != DIRECTORY_PROVIDER) {
        let provider = registered
            .get(name)
            .ok_or_else(|| StartError::AuthProvider {
                key: "authProviders",
                source: unknown(name),
            })?;
        others.insert(name.to_owned(), provider.clone());
    }
    for name in registered
        .names()
        .filter(|name| !others.contains_key(*name))
    {
        tracing::info!(
            name,
            "a provider of credentials is not used: authProviders does not name it"
        );
    }
    let without_directory = section
        .auth_providers
        .get(DIRECTORY_PROVIDER)
        .is_some_and(|wanted| wanted == false);
    let made = AuthProviders::new(others, without_directory, &section.default_auth_provider);
    made.map_err(|source| StartError::AuthProvider {
        key: "defaultAuthProvider",
        source,
    })
}

fn wanted(section: &SecuritySettings) -> impl Iterator<Item = &str> {
    let wanted = section.auth_providers.iter();
    wanted
        .filter(|(_, wanted)| **wanted != false)
        .map(|(name, _)| name.as_str())
}
