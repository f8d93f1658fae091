//! What a value may be, and how text becomes one.

use serde_json::{Value, json};

use happn_paths::{Action, validate};
use happn_security::policy::{Profiles, parse_duration};

/// The type and range of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text; the empty text counts as not given.
    Text,
    /// Like [`Kind::Text`], but never shown.
    Secret,
    /// PEM text, of many lines, never shown.
    Pem,
    /// Like [`Kind::Text`]; a password in it is never shown.
    Url,
    /// An object whose members are somebody else's.
    Options,
    /// `false`, or an object of indexes.
    Indexes,
    /// Text that can be a segment of a happn path.
    Segment {
        /// Whether `*` is allowed; not where it would act as a wildcard.
        star: bool,
    },
    /// `true` or `false`.
    Switch,
    /// A whole number; digits in quotes will do.
    Whole {
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
    },
    /// A number of ms, or a text such as `2 minutes`.
    Duration {
        /// The shortest allowed.
        min: u64,
        /// The longest allowed.
        max: u64,
    },
    /// An object of names of providers and whether they are wanted.
    Providers,
    /// One of a few words, in any case.
    Choice(&'static [&'static str]),
    /// A list of masks.
    Masks,
    /// A list of origins of web pages.
    Origins,
    /// A list of texts.
    Texts,
    /// A list of profiles of sessions.
    Profiles,
    /// An object from service name to a minimum.
    Minimums,
    /// A list of stores; each is an object with the keys of `STORE_KEYS`.
    Stores,
}

impl Kind {
    /// What is allowed, to complete "must be …".
    #[must_use]
    pub fn allowed(self) -> String {
        match self {
            Self::Text | Self::Secret | Self::Url => "a text of at most 1024 bytes".into(),
            Self::Options => "an object".into(),
            Self::Indexes => "false or an object of indexes".into(),
            Self::Pem => "PEM text of at most 65536 bytes".into(),
            Self::Segment { star: false } => "a name of letters, digits, '_' and '-'".into(),
            Self::Segment { star: true } => "a name of letters, digits, '_', '-' and '*'".into(),
            Self::Switch => "true or false".into(),
            Self::Whole { min, max } => format!("a whole number from {min} to {max}"),
            Self::Duration { min, max } => {
                format!("a text such as \"2 minutes\" or a whole number from {min} to {max}")
            }
            Self::Providers => {
                "an object of providers of credentials, each a name and true, false or a text"
                    .into()
            }
            Self::Choice(words) => format!("one of: {}", words.join(", ")),
            Self::Masks => "a list of paths or masks, such as [\"/orders/*\"]".into(),
            Self::Origins => "a list of origins, such as [\"https://app.example.com\"]".into(),
            Self::Texts => "a list of texts".into(),
            Self::Profiles => "a list of profiles, each {name, session, policy}".into(),
            Self::Minimums => {
                "an object of service names and minimums, such as {\"my-service\": 2}".into()
            }
            Self::Stores => "a list of stores, or the name of a SQLite file".into(),
        }
    }

    /// Reads the text of a flag or an environment variable. What cannot be read stays a text,
    /// which [`Kind::check`] then refuses.
    #[must_use]
    pub fn read(self, text: &str) -> Value {
        let text = text.trim();
        match self {
            Self::Switch => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => json!(true),
                "false" | "0" | "no" | "off" => json!(false),
                _ => json!(text),
            },
            Self::Masks | Self::Origins | Self::Texts if !text.starts_with('[') => {
                json!(text.split(',').map(str::trim).collect::<Vec<_>>())
            }
            Self::Stores if !text.starts_with('[') && !text.is_empty() => json!([{
                "name": "main",
                "provider": "sqlite",
                "isDefault": true,
                "settings": {"filename": text},
            }]),
            Self::Masks
            | Self::Origins
            | Self::Texts
            | Self::Profiles
            | Self::Minimums
            | Self::Stores
            | Self::Providers
            | Self::Options
            | Self::Indexes => json5::from_str(text).unwrap_or_else(|_| json!(text)),
            Self::Text
            | Self::Secret
            | Self::Pem
            | Self::Url
            | Self::Segment { .. }
            | Self::Whole { .. }
            | Self::Duration { .. }
            | Self::Choice(_) => {
                json!(text)
            }
        }
    }

    /// Whether nothing was given: `null`, or an empty text.
    #[must_use]
    pub fn is_absent(value: &Value) -> bool {
        value.is_null() || value.as_str() == Some("")
    }

    /// The value in its one canonical form; `None` when it is not allowed.
    #[must_use]
    pub fn check(self, value: &Value) -> Option<Value> {
        match self {
            Self::Text | Self::Secret | Self::Url => text(value).map(|text| json!(text)),
            Self::Pem => pem(value).map(|text| json!(text)),
            Self::Segment { star } => text(value)
                .filter(|text| {
                    text.bytes()
                        .all(|b| is_segment_byte(b) || (star && b == b'*'))
                })
                .map(|text| json!(text)),
            Self::Options => value.is_object().then(|| value.clone()),
            Self::Indexes => (value == false || value.is_object()).then(|| value.clone()),
            Self::Switch => value.as_bool().map(|on| json!(on)),
            Self::Whole { min, max } => whole(value)
                .filter(|number| (min..=max).contains(number))
                .map(|number| json!(number)),
            Self::Duration { min, max } => duration(value)
                .filter(|ms| (min..=max).contains(ms))
                .map(|ms| json!(ms)),
            Self::Providers => providers(value).then(|| value.clone()),
            Self::Choice(words) => {
                let given = value.as_str()?;
                let word = words.iter().find(|word| word.eq_ignore_ascii_case(given));
                word.map(|word| json!(word))
            }
            Self::Masks => list(value, is_mask),
            Self::Origins => list(value, is_origin),
            Self::Texts => list(value, |text| {
                text.len() <= 1024 && !text.contains(char::is_control)
            }),
            Self::Profiles => Profiles::parse(value).is_ok().then(|| value.clone()),
            Self::Minimums => minimums(value),
            Self::Stores => value.is_array().then(|| value.clone()),
        }
    }
}

fn text(value: &Value) -> Option<&str> {
    let fits = |text: &&str| text.len() <= 1024 && !text.contains(char::is_control);
    value.as_str().filter(fits)
}

fn pem(value: &Value) -> Option<&str> {
    let fits = |text: &&str| text.len() <= 65_536 && text.contains("-----BEGIN ");
    value.as_str().filter(fits)
}

fn is_segment_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// A whole number in any of the forms in which files and people write one: `5`, `5.0`, `"5"`.
fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| whole_float(number.as_f64()?)),
        Value::String(text) => {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        }
        _ => None,
    }
}

/// Milliseconds; nothing that means no limit.
fn duration(value: &Value) -> Option<u64> {
    let Value::String(_) = value else {
        return whole(value);
    };
    let duration = parse_duration(value).ok()??;
    u64::try_from(duration.as_millis()).ok()
}

/// A JavaScript configuration has the name of a module where it is enough here to say that the
/// provider is wanted.
fn providers(value: &Value) -> bool {
    let fits = |(name, wanted): (&String, &Value)| {
        let is_name = !name.is_empty() && name.len() <= 256;
        is_name && (wanted.is_boolean() || text(wanted).is_some())
    };
    value
        .as_object()
        .is_some_and(|members| members.iter().all(fits))
}

/// JSON5 and TOML may write a whole number with a fraction of zero.
fn whole_float(float: f64) -> Option<u64> {
    // Up to 2^53 every whole number has an exact float; no key allows more.
    let exact = float.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&float);
    exact.then(|| format!("{float:.0}").parse().ok()).flatten()
}

fn list(value: &Value, is_allowed: fn(&str) -> bool) -> Option<Value> {
    let list = value.as_array()?;
    let fits = |entry: &Value| entry.as_str().is_some_and(is_allowed);
    (list.len() <= 1000 && list.iter().all(fits)).then(|| value.clone())
}

fn is_mask(text: &str) -> bool {
    !text.is_empty() && text.len() <= 1024 && validate(text, Action::On).is_ok()
}

/// Scheme, host and perhaps a port, as browsers write it.
fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let in_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    host.is_some_and(|host| !host.is_empty() && host.len() <= 255 && host.bytes().all(in_host))
}

fn minimums(value: &Value) -> Option<Value> {
    let given = value.as_object()?;
    let mut checked = serde_json::Map::new();
    for (service, minimum) in given {
        let minimum = whole(minimum).filter(|minimum| *minimum <= 10_000)?;
        let named = !service.is_empty() && service.bytes().all(is_segment_byte);
        checked.insert(named.then(|| service.clone())?, json!(minimum));
    }
    Some(Value::Object(checked))
}
