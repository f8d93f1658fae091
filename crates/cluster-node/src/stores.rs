//! The stores of a configuration, opened.

mod foreign;

use std::path::PathBuf;
use std::sync::Arc;

use happn_core::{DataService, DataStore, MemoryStore, RoutingError, SystemClock};
use happn_paths::RouteRule;
use happn_store_mongo::{MongoConfig, MongoStore};
use happn_store_sqlite::{SqliteConfig, SqliteStore};

use crate::config::{DataSettings, PatternRule, Provider, Store, Synchronous};
use crate::start_error::{MongoError, StartError};

/// Opens every store and routes its patterns to it. Those that are open already are let go when
/// one cannot be opened.
pub(crate) async fn open_all(settings: &DataSettings) -> Result<DataService, StartError> {
    let stores = &settings.datastores;
    // The configuration has exactly one default; an embedding program may have changed it.
    let default = stores.iter().position(|store| store.is_default);
    let default = default.unwrap_or_default();
    let service = match stores.get(default) {
        Some(store) => {
            let opened = open(store).await?;
            DataService::named(&store.name, opened, rule(settings.pattern_rule))
        }
        None => DataService::new(Arc::new(MemoryStore::new())),
    };
    for (number, store) in stores.iter().enumerate() {
        if number != default {
            service.add_store(&store.name, open(store).await?)?;
        }
    }
    for store in stores {
        for pattern in &store.patterns {
            service.add_data_store_filter(pattern, &store.name)?;
        }
    }
    Ok(service)
}

/// Rules of groups are kept in memory from now on, but for those of groups whose name begins with
/// `_`: what is stored there, of users and lookup tables too, stays where groups are.
pub(crate) fn forget_permissions(data: &DataService) -> Result<(), RoutingError> {
    let kept = ["/_SYSTEM/_SECURITY/_PERMISSIONS/_*"];
    data.add_data_provider_patterns("/_SYSTEM/_SECURITY/_GROUP", &kept)?;
    let volatile = "volatile_permissions";
    data.add_store(volatile, Arc::new(MemoryStore::new()))?;
    data.add_data_store_filter("/_SYSTEM/_SECURITY/_PERMISSIONS/*", volatile)
}

fn rule(rule: PatternRule) -> RouteRule {
    match rule {
        PatternRule::Strict => RouteRule::Strict,
        PatternRule::Loose => RouteRule::Loose,
    }
}

async fn open(store: &Store) -> Result<Arc<dyn DataStore>, StartError> {
    match (store.provider, &store.settings.filename) {
        (Provider::Sqlite, Some(filename)) => open_sqlite(store, filename.clone()).await,
        (Provider::Mongo, _) => open_mongo(store).await,
        _ => Ok(Arc::new(MemoryStore::new())),
    }
}

async fn open_sqlite(store: &Store, filename: PathBuf) -> Result<Arc<dyn DataStore>, StartError> {
    let mut config = SqliteConfig::new(filename);
    config.synchronous = match store.settings.synchronous {
        Synchronous::Full => happn_store_sqlite::Synchronous::Full,
        Synchronous::Normal => happn_store_sqlite::Synchronous::Normal,
    };
    let name = store.name.clone();
    let file = config.filename.clone();
    // Opening checks the file and may wait for another process.
    match tokio::task::spawn_blocking(|| SqliteStore::open(config)).await {
        Ok(Ok(opened)) => Ok(Arc::new(opened)),
        Ok(Err(source)) => Err(match foreign::format_of(&file) {
            Some(format) => StartError::ForeignFile { name, file, format },
            None => StartError::Store {
                name,
                source: Box::new(source),
            },
        }),
        Err(source) => Err(StartError::Internal { name, source }),
    }
}

async fn open_mongo(store: &Store) -> Result<Arc<dyn DataStore>, StartError> {
    let failed = |source: MongoError| StartError::Mongo {
        name: store.name.clone(),
        source: Box::new(source),
    };
    let config = MongoConfig::new(store.settings.mongo()).map_err(|error| failed(error.into()))?;
    let opened = MongoStore::open(config, &SystemClock::new()).await;
    let opened = opened.map_err(|error| failed(error.into()))?;
    Ok(Arc::new(opened))
}

#[cfg(test)]
mod tests;
