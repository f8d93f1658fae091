//! The collection's indexes and the records that say they were made.

use bson::{Bson, Document, doc};
use happn_protocol::Json;
use serde_json::{Map, Value};

use crate::connection::{Connection, within};
use crate::encode;
use crate::failure::Failure;
use crate::settings::Index;
use crate::{MongoConfig, OpenError};

const RECORDS: &str = "/_SYSTEM/INDEXES/";

/// Makes what is missing. A record that exists stays as it is, but does not stand for an index
/// that is not there: a restored collection may have one without the other.
pub(crate) async fn ensure(
    connection: &Connection,
    config: &MongoConfig,
    now: i64,
) -> Result<(), OpenError> {
    if config.indexes.is_empty() {
        tracing::warn!(
            collection = %connection.collection.namespace(),
            "no index is kept; searches are slow and two items may have the same path"
        );
    }
    for index in &config.indexes {
        let made = make(connection, config, index, now).await;
        made.map_err(|failure| OpenError::Index {
            index: index.key.clone(),
            collection: connection.collection.namespace().to_string(),
            hosts: config.address.hosts().to_owned(),
            reason: failure.reason(),
        })?;
    }
    Ok(())
}

async fn make(
    connection: &Connection,
    config: &MongoConfig,
    index: &Index,
    now: i64,
) -> Result<(), Failure> {
    let command = doc! {
        "createIndexes": connection.collection.name(),
        "indexes": [specification(index)?],
    };
    // A large collection may take longer; then the next start finds the index made.
    connection.command(command, config.scan_timeout).await?;
    let record = record(index, now)?;
    let path = format!("{RECORDS}{}", index.key);
    let noted = within(
        config.item_timeout,
        connection
            .collection
            .update_one(doc! {"path": path}, record)
            .upsert(true),
    );
    match noted.await {
        // Another node has just noted it.
        Err(failure) if failure.is_conflict() => Ok(()),
        noted => noted.map(drop),
    }
}

/// The index as the server's command has it. The name is the one that drivers give.
fn specification(index: &Index) -> Result<Document, Failure> {
    let fields = document(&index.fields)?;
    let name: Vec<String> = index
        .fields
        .iter()
        .map(|(field, kind)| match kind {
            Value::String(kind) => format!("{field}_{kind}"),
            kind => format!("{field}_{kind}"),
        })
        .collect();
    let mut specification = doc! {"key": fields, "name": name.join("_")};
    for (option, value) in document(&index.options)? {
        // These tell the driver, not the index, what to do.
        if !matches!(option.as_str(), "w" | "writeConcern" | "background") {
            specification.insert(option, value);
        }
    }
    Ok(specification)
}

/// Stored only where there is no record yet.
fn record(index: &Index, now: i64) -> Result<Document, Failure> {
    let (fields, options) = (document(&index.fields)?, document(&index.options)?);
    let now = Bson::Double(now as f64);
    Ok(doc! {"$setOnInsert": {
        "created": now.clone(),
        "data": {"fields": fields, "options": options},
        "modified": now,
    }})
}

fn document(members: &Map<String, Value>) -> Result<Document, Failure> {
    let json = Json::encode(members).map_err(|error| Failure::Answer(error.to_string()))?;
    Ok(encode::document(&json)?)
}
