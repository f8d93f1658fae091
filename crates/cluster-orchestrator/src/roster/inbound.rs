//! Sessions that other nodes hold here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::member::Presence;

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
    /// It says it belongs to our cluster.
    ours: bool,
    /// It has made all its subscriptions.
    subscribed: bool,
    /// When it logged in.
    since: Duration,
    /// In how many reads of the table, one after the other, its node was not.
    unlisted: u32,
}

/// Reads of the table without a node after which what says to be that node is none. The first may
/// have been under way when it logged in.
const UNLISTED_MAX: u32 = 2;

impl Inbound {
    /// Whether there was room for it.
    pub(super) fn insert(
        &mut self,
        session_id: Arc<str>,
        endpoint: Option<String>,
        name: Option<String>,
        ours: bool,
        since: Duration,
    ) -> bool {
        if self.sessions.len() >= SESSIONS_MAX {
            return false;
        }
        let claim = Claim {
            endpoint,
            name,
            ours,
            subscribed: false,
            since,
            unlisted: 0,
        };
        self.sessions.insert(session_id, claim);
        true
    }

    pub(super) fn subscribed(&mut self, session_id: &str) {
        if let Some(claim) = self.sessions.get_mut(session_id) {
            claim.subscribed = true;
        }
    }

    pub(super) fn remove(&mut self, session_id: &str) {
        self.sessions.remove(session_id);
    }

    pub(super) fn clear(&mut self) {
        self.sessions.clear();
    }

    /// The table was read: those that say they are nodes of our cluster since before `earlier`, and
    /// are not in it. Each is told once.
    pub(super) fn strangers(
        &mut self,
        earlier: Duration,
        is_known: impl Fn(Option<&str>, Option<&str>) -> bool,
    ) -> Vec<Arc<str>> {
        let mut strangers = Vec::new();
        for (session_id, claim) in self.sessions.iter_mut().filter(|(_, claim)| claim.ours) {
            if is_known(claim.endpoint.as_deref(), claim.name.as_deref()) {
                claim.unlisted = 0;
            } else if claim.unlisted < UNLISTED_MAX {
                let is_last = claim.unlisted + 1 == UNLISTED_MAX;
                if is_last && claim.since > earlier {
                    continue;
                }
                claim.unlisted += 1;
                if is_last {
                    strangers.push(Arc::clone(session_id));
                }
            }
        }
        strangers
    }

    /// How the node at `endpoint` is present here; one that did not state its endpoint is
    /// recognised by its name.
    pub(super) fn presence(&self, endpoint: &str, name: Option<&str>) -> Presence {
        let is_its = |claim: &&Claim| match &claim.endpoint {
            Some(claimed) => claimed == endpoint,
            None => name.is_some() && claim.name.as_deref() == name,
        };
        let best = self.sessions.values().filter(is_its);
        // A claim of our cluster outweighs one of another: anybody can make that one.
        match best.map(|claim| (claim.ours, claim.subscribed)).max() {
            None => Presence::Absent,
            Some((false, _)) => Presence::Foreign,
            Some((true, false)) => Presence::LoggedIn,
            Some((true, true)) => Presence::Subscribed,
        }
    }
}
