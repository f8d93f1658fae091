//! Which texts may be used as a path or mask on the wire.

use std::error::Error;
use std::fmt;

/// What a request wants to do with the path it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Write or publish an item. The only action whose path may hold no `*`.
    Set,
    /// Delete items; a `*` deletes every item the [`StoreGlob`](crate::StoreGlob) matches.
    Remove,
    /// Read items.
    Get,
    /// Subscribe; the checked text is the whole channel.
    On,
}

/// Why a path was refused.
///
/// The texts are what JavaScript clients see and compare, hence their wording
/// and capital letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathError {
    /// The request carried no text. Only a decoder can meet this one.
    NotAString {
        /// The value as JavaScript prints it: `undefined`, `5`, `[object Object]`.
        text: String,
    },
    /// A `*` in a path that is to be written.
    WildcardInSet,
    /// No characters at all, or one outside the allowed set.
    IllegalCharacters,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAString { text } => write!(f, "Bad path [{text}], must be a string"),
            Self::WildcardInSet => f.write_str(
                "Bad path, if the action is 'set' the path cannot contain the * wildcard character",
            ),
            Self::IllegalCharacters => f.write_str(
                "Bad path, can only contain characters a-z A-Z 0-9 / & + = : @ % * ( ) _ -, \
                 ie: factory1@I&J(western-cape)/plant1:conveyer_2/stats=true/capacity=10%/*",
            ),
        }
    }
}

impl Error for PathError {}

/// Checks that `text` may be used as a path for `action`.
///
/// There is no limit on length, segments or wildcards here; those belong to
/// whoever reads the request off the wire. `//`, a trailing `/` and a missing
/// leading `/` are all legal.
///
/// # Errors
/// [`PathError::WildcardInSet`] wins over [`PathError::IllegalCharacters`].
pub fn validate(text: &str, action: Action) -> Result<(), PathError> {
    if action == Action::Set && text.contains('*') {
        return Err(PathError::WildcardInSet);
    }
    if text.is_empty() || !is_legal(text) {
        return Err(PathError::IllegalCharacters);
    }
    Ok(())
}

fn is_legal(text: &str) -> bool {
    let all_plain = text.bytes().all(|byte| PLAIN[usize::from(byte)]);
    // Real paths take the table only; decoding starts when it says no.
    all_plain || text.chars().all(|c| is_plain(c) || is_wide_space(c))
}

fn is_plain(c: char) -> bool {
    u8::try_from(c).is_ok_and(|byte| PLAIN[usize::from(byte)])
}

/// The non-ASCII part of what a JavaScript `\s` accepts. It differs from
/// [`char::is_whitespace`]: the byte order mark is in, U+0085 is out.
fn is_wide_space(c: char) -> bool {
    matches!(
        c,
        '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}'
                | '\u{2028}'
                | '\u{2029}'
                | '\u{202f}'
                | '\u{205f}'
                | '\u{3000}'
                | '\u{feff}'
    )
}

/// Legal bytes. `{`, `}` and `.` are legal although the error text omits them.
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let others = b"/(){}+=&:%@._*-\t\n\x0b\x0c\r ";
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    let mut byte = 0u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            table[byte as usize] = true;
        }
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_in_a_set_is_reported_before_bad_characters() {
        assert_eq!(validate("/a#*", Action::Set), Err(PathError::WildcardInSet));
        assert_eq!(
            validate("/a#*", Action::Get),
            Err(PathError::IllegalCharacters)
        );
    }

    #[test]
    fn one_illegal_character_spoils_the_path() {
        for bad in ["", "/a#b", "/a\u{85}b", "/é", "/a\0"] {
            assert_eq!(
                validate(bad, Action::Get),
                Err(PathError::IllegalCharacters),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn javascript_whitespace_is_legal() {
        for good in [" ", "/a\tb", "/a\u{feff}", "/a\u{2028}b", "/a\u{3000}"] {
            assert_eq!(validate(good, Action::Set), Ok(()), "{good:?}");
        }
    }
}
