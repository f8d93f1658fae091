//! The effective configuration for people.

use serde_json::Value;

use crate::config::Config;
use crate::config::layers::Origin;

/// One `key = value  # origin` per line, in the order of the table, secrets masked. Keys that are
/// not set are shown as comments.
#[must_use]
pub fn effective(config: &Config) -> String {
    let layers = &config.layers;
    let lines = layers.table().iter().map(|key| {
        let value = layers.value(key.path);
        match value {
            Value::Null => format!("# {} is not set", key.path),
            _ => format!(
                "{} = {}  # {}",
                key.path,
                key.printed(value),
                layers.origin(key.path)
            ),
        }
    });
    let mut text = lines.collect::<Vec<_>>().join("\n");
    if config.settings.name.is_none() && config.settings.port != 0 {
        let name = crate::address::node_name(&config.settings, "");
        text = text.replacen(
            "# name is not set",
            &format!("name = {}  # {}", Value::String(name), Origin::Default),
            1,
        );
    }
    text.push('\n');
    text
}
