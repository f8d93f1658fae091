//! What a caller can ask for besides.

use std::time::Duration;

use happn_protocol::Json;
use serde::Serialize;

use crate::ClientError;
use crate::login::millis;

/// When the answer to a write comes, compared with its delivery to subscribers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consistency {
    /// At once; the end of the publication is reported later.
    Deferred,
    /// After the event was handed to every subscriber's connection.
    #[default]
    Transactional,
    /// At once; the end is reported when every subscriber has acknowledged the event.
    Acknowledged,
}

/// Options of writing and removing.
///
/// ```
/// use happn_client::{Consistency, WriteOptions};
///
/// let options = WriteOptions {
///     merge: true,
///     consistency: Consistency::Acknowledged,
///     ..WriteOptions::default()
/// };
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WriteOptions {
    /// Publish without storing.
    pub no_store: bool,
    /// Store without publishing.
    pub no_publish: bool,
    /// The answer needs no data.
    pub no_data_response: bool,
    /// Lay the top-level members over what is stored.
    pub merge: bool,
    /// When the answer comes.
    pub consistency: Consistency,
    /// Ask for the publication's counters in the answer's meta.
    pub publish_results: bool,
    /// Only these sessions receive the event.
    pub target_clients: Option<Vec<String>>,
    /// The event does not leave the node.
    pub no_cluster: bool,
    /// Further members of the event's meta, as a JSON object.
    pub meta: Option<Json>,
    /// What to wait for instead of the client's call timeout.
    pub timeout: Option<Duration>,
}

/// Options as they are written, in the order of the JavaScript client.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireOptions<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    increment: Option<&'a serde_json::Number>,
    #[serde(skip_serializing_if = "is_false")]
    no_publish: bool,
    #[serde(skip_serializing_if = "is_false")]
    merge: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    consistency: Option<u8>,
    #[serde(skip_serializing_if = "is_false")]
    publish_results: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_clients: Option<&'a [String]>,
    #[serde(skip_serializing_if = "is_false")]
    no_cluster: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<&'a serde_json::value::RawValue>,
    #[serde(skip_serializing_if = "is_false")]
    null_value: bool,
    #[serde(skip_serializing_if = "is_false")]
    no_store: bool,
    #[serde(skip_serializing_if = "is_false")]
    no_data_response: bool,
    timeout: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(value: &bool) -> bool {
    !value
}

impl WriteOptions {
    /// Whether the end of the publication is reported apart from the answer.
    pub(crate) fn is_reported(&self) -> bool {
        self.consistency != Consistency::Transactional
    }

    pub(crate) fn encode(
        &self,
        timeout: Duration,
        null_value: bool,
        increment: Option<&serde_json::Number>,
    ) -> Result<Json, ClientError> {
        let consistency = match self.consistency {
            Consistency::Deferred => Some(1),
            Consistency::Transactional => None,
            Consistency::Acknowledged => Some(3),
        };
        let meta = self.meta.as_ref().map(Json::decode).transpose();
        let options = WireOptions {
            increment,
            no_publish: self.no_publish,
            merge: self.merge,
            consistency,
            publish_results: self.publish_results,
            target_clients: self.target_clients.as_deref(),
            no_cluster: self.no_cluster,
            meta: meta.map_err(ClientError::encode)?,
            null_value,
            no_store: self.no_store,
            no_data_response: self.no_data_response,
            timeout: millis(timeout),
        };
        Json::encode(&options).map_err(ClientError::encode)
    }
}

/// Which documents to read: the members the server's query language knows, all optional.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct QueryOptions {
    /// A condition on the data, in the style of MongoDB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criteria: Option<serde_json::Value>,
    /// Which members to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<serde_json::Value>,
    /// The order of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<serde_json::Value>,
    /// The most documents to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// How many matches to leave out first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip: Option<u64>,
}

#[derive(Serialize)]
struct WireQuery<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Inner<'a>>,
    timeout: u64,
}

#[derive(Serialize)]
struct Inner<'a> {
    #[serde(flatten)]
    query: &'a QueryOptions,
    #[serde(skip_serializing_if = "is_false")]
    path_only: bool,
}

impl QueryOptions {
    pub(crate) fn encode(&self, timeout: Duration, path_only: bool) -> Result<Json, ClientError> {
        let is_plain = !path_only && *self == Self::default();
        let options = WireQuery {
            options: (!is_plain).then_some(Inner {
                query: self,
                path_only,
            }),
            timeout: millis(timeout),
        };
        Json::encode(&options).map_err(ClientError::encode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(options: &WriteOptions, null_value: bool) -> String {
        let timeout = Duration::from_secs(60);
        let encoded = options.encode(timeout, null_value, None).unwrap();
        encoded.as_str().to_owned()
    }

    #[test]
    fn only_what_was_asked_for_is_written() {
        assert_eq!(
            written(&WriteOptions::default(), false),
            r#"{"timeout":60000}"#
        );
        let publish = WriteOptions {
            no_store: true,
            no_data_response: true,
            ..WriteOptions::default()
        };
        assert_eq!(
            written(&publish, true),
            r#"{"nullValue":true,"noStore":true,"noDataResponse":true,"timeout":60000}"#
        );
        let targeted = WriteOptions {
            consistency: Consistency::Acknowledged,
            target_clients: Some(vec!["S1".into()]),
            meta: Some(Json::parse(r#"{"a": 1}"#).unwrap()),
            ..WriteOptions::default()
        };
        assert_eq!(
            written(&targeted, false),
            r#"{"consistency":3,"targetClients":["S1"],"meta":{"a": 1},"timeout":60000}"#
        );
    }

    #[test]
    fn queries_nest_their_members() {
        let minute = Duration::from_secs(60);
        let none = QueryOptions::default();
        assert_eq!(
            none.encode(minute, false).unwrap().as_str(),
            r#"{"timeout":60000}"#
        );
        assert_eq!(
            none.encode(minute, true).unwrap().as_str(),
            r#"{"options":{"path_only":true},"timeout":60000}"#
        );
        let some = QueryOptions {
            limit: Some(2),
            ..QueryOptions::default()
        };
        assert_eq!(
            some.encode(minute, false).unwrap().as_str(),
            r#"{"options":{"limit":2},"timeout":60000}"#
        );
    }
}
