//! Who someone is, and what he may do.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::{Arc, Weak};

use happn_protocol::{Json, WireError};

use crate::{BoxFuture, Connection, nonce};

/// Decides about logins. What a client may do afterwards is decided by its [`SessionRights`].
pub trait Authority: Send + Sync + 'static {
    /// What `describe` tells clients as `secure`. On a secure node nothing is read, written or
    /// subscribed before a login. Never changes.
    fn is_secure(&self) -> bool;

    /// Called once, before there are sessions: the way to those that are logged in.
    fn attach(&self, sessions: Weak<dyn SessionControl>) {
        let _ = sessions;
    }

    /// Where browsers on this connection keep their token.
    fn cookie(&self, connection: &Connection) -> Cookie {
        let _ = connection;
        Cookie::default()
    }

    /// Checks a login. A refusal leaves an earlier login of the session as it is.
    fn login(&self, request: LoginRequest) -> BoxFuture<'static, Result<Admission, Refusal>>;

    /// A fresh nonce for whoever holds the private part of `public_key`, to sign in a login;
    /// `connection` asks for it.
    ///
    /// # Errors
    /// When no nonce can be given out at the moment.
    fn nonce(&self, public_key: &str, connection: &Connection) -> Result<String, Refusal> {
        let _ = (public_key, connection);
        Ok(nonce::fresh())
    }

    /// The rights of whoever presents `token` with a request that belongs to no session, such as
    /// one over HTTP.
    fn bearer(&self, token: &str) -> BoxFuture<'static, Result<Arc<dyn SessionRights>, Refusal>>;
}

/// What one login entitles to. A session asks for every request.
pub trait SessionRights: Debug + Send + Sync + 'static {
    /// Who has logged in.
    fn username(&self) -> &Arc<str>;

    /// As whom events and documents name the author: the session's id, or that of the hidden
    /// session of somebody who is acted for.
    fn session_id(&self) -> &Arc<str>;

    /// Decides about one request and counts it as one. Answers at once when it can: every request
    /// asks, and none of a session is handled while a write of it waits for an answer.
    fn authorise(&self, operation: Operation<'_>, path: &str) -> Authorisation;

    /// Whether a subscription to `mask` may stay after something has changed. Not a request of the
    /// session: neither counted nor a sign of life.
    fn may_keep(&self, mask: &str) -> Authorisation;

    /// The rights of `user`, for a request on his behalf.
    fn on_behalf_of(
        &self,
        user: &str,
    ) -> BoxFuture<'static, Result<Arc<dyn SessionRights>, Refusal>>;

    /// Does what clients may ask for their own account. The answer holds what is to be done once
    /// the client has been answered.
    fn account(&self, request: AccountRequest) -> BoxFuture<'static, Result<Afterwards, Refusal>>;
}

/// What the authority may do with sessions that are logged in. The node implements it.
pub trait SessionControl: Send + Sync + 'static {
    /// Ends a session for good, after what is queued for it: the client is told `reason`. False
    /// when there is no such session.
    fn end(&self, session_id: &str, reason: &str) -> bool;

    /// Tells a client that something changed in what it may do: `{whatHappnd, changedData}`.
    /// Clients that speak an older dialect than `happn_3` are not told.
    fn tell(&self, session_id: &str, change: &Json);

    /// Asks for every subscription of the session whether it may stay, and silently takes off
    /// those that may not. Done when the future is; dropping it leaves the rest as they are.
    fn recheck(&self, session_id: &str) -> BoxFuture<'static, ()>;
}

/// A login as it came.
#[derive(Clone, Debug)]
pub struct LoginRequest {
    /// The session that logs in; a fresh uuid when there is none.
    pub session_id: Arc<str>,
    /// The request's `data`, an object, unopened.
    pub data: Json,
    /// Where the client is.
    pub connection: Connection,
    /// How it came.
    pub via: Via,
}

/// How a login came to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Over a websocket.
    Socket,
    /// Over HTTP, for a token.
    Http,
    /// From within the process.
    Process,
}

/// A login that succeeded.
#[derive(Clone, Debug)]
pub struct Admission {
    /// Further members of the session object in the login's answer, in order, as a JSON object.
    pub members: Json,
    /// What it entitles to; `None` on an open node: to everything.
    pub rights: Option<Arc<dyn SessionRights>>,
    /// The token for later logins.
    pub token: Option<Arc<str>>,
    /// Whether the client is believed when it says that it is a node of a cluster.
    pub may_be_node: bool,
}

/// Where browsers keep their token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// The cookie's name.
    pub name: Cow<'static, str>,
    /// Whether protected connections have one of their own. Clients are told.
    pub https_apart: bool,
}

impl Default for Cookie {
    fn default() -> Self {
        Self {
            name: Cow::Borrowed("happn_token"),
            https_apart: false,
        }
    }
}

/// What a request wants to do with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation<'a> {
    /// Store or publish.
    Set,
    /// Read.
    Get,
    /// Learn how much there is.
    Count,
    /// Remove.
    Remove,
    /// Subscribe.
    On,
    /// Any other action by its name in permissions, such as an HTTP method in lower case.
    Named(&'a str),
}

impl<'a> Operation<'a> {
    /// The action's name in permissions.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        match self {
            Self::Set => "set",
            Self::Get => "get",
            Self::Count => "count",
            Self::Remove => "remove",
            Self::On => "on",
            Self::Named(name) => name,
        }
    }
}

/// A decision, or the promise of one.
pub enum Authorisation {
    /// Go ahead; with a filter, only where it lets through.
    Allowed(Option<Arc<dyn PathFilter>>),
    /// Refused; the client gets the error.
    Denied(Refusal),
    /// The decision needs to look something up first.
    Pending(BoxFuture<'static, Result<Option<Arc<dyn PathFilter>>, Refusal>>),
}

/// Which of the paths that a mask names a session may see.
pub trait PathFilter: Debug + Send + Sync + 'static {
    /// Whether the path is among them. Called for every event and document: must be quick.
    fn admits(&self, path: &str) -> bool;
}

/// What a client asks for its own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountRequest {
    /// The session's token is not to be accepted any more.
    RevokeToken {
        /// Why, for the record.
        reason: String,
    },
    /// End the sessions that logged in with this session's token.
    DisconnectChildren,
    /// A new password, with `{oldPassword, newPassword}` as it was sent.
    ChangePassword(Json),
}

/// What is to be done once a client has been answered.
pub type Afterwards = Option<BoxFuture<'static, ()>>;

/// A refusal as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", error.message)]
pub struct Refusal {
    /// What the client is answered.
    pub error: WireError,
    /// Ends the session after the answer; the client is told this reason.
    pub ends_session: Option<&'static str>,
}

impl Refusal {
    /// Access denied: `code` is 401 for credentials, 403 for rights; clients match the text.
    #[must_use]
    pub fn denied(code: u16, message: impl Into<String>) -> Self {
        WireError::access_denied(code, message).into()
    }

    /// What has not logged in may not do anything.
    #[must_use]
    pub fn no_login() -> Self {
        Self {
            ends_session: Some("no-session-policy"),
            ..Self::denied(403, "no policy attached to session")
        }
    }

    /// The same, and the session ends for `reason`.
    #[must_use]
    pub fn ending(self, reason: &'static str) -> Self {
        Self {
            ends_session: Some(reason),
            ..self
        }
    }
}

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        Self {
            error,
            ends_session: None,
        }
    }
}

/// Lets everybody do everything: a node without security.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenAuthority;

impl Authority for OpenAuthority {
    fn is_secure(&self) -> bool {
        false
    }

    fn login(&self, _request: LoginRequest) -> BoxFuture<'static, Result<Admission, Refusal>> {
        Box::pin(std::future::ready(Ok(Admission::open())))
    }

    fn bearer(&self, _token: &str) -> BoxFuture<'static, Result<Arc<dyn SessionRights>, Refusal>> {
        let refusal = Refusal::denied(401, "an open node gives out no tokens");
        Box::pin(std::future::ready(Err(refusal)))
    }
}

impl Admission {
    /// Of somebody who may do everything.
    #[must_use]
    pub fn open() -> Self {
        Self {
            members: Json::EMPTY_OBJECT,
            rights: None,
            token: None,
            may_be_node: true,
        }
    }
}
