//! Verbs that read and remove.

use happn_protocol::Json;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Client;
use super::core::object;
use super::write::Publication;
use crate::connection::{Call, Reply};
use crate::meta::split;
use crate::{ClientError, Item, Meta, QueryOptions, WriteOptions};

/// The answer to a removal.
#[derive(Debug)]
#[non_exhaustive]
pub struct Removed {
    /// How many items there were.
    pub count: u64,
    /// Path and time.
    pub meta: Meta,
    /// The publication's end, when the consistency reports it apart from the answer.
    pub publication: Option<Publication>,
}

impl Client {
    /// Reads the item at `path`, if there is one.
    ///
    /// # Errors
    /// [`ClientError::Decode`] when the item is no `T`, or `path` holds a `*`: that is for
    /// [`Client::get_all`]. Otherwise as [`Client::set_with`].
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<Option<Item<T>>, ClientError> {
        let options = QueryOptions::default();
        let (data, meta) = object(self.query("get", path, &options, false).await?)?;
        let Some(data) = data.filter(|data| !data.is_null()) else {
            return Ok(None);
        };
        let data = data.decode().map_err(ClientError::decode)?;
        let meta = Meta::read(&meta)?;
        Ok(Some(Item { data, meta }))
    }

    /// Reads every item `mask` names; there a `*` stands for any run of characters.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn get_all<T: DeserializeOwned>(
        &self,
        mask: &str,
    ) -> Result<Vec<Item<T>>, ClientError> {
        self.get_all_with(mask, &QueryOptions::default()).await
    }

    /// Reads the items that `mask` and `options` name.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn get_all_with<T: DeserializeOwned>(
        &self,
        mask: &str,
        options: &QueryOptions,
    ) -> Result<Vec<Item<T>>, ClientError> {
        match self.query("get", mask, options, false).await? {
            Reply::List(items) => items.iter().map(Item::from_listed).collect(),
            Reply::Object { data, meta } => match data.filter(|data| !data.is_null()) {
                None => Ok(Vec::new()),
                Some(data) => {
                    let data = data.decode().map_err(ClientError::decode)?;
                    let meta = Meta::read(&meta)?;
                    Ok(vec![Item { data, meta }])
                }
            },
        }
    }

    /// The paths of all items `mask` names.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn get_paths(&self, mask: &str) -> Result<Vec<String>, ClientError> {
        let options = QueryOptions::default();
        match self.query("get", mask, &options, true).await? {
            Reply::List(items) => {
                let metas = items.iter().map(|item| Ok(split(item)?.1));
                let metas: Result<Vec<Meta>, ClientError> = metas.collect();
                Ok(metas?.into_iter().filter_map(|meta| meta.path).collect())
            }
            // An exact path is answered by its meta alone, a missing one by `data: null`.
            Reply::Object { data: None, meta } => Ok(Meta::read(&meta)?.path.into_iter().collect()),
            Reply::Object { .. } => Ok(Vec::new()),
        }
    }

    /// How many items `mask` names.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn count(&self, mask: &str) -> Result<u64, ClientError> {
        self.count_with(mask, &QueryOptions::default()).await
    }

    /// How many items `mask` and `options` name.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn count_with(&self, mask: &str, options: &QueryOptions) -> Result<u64, ClientError> {
        #[derive(Deserialize)]
        struct Count {
            value: u64,
        }
        let (data, _) = object(self.query("count", mask, options, false).await?)?;
        let count: Count = data
            .unwrap_or(Json::NULL)
            .decode()
            .map_err(ClientError::decode)?;
        Ok(count.value)
    }

    /// Removes every item `mask` names and publishes one event for all of them.
    ///
    /// # Errors
    /// As [`Client::set_with`].
    pub async fn remove(&self, mask: &str) -> Result<Removed, ClientError> {
        self.remove_with(mask, &WriteOptions::default()).await
    }

    /// Removes with options; those about storing and merging mean nothing here.
    ///
    /// # Errors
    /// As [`Client::set_with`].
    pub async fn remove_with(
        &self,
        mask: &str,
        options: &WriteOptions,
    ) -> Result<Removed, ClientError> {
        #[derive(Deserialize)]
        struct Count {
            removed: u64,
        }
        let timeout = self.core.timeout(options.timeout);
        let encoded = options.encode(timeout, false, None)?;
        let call = Call {
            action: "remove",
            path: Some(mask),
            data: Some(&Json::NULL),
            options: Some(&encoded),
            timeout: Some(timeout),
        };
        let written = self.perform(call, options).await?;
        let count: Count = written.data()?;
        Ok(Removed {
            count: count.removed,
            meta: written.meta,
            publication: written.publication,
        })
    }

    async fn query(
        &self,
        action: &'static str,
        mask: &str,
        options: &QueryOptions,
        path_only: bool,
    ) -> Result<Reply, ClientError> {
        let encoded = options.encode(self.core.config.call_timeout, path_only)?;
        let call = Call {
            action,
            path: Some(mask),
            data: Some(&Json::NULL),
            options: Some(&encoded),
            timeout: None,
        };
        self.core.connection()?.call(call).await
    }
}
