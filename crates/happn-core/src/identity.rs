//! On whose behalf something is done on a secure node.

use std::sync::Arc;

use happn_protocol::{Json, WireError, write_string};

use crate::{
    AccountRequest, Afterwards, Authorisation, BoxFuture, Operation, Refusal, SessionRights,
};

/// Somebody who has logged in, and how events name him.
#[derive(Debug)]
pub(crate) struct Identity {
    rights: Arc<dyn SessionRights>,
    origin: Json,
}

impl Identity {
    pub(crate) fn of(rights: Arc<dyn SessionRights>) -> Arc<Self> {
        let mut origin = b"{\"username\":".to_vec();
        write_string(&mut origin, rights.username());
        origin.extend_from_slice(b",\"id\":");
        write_string(&mut origin, rights.session_id());
        origin.push(b'}');
        Arc::new(Self {
            rights,
            origin: Json::from_trusted(origin),
        })
    }

    /// The program around the node itself, which may do everything.
    pub(crate) fn of_the_node(session_id: Arc<str>) -> Arc<Self> {
        Self::of(Arc::new(OwnRights {
            username: OWN_NAME.into(),
            session_id,
        }))
    }

    pub(crate) fn rights(&self) -> &Arc<dyn SessionRights> {
        &self.rights
    }

    pub(crate) fn username(&self) -> &Arc<str> {
        self.rights.username()
    }

    pub(crate) fn session_id(&self) -> &Arc<str> {
        self.rights.session_id()
    }

    /// `{username, id}`, as events of secure nodes carry it.
    pub(crate) fn origin(&self) -> &Json {
        &self.origin
    }
}

/// As whom a secure node writes itself.
const OWN_NAME: &str = "_ADMIN";

#[derive(Debug)]
struct OwnRights {
    username: Arc<str>,
    session_id: Arc<str>,
}

impl SessionRights for OwnRights {
    fn username(&self) -> &Arc<str> {
        &self.username
    }

    fn session_id(&self) -> &Arc<str> {
        &self.session_id
    }

    fn authorise(&self, _operation: Operation<'_>, _path: &str) -> Authorisation {
        Authorisation::Allowed(None)
    }

    fn may_keep(&self, _mask: &str) -> Authorisation {
        Authorisation::Allowed(None)
    }

    fn on_behalf_of(
        &self,
        user: &str,
    ) -> BoxFuture<'static, Result<Arc<dyn SessionRights>, Refusal>> {
        let message = format!("the node itself does not act on behalf of {user}");
        Box::pin(std::future::ready(Err(WireError::plain(message).into())))
    }

    fn account(&self, _request: AccountRequest) -> BoxFuture<'static, Result<Afterwards, Refusal>> {
        let refusal = WireError::plain("the node itself has no account");
        Box::pin(std::future::ready(Err(refusal.into())))
    }
}
