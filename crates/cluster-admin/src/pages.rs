//! What is served.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;

use crate::api::{self, Api};

/// A future that makes an answer.
pub type AnswerFuture<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Something to be read at one path.
pub trait Page: Send + Sync + 'static {
    /// What is there now. Dropping the future gives the question up; it must not wait for long.
    fn answer(&self) -> AnswerFuture<'_>;
}

/// What a page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub media_type: &'static str,
    /// The body.
    pub body: String,
}

impl Answer {
    /// A text for people.
    #[must_use]
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            media_type: "text/plain; charset=utf-8",
            body: body.into(),
        }
    }

    /// JSON text.
    #[must_use]
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            media_type: "application/json",
            body: body.into(),
        }
    }

    fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body.into()));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// What a listener serves: pages for everybody, and an API for administrators.
#[derive(Default)]
pub struct Site {
    pages: BTreeMap<&'static str, Box<dyn Page>>,
    api: Option<Api>,
}

impl Site {
    /// Pages, each at exactly its path, to be read by everybody.
    #[must_use]
    pub fn of(pages: Vec<(&'static str, Box<dyn Page>)>) -> Self {
        Self {
            pages: pages.into_iter().collect(),
            api: None,
        }
    }

    /// The same, and an API below `/api/v1`.
    #[must_use]
    pub fn with_api(self, api: Api) -> Self {
        Self {
            api: Some(api),
            ..self
        }
    }

    /// The API that `path` is for.
    pub(crate) fn api_of(&self, path: &str) -> Option<&Api> {
        let api = self.api.as_ref()?;
        let below = path.strip_prefix(api::PREFIX)?;
        (below.is_empty() || below.starts_with('/')).then_some(api)
    }

    pub(crate) async fn page(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        let Some(page) = self.pages.get(path) else {
            let document = format!("{}/openapi.json", api::PREFIX);
            let api = self.api.as_ref().map(|_| document.as_str());
            let known: Vec<_> = self.pages.keys().copied().chain(api).collect();
            let body = format!("nothing at this path; there are {}\n", known.join(", "));
            return Answer::text(404, body).into_response();
        };
        if method != Method::GET && method != Method::HEAD {
            let refusal = Answer::text(405, "only GET and HEAD are allowed here\n");
            let mut response = refusal.into_response();
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, allowed);
            return response;
        }
        // hyper leaves the body out of an answer to HEAD.
        page.answer().await.into_response()
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("pages", &self.pages.keys())
            .field("api", &self.api)
            .finish()
    }
}
