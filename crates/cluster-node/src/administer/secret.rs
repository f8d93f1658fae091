//! Passwords and tokens: from files, variables and people, never from arguments, and shown nowhere.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::terminal::Person;

/// The most bytes of a secret; a session token with policies has a few thousand.
const SECRET_MAX: u64 = 64 * 1024;

/// A password or a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for whoever has to send it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read {}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file or the variable is of no use.
    #[error("{from} {reason}")]
    Unusable {
        /// Where the secret should have come from.
        from: String,
        /// Why it cannot be one.
        reason: &'static str,
    },
    /// Nobody is there to be asked.
    #[error("there is no terminal to ask on ({}); use {instead}", question.trim_end_matches([':', ' ']))]
    NoTerminal {
        /// What would have been asked.
        question: String,
        /// How to tell it otherwise.
        instead: String,
    },
    /// The terminal failed.
    #[error("cannot ask on the terminal")]
    Terminal(#[source] io::Error),
    /// A new password was not the same twice.
    #[error("the two passwords are not the same; nothing was changed")]
    Different,
}

/// Where secrets come from.
pub(crate) struct Secrets<'a> {
    pub(crate) environment: &'a [(String, String)],
    pub(crate) person: &'a mut dyn Person,
}

impl Secrets<'_> {
    /// The first and only line of a file; `-` is standard input.
    pub(crate) fn file(&mut self, file: &Path) -> Result<Secret, SecretError> {
        let failed = |source| SecretError::File {
            file: file.to_owned(),
            source,
        };
        let mut text = Vec::new();
        let (from, bytes) = if file == Path::new("-") {
            let input = self.person.input();
            let read = input.take(SECRET_MAX + 1).read_to_end(&mut text);
            ("standard input".to_owned(), read)
        } else {
            let opened = std::fs::File::open(file).map_err(failed)?;
            self.warn_of_readers(file, &opened);
            let read = opened.take(SECRET_MAX + 1).read_to_end(&mut text);
            (file.display().to_string(), read)
        };
        let is_too_long = bytes.map_err(failed)? as u64 > SECRET_MAX;
        let unusable = |reason| SecretError::Unusable { from, reason };
        if is_too_long {
            return Err(unusable("is too long for a password or a token (64 KiB)"));
        }
        match String::from_utf8(text) {
            Ok(text) => one_line(&text).map_err(unusable),
            Err(_) => Err(unusable("is no UTF-8 text")),
        }
    }

    /// A variable of the environment; an empty one is none.
    pub(crate) fn variable(&self, name: &str) -> Result<Option<Secret>, SecretError> {
        let found = self.environment.iter().find(|(known, _)| known == name);
        let text = found.map(|(_, text)| text).filter(|text| !text.is_empty());
        let unusable = |reason| SecretError::Unusable {
            from: format!("the variable {name}"),
            reason,
        };
        text.map(|text| one_line(text).map_err(unusable))
            .transpose()
    }

    /// What the one at the terminal types; `instead` tells what to use where there is none.
    pub(crate) fn ask(&mut self, question: &str, instead: &str) -> Result<Secret, SecretError> {
        let asked = self.person.secret(question);
        let secret =
            asked
                .map_err(SecretError::Terminal)?
                .ok_or_else(|| SecretError::NoTerminal {
                    question: question.to_owned(),
                    instead: instead.to_owned(),
                })?;
        match secret.reveal().is_empty() {
            true => Err(SecretError::Unusable {
                from: "what was typed".to_owned(),
                reason: "is empty",
            }),
            false => Ok(secret),
        }
    }

    /// The password that `user` shall have.
    pub(crate) fn new_password(
        &mut self,
        user: &str,
        file: Option<&Path>,
    ) -> Result<Secret, SecretError> {
        if let Some(file) = file {
            return self.file(file);
        }
        if let Some(password) = self.variable("HAPPN_NEW_PASSWORD")? {
            return Ok(password);
        }
        let instead = "--new-password-file or HAPPN_NEW_PASSWORD";
        let question = format!("new password of {user}: ");
        let first = self.ask(&question, instead)?;
        let second = self.ask(
            &format!("{} again: ", question.trim_end_matches(": ")),
            instead,
        )?;
        match first == second {
            true => Ok(first),
            false => Err(SecretError::Different),
        }
    }

    #[cfg(unix)]
    fn warn_of_readers(&mut self, file: &Path, opened: &std::fs::File) {
        use std::os::unix::fs::MetadataExt;
        let Ok(metadata) = opened.metadata() else {
            return;
        };
        let mode = metadata.mode() & 0o777;
        if metadata.is_file() && mode & 0o044 != 0 {
            let file = file.display();
            self.person.warn(&format!(
                "others can read {file} (its mode is {mode:o}): chmod 600 {file}"
            ));
        }
    }

    #[cfg(not(unix))]
    fn warn_of_readers(&mut self, _file: &Path, _opened: &std::fs::File) {}
}

/// The text without the end of its line.
fn one_line(text: &str) -> Result<Secret, &'static str> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err("is empty");
    }
    match text.contains(['\n', '\r', '\0']) {
        true => Err("has more than one line"),
        false => Ok(Secret::new(text)),
    }
}
