//! HTTP routes of the program around the server, on the server's own port.
//!
//! ```
//! # async fn example(server: &happn_server::Server) -> Result<(), happn_server::mount::MountError> {
//! use happn_server::mount::{Bytes, Request, Response};
//!
//! server.mount("/hello", async |request: Request<Bytes>| {
//!     Response::new(format!("hello from {}\n", request.uri().path()).into())
//! })?;
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

pub use bytes::Bytes;
use happn_core::BoxFuture;
pub use hyper::{HeaderMap, Method, Request, Response, StatusCode, header};

/// Answers requests below a path. Functions that take a request and answer a future are handlers.
///
/// The request's body has been read, at most as much as a websocket message may have. Its
/// extensions hold the client's [`Arrival`](happn_core::Arrival) and, on a secure node, the rights
/// of whoever asks as `Arc<dyn `[`SessionRights`](happn_core::SessionRights)`>`, unless the path
/// needs no token. The future is dropped when the client goes away first.
pub trait HttpHandler: Send + Sync + 'static {
    /// Answers one request.
    fn handle(&self, request: Request<Bytes>) -> BoxFuture<'static, Response<Bytes>>;
}

impl<F, A> HttpHandler for F
where
    F: Fn(Request<Bytes>) -> A + Send + Sync + 'static,
    A: Future<Output = Response<Bytes>> + Send + 'static,
{
    fn handle(&self, request: Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> {
        Box::pin(self(request))
    }
}

/// Why a handler cannot be mounted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MountError {
    /// No path in the sense of a URL.
    #[error(
        "cannot mount at {path:?}: a path begins with / and does not end with it, and holds no ? or #"
    )]
    BadPath {
        /// What was asked for.
        path: String,
    },
    /// The server answers there itself.
    #[error("cannot mount at {path:?}: {by} is served by the node itself")]
    Reserved {
        /// What was asked for.
        path: String,
        /// Which of the server's own paths is in the way.
        by: &'static str,
    },
    /// Another handler is there.
    #[error("cannot mount at {path:?}: another handler is mounted there")]
    Taken {
        /// What was asked for.
        path: String,
    },
}

/// What the server serves itself. The first one takes every path that merely begins so.
const OWN: [&str; 6] = [
    "/primus",
    "/browser_primus.js",
    "/browser_crypto.js",
    "/browser_client",
    "/version",
    "/ping",
];

/// The table of handlers. A handler takes its path and everything below it; the longest path
/// that fits decides.
#[derive(Default)]
pub(crate) struct Mounts {
    handlers: RwLock<Vec<(String, Arc<dyn HttpHandler>)>>,
}

impl Mounts {
    pub(crate) fn add(&self, path: &str, handler: Arc<dyn HttpHandler>) -> Result<(), MountError> {
        let path = check(path)?;
        let mut handlers = self
            .handlers
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        match handlers.binary_search_by(|(other, _)| other.as_str().cmp(&path)) {
            Ok(_) => Err(MountError::Taken { path }),
            Err(place) => {
                handlers.insert(place, (path, handler));
                Ok(())
            }
        }
    }

    pub(crate) fn remove(&self, path: &str) -> bool {
        let mut handlers = self
            .handlers
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let before = handlers.len();
        handlers.retain(|(other, _)| other != path);
        handlers.len() < before
    }

    pub(crate) fn find(&self, path: &str) -> Option<Arc<dyn HttpHandler>> {
        let handlers = self.handlers.read().unwrap_or_else(PoisonError::into_inner);
        let fitting = handlers
            .iter()
            .filter(|(mounted, _)| is_below(mounted, path));
        let longest = fitting.max_by_key(|(mounted, _)| mounted.len());
        longest.map(|(_, handler)| handler.clone())
    }
}

impl fmt::Debug for Mounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handlers = self.handlers.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_list()
            .entries(handlers.iter().map(|(path, _)| path))
            .finish()
    }
}

/// `/` is the path that everything is below.
fn is_below(mounted: &str, path: &str) -> bool {
    let rest = path.strip_prefix(mounted.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn check(path: &str) -> Result<String, MountError> {
    let path = path.to_owned();
    let closed = path.len() > 1 && path.ends_with('/');
    if !path.starts_with('/') || closed || path.contains(['?', '#']) {
        return Err(MountError::BadPath { path });
    }
    let lower = path.to_ascii_lowercase();
    let in_the_way =
        |own: &&&str| lower == **own || (**own == "/primus" && lower.starts_with(**own));
    match OWN.iter().find(in_the_way) {
        Some(by) => Err(MountError::Reserved { path, by }),
        None => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn say(text: &'static str) -> Response<Bytes> {
        Response::new(text.into())
    }

    fn mounts(paths: &[&'static str]) -> Mounts {
        let mounts = Mounts::default();
        for path in paths {
            let path = *path;
            let handler = Arc::new(move |_: Request<Bytes>| say(path));
            mounts.add(path, handler).unwrap();
        }
        mounts
    }

    async fn who_answers(mounts: &Mounts, path: &str) -> Option<Bytes> {
        let handler = mounts.find(path)?;
        Some(handler.handle(Request::default()).await.into_body())
    }

    #[tokio::test]
    async fn the_longest_path_that_fits_decides() {
        let mounts = mounts(&["/a", "/a/b", "/c"]);
        for (path, expected) in [
            ("/a", Some("/a")),
            ("/a/", Some("/a")),
            ("/a/x/y", Some("/a")),
            ("/a/b", Some("/a/b")),
            ("/a/b/c", Some("/a/b")),
            ("/a/bc", Some("/a")),
            ("/ab", None),
            ("/", None),
        ] {
            let answered = who_answers(&mounts, path).await;
            assert_eq!(answered.as_deref(), expected.map(str::as_bytes), "{path}");
        }
    }

    #[tokio::test]
    async fn a_handler_at_the_root_takes_the_rest() {
        let mounts = mounts(&["/", "/a"]);
        assert_eq!(who_answers(&mounts, "/b/c").await.unwrap(), "/");
        assert_eq!(who_answers(&mounts, "/a/c").await.unwrap(), "/a");
    }

    #[test]
    fn a_path_that_cannot_be_served_is_refused() {
        let mounts = mounts(&["/a"]);
        let refusal = |path| mounts.add(path, Arc::new(|_| say(""))).unwrap_err();
        for path in ["", "a", "/a/", "/a?b", "/a#b"] {
            assert!(
                matches!(refusal(path), MountError::BadPath { .. }),
                "{path}"
            );
        }
        for path in [
            "/primus",
            "/primusx/y",
            "/version",
            "/Ping",
            "/browser_client",
        ] {
            assert!(
                matches!(refusal(path), MountError::Reserved { .. }),
                "{path}"
            );
        }
        assert_eq!(
            refusal("/a"),
            MountError::Taken {
                path: "/a".to_owned()
            }
        );
    }

    #[test]
    fn what_was_unmounted_is_gone() {
        let mounts = mounts(&["/a"]);
        assert!(mounts.remove("/a"));
        assert!(!mounts.remove("/a"));
        assert!(mounts.find("/a").is_none());
    }
}
