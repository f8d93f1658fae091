//! The members of a JSON object, in their order and unopened.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Name and value of one member.
pub(crate) type Member<'a> = (Cow<'a, str>, &'a RawValue);

/// The members of `object`, or `None` when it is no object.
pub(crate) fn members(object: &RawValue) -> Option<Vec<Member<'_>>> {
    let members: Members<'_> = serde_json::from_str(object.get()).ok()?;
    Some(members.0)
}

struct Members<'a>(Vec<Member<'a>>);

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
        let mut members = Vec::new();
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(Members(members))
    }
}
