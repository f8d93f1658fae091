//! Table permissions: what an entry of a table allows.

use std::sync::Arc;

use happn_query::{Pattern, QueryError};
use regex::{Captures, Regex};
use serde_json::Value;

use super::glob;
use super::template::{Piece, Template};
use super::trunk::Trunk;

/// A permission of a group that asks a table: where `regex` matches the requested path, `path`,
/// with `{{$1}}` and so on replaced by what the expression captured and other `{{…}}` by members
/// of the session, has to be an entry of `table`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupPermission {
    /// In JavaScript's spelling; matches anywhere in the path unless it is anchored.
    pub regex: String,
    /// The actions it may allow. A `*` is no wildcard here.
    pub actions: Vec<String>,
    /// The table's name.
    pub table: String,
    /// The entry, or a mask of entries.
    pub path: String,
}

/// Why a table permission is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The expression cannot be read, or needs more than linear time.
    #[error("regex: {0}")]
    Regex(#[from] QueryError),
    /// The path uses more captures than the expression has.
    #[error("path: {{{{${capture}}}}} is not there, the regex {regex} has {has} capture groups")]
    NoSuchCapture {
        /// The number asked for.
        capture: usize,
        /// The expression.
        regex: String,
        /// How many groups it has.
        has: usize,
    },
    /// The table has no name.
    #[error("a table permission needs the name of a table")]
    NoTable,
    /// No action is named.
    #[error("a table permission needs at least one action")]
    NoActions,
}

/// A table permission, compiled. It runs in time linear in the path.
#[derive(Clone, Debug)]
pub struct Lookup {
    regex: Regex,
    /// Set if the entry depends on nothing behind it.
    trunk: Option<Trunk>,
    actions: Vec<String>,
    table: Arc<str>,
    path: Template,
}

/// A question that a table has to answer: does it have such an entry?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableQuestion {
    /// The table.
    pub table: Arc<str>,
    /// The entry.
    pub entry: EntryPattern,
}

/// An entry of a table, or a mask of entries, as a permission asks for it. A leading `/` does not
/// matter, neither here nor in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPattern {
    /// The text between the wildcards of the permission itself; what was captured or came from the
    /// session is never one.
    pieces: Vec<String>,
}

impl Lookup {
    /// Checks and compiles a permission: for saving one, and for using one.
    ///
    /// # Errors
    /// When it could never be used. The text names what is wrong.
    pub fn compile(permission: &LookupPermission) -> Result<Self, LookupError> {
        if permission.table.is_empty() {
            return Err(LookupError::NoTable);
        }
        if permission.actions.is_empty() {
            return Err(LookupError::NoActions);
        }
        let regex = Pattern::javascript(&permission.regex)?;
        let path = Template::parse(&permission.path);
        let capture = path.pieces().iter().filter_map(capture).max().unwrap_or(0);
        if capture >= regex.captures_len() {
            return Err(LookupError::NoSuchCapture {
                capture,
                regex: permission.regex.clone(),
                has: regex.captures_len() - 1,
            });
        }
        Ok(Self {
            trunk: Trunk::of(&regex).filter(|trunk| trunk.captures() >= capture),
            regex,
            actions: permission.actions.clone(),
            table: permission.table.as_str().into(),
            path,
        })
    }

    /// What the table has to be asked about `action` on `path`: one entry is enough. Nothing, when
    /// this permission is not about it, or when `facts`, the session as JSON, lacks a value.
    ///
    /// A mask is asked about only where every path it names would be asked about alike: where the
    /// expression reads whole segments from the start, such as `^/devices/([^/]+)/.*`, and the
    /// mask has its first `*` behind them. What is prohibited of it must be left out, see
    /// [`RuleSet::prohibited_within`](super::RuleSet::prohibited_within).
    #[must_use]
    pub fn questions(&self, action: &str, path: &str, facts: &Value) -> Vec<TableQuestion> {
        if !self.reads(path) || !self.actions.iter().any(|allowed| allowed == action) {
            return Vec::new();
        }
        let Some(captures) = self.regex.captures(path) else {
            return Vec::new();
        };
        let entries = self.entries(&captures, facts).unwrap_or_default();
        let question = |entry| TableQuestion {
            table: self.table.clone(),
            entry,
        };
        entries.into_iter().map(question).collect()
    }

    /// Whether what is captured of `path` is captured of everything it names.
    fn reads(&self, path: &str) -> bool {
        match path.split_once('*') {
            None => true,
            Some((start, _)) => self.trunk.is_some_and(|trunk| trunk.reads(start)),
        }
    }

    /// The captures are filled in first; templates in what was captured are text.
    fn entries(&self, captures: &Captures<'_>, facts: &Value) -> Option<Vec<EntryPattern>> {
        let others = self
            .path
            .pieces()
            .iter()
            .filter(|piece| capture(piece).is_none());
        let template = Template::of(others.cloned());
        let choices = template.choices(facts).ok()?;
        choices
            .iter()
            .map(|choice| {
                let mut entry = EntryPattern::default();
                for piece in self.path.pieces() {
                    match (piece, capture(piece)) {
                        (_, Some(number)) => entry.push_text(captures.get(number)?.as_str()),
                        (Piece::Text(text), None) => entry.push_mask(text),
                        (Piece::Place(name), None) => entry.push_text(choice.get(name.as_str())?),
                    }
                }
                Some(entry.without_slash())
            })
            .collect()
    }
}

/// The number in `{{$1}}`.
fn capture(piece: &Piece) -> Option<usize> {
    match piece {
        Piece::Place(name) => name.strip_prefix('$')?.parse().ok(),
        Piece::Text(_) => None,
    }
}

impl Default for EntryPattern {
    fn default() -> Self {
        Self {
            pieces: vec![String::new()],
        }
    }
}

impl EntryPattern {
    /// The entry, without a leading `/`, when only one would do.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [entry] => Some(entry),
            _ => None,
        }
    }

    /// What every entry that would do starts with, apart from a leading `/`.
    #[must_use]
    pub fn literal_start(&self) -> &str {
        self.pieces.first().map_or("", String::as_str)
    }

    /// Whether `entry` of the table would do.
    #[must_use]
    pub fn matches(&self, entry: &str) -> bool {
        let entry = entry.strip_prefix('/').unwrap_or(entry);
        match self.pieces.as_slice() {
            [] => false,
            [only] => only == entry,
            [prefix, middle @ .., suffix] => {
                glob::pieces_match(prefix, middle.iter().map(String::as_str), suffix, entry)
            }
        }
    }

    fn push_text(&mut self, text: &str) {
        if let Some(last) = self.pieces.last_mut() {
            last.push_str(text);
        }
    }

    fn push_mask(&mut self, mask: &str) {
        for (at, text) in mask.split('*').enumerate() {
            match at {
                0 => self.push_text(text),
                _ => self.pieces.push(text.to_owned()),
            }
        }
    }

    fn without_slash(mut self) -> Self {
        if let Some(first) = self.pieces.first_mut()
            && first.starts_with('/')
        {
            first.remove(0);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lookup(regex: &str, path: &str) -> Result<Lookup, LookupError> {
        Lookup::compile(&LookupPermission {
            regex: regex.to_owned(),
            actions: vec!["get".to_owned()],
            table: "T".to_owned(),
            path: path.to_owned(),
        })
    }

    fn asked(regex: &str, entry: &str, path: &str) -> Vec<String> {
        let facts = json!({"user": {"areas": ["n", "s"], "starry": "a*"}});
        let questions = lookup(regex, entry).unwrap().questions("get", path, &facts);
        questions
            .iter()
            .map(|question| question.entry.pieces.join("*"))
            .collect()
    }

    #[test]
    fn captures_and_members_of_the_session_make_the_entry() {
        assert_eq!(asked("^/d/(.*)$", "/x/{{$1}}", "/d/1/2"), ["x/1/2"]);
        assert_eq!(
            asked("/d/([^/]*)/(.*)", "{{user.areas}}/{{$2}}/{{$1}}", "/d/1/2"),
            ["n/2/1", "s/2/1"]
        );
        assert_eq!(asked("/d/", "{{user.nope}}", "/d/1"), [""; 0]);
        assert_eq!(asked("(x)|d", "{{$1}}", "/d/1"), [""; 0]);
        assert_eq!(asked("^/d/", "x", "/e/d/"), [""; 0]);
    }

    #[test]
    fn captured_text_is_neither_a_template_nor_a_mask() {
        assert_eq!(
            asked("^/d/(.*)", "{{$1}}", "/d/{{user.areas}}"),
            ["{{user.areas}}"]
        );
        assert_eq!(asked("^/d/(.*)", "{{$1}}", "/d/*"), [""; 0]);
        assert_eq!(asked("^/d/(.*)", "{{user.starry}}/{{$1}}", "/d/1"), [""; 0]);
    }

    #[test]
    fn a_mask_is_asked_about_behind_the_segments_that_make_the_entry() {
        let regex = "^/d/([^/]*)/(.*)$";
        assert_eq!(asked(regex, "{{$1}}", "/d/1/*"), ["1"]);
        assert_eq!(asked(regex, "{{$1}}", "/d/1/x/**"), ["1"]);
        for mask in ["/d/*", "/d/1*", "/d/*/x", "*"] {
            assert_eq!(asked(regex, "{{$1}}", mask), [""; 0], "{mask}");
        }
        assert_eq!(asked(regex, "{{$1}}/{{$2}}", "/d/1/*"), [""; 0]);
        assert_eq!(asked("^/d/(.*)/", "{{$1}}", "/d/1/*"), [""; 0]);
    }

    #[test]
    fn a_mask_in_the_permission_itself_is_one() {
        let lookup = lookup("^/d/(.*)", "/a/*/{{$1}}").unwrap();
        let questions = lookup.questions("get", "/d/z", &json!({}));
        let entry = &questions[0].entry;
        assert_eq!((entry.exact(), entry.literal_start()), (None, "a/"));
        assert!(entry.matches("/a/x/y/z") && entry.matches("a/x/z"));
        assert!(!entry.matches("/a/z") && !entry.matches("/b/x/z"));
    }

    #[test]
    fn permissions_that_could_never_be_used_are_refused_with_the_reason() {
        let problem = |regex, path| lookup(regex, path).unwrap_err().to_string();
        assert_eq!(
            problem("(", "x"),
            "regex: Invalid regular expression: /(/: Unterminated group"
        );
        assert!(problem("(?=a)", "x").contains("look-around"));
        assert!(problem(r"(a)\1", "x").contains("back-reference"));
        assert_eq!(
            problem("(a)", "{{$2}}"),
            "path: {{$2}} is not there, the regex (a) has 1 capture groups"
        );
    }

    #[test]
    fn nested_repetition_takes_linear_time() {
        let path = format!("/{}!", "a".repeat(50_000));
        assert!(asked("^/((a+)+)+$", "{{$1}}", &path).is_empty());
    }
}
