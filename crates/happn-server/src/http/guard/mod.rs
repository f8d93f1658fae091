//! Who may ask what over HTTP on a secure node: everything that the node does not serve to
//! everybody passes here first.

mod auth;
mod exclusion;
mod form;
mod origin;
mod presented;
mod refusal;

use std::sync::Arc;

use happn_core::{
    AccountRequest, Arrival, Authorisation, Authority, Connection, Operation, Refusal,
    SessionRights,
};
use hyper::Request;
use hyper::StatusCode;
use hyper::http::request::Parts;

use self::presented::Presented;
use super::body::Arriving;
use super::pages::{Page, error_page};
use crate::listener::Shared;
use crate::socket::connection_of;

/// Where the paths of HTTP requests stand among those that rules are about.
const RULE_PREFIX: &str = "/@HTTP";

/// Lets the request through, or answers it. A request that was let through for somebody carries
/// his `Arc<dyn SessionRights>` among its extensions.
pub(super) async fn admit(
    shared: &Shared,
    arrival: &Arrival,
    request: Request<Arriving>,
) -> Result<Request<Arriving>, Page> {
    if !shared.node.is_secure() {
        return Ok(request);
    }
    let guard = Guard {
        shared,
        authority: shared.node.authority(),
        connection: connection_of(shared, &request, arrival),
    };
    guard.admit(request).await
}

struct Guard<'a> {
    shared: &'a Shared,
    authority: &'a Arc<dyn Authority>,
    connection: Connection,
}

impl Guard<'_> {
    async fn admit(&self, request: Request<Arriving>) -> Result<Request<Arriving>, Page> {
        let path = request.uri().path();
        if exclusion::is_excluded(&self.shared.config.security.exclusions, path) {
            return Ok(request);
        }
        match path {
            "/auth/request-nonce" => Err(self.nonce(request.uri().query())),
            "/auth/login" => Err(self.login(request).await),
            _ => {
                let (mut head, body) = request.into_parts();
                let rights = self.rights(&head).await?;
                head.extensions.insert(rights);
                Ok(Request::from_parts(head, body))
            }
        }
    }

    /// The rights of whoever sends the request, if they reach as far as this request.
    async fn rights(&self, head: &Parts) -> Result<Arc<dyn SessionRights>, Page> {
        let cookie = self.authority.cookie(&self.connection);
        let presented = presented::find(head, &cookie.name);
        let presented = presented.ok_or_else(|| self.unauthorized(refusal::NO_TOKEN))?;
        let rights = self.authority.bearer(&presented.token).await;
        let rights = rights.map_err(|refused| self.refused(head, None, refused))?;
        if presented.in_cookie && !origin::is_own(head, &self.shared.config.security.origins) {
            let text = "pages of another origin may not use this cookie for such a request";
            return Err(self.forbidden(text));
        }
        if head.uri.path() == "/auth/logout" {
            return Err(self.logout(head, &presented, rights).await);
        }
        self.authorise(head, &*rights).await?;
        Ok(rights)
    }

    async fn authorise(&self, head: &Parts, rights: &dyn SessionRights) -> Result<(), Page> {
        // What stands for another path must not be decided about by its looks.
        if !exclusion::is_plain(head.uri.path()) {
            return Err(self.forbidden(&refusal::no_access(head)));
        }
        let path = format!("{RULE_PREFIX}{}", head.uri.path());
        let action = head.method.as_str().to_ascii_lowercase();
        let decided = match rights.authorise(Operation::Named(&action), &path) {
            Authorisation::Allowed(_) => Ok(()),
            Authorisation::Denied(refused) => Err(refused),
            Authorisation::Pending(decision) => decision.await.map(|_| ()),
        };
        decided.map_err(|refused| self.refused(head, Some(rights), refused))
    }

    async fn logout(
        &self,
        head: &Parts,
        presented: &Presented,
        rights: Arc<dyn SessionRights>,
    ) -> Page {
        if !self.shared.config.security.allow_logout {
            return self.forbidden("logouts over http are not allowed");
        }
        let request = AccountRequest::RevokeToken {
            reason: "by user request".to_owned(),
        };
        match rights.account(request).await {
            Err(refused) => self.refused(head, Some(&*rights), refused),
            Ok(afterwards) => {
                if let Some(afterwards) = afterwards {
                    afterwards.await;
                }
                let page = auth::answer("logout successful", &presented.token);
                self.without_cookie(page)
            }
        }
    }

    /// The page for a refusal of the authority, of `rights` if they are known.
    fn refused(&self, head: &Parts, rights: Option<&dyn SessionRights>, refused: Refusal) -> Page {
        tracing::debug!(path = head.uri.path(), reason = %refused, "an HTTP request is refused");
        match (rights, refused.error.code) {
            // A refusal that would end a session is about the session, not about the path.
            (Some(rights), Some(401 | 403)) if refused.ends_session.is_some() => {
                let user = rights.username();
                let reason = refused.error.message;
                self.unauthorized(&format!("authorization failed for {user}: {reason}"))
            }
            (_, Some(403)) => self.forbidden(&refusal::no_access(head)),
            (None, Some(401)) => self.unauthorized(&refused.error.message),
            (Some(_), Some(401)) => self.forbidden(&refusal::no_access(head)),
            _ => error_page(StatusCode::INTERNAL_SERVER_ERROR, &refused.error.message),
        }
    }

    fn unauthorized(&self, text: &str) -> Page {
        refusal::unauthorized(&self.shared.config.security, text)
    }

    fn forbidden(&self, text: &str) -> Page {
        refusal::forbidden(&self.shared.config.security, text)
    }
}
