//! JSON values as questions see them.

use std::borrow::Cow;
use std::fmt;

use happn_protocol::write_string;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::limits;

/// A JSON value, borrowed from its text where possible.
///
/// `==` is by structure: `Integer(1)` and `Float(1.0)` differ. How values compare in a search is
/// the business of [`Collation::compare`](crate::Collation::compare).
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction that fits.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// The identity of an item; prints as 24 hexadecimal digits.
    Id([u8; 12]),
    /// A list.
    Array(Vec<Self>),
    /// Members in their order. Of several with one name the last counts.
    Object(Vec<(Cow<'a, str>, Self)>),
    /// JSON text that is nested too deeply, or has numbers too large, to be looked into.
    Opaque(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// Reads valid JSON. What cannot be looked into becomes [`Value::Opaque`].
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let parsed = Nested(0).deserialize(&mut deserializer);
        parsed.unwrap_or(Value::Opaque(Cow::Borrowed(text)))
    }

    /// The member called `name`, if this is an object that has it.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => {
                let found = members.iter().rfind(|(key, _)| key == name);
                found.map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// A number as a float.
    #[must_use]
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// A number without fraction as an integer.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Float(number) if number.fract() == 0.0 && number.abs() < 9.0e18 => {
                Some(*number as i64)
            }
            _ => None,
        }
    }

    /// Text as text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What MongoDB takes for true: everything but `false`, `null` and zero.
    #[must_use]
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null | Self::Bool(false) | Self::Integer(0) => false,
            Self::Float(number) => *number != 0.0,
            _ => true,
        }
    }

    /// The same value, independent of the text it came from.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Integer(number) => Value::Integer(number),
            Self::Float(number) => Value::Float(number),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Id(id) => Value::Id(id),
            Self::Array(items) => Value::Array(items.into_iter().map(Self::into_owned).collect()),
            Self::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
                    .collect(),
            ),
            Self::Opaque(text) => Value::Opaque(Cow::Owned(text.into_owned())),
        }
    }

    /// Appends the value as JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(true) => out.extend_from_slice(b"true"),
            Self::Bool(false) => out.extend_from_slice(b"false"),
            Self::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Float(number) => write_float(out, *number),
            Self::Text(text) => write_string(out, text),
            Self::Id(id) => write_id(out, id),
            Self::Array(items) => {
                write_list(out, b"[]", items, |out, item| item.write(out));
            }
            Self::Object(members) => {
                write_list(out, b"{}", members, |out, (name, value)| {
                    write_string(out, name);
                    out.push(b':');
                    value.write(out);
                });
            }
            Self::Opaque(text) => out.extend_from_slice(text.as_bytes()),
        }
    }

    /// About the bytes it takes in memory.
    pub(crate) fn size(&self) -> u64 {
        let inside: u64 = match self {
            Self::Text(text) | Self::Opaque(text) => text.len() as u64,
            Self::Array(items) => items.iter().map(Self::size).sum(),
            Self::Object(members) => {
                let size = |(name, value): &(Cow<'_, str>, Self)| name.len() as u64 + value.size();
                members.iter().map(|member| size(member) + 24).sum()
            }
            _ => 0,
        };
        inside + size_of::<Self>() as u64
    }

    /// The kind of value, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::Id(_) => "an id",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
            Self::Opaque(_) => "a value nested too deeply",
        }
    }
}

fn write_list<T>(
    out: &mut Vec<u8>,
    brackets: &[u8; 2],
    items: &[T],
    write: impl Fn(&mut Vec<u8>, &T),
) {
    out.push(brackets[0]);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(brackets[1]);
}

/// Whole numbers print without a fraction, as JavaScript does it; there is no JSON for infinity.
fn write_float(out: &mut Vec<u8>, number: f64) {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        out.extend_from_slice((number as i64).to_string().as_bytes());
    } else if serde_json::to_writer(&mut *out, &number).is_err() {
        out.extend_from_slice(b"null");
    }
}

fn write_id(out: &mut Vec<u8>, id: &[u8; 12]) {
    out.push(b'"');
    for byte in id {
        out.extend_from_slice(format!("{byte:02x}").as_bytes());
    }
    out.push(b'"');
}

/// A value at some depth of a text.
struct Nested(usize);

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        if self.0 > limits::DEPTH {
            let raw: &RawValue = serde::Deserialize::deserialize(deserializer)?;
            return Ok(Value::Opaque(Cow::Borrowed(raw.get())));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Value::Float(number as f64), Value::Integer))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Nested(self.0 + 1))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(Name)? {
            members.push((name, map.next_value_seed(Nested(self.0 + 1))?));
        }
        Ok(Value::Object(members))
    }
}

/// A member's name; `Cow` alone would always copy.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) -> String {
        let mut out = Vec::new();
        Value::parse(text).write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_print_as_they_were_read() {
        for text in [
            "null",
            "true",
            "-5",
            "1.5",
            "9007199254740993",
            r#""a\"b""#,
            r#"{"b":1,"a":[1,{"c":null}],"":{}}"#,
        ] {
            assert_eq!(round_trip(text), text);
        }
        assert_eq!(round_trip("2.0"), "2");
    }

    #[test]
    fn what_cannot_be_looked_into_stays_as_it_is() {
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(round_trip(&deep), deep);
        assert_eq!(round_trip(r#"{"a":1e400}"#), r#"{"a":1e400}"#);
    }

    #[test]
    fn the_last_member_of_a_name_counts() {
        let value = Value::parse(r#"{"a":1,"a":2}"#);
        assert_eq!(value.member("a"), Some(&Value::Integer(2)));
        assert_eq!(value.member("b"), None);
    }
}
