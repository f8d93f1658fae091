//! The parts of a frame that differ from run to run.

use std::collections::HashMap;

/// What a volatile part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Uuid,
    Reference,
    Time,
    Port,
    Spark,
    Nonce,
    Token,
    PermissionSet,
}

impl Kind {
    /// Ids must be used consistently; the others may be anything.
    fn is_id(self) -> bool {
        matches!(self, Self::Uuid | Self::Reference | Self::Token)
    }
}

/// Which live value stands for which recorded one.
#[derive(Debug, Default)]
pub struct Known(HashMap<String, String>);

impl Known {
    /// `recorded` with everything known replaced by its live value.
    pub fn substitute(&self, recorded: &str) -> String {
        let parts = parts(recorded).into_iter();
        parts
            .map(|(_, text)| self.0.get(text).map_or(text, String::as_str))
            .collect()
    }

    /// Whether `live` equals `recorded` but for volatile values, which must be used consistently.
    pub fn agrees(&self, recorded: &str, live: &str) -> bool {
        let (theirs, ours) = (parts(recorded), parts(live));
        theirs.len() == ours.len()
            && theirs
                .iter()
                .zip(&ours)
                .all(|((kind, theirs), (our_kind, ours))| {
                    kind == our_kind
                        && match kind {
                            None => theirs == ours,
                            Some(kind) if kind.is_id() => {
                                self.0.get(*theirs).is_none_or(|known| known == ours)
                            }
                            Some(_) => true,
                        }
                })
    }

    /// Remembers that `live` stands for `recorded`.
    pub fn teach(&mut self, recorded: &str, live: &str) {
        self.0.insert(recorded.to_owned(), live.to_owned());
    }

    /// Remembers what stands for what, once both agree.
    pub fn learn(&mut self, recorded: &str, live: &str) {
        for ((kind, theirs), (_, ours)) in parts(recorded).into_iter().zip(parts(live)) {
            if kind.is_some() {
                self.0
                    .entry(theirs.to_owned())
                    .or_insert_with(|| ours.to_owned());
            }
        }
    }
}

/// `text` with volatile parts named: for messages and tables.
pub fn masked(text: &str) -> String {
    let name = |(kind, text): (Option<Kind>, &str)| {
        kind.map_or_else(|| text.to_owned(), |kind| format!("<{kind:?}>"))
    };
    parts(text).into_iter().map(name).collect()
}

/// Cuts `text` into volatile parts and what lies between them.
fn parts(text: &str) -> Vec<(Option<Kind>, &str)> {
    let mut parts = Vec::new();
    let mut from = 0;
    let mut at = 0;
    while at < text.len() {
        let Some((kind, len)) = volatile_at(text.as_bytes(), at) else {
            at += 1;
            continue;
        };
        parts.push((None, &text[from..at]));
        parts.push((Some(kind), &text[at..at + len]));
        at += len;
        from = at;
    }
    parts.push((None, &text[from..]));
    parts
}

fn volatile_at(text: &[u8], at: usize) -> Option<(Kind, usize)> {
    let rest = &text[at..];
    let before = &text[..at];
    if is_uuid(rest) {
        return Some((Kind::Uuid, 36));
    }
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let after_digit = before.last().is_some_and(u8::is_ascii_digit);
    if digits == 13 && !after_digit && matches!(rest, [b'1', b'6'..=b'9', ..]) {
        return Some((Kind::Time, 13));
    }
    if digits >= 4 && before.ends_with(b"\"port\":") {
        return Some((Kind::Port, digits));
    }
    if before.ends_with(b"primus::id::") && rest.len() == 22 {
        return Some((Kind::Spark, 21));
    }
    if before.last() != Some(&b'"') {
        return None;
    }
    let len = rest.iter().position(|byte| *byte == b'"')?;
    if is_reference(&rest[..len]) {
        return Some((Kind::Reference, len));
    }
    if rest.starts_with(b"eyJ0eXAiOiJKV1Qi") {
        return Some((Kind::Token, len));
    }
    if before.ends_with(b"\"permissionSetKey\":\"") {
        return Some((Kind::PermissionSet, len));
    }
    let nonce = before.ends_with(b"\"nonce\":\"") && len == 44;
    nonce.then_some((Kind::Nonce, len))
}

fn is_uuid(text: &[u8]) -> bool {
    text.len() >= 36
        && text[..36].iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// 22 url-safe characters, a dash, a number.
fn is_reference(text: &[u8]) -> bool {
    text.len() > 23
        && text[22] == b'-'
        && text[..22]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
        && text[23..].iter().all(u8::is_ascii_digit)
}
