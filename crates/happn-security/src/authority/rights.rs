//! What one login may do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use happn_core::{
    AccountRequest, Afterwards, Authorisation, BoxFuture, Operation, PathFilter, Refusal,
    SessionRights,
};
use serde_json::{Map, Value};
use tokio_util::sync::DropGuard;

use super::Shared;
use super::activity::Request;
use super::compiled::{Answer, Asked, Compiled, ask_policy};
use super::delegates::{Delegates, UNKNOWN_USER};
use super::limits::Limits;
use super::live::{Place, SharedUsage};
use super::refusals::{by_policy, failed, on_behalf_of, revoked, unauthorized};
use crate::audit::{Actor, Record};
use crate::credentials::Source;
use crate::directory::UserName;
use crate::rules::RuleSet;

/// A decision that takes its time.
type Later = BoxFuture<'static, Result<Option<Arc<dyn PathFilter>>, Refusal>>;

/// The rights of a session, of requests with a token, or of a user somebody else acts for.
pub(super) struct UserRights {
    /// For decisions that take their time.
    pub(super) this: Weak<Self>,
    pub(super) shared: Arc<Shared>,
    pub(super) user: UserName,
    pub(super) username: Arc<str>,
    pub(super) session_id: Arc<str>,
    /// The session whose token this login is of.
    pub(super) parent_id: Arc<str>,
    pub(super) token: Option<Arc<str>>,
    /// How the login proved who it is.
    pub(super) auth_type: Arc<str>,
    pub(super) limits: Limits,
    pub(super) usage: Arc<SharedUsage>,
    /// Rules of the policy, in place of those of the user.
    pub(super) only: Option<RuleSet>,
    /// What templates may ask for besides the user.
    pub(super) facts: Map<String, Value>,
    pub(super) compiled: ArcSwap<Compiled>,
    /// Nothing is allowed any more.
    pub(super) is_over: AtomicBool,
    /// The answer to the request that ends the session comes first.
    pub(super) ends_itself: AtomicBool,
    pub(super) delegates: Delegates,
    /// Set for somebody who is acted for: then refusals say so.
    pub(super) is_delegate: bool,
    /// For the record of who did what, and was refused what.
    pub(super) actor: Actor,
    /// For the lock-out, when a password is guessed.
    pub(super) source: Source,
    /// Stops the timer of the session.
    pub(super) _timer: Option<DropGuard>,
    pub(super) _place: Option<Place>,
}

impl UserRights {
    /// Rights without a token, a place or rules of a policy.
    pub(super) fn new(
        this: Weak<Self>,
        shared: Arc<Shared>,
        user: UserName,
        session_id: Arc<str>,
        limits: Limits,
        facts: Map<String, Value>,
        compiled: Compiled,
    ) -> Self {
        Self {
            this,
            shared,
            username: user.as_str().into(),
            actor: Actor::new(user.as_str(), "(process)"),
            user,
            parent_id: session_id.clone(),
            session_id,
            token: None,
            auth_type: "token".into(),
            limits,
            usage: Arc::default(),
            only: None,
            facts,
            compiled: ArcSwap::from_pointee(compiled),
            is_over: AtomicBool::new(false),
            ends_itself: AtomicBool::new(false),
            delegates: Delegates::default(),
            is_delegate: false,
            source: Source::LOCAL,
            _timer: None,
            _place: None,
        }
    }

    pub(super) fn usage(&self) -> &Arc<SharedUsage> {
        &self.usage
    }

    /// The rules as they are now; `None` when they have to be compiled anew.
    fn current(&self) -> Option<Arc<Compiled>> {
        let compiled = self.compiled.load();
        let is_current = compiled.is_current(&self.shared, &self.user);
        is_current.then(|| Arc::clone(&compiled))
    }

    /// The rules as they are now, compiled anew if that is due.
    pub(super) async fn compiled(&self) -> Result<Arc<Compiled>, Refusal> {
        if let Some(current) = self.current() {
            return Ok(current);
        }
        let compiled = self.shared.compile(&self.user, self.facts.clone()).await;
        let compiled = compiled.map_err(|error| failed(&error))?;
        let compiled = Arc::new(compiled.ok_or_else(|| self.gone())?);
        self.compiled.store(compiled.clone());
        Ok(compiled)
    }

    fn gone(&self) -> Refusal {
        let username = &self.username;
        match self.is_delegate {
            true => on_behalf_of(username, UNKNOWN_USER),
            false => Refusal::denied(
                403,
                format!("user {username} has been deleted or does not exist"),
            ),
        }
    }

    fn count_request(&self) -> Result<(), Refusal> {
        if self.is_over.load(Ordering::Acquire) {
            return Err(revoked());
        }
        if self.limits.is_unlimited() {
            return Ok(());
        }
        let now = self.shared.clock.monotonic();
        let age = now.saturating_sub(self.limits.since) + self.limits.age_then;
        let policies = self.limits.policies.as_ref();
        let admitted = self
            .usage
            .admit(policies, self.limits.session_type, age, now);
        admitted.map_err(|refusal| by_policy(403, refusal))
    }

    fn ask(&self, operation: Operation<'_>, path: &str) -> Authorisation {
        if let Err(refusal) = self.count_request() {
            return Authorisation::Denied(refusal);
        }
        match operation {
            Operation::Count if self.shared.config.open_count => {
                self.answered(ask_policy(&self.shared.counting, "get", path))
            }
            // How much there is tells what there is.
            Operation::Count => self.decide("get", path),
            other => self.decide(other.as_str(), path),
        }
    }

    /// The decision, and a record of it.
    fn recorded(&self, operation: Operation<'_>, path: &str, decision: Later) -> Authorisation {
        let (this, action) = (self.this.clone(), operation.as_str().to_owned());
        let path = path.to_owned();
        Authorisation::Pending(Box::pin(async move {
            let decided = decision.await;
            if let Some(this) = this.upgrade() {
                this.note(&action, &path, decided.as_ref().err());
            }
            decided
        }))
    }

    fn note(&self, action: &str, path: &str, refusal: Option<&Refusal>) {
        if let Some(log) = &self.shared.activity {
            log.note(&Request {
                session_id: &self.session_id,
                action,
                path: Some(path),
                refusal,
            });
        }
        if let Some(refusal) = refusal {
            self.record(action, path, refusal);
        }
    }

    fn record(&self, action: &str, path: &str, refusal: &Refusal) {
        self.shared.directory.audit().record(&Record::Refused {
            actor: &self.actor,
            action,
            path,
            reason: &refusal.error.message,
        });
    }

    fn decide(&self, action: &str, path: &str) -> Authorisation {
        if let Some(rules) = &self.only {
            return self.answered(ask_policy(rules, action, path));
        }
        let Some(compiled) = self.current() else {
            return self.later(action, path);
        };
        match compiled.ask(action, path) {
            Asked::Known(answer) => self.answered(answer),
            Asked::Tables(_) => self.later(action, path),
        }
    }

    fn answered(&self, answer: Answer) -> Authorisation {
        match answer {
            Answer::Yes(only) => Authorisation::Allowed(only),
            Answer::No => Authorisation::Denied(self.refusal()),
        }
    }

    fn refusal(&self) -> Refusal {
        match () {
            () if self.is_delegate => on_behalf_of(&self.username, ""),
            () if self.only.is_some() => Refusal::denied(403, "token permissions limited"),
            () => unauthorized(),
        }
    }

    /// The decision needs the directory.
    fn later(&self, action: &str, path: &str) -> Authorisation {
        let (action, path) = (action.to_owned(), path.to_owned());
        let Some(this) = self.this.upgrade() else {
            return Authorisation::Denied(self.refusal());
        };
        Authorisation::Pending(Box::pin(async move { this.look_up(&action, &path).await }))
    }

    async fn look_up(
        &self,
        action: &str,
        path: &str,
    ) -> Result<Option<Arc<dyn PathFilter>>, Refusal> {
        let compiled = self.compiled().await?;
        let answer = match compiled.ask(action, path) {
            Asked::Known(answer) => answer,
            Asked::Tables(questions) => {
                let looked_up = compiled.look_up(&self.shared, &questions, action, path);
                looked_up.await.map_err(|error| failed(&error))?
            }
        };
        match answer {
            Answer::Yes(only) => Ok(only),
            Answer::No => Err(self.refusal()),
        }
    }
}

impl SessionRights for UserRights {
    fn username(&self) -> &Arc<str> {
        &self.username
    }

    fn session_id(&self) -> &Arc<str> {
        &self.session_id
    }

    fn authorise(&self, operation: Operation<'_>, path: &str) -> Authorisation {
        match self.ask(operation, path) {
            Authorisation::Denied(refusal) => {
                self.note(operation.as_str(), path, Some(&refusal));
                Authorisation::Denied(refusal)
            }
            Authorisation::Pending(decision) => self.recorded(operation, path, decision),
            allowed @ Authorisation::Allowed(_) => {
                self.note(operation.as_str(), path, None);
                allowed
            }
        }
    }

    fn may_keep(&self, mask: &str) -> Authorisation {
        match self.is_over.load(Ordering::Acquire) {
            true => Authorisation::Denied(revoked()),
            false => self.decide("on", mask),
        }
    }

    fn on_behalf_of(
        &self,
        user: &str,
    ) -> BoxFuture<'static, Result<Arc<dyn SessionRights>, Refusal>> {
        let (this, user) = (self.this.upgrade(), user.to_owned());
        let counted = self.count_request();
        Box::pin(async move {
            counted?;
            let this = this.ok_or_else(unauthorized)?;
            let rights = this.delegate(&user).await?;
            Ok(rights as Arc<dyn SessionRights>)
        })
    }

    fn account(&self, request: AccountRequest) -> BoxFuture<'static, Result<Afterwards, Refusal>> {
        let this = self.this.upgrade();
        Box::pin(async move {
            let this = this.ok_or_else(unauthorized)?;
            this.do_for_account(request).await
        })
    }
}

impl std::fmt::Debug for UserRights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserRights")
            .field("username", &self.username)
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}
