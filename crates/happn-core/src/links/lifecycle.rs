//! How links begin, fall silent, wait for their nodes, and are given up.

use std::sync::Arc;

use happn_protocol::Json;
use happn_protocol::link::LinkOffer;

use super::{Detached, LinkCounts, LinkStatus};
use crate::{Node, Session};

impl Node {
    /// The numbered links of other nodes to this one.
    #[must_use]
    pub fn links(&self) -> Vec<LinkStatus> {
        self.links.status(self.clock().monotonic())
    }

    /// What became of the numbered links of other nodes so far.
    #[must_use]
    pub fn link_counts(&self) -> LinkCounts {
        self.links.counts()
    }

    /// Events and bytes that are kept for the links of other nodes.
    #[must_use]
    pub fn kept_for_links(&self) -> (usize, usize) {
        self.links.kept()
    }

    /// Opens the numbered link of a node that logs in; `answer` gets what to tell it.
    pub(crate) fn open_link(
        &self,
        session: &Arc<Session>,
        offer: &LinkOffer,
        answer: impl FnOnce(Option<&Json>),
    ) {
        let now = self.clock().monotonic();
        let forget = self.links.open(session, offer, now, |link| {
            answer(link.and_then(|link| Json::encode(link).ok()).as_ref());
        });
        if let Some(holder) = forget {
            self.subscriptions.forget(&holder);
        }
        if let Some(node) = self.this.upgrade() {
            tokio::spawn(end_when_silent(node, session.clone()));
        }
    }

    /// Forgets what a session subscribed to, unless its link waits for its node.
    pub(crate) fn let_go(&self, session: &Arc<Session>) {
        let Detached { forget, parked } = self.links.detach(session);
        for session in forget {
            self.subscriptions.forget(&session);
        }
        let (Some(parked), Some(node)) = (parked, self.this.upgrade()) else {
            return;
        };
        let expired = self.clock().sleep(self.config.links.retention);
        // Without a runtime there is nobody who could come back.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let stopping = node.stopping.clone();
                if stopping.run_until_cancelled(expired).await.is_some()
                    && let Some(holder) = node.links.expire(&parked)
                {
                    node.subscriptions.forget(&holder);
                }
            });
        }
    }
}

/// Ends the session of a numbered link that says nothing for too long: its node is gone, hangs,
/// or the connection is half-open. The link itself waits for it to come back.
async fn end_when_silent(node: Arc<Node>, session: Arc<Session>) {
    let interval = node.links.limits().silence / 4;
    let watching = async {
        loop {
            node.clock().sleep(interval).await;
            match node.links.is_silent(&session, node.clock().monotonic()) {
                Some(false) => {}
                Some(true) => {
                    tracing::warn!(session = %session.id(), "a node is silent: its link is cut and waits for it");
                    return session.outbox().abandon();
                }
                None => return,
            }
        }
    };
    node.stopping.run_until_cancelled(watching).await;
}
