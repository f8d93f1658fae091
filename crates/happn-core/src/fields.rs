//! The selection of a document's members that a `get` asks for.

use happn_protocol::response::Meta;
use happn_protocol::{Json, Members, Options, write_string};
use serde_json::value::RawValue;

/// Which members to show. Names are relative to the data; those of `_meta` are item level.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    /// Dotted names, split.
    data: Vec<Vec<String>>,
    created: bool,
    modified: bool,
    modified_by: bool,
}

impl Fields {
    /// Reads `{name: 1, 'address.city': 1}`; anything but an object selects nothing special.
    pub(crate) fn read(raw: &RawValue) -> Option<Self> {
        let members = Members::parse(raw.get())?;
        let mut fields = Self::default();
        for (bare, _) in members
            .iter()
            .filter(|(_, value)| Options::is_set(Some(value)))
        {
            match bare.strip_prefix("_meta.").unwrap_or(bare) {
                "path" | "_id" | "_meta" => {}
                "created" => fields.created = true,
                "modified" => fields.modified = true,
                "modifiedBy" => fields.modified_by = true,
                _ => {
                    let name = bare
                        .strip_prefix("_data.")
                        .or_else(|| bare.strip_prefix("data."));
                    let name = name.unwrap_or(bare);
                    fields
                        .data
                        .push(name.split('.').map(ToOwned::to_owned).collect());
                }
            }
        }
        Some(fields)
    }

    pub(crate) fn select(&self, data: &Json) -> Json {
        let names: Vec<&[String]> = self.data.iter().map(Vec::as_slice).collect();
        let mut out = Vec::new();
        select(data.as_str(), &names, &mut out);
        Json::from_trusted(out)
    }

    pub(crate) fn select_meta(&self, meta: Meta) -> Meta {
        Meta {
            path: meta.path,
            created: meta.created.filter(|_| self.created),
            modified: meta.modified.filter(|_| self.modified),
            modified_by: meta.modified_by.filter(|_| self.modified_by),
            ..Meta::default()
        }
    }
}

/// Appends `object` reduced to `names`, keeping its own order and nesting.
fn select(object: &str, names: &[&[String]], out: &mut Vec<u8>) {
    out.push(b'{');
    let start = out.len();
    for (key, value) in Members::parse(object).unwrap_or_default().iter() {
        let below: Vec<&[String]> = names
            .iter()
            .filter_map(|name| name.split_first())
            .filter(|(first, _)| *first == key)
            .map(|(_, rest)| rest)
            .collect();
        let whole = below.iter().any(|rest| rest.is_empty());
        if below.is_empty() || (!whole && !value.get().starts_with('{')) {
            continue;
        }
        if out.len() > start {
            out.push(b',');
        }
        write_string(out, key);
        out.push(b':');
        match whole {
            true => out.extend_from_slice(value.get().as_bytes()),
            false => select(value.get(), &below, out),
        }
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fields: &str, expected: &str) {
        let data = Json::parse(r#"{"a":1,"b":{"c":2.50,"d":3},"e":[1]}"#).unwrap();
        let raw = RawValue::from_string(fields.into()).unwrap();
        assert_eq!(
            Fields::read(&raw).unwrap().select(&data).as_str(),
            expected,
            "{fields}"
        );
    }

    #[test]
    fn selected_members_keep_order_nesting_and_spelling() {
        check(r#"{"e":1,"a":true}"#, r#"{"a":1,"e":[1]}"#);
        check(r#"{"b.c":1}"#, r#"{"b":{"c":2.50}}"#);
        check(r#"{"data.b":1}"#, r#"{"b":{"c":2.50,"d":3}}"#);
        check(r#"{"nothing":1,"a":0}"#, "{}");
    }
}
