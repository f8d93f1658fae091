//! Administration over HTTP: users, groups, rules, tables, sessions and tokens.
//!
//! ```text
//! request ─► route ─► rate ─► origin ─► TLS ─► token ─► administrator ─► body ─► directory
//!              │                                                                    │
//!              └─ one table: dispatch, verbs, and the OpenAPI document        audit ◄┘
//! ```
//!
//! No cookie is ever read or set: whoever asks shows a token in a header, which no page of another
//! origin can make a browser do.

mod call;
mod desk;
mod groups;
mod limiter;
mod login;
mod lookups;
mod openapi;
mod origin;
mod permissions;
mod problem;
mod provisioning;
mod request;
mod route;
mod routes;
mod sessions;
mod shape;
mod shapes;
mod tokens;
mod users;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use happn_core::Node;
use happn_security::authority::SecurityAuthority;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{HeaderName, Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use serde_json::Value;

use desk::Desk;
use problem::Problem;
use route::{Reply, Work};
use routes::ROUTES;

pub(crate) use call::Caller;
pub use limiter::Rate;

/// What every path of the API begins with.
pub(crate) const PREFIX: &str = "/api/v1";

/// Limits of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiConfig {
    /// How long the token of a login may be used.
    pub token_ttl: Duration,
    /// The largest body.
    pub body_bytes_max: usize,
    /// How long a body may take to arrive.
    pub body_time_max: Duration,
    /// Requests of one address, logins included.
    pub requests: Rate,
    /// Attempts to log in from one address.
    pub logins: Rate,
    /// Attempts to log in from all addresses together.
    pub logins_of_all: Rate,
}

impl Default for ApiConfig {
    fn default() -> Self {
        let rate = |burst, ms| Rate {
            burst,
            every: Duration::from_millis(ms),
        };
        Self {
            token_ttl: Duration::from_secs(3600),
            body_bytes_max: 1024 * 1024,
            body_time_max: Duration::from_secs(10),
            requests: rate(500, 10),
            logins: rate(20, 1000),
            logins_of_all: rate(200, 50),
        }
    }
}

/// The API of one node.
pub struct Api {
    /// Absent on an open node, which has no users.
    desk: Option<Arc<Desk>>,
    document: Bytes,
}

impl Api {
    /// The API of `node`, whose users are those of `authority`; without one every request but that
    /// for the document is told that the node is not secure.
    #[must_use]
    pub fn new(
        node: Arc<Node>,
        authority: Option<Arc<SecurityAuthority>>,
        config: ApiConfig,
    ) -> Self {
        let desk = authority.map(|authority| Arc::new(Desk::new(node, authority, config)));
        let document = openapi::document(ROUTES).to_string().into();
        Self { desk, document }
    }

    pub(crate) async fn serve(
        &self,
        request: Request<Incoming>,
        caller: Caller,
    ) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().strip_prefix(PREFIX).unwrap_or_default();
        let outcome = async {
            let found = route::find(ROUTES, path)?;
            let operation = found.route.operation(head.method.as_str())?;
            if matches!(operation.work, Work::Document) {
                return Ok(None);
            }
            let desk = self.desk.as_ref().ok_or_else(Problem::not_secure)?;
            let served = desk.serve((&head, body), (found, operation), caller);
            served.await.map(Some)
        };
        let outcome = match self.count(&head, caller) {
            Ok(()) => outcome.await,
            Err(problem) => Err(problem),
        };
        match outcome {
            Ok(None) => response(200, Some(self.document.clone())),
            Ok(Some(reply)) => replied(reply),
            Err(problem) => refused(&problem),
        }
    }

    fn count(&self, head: &http::request::Parts, caller: Caller) -> Result<(), Problem> {
        let desk = self.desk.as_ref();
        desk.map_or(Ok(()), |desk| desk.count(head, caller))
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("is_secure", &self.desk.is_some())
            .finish_non_exhaustive()
    }
}

fn replied(reply: Reply) -> Response<Full<Bytes>> {
    response(reply.status.as_u16(), reply.body.map(|body| text(&body)))
}

fn refused(problem: &Problem) -> Response<Full<Bytes>> {
    let mut response = response(problem.status.as_u16(), Some(text(&problem.json())));
    if let Some(header) = &problem.header {
        let (name, value) = &**header;
        response.headers_mut().insert(name.clone(), value.clone());
    }
    response
}

fn text(body: &Value) -> Bytes {
    body.to_string().into()
}

/// Answers hold names, rules and tokens: nothing for caches.
fn response(status: u16, body: Option<Bytes>) -> Response<Full<Bytes>> {
    let has_body = body.is_some();
    let mut response = Response::new(Full::new(body.unwrap_or_default()));
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let sniffing = HeaderName::from_static("x-content-type-options");
    headers.insert(sniffing, HeaderValue::from_static("nosniff"));
    if has_body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}
