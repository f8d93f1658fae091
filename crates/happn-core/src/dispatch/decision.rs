//! Whether a request may be done, and as whom.

use std::sync::Arc;

use happn_protocol::Raw;
use happn_protocol::response::{Echo, ObjectResponse};

use super::{Call, Received, finish, reply};
use crate::identity::Identity;
use crate::sessions::end_for_good;
use crate::{Authorisation, BoxFuture, Operation, PathFilter, Refusal, Session};

/// A request may be done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Granted {
    /// Only where this lets through.
    pub(crate) only: Option<Arc<dyn PathFilter>>,
    /// As whom; nobody on an open node.
    pub(crate) actor: Option<Arc<Identity>>,
}

/// A decision, or the promise of one.
pub(crate) enum Decision {
    Granted(Granted),
    Refused(Refusal),
    Pending(BoxFuture<'static, Result<Granted, Refusal>>),
}

impl Decision {
    /// What `answer` means for `actor`.
    pub(crate) fn of(answer: Authorisation, actor: Arc<Identity>) -> Self {
        let granted = |only, actor| Granted {
            only,
            actor: Some(actor),
        };
        match answer {
            Authorisation::Allowed(only) => Self::Granted(granted(only, actor)),
            Authorisation::Denied(refusal) => Self::Refused(refusal),
            Authorisation::Pending(answer) => Self::Pending(Box::pin(async move {
                let only = answer.await?;
                Ok(granted(only, actor))
            })),
        }
    }

    /// What the last of them grants, if all do; else the first refusal.
    pub(crate) fn all(decisions: impl Iterator<Item = Self>) -> Self {
        let mut granted = Granted::default();
        let mut pending = Vec::new();
        for decision in decisions {
            match decision {
                Self::Granted(last) => granted = last,
                Self::Refused(refusal) => return Self::Refused(refusal),
                Self::Pending(decision) => pending.push(decision),
            }
        }
        if pending.is_empty() {
            return Self::Granted(granted);
        }
        Self::Pending(Box::pin(async move {
            for decision in pending {
                granted = decision.await?;
            }
            Ok(granted)
        }))
    }

    /// The decision, once there is one.
    pub(crate) async fn settled(self) -> Result<Granted, Refusal> {
        match self {
            Self::Granted(granted) => Ok(granted),
            Self::Refused(refusal) => Err(refusal),
            Self::Pending(decision) => decision.await,
        }
    }
}

impl Call<'_> {
    /// Whether the session may do `operation` on `path`, if asked to on behalf of somebody else.
    pub(super) fn decide(
        &self,
        operation: Operation<'_>,
        path: &str,
        on_behalf_of: Option<Raw<'_>>,
    ) -> Decision {
        let writes = matches!(operation, Operation::Set | Operation::Remove);
        let rules = self.node.config.cluster.as_ref();
        if writes && !self.session.is_trusted() && rules.is_some_and(|rules| rules.reserves(path)) {
            let message = "unauthorized: only nodes of the cluster write here";
            return Decision::Refused(Refusal::denied(403, message));
        }
        if !self.node.is_secure() {
            return Decision::Granted(Granted::default());
        }
        let Some(actor) = self.session.identity() else {
            return Decision::Refused(Refusal::no_login());
        };
        match on_behalf_of.and_then(somebody_else) {
            None => Decision::of(actor.rights().authorise(operation, path), actor),
            Some(user) => acting(&actor, &user, operation, path),
        }
    }

    /// Runs `then` once that is allowed, or answers the refusal. No further request of the session
    /// is handled before a decision that takes its time, so that writes keep their order.
    pub(super) fn in_turn(
        &self,
        decision: Decision,
        then: impl FnOnce(Granted) -> Received + Send + 'static,
    ) -> Received {
        let takes_time = matches!(decision, Decision::Pending(_));
        match self.once(decision, then) {
            Received::Answer(rest) if takes_time => Received::Blocked(rest),
            other => other,
        }
    }

    /// Runs `then` once that is allowed, or answers the refusal.
    pub(super) fn once(
        &self,
        decision: Decision,
        then: impl FnOnce(Granted) -> Received + Send + 'static,
    ) -> Received {
        match decision {
            Decision::Granted(granted) => then(granted),
            Decision::Refused(refusal) => {
                refuse(self.session, &self.echo, refusal);
                Received::Done
            }
            Decision::Pending(decision) => {
                let (session, echo) = (self.session.clone(), self.echo.clone());
                Received::Answer(Box::pin(async move {
                    match decision.await {
                        Ok(granted) => finish(then(granted)).await,
                        Err(refusal) => refuse(&session, &echo, refusal),
                    }
                }))
            }
        }
    }
}

/// Answers a refusal, and ends the session if it says so.
pub(super) fn refuse(session: &Session, echo: &Echo, refusal: Refusal) {
    reply(session, echo, &ObjectResponse::error(refusal.error));
    if let Some(reason) = refusal.ends_session {
        end_for_good(session, Some(reason));
    }
}

/// The user named by `onBehalfOf`. Nobody acts for the administrator: that is ignored.
fn somebody_else(raw: Raw<'_>) -> Option<String> {
    let user: String = serde_json::from_str(raw.get()).ok()?;
    (!user.is_empty() && user != "_ADMIN").then_some(user)
}

fn acting(actor: &Identity, user: &str, operation: Operation<'_>, path: &str) -> Decision {
    let rights = actor.rights().on_behalf_of(user);
    let (name, path) = (operation.as_str().to_owned(), path.to_owned());
    Decision::Pending(Box::pin(async move {
        let other = Identity::of(rights.await?);
        let answer = other.rights().authorise(named(&name), &path);
        Decision::of(answer, other).settled().await
    }))
}

fn named(name: &str) -> Operation<'_> {
    match name {
        "set" => Operation::Set,
        "get" => Operation::Get,
        "count" => Operation::Count,
        "remove" => Operation::Remove,
        "on" => Operation::On,
        other => Operation::Named(other),
    }
}
