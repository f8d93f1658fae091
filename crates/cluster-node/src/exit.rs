//! How the process ends, as its exit code tells.

use std::process::ExitCode;

/// Why the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for is done; a node that was told to stop has stopped.
    Done,
    /// It failed, for a reason that standard error tells.
    Failed,
    /// The arguments are wrong.
    WrongArguments,
    /// An import left lines out.
    Skipped,
    /// A second signal came while the node stopped: it went at once, unfinished.
    Insisted,
    /// `status` found a node that is not ready.
    NotReady,
    /// `admin` was not let in: wrong password or token, or rights are missing.
    NotLetIn,
    /// `admin` was asked about something that is not there.
    NotFound,
    /// `admin` was refused what it asked for.
    Refused,
}

impl Exit {
    /// All of them, by their codes.
    pub const ALL: [Self; 9] = [
        Self::Done,
        Self::Failed,
        Self::WrongArguments,
        Self::Skipped,
        Self::Insisted,
        Self::NotReady,
        Self::NotLetIn,
        Self::NotFound,
        Self::Refused,
    ];

    /// The exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::WrongArguments => 2,
            Self::Skipped => 3,
            Self::Insisted => 4,
            Self::NotReady => 5,
            Self::NotLetIn => 6,
            Self::NotFound => 7,
            Self::Refused => 8,
        }
    }

    /// What it means, in a few words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or stopped as told",
            Self::Failed => "failed; standard error says why",
            Self::WrongArguments => "wrong arguments",
            Self::Skipped => "imported but for the lines that are listed",
            Self::Insisted => "ended at once by a second signal, before it had stopped",
            Self::NotReady => "status: the node answers, but is not ready",
            Self::NotLetIn => {
                "admin: the password or the token is wrong, or its user is no administrator"
            }
            Self::NotFound => "admin: what was named is not there",
            Self::Refused => {
                "admin: refused as invalid, as there already, or because the node is not secure"
            }
        }
    }

    /// Whether `admin` may end so.
    pub(crate) fn concerns_administration(self) -> bool {
        !matches!(self, Self::Skipped | Self::Insisted | Self::NotReady)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_lists_every_code() {
        let documentation = include_str!("../../../docs/operations.md");
        for exit in Exit::ALL {
            let meaning = exit.meaning();
            let meaning = ["status", "admin"]
                .iter()
                .fold(meaning.to_owned(), |text, word| {
                    text.replace(&format!("{word}: "), &format!("`{word}`: "))
                });
            let row = format!("| {} | {meaning} |", exit.code());
            assert!(documentation.contains(&row), "{row}");
        }
    }
}
