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
}

impl Exit {
    /// All of them, by their codes.
    pub const ALL: [Self; 6] = [
        Self::Done,
        Self::Failed,
        Self::WrongArguments,
        Self::Skipped,
        Self::Insisted,
        Self::NotReady,
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
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
