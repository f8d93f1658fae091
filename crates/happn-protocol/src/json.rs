//! JSON text that is valid by construction and travels without being looked into.

use std::fmt;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Raw;
use crate::word::{Found, Word};

/// One JSON document as text. Cheap to clone; never re-parsed just to be passed on.
///
/// Invariant: the bytes are valid UTF-8 and valid JSON without a raw U+2028 or U+2029, which
/// JavaScript peers expect to be escaped.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(Bytes);

/// Text that should have been JSON and is not.
#[derive(Debug, thiserror::Error)]
#[error("invalid JSON: {0}")]
pub struct JsonError(#[from] serde_json::Error);

impl Json {
    /// The JSON `null`.
    pub const NULL: Self = Self(Bytes::from_static(b"null"));
    /// The JSON `{}`.
    pub const EMPTY_OBJECT: Self = Self(Bytes::from_static(b"{}"));

    /// Checks `text` and keeps it.
    ///
    /// # Errors
    /// When `text` is not one valid JSON document.
    pub fn parse(text: impl Into<String>) -> Result<Self, JsonError> {
        let raw = RawValue::from_string(text.into())?;
        Ok(Self::from_raw(&*raw))
    }

    /// Serialises a value.
    ///
    /// # Errors
    /// When the value's own `Serialize` fails, or a map key is not a string.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        Ok(Self::from_trusted(serde_json::to_vec(value)?))
    }

    /// Copies a slice that the JSON parser has already accepted.
    #[must_use]
    pub fn from_raw<'a>(raw: impl Into<Raw<'a>>) -> Self {
        Self::from_trusted(raw.into().get().as_bytes().to_vec())
    }

    /// Takes JSON text that this process wrote itself.
    ///
    /// The caller vouches for the validity; separators are escaped here.
    #[must_use]
    pub fn from_trusted(text: Vec<u8>) -> Self {
        match has_separator(&text) {
            false => Self(Bytes::from(text)),
            true => Self(Bytes::from(escape_separators(&text))),
        }
    }

    /// Takes JSON text known when the program was written.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// Shares `raw`'s place inside `frame` instead of copying it.
    ///
    /// `raw` must have been decoded from `frame`; if it was not, the text is copied.
    #[must_use]
    pub fn share<'a>(frame: &Bytes, raw: impl Into<Raw<'a>>) -> Self {
        Self::share_trusted(frame, raw.into().get())
    }

    /// The same for text that was found to be JSON in another way; the caller vouches for it.
    #[must_use]
    pub fn share_trusted(frame: &Bytes, text: &str) -> Self {
        let text = text.as_bytes();
        let outside =
            text.as_ptr() < frame.as_ptr() || text.as_ptr_range().end > frame.as_ptr_range().end;
        // A small value must not keep a large frame alive in a store's queue or a replay buffer.
        let is_small = text.len() * 2 < frame.len() && frame.len() > 4096;
        if outside || is_small || has_separator(text) {
            return Self::from_trusted(text.to_vec());
        }
        Self(frame.slice_ref(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("null")
    }

    /// The text as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the document is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.first_byte() == Some(b'{')
    }

    /// Whether the document is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.first_byte() == Some(b'n')
    }

    /// Reads the document as `T`.
    ///
    /// # Errors
    /// When the document does not have `T`'s shape.
    pub fn decode<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, JsonError> {
        Ok(serde_json::from_slice(&self.0)?)
    }

    fn first_byte(&self) -> Option<u8> {
        self.0
            .iter()
            .copied()
            .find(|byte| !byte.is_ascii_whitespace())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Appends `text` as a JSON string, quotes included, the way JavaScript peers write it.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write_unquoted(out, text);
    out.push(b'"');
}

/// Appends a piece of a JSON string, without quotes.
pub(crate) fn write_unquoted(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if is_clean(bytes) {
        return out.extend_from_slice(bytes);
    }
    let mut clean_from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let separator = byte == 0xE2 && is_separator_at(bytes, at);
        if byte >= 0x20 && byte != b'"' && byte != b'\\' && !separator {
            continue;
        }
        out.extend_from_slice(&bytes[clean_from..at]);
        clean_from = at + if separator { 3 } else { 1 };
        write_escape(out, bytes, at);
    }
    out.extend_from_slice(&bytes[clean_from..]);
}

/// Whether `bytes` holds nothing that might need an escape. No early exit: nearly every string is
/// clean.
fn is_clean(bytes: &[u8]) -> bool {
    let (words, last) = bytes.as_chunks();
    let mut padded = [b' '; 8];
    for (to, from) in padded.iter_mut().zip(last) {
        *to = *from;
    }
    let all = words.iter().chain([&padded]);
    !all.fold(Found::NONE, |found, word| {
        found.or(suspects(Word::new(*word)))
    })
    .any()
}

/// Control characters, quotes, backslashes and what a separator begins with.
fn suspects(word: Word) -> Found {
    let quotes = word.equal(b'"').or(word.equal(b'\\'));
    quotes.or(word.below(0x20)).or(word.equal(0xE2))
}

fn write_escape(out: &mut Vec<u8>, bytes: &[u8], at: usize) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match bytes[at] {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0x08 => out.extend_from_slice(b"\\b"),
        0x0C => out.extend_from_slice(b"\\f"),
        0xE2 => {
            out.extend_from_slice(if bytes[at + 2] == 0xA8 {
                b"\\u2028"
            } else {
                b"\\u2029"
            });
        }
        byte => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
    }
}

fn is_separator_at(text: &[u8], at: usize) -> bool {
    matches!(text.get(at..at + 3), Some([0xE2, 0x80, 0xA8 | 0xA9]))
}

fn has_separator(text: &[u8]) -> bool {
    // Looking for one byte is many times faster than looking for three, and without an early exit
    // many bytes are looked at together.
    text.iter()
        .fold(false, |found, &byte| found | (byte == 0xE2))
        && text
            .windows(3)
            .any(|window| matches!(window, [0xE2, 0x80, 0xA8 | 0xA9]))
}

/// U+2028 and U+2029 are only legal inside strings, so replacing bytes is safe.
fn escape_separators(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 16);
    let mut at = 0;
    while at < text.len() {
        if is_separator_at(text, at) {
            write_escape(&mut out, text, at);
            at += 3;
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_separators_are_escaped_wherever_text_comes_from() {
        let json = Json::parse("{\"a\":\"x\u{2028}y\u{2029}\"}").unwrap();
        assert_eq!(json.as_str(), r#"{"a":"x\u2028y\u2029"}"#);
        let mut out = Vec::new();
        write_string(&mut out, "a\u{2028}\"\\\n\u{1}é");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\"a\\u2028\\\"\\\\\\n\\u0001é\""
        );
    }

    #[test]
    fn a_value_decoded_from_a_frame_shares_its_bytes() {
        let frame = Bytes::from_static(br#"{"data":{"x":1}}"#);
        let outer: std::collections::HashMap<&str, &RawValue> =
            serde_json::from_slice(&frame).unwrap();
        let shared = Json::share(&frame, outer["data"]);
        assert_eq!(shared.as_str(), r#"{"x":1}"#);
        assert!(frame.as_ptr_range().contains(&shared.as_bytes().as_ptr()));
    }

    proptest::proptest! {
        #[test]
        fn every_string_survives_the_round_trip(text in ".*") {
            let mut out = Vec::new();
            write_string(&mut out, &text);
            proptest::prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
