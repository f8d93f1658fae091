//! Where a JSON value ends, and whether it is one: strings are looked at many bytes at a time.

use serde_json::value::RawValue;

use crate::Raw;
use crate::word::Word;

/// Levels of nesting that are followed here. What is deeper is left to the parser, which has none.
const DEPTH_MAX: u32 = 64;

/// Words of a string that are looked at first.
const NEAR: usize = 3;

/// Bytes of a string that are looked at together then.
const STRIDE: usize = 32;

/// Splits `text` behind the JSON value with which it begins; `None` when it begins with none.
pub(crate) fn split_value(text: &str) -> Option<(&str, &str)> {
    let mut scan = Scan {
        bytes: text.as_bytes(),
        at: 0,
        depth: 0,
        objects: 0,
    };
    match scan.value() {
        Ok(()) => text.split_at_checked(scan.at),
        Err(Stop::NotJson) => None,
        Err(Stop::TooDeep) => parsed(text),
    }
}

/// The same by the parser.
fn parsed(text: &str) -> Option<(&str, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    values.next()?.ok()?;
    text.split_at_checked(values.byte_offset())
}

/// Splits `text` behind the string with which it begins, if there is no escape in it; the string
/// comes without its quotes.
pub(crate) fn split_plain_string(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('"')?;
    let end = special(text.as_bytes(), 0);
    let (string, rest) = text.split_at_checked(end)?;
    Some((string, rest.strip_prefix('"')?))
}

/// Calls `member` with the name and value of each member of the object `text`, in order. `None` when
/// it is no object, or has what clients do not write: white space around names and values, or
/// escapes in names. Then the members so far say nothing.
pub(crate) fn members<'a>(text: &'a str, mut member: impl FnMut(&'a str, Raw<'a>)) -> Option<()> {
    let mut rest = text.strip_prefix('{')?;
    if rest == "}" {
        return Some(());
    }
    loop {
        let (name, behind) = split_plain_string(rest)?;
        let value = behind.strip_prefix(':')?;
        if value.as_bytes().first()? <= &b' ' {
            return None;
        }
        let (value, behind) = split_value(value)?;
        member(name, Raw::trusted(value));
        match behind.strip_prefix(',') {
            Some(next) => rest = next,
            None => return (behind == "}").then_some(()),
        }
    }
}

/// Where from `at` on the first byte is that ends a string or has no place in one.
fn special(bytes: &[u8], mut at: usize) -> usize {
    let is_special = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    // Names and most other strings are shorter than a stride.
    let (near, _) = bytes.get(at..).unwrap_or_default().as_chunks();
    for word in near.iter().take(NEAR) {
        let word = Word::new(*word);
        let found = word.equal(b'"').or(word.equal(b'\\')).or(word.below(0x20));
        if let Some(place) = found.first() {
            return at + place;
        }
        at += 8;
    }
    // Without an early exit a stride takes a few instructions.
    while let Some(stride) = bytes.get(at..at + STRIDE)
        && !stride
            .iter()
            .fold(false, |found, &byte| found | is_special(byte))
    {
        at += STRIDE;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let found = rest.iter().position(|&byte| is_special(byte));
    at + found.unwrap_or(rest.len())
}

/// Why a scan ends early.
enum Stop {
    NotJson,
    TooDeep,
}

type Outcome<T = ()> = Result<T, Stop>;

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u32,
    /// One bit for each level, the innermost last: whether it is an object.
    objects: u64,
}

impl Scan<'_> {
    /// Goes behind the value that begins here.
    fn value(&mut self) -> Outcome {
        loop {
            if self.begins()? {
                continue;
            }
            // A value has ended here.
            loop {
                if self.depth == 0 {
                    return Ok(());
                }
                self.skip_space();
                match (self.next()?, self.is_in_object()) {
                    (b',', true) => {
                        self.key()?;
                        break;
                    }
                    (b',', false) => break,
                    (b'}', true) | (b']', false) => self.leave(),
                    _ => return Err(Stop::NotJson),
                }
            }
        }
    }

    /// Takes a value, or the beginning of one with values in it; then the answer is true.
    fn begins(&mut self) -> Outcome<bool> {
        self.skip_space();
        match self.next()? {
            b'"' => self.string()?,
            b'{' => {
                self.enter(true)?;
                if !self.closes(b'}') {
                    self.key()?;
                    return Ok(true);
                }
            }
            b'[' => {
                self.enter(false)?;
                if !self.closes(b']') {
                    return Ok(true);
                }
            }
            b't' => self.word(b"rue")?,
            b'f' => self.word(b"alse")?,
            b'n' => self.word(b"ull")?,
            b'-' => {
                let first = self.next()?;
                self.number(first)?;
            }
            first => self.number(first)?,
        }
        Ok(false)
    }

    fn key(&mut self) -> Outcome {
        self.skip_space();
        self.expect(b'"')?;
        self.string()?;
        self.skip_space();
        self.expect(b':')
    }

    /// The rest of a string.
    fn string(&mut self) -> Outcome {
        loop {
            self.at = special(self.bytes, self.at);
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                _ => return Err(Stop::NotJson),
            }
        }
    }

    fn escape(&mut self) -> Outcome {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => {
                for _ in 0..4 {
                    if !self.next()?.is_ascii_hexdigit() {
                        return Err(Stop::NotJson);
                    }
                }
                Ok(())
            }
            _ => Err(Stop::NotJson),
        }
    }

    fn number(&mut self, first: u8) -> Outcome {
        match first {
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            _ => return Err(Stop::NotJson),
        }
        if self.eat(|byte| byte == b'.') {
            self.digits()?;
        }
        if self.eat(|byte| byte == b'e' || byte == b'E') {
            self.eat(|byte| byte == b'+' || byte == b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Outcome {
        match self.eat(|byte| byte.is_ascii_digit()) {
            true => self.skip_digits(),
            false => return Err(Stop::NotJson),
        }
        Ok(())
    }

    fn skip_digits(&mut self) {
        while self.eat(|byte| byte.is_ascii_digit()) {}
    }

    fn word(&mut self, rest: &[u8]) -> Outcome {
        rest.iter().try_for_each(|&byte| self.expect(byte))
    }

    fn enter(&mut self, is_object: bool) -> Outcome {
        if self.depth == DEPTH_MAX {
            return Err(Stop::TooDeep);
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u64::from(is_object);
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.objects >>= 1;
    }

    /// Leaves a level that ends where it began.
    fn closes(&mut self, end: u8) -> bool {
        self.skip_space();
        let closes = self.eat(|byte| byte == end);
        if closes {
            self.leave();
        }
        closes
    }

    fn is_in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    fn skip_space(&mut self) {
        while self.eat(|byte| matches!(byte, b' ' | b'\n' | b'\t' | b'\r')) {}
    }

    fn expect(&mut self, byte: u8) -> Outcome {
        match self.next()? == byte {
            true => Ok(()),
            false => Err(Stop::NotJson),
        }
    }

    fn eat(&mut self, wanted: impl Fn(u8) -> bool) -> bool {
        let is_it = self.bytes.get(self.at).is_some_and(|&byte| wanted(byte));
        self.at += usize::from(is_it);
        is_it
    }

    fn next(&mut self) -> Outcome<u8> {
        let byte = self.bytes.get(self.at).copied().ok_or(Stop::NotJson)?;
        self.at += 1;
        Ok(byte)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The parser is the oracle.
    fn check(text: &str) {
        let whole = serde_json::from_str::<&RawValue>(text).is_ok();
        let split = split_value(text).is_some_and(|(_, rest)| rest.trim_ascii().is_empty());
        assert_eq!(split, whole, "{text}");
    }

    #[test]
    fn a_value_is_taken_to_its_end_and_no_further() {
        for (text, value) in [
            ("1,2", "1"),
            ("-0.5e+3}", "-0.5e+3"),
            (r#""a\"b"]"#, r#""a\"b""#),
            (r#"{"a":[1,{"b":"}"}]}},"x":1"#, r#"{"a":[1,{"b":"}"}]}"#),
            ("[ ] ]", "[ ]"),
            ("nulls", "null"),
        ] {
            assert_eq!(split_value(text).unwrap().0, value);
        }
        let long = format!(r#""{}\u12aF{}" "#, "x".repeat(100), "é".repeat(50));
        assert_eq!(split_value(&long).unwrap().1, " ");
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for text in [
            "",
            " ",
            "tru",
            "01",
            "-",
            "1.",
            "1e",
            "+1",
            "\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\n\"",
            "[",
            "[1",
            "[1,]",
            "[,1]",
            "{",
            "{}}",
            "{1:2}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "[}",
            "{]",
            "'a'",
            "\u{feff}1",
            "nul",
            "[1 2]",
        ] {
            check(text);
        }
    }

    #[test]
    fn depth_is_no_reason_to_refuse() {
        for depth in [63, 64, 65, 10_000] {
            let text = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(split_value(&text), Some((text.as_str(), "")), "{depth}");
            let open = format!("{},", &text[..text.len() - 1]);
            assert_eq!(split_value(&open), None, "{depth}");
        }
    }

    type Cut<'a> = Vec<(&'a str, &'a str)>;

    fn cut(text: &str) -> Option<Cut<'_>> {
        let mut cut = Vec::new();
        members(text, |name, value| cut.push((name, value.get())))?;
        Some(cut)
    }

    /// What is cut is what the parser finds.
    fn check_members(text: &str) {
        if let Some(cut) = cut(text) {
            let parsed = crate::Members::parse(text).unwrap_or_default();
            let parsed: Cut<'_> = parsed
                .iter()
                .map(|(name, value)| (name, value.get()))
                .collect();
            assert_eq!(cut, parsed, "{text}");
            assert!(serde_json::from_str::<&RawValue>(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn an_object_is_cut_into_its_members() {
        let text = r#"{"path":"/a","data":{"x": [1,{}],"y\n":"\u00e9\""},"n":null,"é":true}"#;
        let expected = [
            ("path", r#""/a""#),
            ("data", r#"{"x": [1,{}],"y\n":"\u00e9\""}"#),
            ("n", "null"),
            ("é", "true"),
        ];
        assert_eq!(cut(text).unwrap(), expected);
        assert_eq!(cut("{}").unwrap(), []);
        for unusual in [
            "{\"a\" :1}",
            "{\"a\": 1}",
            "{\"a\":1 }",
            "{ }",
            "{}x",
            "[]",
            "",
            "{\"\\u0061\":1}",
            "{\"a\":1,}",
            "{\"a\":1]",
            "{a:1}",
            "{\"a\":}",
        ] {
            assert_eq!(cut(unusual), None, "{unusual}");
        }
    }

    proptest! {
        #[test]
        fn objects_are_cut_as_the_parser_cuts_them(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "\"a\":1", "\"b\":", "\"c\":[true,{\"d\":null}]", "\"\\u0061\":2", ",", ",", ",", " ", "{", "}",
                    "\"text with spaces, and longer than a word or four\"", ":", "x", "\"", "\n", "null",
                ]),
                0..10,
            )
        ) {
            check_members(&format!("{{{}}}", pieces.concat()));
        }

        #[test]
        fn what_the_parser_accepts_is_accepted_and_nothing_else(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"a\":", "1", "-", "0", ".", "e", "E+",
                    " ", "\n", "true", "null", "false", "\\", "\\u", "00e9", "\\n", "é", "\u{1}",
                    "12345678901234567890123456789012",
                ]),
                0..12,
            )
        ) {
            check(&pieces.concat());
        }

        #[test]
        fn every_document_is_accepted(strings in prop::collection::vec(".*", 0..5), number: f64) {
            let text = serde_json::json!({"a": strings, "b": {"c": number}, "d": [null]}).to_string();
            prop_assert_eq!(split_value(&text), Some((text.as_str(), "")));
        }
    }
}
