//! `interest`: what a node on a numbered link wants to hear, told as changes.

use std::sync::Arc;

use happn_paths::{Action, Channel, Depth, validate};
use happn_protocol::link::LinkInterest;
use happn_protocol::response::ObjectResponse;
use happn_protocol::{Json, WireError};

use super::{Call, Decision, Granted, Received, reply};
use crate::subscriptions::{Group, NewSubscription, Removal};
use crate::{Node, Operation, Session};

impl Call<'_> {
    /// Only for nodes on a numbered link. What is refused changes nothing.
    pub(super) fn interest(self) -> Received {
        let data = self.data().filter(Json::is_object);
        let Some(Ok(change)) = data.map(|data| data.decode::<LinkInterest>()) else {
            return self.fail(WireError::type_error("an interest must be lists of masks"));
        };
        for mask in &change.add {
            if let Err(error) = validate(mask, Action::On) {
                return self.fail(WireError::plain(error.to_string()));
            }
        }
        let decisions = change.add.iter();
        let decisions = decisions.map(|mask| self.decide(Operation::On, mask, None));
        let decision = Decision::all(decisions);
        let (node, session, echo) = (self.node.clone(), self.session.clone(), self.echo.clone());
        self.in_turn(decision, move |granted| {
            let outcome = take_up(&node, &session, &change, &granted);
            reply(&session, &echo, &answer(outcome));
            Received::Done
        })
    }
}

fn answer(outcome: Result<(), WireError>) -> ObjectResponse {
    match outcome {
        Ok(()) => ObjectResponse::ok(Json::NULL),
        Err(error) => ObjectResponse::error(error),
    }
}

/// What is new comes before what goes, so that nothing that both name is missed in between.
fn take_up(
    node: &Arc<Node>,
    session: &Arc<Session>,
    change: &LinkInterest,
    granted: &Granted,
) -> Result<(), WireError> {
    let max = node.config.limits.subscriptions_max;
    for mask in &change.add {
        let new = subscription(session, mask).granted(granted.clone());
        let held = node.subscriptions.add(new, max).map_err(|_| {
            WireError::plain(format!("too many subscriptions: a session may hold {max}"))
        })?;
        if node.is_secure() {
            node.confirm(&held);
        }
    }
    for mask in &change.remove {
        let channel = channel(mask);
        let removal = Removal::Reference(&channel, mask);
        node.subscriptions.remove(session, &removal);
    }
    node.announce_interest(session);
    Ok(())
}

fn channel(mask: &str) -> Channel {
    Channel::parse(&format!("/ALL@{mask}"))
}

/// The mask is its own reference. Events for links are encoded apart, so that the group is of no
/// interest.
fn subscription(session: &Arc<Session>, mask: &str) -> NewSubscription {
    let channel = channel(mask);
    NewSubscription {
        session: session.clone(),
        group: Group {
            channel: channel.as_str().into(),
            depth: None,
            merge: false,
            dialect: session.dialect(),
        },
        reference: mask.into(),
        granted: Granted::default(),
        channel,
        depth: Depth::MAX,
        options: None,
        ref_count: None,
    }
}
