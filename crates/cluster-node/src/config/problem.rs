//! What is wrong with a configuration, collected so that it is told in one go.

use std::fmt;

use crate::config::layers::Origin;

/// One thing that keeps the node from starting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A value of the wrong type, or out of range.
    #[error("{origin}: {key} is {value}, but must be {allowed}")]
    Value {
        /// Where it was set.
        origin: Origin,
        /// The full key.
        key: String,
        /// The value, shortened; masked when it is a secret.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A value that is fine in itself and cannot work here.
    #[error("{origin}: {key}: {reason}")]
    Rule {
        /// Where it was set.
        origin: Origin,
        /// The full key.
        key: String,
        /// Why it cannot work, and what can.
        reason: String,
    },
    /// The file cannot be read.
    #[error("file {file}: {reason}")]
    File {
        /// Its path as given.
        file: String,
        /// Why.
        reason: String,
    },
}

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// In the order of the layers, never empty.
    pub problems: Vec<Problem>,
    /// What would have been warned of; often it explains a problem.
    pub warnings: Vec<String>,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problems[..] {
            [only] => write!(f, "bad configuration: {only}")?,
            several => {
                write!(f, "bad configuration, {} problems:", several.len())?;
                for problem in several {
                    write!(f, "\n  - {problem}")?;
                }
            }
        }
        for warning in &self.warnings {
            write!(f, "\n  (warning: {warning})")?;
        }
        Ok(())
    }
}

/// Collects while reading goes on.
#[derive(Debug, Default)]
pub(crate) struct Report {
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

impl Report {
    pub(crate) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(crate) fn rule(&mut self, origin: &Origin, key: &str, reason: impl Into<String>) {
        self.problem(Problem::Rule {
            origin: origin.clone(),
            key: key.to_owned(),
            reason: reason.into(),
        });
    }

    /// Keeps the warning unless it was given before.
    pub(crate) fn warn(&mut self, warning: impl Into<String>) {
        let warning = warning.into();
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Runs the last step when nothing was wrong so far.
    pub(crate) fn finish<T>(
        &mut self,
        last: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let value = match self.problems.is_empty() {
            true => last(self),
            false => None,
        };
        value.ok_or_else(|| ConfigError {
            problems: std::mem::take(&mut self.problems),
            warnings: std::mem::take(&mut self.warnings),
        })
    }

    pub(crate) fn into_warnings(self) -> Vec<String> {
        self.warnings
    }
}
