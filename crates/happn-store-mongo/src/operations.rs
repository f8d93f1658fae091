//! The writes, each one command.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bson::raw::{RawBsonRef, RawDocument};
use bson::{RawDocumentBuf, doc};
use happn_core::{
    Document, Increment, Incremented, NotAnObject, Removal, StoreError, Write, WriteMode,
    nothing_at,
};
use happn_protocol::Json;
use mongodb::options::ReturnDocument;
use serde_json::Number;

use crate::commands::{self, Update};
use crate::connection::{Connection, within};
use crate::failure::Failure;
use crate::retry::Attempts;
use crate::{decode, encode, number, questions};

/// Performs writes. The order among them is not decided here.
pub(crate) struct Operations {
    pub(crate) connection: Connection,
    pub(crate) item_timeout: Duration,
    pub(crate) scan_timeout: Duration,
    /// Makes the waits of writers that met differ.
    pub(crate) seed: AtomicU64,
}

impl Operations {
    pub(crate) async fn upsert(&self, write: &Write) -> Result<Document, StoreError> {
        let stored = self.try_upsert(write).await;
        stored.map_err(|failure| match &write.mode {
            WriteMode::Merge | WriteMode::MergeIf { .. } if failure.is_type_mismatch() => {
                NotAnObject.on_path(write.path.as_str())
            }
            _ => self.store_error(&failure),
        })
    }

    async fn try_upsert(&self, write: &Write) -> Result<Document, Failure> {
        let update = commands::upsert(write)?;
        if let WriteMode::MergeIf { member, was } = &write.mode {
            return self.merge_if(write, update, (member, was)).await;
        }
        // What replaces everything is known; what depends on the stored has to be sent back.
        let known = !matches!(write.mode, WriteMode::Merge | WriteMode::Insert);
        let projection = if known {
            doc! {"data": 0}
        } else {
            doc! {}
        };
        let path = write.path.as_str();
        let answer = self
            .find_and_modify(path, &update, projection, Silence::TryAgain)
            .await?;
        let mut stored = decode::item(&answer)?;
        if known {
            stored.data = as_stored(&write.data)?;
        }
        Ok(stored)
    }

    pub(crate) async fn increment(&self, increment: &Increment) -> Result<Incremented, StoreError> {
        let total = self.try_increment(increment).await;
        let total = total.map_err(|failure| match failure.is_type_mismatch() {
            true => StoreError::NotANumber {
                path: increment.path.as_str().to_owned(),
                gauge: increment.gauge.to_string(),
            },
            false => self.store_error(&failure),
        })?;
        Ok(Incremented { value: total })
    }

    async fn try_increment(&self, increment: &Increment) -> Result<Number, Failure> {
        let (path, gauge) = (increment.path.as_str(), &*increment.gauge);
        let update = commands::increment(increment)?;
        let projection = match update {
            Update::Operators(_) => doc! {format!("data.{gauge}.value"): 1},
            Update::Pipeline(_) => doc! {},
        };
        let answer = self
            .find_and_modify(path, &update, projection, Silence::ReadBack)
            .await?;
        total(&answer, gauge)
            .ok_or_else(|| Failure::Answer(format!("gauge {gauge} on path {path} overflows")))
    }

    /// Removes what is meant, all of it by one command.
    pub(crate) async fn remove(&self, removal: &Removal) -> Result<u64, StoreError> {
        let removed = self.try_remove(removal).await;
        removed.map_err(|failure| self.store_error(&failure))
    }

    async fn try_remove(&self, removal: &Removal) -> Result<u64, Failure> {
        let filter = questions::filter(&removal.selector, &removal.criteria)?;
        let patience = match removal.selector.is_exact() {
            true => self.item_timeout,
            false => self.scan_timeout,
        };
        let removed = within(patience, self.connection.collection.delete_many(filter)).await?;
        Ok(removed.deleted_count)
    }

    /// Changes the item that meets the condition, or answers the one that does not.
    async fn merge_if(
        &self,
        write: &Write,
        update: Update,
        (member, was): (&str, &str),
    ) -> Result<Document, Failure> {
        let path = write.path.as_str();
        let items = &self.connection.collection;
        let mut meant = commands::at(path);
        meant.insert(format!("data.{member}"), was);
        let command = items
            .find_one_and_update(meant, update.into_modifications())
            .return_document(ReturnDocument::After);
        let mut answer = within(self.item_timeout, command).await?;
        if answer.is_none() {
            answer = within(self.item_timeout, items.find_one(commands::at(path))).await?;
        }
        let nothing = || Failure::Answer(nothing_at(path).to_string());
        Ok(decode::item(&answer.ok_or_else(nothing)?)?)
    }

    /// Changes or makes the item at `path` and answers it; tries again when another writer made it
    /// at the same moment.
    async fn find_and_modify(
        &self,
        path: &str,
        update: &Update,
        projection: bson::Document,
        silence: Silence,
    ) -> Result<RawDocumentBuf, Failure> {
        let mut attempts = Attempts::new(self.seed.fetch_add(1, Ordering::Relaxed));
        loop {
            let command = self
                .connection
                .collection
                .find_one_and_update(commands::at(path), update.clone().into_modifications())
                .projection(projection.clone())
                .return_document(ReturnDocument::After)
                .upsert(true);
            let mut answer = within(self.item_timeout, command).await;
            if let (Ok(None), Silence::ReadBack) = (&answer, silence) {
                let item = self.connection.collection.find_one(commands::at(path));
                answer = within(self.item_timeout, item).await;
            }
            let failure = match answer.and_then(|answer| answer.ok_or(Failure::Conflict)) {
                Err(failure) if failure.is_conflict() => failure,
                answer => return answer,
            };
            match attempts.next_wait() {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(failure),
            }
        }
    }

    fn store_error(&self, failure: &Failure) -> StoreError {
        failure.to_store_error(|| self.connection.servers())
    }
}

/// What to make of an answer without an item. MongoDB gives none after an upsert; servers that do
/// have applied it.
#[derive(Clone, Copy)]
enum Silence {
    /// Writing the same again changes nothing.
    TryAgain,
    /// Adding again would count twice: the item tells the total.
    ReadBack,
}

/// `data` as a later read will show it: numbers are spelled as JavaScript spells them.
fn as_stored(data: &Json) -> Result<Json, Failure> {
    let document = encode::document(data)?;
    let raw =
        RawDocumentBuf::try_from(&document).map_err(|error| Failure::Answer(error.to_string()))?;
    Ok(decode::json(RawBsonRef::Document(&raw))?)
}

/// `data.<gauge>.value` of an item, the gauge's name taken literally.
fn total(item: &RawDocument, gauge: &str) -> Option<Number> {
    let gauge = item.get_document("data").ok()?.get_document(gauge).ok()?;
    match gauge.get("value").ok()?? {
        RawBsonRef::Int32(value) => Some(Number::from(value)),
        RawBsonRef::Int64(value) => Some(Number::from(value)),
        RawBsonRef::Double(value) => number::total(value),
        _ => None,
    }
}

/// For sharing among the tasks that write.
pub(crate) type SharedOperations = Arc<Operations>;
