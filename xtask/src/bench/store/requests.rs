//! What the clients ask for.

/// How many documents the lists hold.
pub(super) const LISTS: [u64; 3] = [10, 1000, 100_000];

/// Paths that each client writes in turns.
const PATHS: u64 = 100;

/// Documents share their `group` with one in so many others.
const GROUPS: u64 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    /// One document by its path.
    Get,
    /// A durable write of a whole document.
    Set,
    /// A durable write of one member.
    Merge,
    /// A durable addition to a gauge.
    Increment,
    /// All documents of a list of this size.
    List(u64),
    /// How many of the thousand match.
    Count,
}

impl Scenario {
    pub(super) const ALL: [Self; 8] = [
        Self::Get,
        Self::Set,
        Self::Merge,
        Self::Increment,
        Self::List(LISTS[0]),
        Self::List(LISTS[1]),
        Self::List(LISTS[2]),
        Self::Count,
    ];

    pub(super) fn name(self) -> String {
        match self {
            Self::Get => "get".to_owned(),
            Self::Set => "set".to_owned(),
            Self::Merge => "merge".to_owned(),
            Self::Increment => "increment".to_owned(),
            Self::List(size) => format!("list of {size}"),
            Self::Count => format!("count with criteria of {}", LISTS[1]),
        }
    }

    /// How many documents the store must hold for it in one list.
    pub(super) fn documents(self) -> u64 {
        match self {
            Self::List(size) => size,
            _ => LISTS[1],
        }
    }

    /// With more requests under way the answers only fill the memory.
    pub(super) fn requests_max(self) -> usize {
        match self {
            Self::List(size) if size > LISTS[1] => 1,
            Self::List(size) if size == LISTS[1] => 16,
            _ => usize::MAX,
        }
    }

    /// The request number `turn` of client number `client`.
    pub(super) fn request(self, client: u64, turn: u64) -> String {
        let own = format!("/bench/own/{client}/{}", turn % PATHS);
        match self {
            Self::Get => {
                // Odd and far apart, so that neighbours are not read together.
                let at = (turn * 379 + client * 61) % LISTS[1];
                frame("get", &document_path(LISTS[1], at), "null", "")
            }
            Self::Set => frame("set", &own, &document(turn), ""),
            Self::Merge => {
                let data = format!(r#"{{"turn":{turn}}}"#);
                frame("set", &own, &data, r#","merge":true"#)
            }
            Self::Increment => frame("set", &own, r#""counter""#, r#","increment":1"#),
            Self::List(size) => frame("get", &document_path(size, "*"), "null", ""),
            Self::Count => {
                let group = turn % GROUPS;
                let criteria =
                    format!(r#","criteria":{{"group":{group},"number":{{"$gte":100}}}}"#);
                frame("count", &document_path(LISTS[1], "*"), "null", &criteria)
            }
        }
    }
}

/// Stores document `at` of the list of `size`.
pub(super) fn stored(size: u64, at: u64) -> String {
    frame("set", &document_path(size, at), &document(at), "")
}

fn document_path(list: u64, at: impl std::fmt::Display) -> String {
    format!("/bench/list/{list}/{at}")
}

fn document(number: u64) -> String {
    let group = number % GROUPS;
    format!(
        r#"{{"name":"document {number}","number":{number},"group":{group},"on":true,"at":{{"x":1.5,"y":-2}},"tags":["first","second"]}}"#
    )
}

/// A request as the JavaScript client writes it; `options` begin with a comma.
fn frame(action: &str, path: &str, data: &str, options: &str) -> String {
    format!(
        r#"{{"path":"{path}","action":"{action}","eventId":1234,"data":{data},"protocol":"happn_4","sessionId":"2ea2b1b5-a1ab-44ad-8a3d-1aae3a2dd9e1","options":{{"timeout":30000{options}}}}}"#
    )
}
