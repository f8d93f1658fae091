//! What a request says: parts of its path, its query, its body.

use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::Problem;
use super::shape::Shape;

/// How many items a list holds when nobody says, and at most.
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;

/// The text that percent-encoding stands for, decoded once.
pub(super) fn decoded(text: &str) -> Result<String, Problem> {
    let wrong = || Problem::invalid("the address holds a % that stands for no UTF-8 text");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2).ok_or_else(wrong)?;
        let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
        // `from_str_radix` would take a sign.
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_hex);
        bytes.push(byte.ok_or_else(wrong)?);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// The query of a request, decoded, with none but the parameters of its operation.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) skip: usize,
    pub(super) limit: usize,
}

impl Query {
    /// Reads `text`; `known` are the names that the operation takes, and whether they may repeat.
    pub(super) fn parse(text: &str, known: &[(&str, bool)]) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let pair = pair.replace('+', " ");
            let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            let Some((_, may_repeat)) = known.iter().find(|(known, _)| *known == name) else {
                let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                let known = match names.is_empty() {
                    true => "there are none here".to_owned(),
                    false => format!("there are {}", names.join(", ")),
                };
                return Err(Problem::invalid(format!(
                    "unknown parameter {name}; {known}"
                )));
            };
            if !may_repeat && pairs.iter().any(|(other, _)| *other == name) {
                return Err(Problem::invalid(format!("{name} is given twice")));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let pairs = self.0.iter().filter(move |(known, _)| known == name);
        pairs.map(|(_, value)| value.as_str())
    }

    pub(super) fn needed(&self, name: &str) -> Result<&str, Problem> {
        let text = self.text(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| Problem::invalid(format!("the parameter {name} is missing")))
    }

    pub(super) fn page(&self) -> Result<Page, Problem> {
        let limit = self.number("limit")?.unwrap_or(LIMIT_DEFAULT);
        if limit == 0 || limit > LIMIT_MAX {
            let text = format!("limit must be from 1 to {LIMIT_MAX}");
            return Err(Problem::invalid(text));
        }
        let skip = self.number("skip")?.unwrap_or(0);
        Ok(Page { skip, limit })
    }

    fn number(&self, name: &str) -> Result<Option<usize>, Problem> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        // A sign is nothing that people write here.
        let is_plain = text.bytes().all(|digit| digit.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_plain);
        let wrong = || Problem::invalid(format!("{name} must be a whole number"));
        number.map(Some).ok_or_else(wrong)
    }
}

/// Reads a body of at most `bytes_max` that takes no longer than `time_max` to arrive.
pub(super) async fn read(
    body: Incoming,
    bytes_max: usize,
    time_max: Duration,
) -> Result<Bytes, Problem> {
    // What is announced as too large is not read at all.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(Problem::too_large(bytes_max));
    }
    let reading = Limited::new(body, bytes_max).collect();
    match tokio::time::timeout(time_max, reading).await {
        Err(_) => Err(Problem::too_slow()),
        Ok(Ok(read)) => Ok(read.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::too_large(bytes_max)),
        Ok(Err(_)) => Err(Problem::invalid("the body broke off")),
    }
}

/// Reads a JSON object of `shape`.
pub(super) fn object<T: DeserializeOwned>(body: &[u8], shape: &Shape) -> Result<T, Problem> {
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        // The text of the error would quote what might be a secret.
        Problem::invalid(format!("the body is no JSON: line {line}, column {column}"))
    })?;
    let Value::Object(members) = &value else {
        return Err(Problem::invalid("the body must be a JSON object"));
    };
    let problems = shape.problems(members);
    if !problems.is_empty() {
        return Err(Problem::listed(
            "the body is not what is expected here",
            problems,
        ));
    }
    serde_json::from_value(value).map_err(|error| Problem::invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_decoded_once() {
        for (text, expected) in [
            ("ann", "ann"),
            ("a%20b+c", "a b+c"),
            ("%2525", "%25"),
            ("a%2Fb", "a/b"),
            ("%C3%A4", "ä"),
            ("", ""),
        ] {
            assert_eq!(decoded(text).unwrap(), expected);
        }
        for text in ["%", "%2", "%zz", "%+1", "%ff", "a%C3"] {
            assert!(decoded(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_query_holds_what_its_operation_takes_and_nothing_else() {
        let known = [
            ("name", false),
            ("action", true),
            ("limit", false),
            ("skip", false),
        ];
        let query = |text| Query::parse(text, &known);
        let read = query("name=a+b%2A&&action=get&action=set").unwrap();
        assert_eq!(read.needed("name").unwrap(), "a b*");
        assert_eq!(read.all("action").collect::<Vec<_>>(), ["get", "set"]);
        assert_eq!(
            read.page().unwrap(),
            Page {
                skip: 0,
                limit: 100
            }
        );
        for (text, message) in [
            (
                "nmae=x",
                "unknown parameter nmae; there are name, action, limit, skip",
            ),
            ("name=x&name=y", "name is given twice"),
            (
                "name=%zz",
                "the address holds a % that stands for no UTF-8 text",
            ),
        ] {
            assert_eq!(query(text).unwrap_err().message, message);
        }
        for text in [
            "limit=0",
            "limit=1001",
            "limit=-1",
            "limit=x",
            "skip=+1",
            "limit=",
        ] {
            assert!(query(text).unwrap().page().is_err(), "{text}");
        }
        let none = Query::parse("x=1", &[]).unwrap_err();
        assert_eq!(none.message, "unknown parameter x; there are none here");
        assert!(query("").unwrap().needed("name").is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[%+&=a-z0-9é]{0,40}") {
            let _ = decoded(&text);
            let _ = Query::parse(&text, &[("a", false)]);
        }

        #[test]
        fn whatever_is_encoded_comes_back(text in any::<String>()) {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(decoded(&encoded).unwrap(), text);
        }
    }
}
