//! The values about HTTP, typed.

use std::path::PathBuf;

use serde::Deserialize;

/// `services.connect.config`.
#[derive(Clone, Debug, Deserialize)]
pub struct ConnectSettings {
    /// `middleware`.
    pub middleware: MiddlewareSettings,
}

/// `services.connect.config.middleware`.
#[derive(Clone, Debug, Deserialize)]
pub struct MiddlewareSettings {
    /// `security`.
    pub security: HttpSecuritySettings,
}

/// `services.connect.config.middleware.security`: of a secure cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpSecuritySettings {
    /// `exclusions`.
    pub exclusions: Vec<String>,
    /// `unauthorizedResponsePath`.
    pub unauthorized_response_path: Option<PathBuf>,
    /// `forbiddenResponsePath`.
    pub forbidden_response_path: Option<PathBuf>,
    /// `allowLogoutOverHttp`.
    pub allow_logout_over_http: bool,
    /// `setCookie`.
    pub set_cookie: bool,
    /// `origins`.
    pub origins: Vec<String>,
    /// `trustForwarded`.
    pub trust_forwarded: bool,
}
