//! Regular expressions: JavaScript's spelling, matched in linear time.

use std::fmt;

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::{self, ErrorKind};

use crate::{QueryError, limits};

/// A regular expression with its flags.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    flags: String,
    compiled: Result<Regex, QueryError>,
}

impl Pattern {
    /// Reads an expression. `flags` are those of MongoDB: `i`, `m`, `s`, `x` and `u`.
    ///
    /// # Errors
    /// When it cannot be read. One that is fine but needs more than linear time is no error yet;
    /// see [`Pattern::check_evaluable`].
    pub fn new(text: &str, flags: &str) -> Result<Self, QueryError> {
        if text.len() > limits::PATTERN_BYTES {
            return Err(QueryError::TooComplex {
                what: "the length of a regular expression",
                limit: limits::PATTERN_BYTES,
            });
        }
        if let Some(flag) = flags.chars().find(|flag| !"imsxu".contains(*flag)) {
            let problem = format!("knows the flags i, m, s, x and u, not {flag}");
            return Err(QueryError::argument("$options", problem));
        }
        let compiled = match compile(text, &translate(text, flags), flags) {
            Err(error @ QueryError::Regex { .. }) => return Err(error),
            compiled => compiled,
        };
        Ok(Self {
            text: text.to_owned(),
            flags: flags.to_owned(),
            compiled,
        })
    }

    /// An expression as JavaScript reads it, without flags, for those who want to know what it
    /// captures. Other than for MongoDB, `$` is the very end of the text.
    ///
    /// # Errors
    /// When it cannot be read, needs more than linear time or is too large.
    pub fn javascript(text: &str) -> Result<Regex, QueryError> {
        // With this flag a `$` stays as it is.
        let translated = translate(text, "m");
        Self::new(text, "").and_then(|_| compile(text, &translated, ""))
    }

    /// The expression as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The flags.
    #[must_use]
    pub fn flags(&self) -> &str {
        &self.flags
    }

    /// Whether [`Pattern::matches`] can tell.
    ///
    /// # Errors
    /// [`QueryError::RegexFeature`] for look-around and back-references, and
    /// [`QueryError::TooComplex`] for an expression that is too large when compiled.
    pub fn check_evaluable(&self) -> Result<(), QueryError> {
        self.compiled.as_ref().map(drop).map_err(Clone::clone)
    }

    /// Whether `text` matches anywhere; false when that cannot be evaluated.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.compiled
            .as_ref()
            .is_ok_and(|regex| regex.is_match(text))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.text, self.flags)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.flags == other.flags
    }
}

/// `translated` is `text` in the library's spelling.
fn compile(text: &str, translated: &str, flags: &str) -> Result<Regex, QueryError> {
    let has = |flag| flags.contains(flag);
    if let Err(error) = ast::parse::ParserBuilder::new()
        .ignore_whitespace(has('x'))
        .nest_limit(limits::DEPTH as u32)
        .build()
        .parse(translated)
    {
        return Err(syntax_error(text, error.kind()));
    }
    RegexBuilder::new(translated)
        .case_insensitive(has('i'))
        .multi_line(has('m'))
        .dot_matches_new_line(has('s'))
        .ignore_whitespace(has('x'))
        .size_limit(limits::PATTERN_COMPILED_BYTES)
        .dfa_size_limit(limits::PATTERN_COMPILED_BYTES)
        .nest_limit(limits::DEPTH as u32)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => QueryError::TooComplex {
                what: "the size of a compiled regular expression",
                limit,
            },
            error => QueryError::Regex {
                pattern: text.to_owned(),
                problem: last_line(&error.to_string()),
            },
        })
}

/// The library points at the place with several lines; the last one says what is wrong.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

fn syntax_error(text: &str, kind: &ErrorKind) -> QueryError {
    let unsupported = |feature| QueryError::RegexFeature {
        pattern: text.to_owned(),
        feature,
    };
    let problem = match kind {
        ErrorKind::UnsupportedLookAround => return unsupported("look-around"),
        ErrorKind::UnsupportedBackreference => return unsupported("a back-reference"),
        ErrorKind::NestLimitExceeded(_) => return QueryError::too_deep(),
        ErrorKind::GroupUnclosed => "Unterminated group".to_owned(),
        ErrorKind::GroupUnopened => "Unmatched ')'".to_owned(),
        ErrorKind::ClassUnclosed => "Unterminated character class".to_owned(),
        ErrorKind::ClassRangeInvalid => "Range out of order in character class".to_owned(),
        ErrorKind::RepetitionMissing => "Nothing to repeat".to_owned(),
        ErrorKind::EscapeUnexpectedEof => "\\ at end of pattern".to_owned(),
        other => other.to_string(),
    };
    QueryError::Regex {
        pattern: text.to_owned(),
        problem,
    }
}

/// The same expression for a library whose classes are of Unicode and know set operations, which
/// reads `{` as the start of a repetition only, and for which `$` is not also the place in front of
/// a last line break.
fn translate(text: &str, flags: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut in_class = false;
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\\' => translate_escape(&mut rest, in_class, &mut out),
            '[' if in_class => out.push_str("\\["),
            '[' => {
                in_class = true;
                open_class(&mut rest, &mut out);
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            // Doubled, these would be set operations.
            '&' | '~' if in_class => out.extend(['\\', letter]),
            '-' if in_class && rest.as_str().starts_with('-') => out.push_str("\\-"),
            '{' if !in_class && !is_repetition(rest.as_str()) => out.push_str("\\{"),
            '$' if !in_class && !flags.contains('m') => out.push_str("(?:\\n?\\z)"),
            other => out.push(other),
        }
    }
    out
}

/// A `]` right at the start of a class is a letter.
fn open_class(rest: &mut std::str::Chars<'_>, out: &mut String) {
    out.push('[');
    for (at_start, literal) in [('^', "^"), (']', "\\]")] {
        if rest.as_str().starts_with(at_start) {
            rest.next();
            out.push_str(literal);
        }
    }
}

fn translate_escape(rest: &mut std::str::Chars<'_>, in_class: bool, out: &mut String) {
    let Some(letter) = rest.next() else {
        return out.push('\\');
    };
    let class = match letter {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        's' => "\\t\\n\\x0B\\x0C\\r ",
        'D' => "^0-9",
        'W' => "^0-9A-Za-z_",
        'S' => "^\\t\\n\\x0B\\x0C\\r ",
        'b' if in_class => return out.push_str("\\x08"),
        'b' => return out.push_str("(?-u:\\b)"),
        '0' => return out.push_str("\\x00"),
        'k' => return out.push_str("\\1"),
        '<' | '>' => return out.push(letter),
        other => return out.extend(['\\', other]),
    };
    match in_class && !class.starts_with('^') {
        true => out.push_str(class),
        false => out.extend(["[", class, "]"]),
    }
}

/// Whether what follows a `{` makes it a repetition: `2}`, `2,}` or `2,5}`.
fn is_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest.split_once('}') else {
        return false;
    };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern, "").unwrap().matches(text)
    }

    #[test]
    fn javascripts_spelling_is_understood() {
        assert!(matches("^[A-C]", "Ann"));
        assert!(matches("\\/x\\/", "a/x/b"));
        assert!(matches("a{", "a{"));
        assert!(matches("^a{2}$", "aa"));
        assert!(matches("[[a]", "["));
        assert!(matches("^[a&&b]$", "&"));
        assert!(matches("^[\\w-]+$", "a-b"));
        assert!(matches("^\\d$", "5"));
        assert!(!matches("^\\d$", "\u{665}"));
        assert!(!matches("^\\w$", "é"));
        assert!(matches("^[^\\s]$", "é"));
        assert!(matches("^[\\S]$", "é"));
        assert!(matches("x.y", "x\ty"));
        assert!(!matches("x.y", "x\ny"));
        assert!(matches("(?:)", "anything"));
        assert!(matches("", "anything"));
        assert!(matches("^[]a]+$", "]a]"));
        assert!(matches("^[^]a]$", "b"));
        assert!(matches("\\<a\\>", "<a>"));
        assert!(matches("\\bab\\b", "x ab y"));
        assert!(!matches("\\bab\\b", "xab"));
        assert!(matches("^ab$", "ab\n"));
        assert!(!matches("^ab$", "ab\nc"));
        assert!(matches("(a$|b)", "a"));
        assert!(matches("^\\$[$]$", "$$"));
    }

    #[test]
    fn javascripts_own_expressions_capture_and_end_at_the_very_end() {
        let regex = Pattern::javascript("^\\/d\\/([^/]+)$").unwrap();
        assert_eq!(&regex.captures("/d/1").unwrap()[1], "1");
        assert!(!Pattern::javascript("a$").unwrap().is_match("a\n"));
        assert!(Pattern::javascript("(a)\\1").is_err());
        assert!(Pattern::javascript("(").is_err());
    }

    #[test]
    fn flags_change_what_matches() {
        let with = |flags, text| Pattern::new("^x.y$", flags).unwrap().matches(text);
        assert!(with("i", "X-Y"));
        assert!(with("s", "x\ny"));
        assert!(with("m", "a\nx-y\nb"));
        assert!(!with("", "a\nx-y\nb"));
        assert!(Pattern::new("x", "g").is_err());
    }

    #[test]
    fn what_needs_more_than_linear_time_says_so() {
        for (pattern, feature) in [
            ("(?=a)", "look-around"),
            ("(?<!a)b", "look-around"),
            ("(a)\\1", "a back-reference"),
            ("(?<x>a)\\k<x>", "a back-reference"),
        ] {
            let error = Pattern::new(pattern, "")
                .unwrap()
                .check_evaluable()
                .unwrap_err();
            assert!(error.to_string().contains(feature), "{error}");
        }
    }

    #[test]
    fn broken_and_huge_expressions_are_refused() {
        let problem = |text: &str| Pattern::new(text, "").unwrap_err().to_string();
        assert_eq!(
            problem("("),
            "Invalid regular expression: /(/: Unterminated group"
        );
        assert_eq!(
            problem("*a"),
            "Invalid regular expression: /*a/: Nothing to repeat"
        );
        let huge = Pattern::new("(?:(?:a{1000}){1000}){1000}", "").unwrap();
        assert!(huge.check_evaluable().is_err());
        assert!(Pattern::new(&"(".repeat(1000), "").is_err());
        assert!(Pattern::new(&"a".repeat(40_000), "").is_err());
    }
}
