//! How HTTP requests of a secure node are checked.

use bytes::Bytes;

/// Settings of the check that HTTP requests pass on a secure node. The default lets nothing
/// through without a token.
#[derive(Clone, Debug, Default)]
pub struct HttpSecurity {
    /// Paths that need no token: patterns with `*`, compared without regard to case; `/` is the
    /// root alone.
    pub exclusions: Vec<String>,
    /// HTML to answer instead of the plain text of a 401.
    pub unauthorized_page: Option<Bytes>,
    /// HTML to answer instead of the plain text of a 403.
    pub forbidden_page: Option<Bytes>,
    /// Whether `/auth/logout` revokes the token it is asked with.
    pub allow_logout: bool,
    /// Whether `/auth/login` also sets the cookie, out of reach of scripts. Off, because the
    /// client for browsers wants to read and write it.
    pub set_cookie: bool,
    /// Origins beside the node's own, such as `https://app.example.com`, whose pages may change
    /// things with the cookie of the user who looks at them.
    pub origins: Vec<String>,
    /// Whether forwarding headers say where a client of the node's own port is, also of a
    /// websocket: only behind a proxy that sets them. A front door has its own rule.
    pub trusts_forwarded: bool,
}
