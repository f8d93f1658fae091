//! JSON text to BSON, as JavaScript's parser and driver do it together.

use bson::{Bson, Document};
use happn_protocol::Json;

use crate::number;

/// MongoDB itself stops at 200 levels, the envelope of an item included.
const DEPTH_MAX: usize = 180;

/// Data that MongoDB does not store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EncodeError {
    #[error("the data is nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    #[error("the key {0:?} holds a NUL character")]
    NulInKey(String),
    #[error("the data is not an object")]
    NotAnObject,
    #[error("the data is not JSON at byte {0}")]
    Malformed(usize),
}

/// The document for the object `json`: keys in their order and taken literally, of two members of
/// one name the later value at the earlier place.
pub(crate) fn document(json: &Json) -> Result<Document, EncodeError> {
    match value(json)? {
        Bson::Document(document) => Ok(document),
        _ => Err(EncodeError::NotAnObject),
    }
}

/// Any JSON value.
pub(crate) fn value(json: &Json) -> Result<Bson, EncodeError> {
    let mut reader = Reader {
        text: json.as_str(),
        at: 0,
    };
    reader.value(DEPTH_MAX)
}

/// Reads text that is known to be valid JSON, so it checks only what it must.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Bson, EncodeError> {
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Bson::String(self.string()?)),
            Some(b't') => self.word("true", Bson::Boolean(true)),
            Some(b'f') => self.word("false", Bson::Boolean(false)),
            Some(b'n') => self.word("null", Bson::Null),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Bson, EncodeError> {
        let depth = depth.checked_sub(1).ok_or(EncodeError::TooDeep)?;
        let mut document = Document::new();
        self.at += 1;
        while self.more(b'}')? {
            self.peek();
            let key = self.string()?;
            if key.contains('\0') {
                return Err(EncodeError::NulInKey(key));
            }
            self.take(b':')?;
            let value = self.value(depth)?;
            document.insert(key, value);
        }
        Ok(Bson::Document(document))
    }

    fn array(&mut self, depth: usize) -> Result<Bson, EncodeError> {
        let depth = depth.checked_sub(1).ok_or(EncodeError::TooDeep)?;
        let mut values = Vec::new();
        self.at += 1;
        while self.more(b']')? {
            values.push(self.value(depth)?);
        }
        Ok(Bson::Array(values))
    }

    /// Steps over what stands before a member; false at the end of the list.
    fn more(&mut self, end: u8) -> Result<bool, EncodeError> {
        match self.peek() {
            Some(byte) if byte == end => {
                self.at += 1;
                Ok(false)
            }
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(_) => Ok(true),
            None => Err(self.malformed()),
        }
    }

    fn string(&mut self) -> Result<String, EncodeError> {
        let rest = self.text.get(self.at + 1..).ok_or(self.malformed())?;
        let stop = rest.find(['"', '\\']).ok_or(self.malformed())?;
        if rest.as_bytes()[stop] == b'"' {
            self.at += stop + 2;
            return Ok(rest[..stop].to_owned());
        }
        self.escaped(rest)
    }

    /// A string with escapes. A lone surrogate becomes U+FFFD, as it does in the JavaScript driver.
    fn escaped(&mut self, rest: &'a str) -> Result<String, EncodeError> {
        let mut out = String::with_capacity(rest.len().min(64));
        let mut from = 0;
        loop {
            let stop = rest[from..].find(['"', '\\']).ok_or(self.malformed())? + from;
            out.push_str(&rest[from..stop]);
            let bytes = rest.as_bytes();
            if bytes[stop] == b'"' {
                self.at += stop + 2;
                return Ok(out);
            }
            from = stop + 2;
            match bytes.get(stop + 1).ok_or(self.malformed())? {
                b'n' => out.push('\n'),
                b't' => out.push('\t'),
                b'r' => out.push('\r'),
                b'b' => out.push('\u{8}'),
                b'f' => out.push('\u{c}'),
                b'u' => {
                    let (character, length) = unicode(&rest[stop..]).ok_or(self.malformed())?;
                    out.push(character);
                    from = stop + length;
                }
                &plain => out.push(char::from(plain)),
            }
        }
    }

    fn number(&mut self) -> Result<Bson, EncodeError> {
        let rest = &self.text[self.at..];
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        // What is too large becomes infinite, as in JavaScript.
        let value: f64 = rest[..end].parse().map_err(|_| self.malformed())?;
        self.at += end;
        Ok(number::stored(value))
    }

    fn word(&mut self, word: &str, value: Bson) -> Result<Bson, EncodeError> {
        match self.text[self.at..].starts_with(word) {
            true => {
                self.at += word.len();
                Ok(value)
            }
            false => Err(self.malformed()),
        }
    }

    fn take(&mut self, wanted: u8) -> Result<(), EncodeError> {
        match self.peek() {
            Some(byte) if byte == wanted => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.malformed()),
        }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn malformed(&self) -> EncodeError {
        EncodeError::Malformed(self.at)
    }
}

/// Reads `\uXXXX` or a pair of them; the character and how many bytes it took.
fn unicode(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| u32::from_str_radix(text.get(at + 2..at + 6)?, 16).ok();
    let first = unit(0)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    let pair = |second: u32| {
        let is_pair = (0xD800..0xDC00).contains(&first) && (0xDC00..0xE000).contains(&second);
        is_pair.then(|| 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    };
    let second = match text.get(6..8) {
        Some("\\u") => unit(6),
        _ => None,
    };
    match second.and_then(pair).and_then(char::from_u32) {
        Some(character) => Some((character, 12)),
        None => Some((char::REPLACEMENT_CHARACTER, 6)),
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn read(text: &str) -> Result<Document, EncodeError> {
        document(&Json::parse(text).unwrap())
    }

    #[test]
    fn numbers_are_stored_as_the_javascript_driver_stores_them() {
        let data = read(r#"{"a":1,"b":1.0,"c":2147483648,"d":-0,"e":1e21,"f":1e400,"g":0.5}"#);
        let expected = doc! {
            "a": 1_i32, "b": 1_i32, "c": 2_147_483_648.0, "d": 0_i32, "e": 1e21,
            "f": f64::INFINITY, "g": 0.5,
        };
        assert_eq!(data.unwrap(), expected);
    }

    #[test]
    fn keys_are_literal_and_keep_their_order() {
        let data = read(r#" { "b" : 1 , "$a.b" : { "$set" : [ ] } , "" : null, "b":2 } "#).unwrap();
        let keys: Vec<_> = data.keys().map(String::as_str).collect();
        assert_eq!(keys, ["b", "$a.b", ""]);
        assert_eq!(data, doc! {"b": 2, "$a.b": {"$set": []}, "": null});
    }

    #[test]
    fn strings_are_unescaped() {
        let text = r#"{"s":"a\"\\\/\n\t\r\b\f\u00e9\ud83d\udc4d日 \ud800x\udc00"}"#;
        let expected = "a\"\\/\n\t\r\u{8}\u{c}é👍日 \u{fffd}x\u{fffd}";
        assert_eq!(read(text).unwrap(), doc! {"s": expected});
    }

    #[test]
    fn what_mongodb_does_not_store_is_named() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(180), "]".repeat(180));
        assert_eq!(read(&deep), Err(EncodeError::TooDeep));
        let allowed = format!("{{\"a\":{}{}}}", "[".repeat(179), "]".repeat(179));
        assert!(read(&allowed).is_ok());
        let nul = read("{\"a\\u0000b\":1}").unwrap_err();
        assert_eq!(nul.to_string(), "the key \"a\\0b\" holds a NUL character");
        assert_eq!(read("[1]"), Err(EncodeError::NotAnObject));
    }

    proptest::proptest! {
        #[test]
        fn every_string_is_read_as_serde_json_reads_it(text in "\\PC*[\"\\\\\n\u{1}]?.*") {
            let json = Json::encode(&std::collections::HashMap::from([("s", &text)])).unwrap();
            proptest::prop_assert_eq!(document(&json).unwrap(), doc! {"s": text});
        }
    }
}
