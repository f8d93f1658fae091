//! Where a node of ours answers something else than the recorded server, and is known to.
//!
//! The replay checks these tables both ways: an entry that no longer deviates fails.

mod data;
mod publishing;
mod requests;
mod security;
mod subscriptions;

/// One deviation.
#[derive(Debug)]
pub struct Deviation {
    pub file: &'static str,
    /// The recording's line, from 1.
    pub line: usize,
    pub what: Differs,
    pub why: &'static str,
}

/// How it differs.
#[derive(Debug)]
pub enum Differs {
    /// This part of theirs reads differently here.
    Reads {
        theirs: &'static str,
        ours: &'static str,
    },
    /// The same parts in another order.
    Unordered,
    /// Each subscription that an `off` removed is listed once.
    OncePerSubscription,
    /// We do not send this frame.
    Absent,
    /// Beside it we answer the requests of these event ids, which they left unanswered.
    AlsoAnswers(&'static [&'static str]),
    /// In its place we send this one.
    Instead(&'static str),
    /// Before it we send this one, too.
    AlsoSends(&'static str),
    /// In its place we answer the request of this event id with a success.
    Succeeds(&'static str),
}

/// All of them.
const TABLES: [&[Deviation]; 5] = [
    data::TABLE,
    publishing::TABLE,
    requests::TABLE,
    security::TABLE,
    subscriptions::TABLE,
];

/// Recordings of the newer generation whose frames come on the same lines as those of the older.
const ALIKE: [&str; 3] = ["secure-login", "login-failures", "on-behalf-of"];

/// Those of one recording.
pub fn of(file: &str) -> impl Iterator<Item = &'static Deviation> {
    let older = file.strip_prefix("server-13.12.1/");
    let file = older.filter(|it| ALIKE.contains(it)).unwrap_or(file);
    TABLES
        .into_iter()
        .flatten()
        .filter(move |entry| entry.file == file)
}

const fn reads(
    file: &'static str,
    line: usize,
    theirs: &'static str,
    ours: &'static str,
    why: &'static str,
) -> Deviation {
    differs(file, line, Differs::Reads { theirs, ours }, why)
}

const fn differs(file: &'static str, line: usize, what: Differs, why: &'static str) -> Deviation {
    Deviation {
        file,
        line,
        what,
        why,
    }
}
