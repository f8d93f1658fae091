//! Sessions in the hands of the authority: ended, told, and their subscriptions asked again.

use std::sync::Arc;

use happn_protocol::system::security_data_changed;
use happn_protocol::{Dialect, Json};

use crate::dispatch::Decision;
use crate::subscriptions::{Removal, Subscription};
use crate::{BoxFuture, Node, Session, SessionControl};

impl SessionControl for Node {
    fn end(&self, session_id: &str, reason: &str) -> bool {
        self.end_session(session_id, Some(reason))
    }

    fn tell(&self, session_id: &str, change: &Json) {
        let Some(session) = self.session(session_id) else {
            return;
        };
        let dialect = session.dialect();
        if matches!(dialect, Dialect::Happn3 | Dialect::Happn4) {
            session.send(security_data_changed(change, dialect));
        }
    }

    fn recheck(&self, session_id: &str) -> BoxFuture<'static, ()> {
        let (node, session) = (self.this.upgrade(), self.session(session_id));
        Box::pin(async move {
            if let (Some(node), Some(session)) = (node, session) {
                Self::recheck(&node, &session).await;
            }
        })
    }
}

impl Node {
    /// Asks for every subscription of the session whether it may stay.
    pub(crate) async fn recheck(&self, session: &Session) {
        for held in self.subscriptions.of(session) {
            self.recheck_one(&held).await;
        }
    }

    /// A subscription has just been made: rights that changed since it was allowed may have
    /// overlooked it.
    pub(crate) fn confirm(&self, held: &Arc<Subscription>) {
        let unchanged = match asked_again(held) {
            Some(Decision::Granted(granted)) => {
                granted.only.is_none() && held.granted.only.is_none()
            }
            _ => false,
        };
        if let Some(node) = self.this.upgrade().filter(|_| !unchanged) {
            let held = held.clone();
            tokio::spawn(async move { node.recheck_one(&held).await });
        }
    }

    async fn recheck_one(&self, held: &Subscription) {
        let decision = match asked_again(held) {
            Some(decision) => decision.settled().await.ok(),
            None => None,
        };
        match decision {
            Some(granted) => self.subscriptions.narrow(held, granted.only),
            None => {
                let removal = Removal::Reference(&held.channel, &held.reference);
                self.subscriptions.remove(&held.session, &removal);
            }
        }
    }
}

/// Whether a subscription may stay; `None` when nobody is logged in any more.
fn asked_again(held: &Subscription) -> Option<Decision> {
    let own = held.session.identity()?;
    // Who subscribed for somebody else is asked as him; else whoever is logged in now.
    let other = held.granted.actor.clone();
    let actor = other
        .filter(|actor| actor.session_id() != held.session.id())
        .unwrap_or(own);
    let answer = actor.rights().may_keep(held.channel.mask());
    Some(Decision::of(answer, actor))
}
