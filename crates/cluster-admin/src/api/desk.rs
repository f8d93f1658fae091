//! Who is let through to administration, and what he asks done.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use happn_core::{Authorisation, Authority, Node, Operation as Asked, SessionRights};
use happn_security::audit::{Actor, Record};
use happn_security::authority::SecurityAuthority;
use happn_security::credentials::Source;
use happn_security::directory::ADMIN;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::request::Parts;
use hyper::body::Incoming;

use super::call::{Call, Caller};
use super::limiter::Limiter;
use super::problem::Problem;
use super::request::{self, Query};
use super::route::{Found, Operation, Outcome, Work};
use super::{ApiConfig, origin};

/// Where the paths of this API stand among those that rules are about.
const RULE_PREFIX: &str = "/@ADMIN";

/// The largest body of a login, which anybody may send.
const LOGIN_BYTES_MAX: usize = 16 * 1024;

/// How much of what a stranger writes is recorded, bytes.
const RECORDED_MAX: usize = 256;

/// How long one request may take. What it has begun is completed all the same.
const WORK_MAX: Duration = Duration::from_secs(600);

/// What requests need on a secure node.
pub(super) struct Desk {
    pub(super) node: Arc<Node>,
    pub(super) authority: Arc<SecurityAuthority>,
    pub(super) config: ApiConfig,
    requests: Mutex<Limiter>,
    logins: Mutex<Limiter>,
}

/// A request that was not let through.
struct Refused {
    /// Who sent it, as far as that is known.
    who: Arc<str>,
    problem: Problem,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        let who = "".into();
        Self { who, problem }
    }
}

impl Desk {
    pub(super) fn new(
        node: Arc<Node>,
        authority: Arc<SecurityAuthority>,
        config: ApiConfig,
    ) -> Self {
        Self {
            requests: Mutex::new(Limiter::new(config.requests, None)),
            logins: Mutex::new(Limiter::new(config.logins, Some(config.logins_of_all))),
            node,
            authority,
            config,
        }
    }

    /// Counts a request, of whatever kind.
    pub(super) fn count(&self, head: &Parts, caller: Caller) -> Result<(), Problem> {
        let counted = self.take(&self.requests, caller);
        counted.inspect_err(|problem| self.record("", head, caller, problem))
    }

    fn take(&self, limiter: &Mutex<Limiter>, caller: Caller) -> Result<(), Problem> {
        let now = self.node.clock().monotonic();
        let mut limiter = limiter.lock().unwrap_or_else(PoisonError::into_inner);
        let admitted = limiter.admit(Source::from(caller.address.ip()), now);
        admitted.map_err(Problem::too_many)
    }

    /// Lets a request through and does it, or records why not.
    pub(super) async fn serve(
        self: &Arc<Self>,
        (head, body): (&Parts, Incoming),
        (found, operation): (Found, &'static Operation),
        caller: Caller,
    ) -> Outcome {
        let admitted = self.admit(head, operation, caller).await;
        let who = admitted.map_err(|refused| {
            self.record(&refused.who, head, caller, &refused.problem);
            refused.problem
        })?;
        let known = operation.known_parameters();
        let query = Query::parse(head.uri.query().unwrap_or_default(), &known)?;
        let bytes = match operation.body {
            Some(_) => self.read(head, body, operation).await?,
            None => hyper::body::Bytes::new(),
        };
        let call = Call {
            desk: self.clone(),
            actor: Actor::new(&who, &caller.text()),
            names: found.names,
            caller,
            operation,
            query,
            bytes,
        };
        let work = match operation.work {
            Work::Admin(work) | Work::Login(work) => work(call),
            Work::Document => return Err(Problem::not_found("the document is elsewhere")),
        };
        let done = tokio::time::timeout(WORK_MAX, work).await;
        done.unwrap_or_else(|_| Err(Problem::unavailable("this takes too long")))
    }

    async fn read(
        &self,
        head: &Parts,
        body: Incoming,
        operation: &Operation,
    ) -> Result<hyper::body::Bytes, Problem> {
        if !is_json(head.headers.get(CONTENT_TYPE)) {
            return Err(Problem::media_type());
        }
        let bytes_max = match operation.work {
            Work::Login(_) => LOGIN_BYTES_MAX,
            Work::Admin(_) | Work::Document => self.config.body_bytes_max,
        };
        request::read(body, bytes_max, self.config.body_time_max).await
    }

    /// Who sends the request, if he may.
    async fn admit(
        &self,
        head: &Parts,
        operation: &Operation,
        caller: Caller,
    ) -> Result<Arc<str>, Refused> {
        if !origin::is_own(&head.headers) {
            let text = "pages of another origin may not ask for anything here";
            return Err(Problem::forbidden(text).into());
        }
        if !caller.is_private() {
            let text = "over a network this is answered with https only; admin.certPath and \
                        admin.keyPath in the node's configuration switch it on";
            return Err(Problem::forbidden(text).into());
        }
        match operation.work {
            Work::Login(_) => {
                self.take(&self.logins, caller)?;
                Ok("".into())
            }
            Work::Admin(_) | Work::Document => self.admit_admin(head).await,
        }
    }

    async fn admit_admin(&self, head: &Parts) -> Result<Arc<str>, Refused> {
        let token = bearer(&head.headers).ok_or_else(|| {
            Problem::unauthorized("a token is needed: Authorization: Bearer TOKEN")
        })?;
        let rights = self.authority.bearer(token).await;
        let rights = rights.map_err(|refusal| match refusal.error.code {
            Some(401 | 403) => Problem::unauthorized(refusal.error.message),
            _ => refusal.into(),
        })?;
        let who = rights.username().clone();
        match self.check_rights(head, &*rights).await {
            Ok(()) => Ok(who),
            Err(problem) => Err(Refused { who, problem }),
        }
    }

    /// Administrators only, and only as far as their token reaches.
    async fn check_rights(&self, head: &Parts, rights: &dyn SessionRights) -> Result<(), Problem> {
        if !self.is_admin(rights.username()).await? {
            return Err(Self::no_admin());
        }
        let path = format!("{RULE_PREFIX}{}", head.uri.path());
        let action = head.method.as_str().to_ascii_lowercase();
        let decided = match rights.authorise(Asked::Named(&action), &path) {
            Authorisation::Allowed(_) => return Ok(()),
            Authorisation::Denied(refusal) => Err(refusal),
            Authorisation::Pending(decision) => decision.await.map(|_| ()),
        };
        decided.map_err(|refusal| match refusal.error.code {
            // The token is at its end.
            Some(401 | 403) if refusal.ends_session.is_some() => {
                Problem::unauthorized(refusal.error.message)
            }
            Some(401 | 403) => Problem::forbidden(refusal.error.message),
            _ => refusal.into(),
        })
    }

    pub(super) async fn is_admin(&self, username: &str) -> Result<bool, Problem> {
        let directory = self.authority.directory();
        let name = directory.user_name(username)?;
        let memberships = directory.memberships(&name).await?;
        Ok(name.as_str() == ADMIN || memberships.contains(ADMIN))
    }

    pub(super) fn no_admin() -> Problem {
        Problem::forbidden("only members of the group _ADMIN may administer")
    }

    /// For the record: who was refused what, and from where.
    pub(super) fn record(&self, who: &str, head: &Parts, caller: Caller, problem: &Problem) {
        let record = Record::Refused {
            actor: &Actor::new(who, &caller.text()),
            action: beginning(head.method.as_str()),
            path: beginning(head.uri.path()),
            reason: &problem.message,
        };
        self.authority.directory().audit().record(&record);
    }
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(RECORDED_MAX)]
}

/// The token of the one header it may come in.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn is_json(media_type: Option<&HeaderValue>) -> bool {
    let media_type = media_type.and_then(|it| it.to_str().ok());
    let media_type = media_type.and_then(|it| it.split(';').next());
    media_type.is_some_and(|it| it.trim().eq_ignore_ascii_case("application/json"))
}
