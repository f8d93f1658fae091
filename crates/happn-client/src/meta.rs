//! What comes along with data: paths, times, authors.

use happn_protocol::{Json, Members};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ClientError;

/// `_meta` of an item, an answer or an event. What the server does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Meta {
    /// The item's path.
    pub path: Option<String>,
    /// Ms since 1970; absent for what is not stored.
    pub created: Option<i64>,
    /// Ms since 1970; absent for what is not stored.
    pub modified: Option<i64>,
    /// Who wrote it last, on secure servers.
    pub modified_by: Option<String>,
    /// When it was removed, ms since 1970.
    pub timestamp: Option<i64>,
    /// Whether the publication had been handed to its subscribers when the answer was written.
    pub published: Option<bool>,
    /// The counters of the publication, when they were asked for.
    pub publish_results: Option<PublishResults>,
    /// The verb of an answer; `/SET@<path>` or `/REMOVE@<path>` on events.
    pub action: Option<String>,
    /// The caller's session on answers, the publisher's on events.
    pub session_id: Option<String>,
    /// `<session id>-<event id>` of the publisher; only on events.
    pub publication_id: Option<String>,
    /// The channel of the subscription; only on events.
    pub channel: Option<String>,
    /// The reference of a subscription with initial values.
    pub(crate) reference_id: Option<String>,
    /// Everything else, the publisher's own members among them.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// What became of a publication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PublishResults {
    /// Frames handed to subscribers.
    pub successful: u32,
    /// Subscribers that could not take theirs.
    pub failed: u32,
    /// Always 0 in practice.
    pub skipped: u32,
    /// Acknowledgements received; only for acknowledged publications.
    pub acknowledged: Option<u32>,
    /// Matching subscriptions.
    pub queued: u32,
}

/// Data with its meta.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Item<T> {
    /// What is stored.
    pub data: T,
    /// Where and when.
    pub meta: Meta,
}

/// How servers store what is not an object: numbers, texts, lists, null.
///
/// ```
/// use happn_client::Wrapped;
///
/// let wrapped: Wrapped<u32> = serde_json::from_str(r#"{"value": 5}"#).unwrap();
/// assert_eq!(wrapped.value, 5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapped<T> {
    /// The value as it was set.
    pub value: T,
}

impl Meta {
    pub(crate) fn read(json: &Json) -> Result<Self, ClientError> {
        json.decode().map_err(ClientError::decode)
    }
}

impl<T: DeserializeOwned> Item<T> {
    /// Reads an item of a list, which carries its `_meta` among its members.
    pub(crate) fn from_listed(json: &Json) -> Result<Self, ClientError> {
        let (data, meta) = split(json)?;
        Ok(Self {
            data: data.decode().map_err(ClientError::decode)?,
            meta,
        })
    }
}

/// Takes `_meta` out of an object.
pub(crate) fn split(json: &Json) -> Result<(Json, Meta), ClientError> {
    let raw: &RawValue = json.decode().map_err(ClientError::decode)?;
    let members = Members::read(raw).ok_or_else(|| ClientError::decode("an item is no object"))?;
    let mut meta = Meta::default();
    let mut data = Vec::with_capacity(json.as_bytes().len());
    data.push(b'{');
    for (name, value) in members.iter() {
        if name == "_meta" {
            meta = serde_json::from_str(value.get()).map_err(ClientError::decode)?;
            continue;
        }
        if data.len() > 1 {
            data.push(b',');
        }
        happn_protocol::write_string(&mut data, name);
        data.push(b':');
        data.extend_from_slice(value.get().as_bytes());
    }
    data.push(b'}');
    Ok((Json::from_trusted(data), meta))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_split_into_data_and_meta() {
        let json = Json::parse(
            r#"{"b":[1, 2],"_meta":{"path":"/p","created":1,"modified":2,"mine":"x"},"a":"\u00e9"}"#,
        )
        .unwrap();
        let (data, meta) = split(&json).unwrap();
        assert_eq!(data.as_str(), r#"{"b":[1, 2],"a":"\u00e9"}"#);
        assert_eq!(meta.path.as_deref(), Some("/p"));
        assert_eq!((meta.created, meta.modified), (Some(1), Some(2)));
        assert_eq!(meta.other["mine"], "x");
    }
}
