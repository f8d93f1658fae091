//! Unpacking.

use serde_json::{Map, Number, Value};

use super::{EMPTY, FALSE, NULL, TRUE, UNDEFINED};

/// Longest packed text, bytes.
const PACKED_BYTES_MAX: usize = 256 * 1024;
/// Most that unpacking may build, about bytes: one entry can be referred to many times.
const UNPACKED_BYTES_MAX: usize = 1024 * 1024;
/// What a value costs beside its text.
const VALUE_BYTES: usize = 16;
/// Deepest nesting.
const DEPTH_MAX: usize = 64;
/// Most base-36 digits of a number; more do not fit into 128 bits.
const DIGITS_MAX: usize = 24;

/// Unpacks `packed`. Parts after the fourth are ignored, as the reference does; members and
/// elements that are undefined become absent and `null`.
///
/// # Errors
/// When it is not packed JSON with an object or array outside, or is larger than allowed.
pub fn unpack(packed: &str) -> Result<Value, PackError> {
    if packed.len() > PACKED_BYTES_MAX {
        return Err(PackError::TooLarge);
    }
    let parts: Vec<&str> = packed.splitn(5, '^').collect();
    let [texts, integers, floats, structure, ..] = parts[..] else {
        return Err(PackError::Parts);
    };
    let mut entries = Vec::new();
    entries.extend(list(texts).map(|text| Value::String(unescape(text))));
    for text in list(integers) {
        entries.push(integer(text).ok_or(PackError::Number)?);
    }
    for text in list(floats) {
        let number = text.parse().ok().and_then(Number::from_f64);
        entries.push(number.ok_or(PackError::Number)?.into());
    }
    let mut reader = Reader {
        structure,
        entries: &entries,
        budget: UNPACKED_BYTES_MAX,
    };
    let root = match reader.token()? {
        Token::Index(_) | Token::Close => return Err(PackError::Structure),
        open => reader.value(open, 0)?,
    };
    match reader.structure.is_empty() {
        true => root.ok_or(PackError::Structure),
        false => Err(PackError::Structure),
    }
}

/// Why a text is no packed JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// Fewer than four parts.
    #[error("not four parts separated by `^`")]
    Parts,
    /// An entry of the lists of numbers is no number, or one too large.
    #[error("a number cannot be read")]
    Number,
    /// The structure is not well-formed, or refers to entries that do not exist.
    #[error("the structure is not well-formed")]
    Structure,
    /// It is nested too deeply.
    #[error("nested deeper than {DEPTH_MAX}")]
    TooDeep,
    /// It is, or would become, too large.
    #[error("too large")]
    TooLarge,
}

#[derive(Clone, Copy)]
enum Token {
    Object,
    Array,
    Close,
    Index(i64),
}

struct Reader<'a> {
    /// What has not been read yet.
    structure: &'a str,
    entries: &'a [Value],
    budget: usize,
}

impl Reader<'_> {
    fn token(&mut self) -> Result<Token, PackError> {
        let rest = self.structure.trim_start_matches('|');
        let first = rest.as_bytes().first().ok_or(PackError::Structure)?;
        let (token, length) = match first {
            b'$' => (Token::Object, 1),
            b'@' => (Token::Array, 1),
            b']' => (Token::Close, 1),
            _ => {
                let end = rest
                    .find(['|', '$', '@', ']'])
                    .ok_or(PackError::Structure)?;
                let index = i64::from_str_radix(&rest[..end], 36);
                (Token::Index(index.map_err(|_| PackError::Structure)?), end)
            }
        };
        self.structure = &rest[length..];
        Ok(token)
    }

    /// The value that `token` begins; `None` is undefined.
    fn value(&mut self, token: Token, depth: usize) -> Result<Option<Value>, PackError> {
        if depth >= DEPTH_MAX {
            return Err(PackError::TooDeep);
        }
        self.spend(VALUE_BYTES)?;
        match token {
            Token::Object => self.object(depth).map(Some),
            Token::Array => self.array(depth).map(Some),
            Token::Close => Err(PackError::Structure),
            Token::Index(index) => self.leaf(index),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, PackError> {
        let mut members = Map::new();
        loop {
            let name = match self.token()? {
                Token::Close => return Ok(Value::Object(members)),
                Token::Index(index) => self.leaf(index)?,
                _ => return Err(PackError::Structure),
            };
            let Some(Value::String(name)) = name else {
                return Err(PackError::Structure);
            };
            let token = self.token()?;
            if let Some(value) = self.value(token, depth + 1)? {
                members.insert(name, value);
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, PackError> {
        let mut items = Vec::new();
        loop {
            match self.token()? {
                Token::Close => return Ok(Value::Array(items)),
                token => items.push(self.value(token, depth + 1)?.unwrap_or_default()),
            }
        }
    }

    fn leaf(&mut self, index: i64) -> Result<Option<Value>, PackError> {
        Ok(Some(match index {
            TRUE => Value::Bool(true),
            FALSE => Value::Bool(false),
            NULL => Value::Null,
            EMPTY => Value::String(String::new()),
            UNDEFINED => return Ok(None),
            index => {
                let place = usize::try_from(index).ok();
                let entry = place.and_then(|place| self.entries.get(place));
                let entry = entry.ok_or(PackError::Structure)?;
                self.spend(entry.as_str().map_or(0, str::len))?;
                entry.clone()
            }
        }))
    }

    fn spend(&mut self, bytes: usize) -> Result<(), PackError> {
        let left = self.budget.checked_sub(bytes);
        self.budget = left.ok_or(PackError::TooLarge)?;
        Ok(())
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split('|').filter(move |_| !text.is_empty())
}

fn integer(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !plain || digits.len() > DIGITS_MAX {
        return None;
    }
    let number = i128::from_str_radix(text, 36).ok()?;
    match i64::try_from(number) {
        Ok(number) => Some(number.into()),
        Err(_) => Number::from_f64(number as f64).map(Value::Number),
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find(['+', '%']) {
        out.push_str(&rest[..place]);
        let (letter, length) = match &rest.as_bytes()[place..] {
            [b'+', ..] => (' ', 1),
            [b'%', b'2', b'B', ..] => ('+', 3),
            [b'%', b'7', b'C', ..] => ('|', 3),
            [b'%', b'5', b'E', ..] => ('^', 3),
            [b'%', b'2', b'5', ..] => ('%', 3),
            _ => ('%', 1),
        };
        out.push(letter);
        rest = &rest[place + length..];
    }
    out.push_str(rest);
    out
}
