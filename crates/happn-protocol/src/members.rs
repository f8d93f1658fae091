//! The members of a JSON object, in their order and unopened.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object. Objects on the wire are small: looking one up is a short walk, which
/// costs less than building a table for it.
#[derive(Debug, Default)]
pub struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Reads `object`, or answers `None` when it is no object.
    #[must_use]
    pub fn read(object: &'a RawValue) -> Option<Self> {
        Self::parse(object.get())
    }

    /// Reads the text of an object, or answers `None` when it is anything else.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The value of `name`; the last one if there are several, as in JavaScript.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().rfind(|(member, _)| member == name);
        found.map(|(_, value)| *value)
    }

    /// The value of `name` when it is a string.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        text_of(self.get(name)?.get())
    }

    /// Name and value of each member, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }
}

impl<'a> IntoIterator for Members<'a> {
    type Item = (Cow<'a, str>, &'a RawValue);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Keeps a `null` apart from a missing member.
pub(crate) fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

/// The text of a JSON string; only texts with escapes are copied.
pub(crate) fn text_of(json: &str) -> Option<Cow<'_, str>> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    if text.contains('\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(text))
    }
}

/// `Cow<str>` only borrows when told to.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(12);
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_the_last_of_a_name_counts() {
        let raw: &RawValue =
            serde_json::from_str(r#"{"b":1,"a":"x","\u0062":[2],"c":"\n"}"#).unwrap();
        let members = Members::read(raw).unwrap();
        let names: Vec<_> = members.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["b", "a", "b", "c"]);
        assert_eq!(members.get("b").unwrap().get(), "[2]");
        assert_eq!(members.text("a").as_deref(), Some("x"));
        assert_eq!(members.text("c").as_deref(), Some("\n"));
        assert_eq!(members.text("b"), None);
        assert!(Members::read(serde_json::from_str("[1]").unwrap()).is_none());
    }
}
