//! Sessions that other nodes hold here.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The most sessions remembered; a cluster is far smaller, and anybody may claim to be a node.
const SESSIONS_MAX: usize = 4096;

/// Who is connected to us, by session.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    sessions: BTreeMap<Arc<str>, Claim>,
}

/// What the session's login said.
#[derive(Debug)]
struct Claim {
    endpoint: Option<String>,
    name: Option<String>,
}

impl Inbound {
    /// Whether there was room for it.
    pub(super) fn insert(
        &mut self,
        session_id: Arc<str>,
        endpoint: Option<String>,
        name: Option<String>,
    ) -> bool {
        if self.sessions.len() >= SESSIONS_MAX {
            return false;
        }
        self.sessions.insert(session_id, Claim { endpoint, name });
        true
    }

    pub(super) fn remove(&mut self, session_id: &str) {
        self.sessions.remove(session_id);
    }

    pub(super) fn clear(&mut self) {
        self.sessions.clear();
    }

    /// Whether the node at `endpoint` has a session here; one that did not state its endpoint is
    /// recognised by its name.
    pub(super) fn is_here(&self, endpoint: &str, name: Option<&str>) -> bool {
        self.sessions.values().any(|claim| match &claim.endpoint {
            Some(claimed) => claimed == endpoint,
            None => name.is_some() && claim.name.as_deref() == name,
        })
    }
}
