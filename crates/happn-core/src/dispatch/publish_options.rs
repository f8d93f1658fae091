//! The options of a request that say how it is published.

use happn_protocol::publication::is_reserved;
use happn_protocol::{Json, Members, Options, Raw};

/// When the publisher is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consistency {
    /// 0, 1 and everything unknown: answered at once, told about the publication afterwards.
    Deferred,
    /// 2, the default: answered once every event frame is queued.
    Transactional,
    /// 3: as deferred, and told once every recipient has acknowledged.
    Acknowledged,
}

#[derive(Clone, Debug)]
pub(super) struct PublishOptions {
    pub(super) consistency: Consistency,
    /// The consistency as sent: events repeat even odd ones.
    pub(super) consistency_text: Json,
    pub(super) no_publish: bool,
    pub(super) no_data_response: bool,
    pub(super) publish_results: bool,
    pub(super) no_cluster: bool,
    pub(super) target_clients: Option<Vec<String>>,
    pub(super) custom: Vec<(String, Json)>,
}

impl PublishOptions {
    pub(super) fn read(options: &Options<'_>) -> Self {
        let asked = options.consistency.map(Raw::get);
        let (consistency, consistency_text) = match asked {
            None | Some("null" | "2") => (Consistency::Transactional, Json::from_static("2")),
            Some("3") => (Consistency::Acknowledged, Json::from_static("3")),
            Some(other) => (
                Consistency::Deferred,
                Json::from_trusted(other.as_bytes().to_vec()),
            ),
        };
        Self {
            consistency,
            consistency_text,
            no_publish: Options::is_set(options.no_publish),
            no_data_response: Options::is_set(options.no_data_response),
            publish_results: Options::is_set(options.publish_results),
            no_cluster: Options::is_set(options.no_cluster),
            target_clients: options
                .target_clients
                .and_then(|raw| serde_json::from_str(raw.get()).ok()),
            custom: options
                .meta
                .map(|raw| custom_meta(raw.get()))
                .unwrap_or_default(),
        }
    }
}

/// Custom meta without the members that are the node's to set.
fn custom_meta(text: &str) -> Vec<(String, Json)> {
    let members = Members::parse(text).unwrap_or_default();
    members
        .iter()
        .filter(|(name, _)| !is_reserved(name))
        .map(|(name, value)| (name.to_owned(), Json::from_raw(value)))
        .collect()
}
