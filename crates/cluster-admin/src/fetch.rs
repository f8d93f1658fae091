//! Asking an admin listener.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The longest answer taken.
const BODY_MAX: usize = 8 * 1024 * 1024;

/// Which listener to ask: `http://host:port`, or just `host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `host:port`; brackets around an IPv6 address.
    authority: String,
}

/// A text that names no listener.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no address of an admin listener: it must look like http://127.0.0.1:56000")]
pub struct TargetError {
    text: String,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let wrong = || TargetError {
            text: text.to_owned(),
        };
        let url = match text.contains("://") {
            true => text.to_owned(),
            false => format!("http://{text}"),
        };
        let url: Uri = url.parse().map_err(|_| wrong())?;
        let authority = url.authority().ok_or_else(wrong)?;
        let is_plain = url.scheme_str() == Some("http")
            && !authority.as_str().contains('@')
            && url.query().is_none()
            && matches!(url.path(), "" | "/" | "/health" | "/health/");
        let port = authority.port_u16().filter(|port| *port > 0);
        match port {
            Some(_) if is_plain => Ok(Self {
                authority: authority.to_string(),
            }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
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

/// Asks `target` for what is at `path`; all together may take `limit`. Cancel-safe.
///
/// # Errors
/// When there is no answer in HTTP in time. Any status is an answer.
pub async fn fetch(target: &Target, path: &str, limit: Duration) -> Result<Fetched, FetchError> {
    let asked = tokio::time::timeout(limit, ask(target, path)).await;
    asked.unwrap_or_else(|_| {
        let target = target.clone();
        Err(FetchError::TimedOut { target, limit })
    })
}

async fn ask(target: &Target, path: &str) -> Result<Fetched, FetchError> {
    let stream = TcpStream::connect(&target.authority).await;
    let stream = stream.map_err(|source| FetchError::Unreachable {
        target: target.clone(),
        source,
    })?;
    over(stream, target, path)
        .await
        .map_err(|source| FetchError::NotHttp {
            target: target.clone(),
            source,
        })
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn over(stream: TcpStream, target: &Target, path: &str) -> Result<Fetched, Failure> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(path)
        .header(header::HOST, &target.authority)
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    let answer = async {
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), BODY_MAX)
            .collect()
            .await?;
        let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Ok(Fetched { status, body })
    };
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // The connection may end before the answer has been read from it.
        _ = connection => answer.await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_host_and_a_port() {
        for text in [
            "http://127.0.0.1:56000",
            "127.0.0.1:56000",
            "http://127.0.0.1:56000/health",
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), "http://127.0.0.1:56000", "{text}");
        }
        assert!("[::1]:56000".parse::<Target>().is_ok());
        for text in [
            "",
            "127.0.0.1",
            "127.0.0.1:0",
            "127.0.0.1:99999",
            "https://127.0.0.1:56000",
            "ws://127.0.0.1:56000",
            "http://me@127.0.0.1:56000",
            "http://127.0.0.1:56000/metrics",
            "http://127.0.0.1:56000/?a",
            "a b:1",
        ] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains("must look like"), "{text}: {error}");
        }
    }
}
