//! Asking an admin listener.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use happn_tls::{TlsClient, TlsError, Trust};
use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::target::Target;

/// The longest answer taken.
const BODY_MAX: usize = 8 * 1024 * 1024;

/// What to ask. Shown without its body and its token, which may be secrets.
#[derive(Clone)]
pub struct Question {
    /// The verb.
    pub method: Method,
    /// The path and the query, percent-encoded.
    pub path: String,
    /// Who asks: a session token.
    pub token: Option<String>,
    /// JSON.
    pub body: Option<String>,
}

impl Question {
    /// Asks for what is at `path`.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self {
            method: Method::GET,
            path: path.to_owned(),
            token: None,
            body: None,
        }
    }
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Question");
        shown.field("method", &self.method);
        shown.field("path", &self.path).finish_non_exhaustive()
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// How long to wait before asking again, if the listener says so.
    pub retry_after: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Nobody listens, or nobody can be reached.
    #[error("nobody answers at {target}")]
    Unreachable {
        /// Who was asked.
        target: Target,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It took too long.
    #[error("no answer from {target} within {} ms", limit.as_millis())]
    TimedOut {
        /// Who was asked.
        target: Target,
        /// How long it may take.
        limit: Duration,
    },
    /// The file of authorities is of no use.
    #[error(transparent)]
    Trust(#[from] TlsError),
    /// Whoever listens there speaks no TLS, or is not trusted.
    #[error("there is no trusted connection to {target}")]
    Untrusted {
        /// Who was asked.
        target: Target,
        /// What is wrong.
        #[source]
        source: io::Error,
    },
    /// Whoever listens there does not speak HTTP, or the answer is too long.
    #[error("what {target} answers is no HTTP")]
    NotHttp {
        /// Who was asked.
        target: Target,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Asks `target` for what is at `path`; all together may take `limit`. A target with TLS needs a
/// certificate of a public authority. Cancel-safe.
///
/// # Errors
/// When there is no answer in HTTP in time. Any status is an answer.
pub async fn fetch(target: &Target, path: &str, limit: Duration) -> Result<Fetched, FetchError> {
    let client = AdminClient::new(target.clone(), &Trust::Public)?;
    client.ask(&Question::get(path), limit).await
}

/// Asks one listener, each time over a connection of its own.
#[derive(Debug)]
pub struct AdminClient {
    target: Target,
    tls: Option<TlsClient>,
}

impl AdminClient {
    /// One that asks `target`; `trust` matters for a target with TLS only.
    ///
    /// # Errors
    /// When an authority's file cannot be used.
    pub fn new(target: Target, trust: &Trust) -> Result<Self, FetchError> {
        let tls = match target.is_encrypted() {
            true => Some(TlsClient::new(trust)?),
            false => None,
        };
        Ok(Self { target, tls })
    }

    /// Who is asked.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Asks; all together may take `limit`. Dropping the future closes the connection; what was
    /// asked may be done all the same.
    ///
    /// # Errors
    /// When there is no answer in HTTP in time. Any status is an answer.
    pub async fn ask(&self, question: &Question, limit: Duration) -> Result<Fetched, FetchError> {
        // A connection is large, and nobody needs it in place.
        let asked = Box::pin(self.connect_and_ask(question));
        let asked = tokio::time::timeout(limit, asked).await;
        asked.unwrap_or_else(|_| {
            let target = self.target.clone();
            Err(FetchError::TimedOut { target, limit })
        })
    }

    async fn connect_and_ask(&self, question: &Question) -> Result<Fetched, FetchError> {
        let target = || self.target.clone();
        let stream = TcpStream::connect(self.target.authority()).await;
        let stream = stream.map_err(|source| FetchError::Unreachable {
            target: target(),
            source,
        })?;
        let answer = match &self.tls {
            None => over(stream, &self.target, question).await,
            Some(tls) => {
                let stream = tls.connect(self.target.host(), stream).await;
                let stream = stream.map_err(|source| FetchError::Untrusted {
                    target: target(),
                    source,
                })?;
                over(stream, &self.target, question).await
            }
        };
        answer.map_err(|source| FetchError::NotHttp {
            target: target(),
            source,
        })
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn over<S>(stream: S, target: &Target, question: &Question) -> Result<Fetched, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = request(target, question)?;
    let answer = async {
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        let retry_after = seconds(response.headers().get(header::RETRY_AFTER));
        let body = Limited::new(response.into_body(), BODY_MAX)
            .collect()
            .await?;
        let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Ok(Fetched {
            status,
            body,
            retry_after,
        })
    };
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // The connection may end before the answer has been read from it.
        _ = connection => answer.await,
    }
}

fn seconds(value: Option<&HeaderValue>) -> Option<Duration> {
    let seconds = value?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn request(target: &Target, question: &Question) -> Result<Request<Full<Bytes>>, http::Error> {
    let mut request = Request::builder()
        .method(question.method.clone())
        .uri(&question.path)
        .header(header::HOST, target.authority())
        .header(header::CONNECTION, "close");
    if let Some(token) = &question.token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if question.body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = question.body.clone().unwrap_or_default();
    request.body(Full::new(Bytes::from(body)))
}
