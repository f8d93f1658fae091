//! An authority that does what the names of tokens say.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use happn_core::{
    AccountRequest, Admission, Afterwards, Authorisation, Authority, BoxFuture, Connection,
    LoginRequest, Operation, Refusal, SessionRights, Via,
};
use serde_json::Value;

/// Knows the user `web` with the password `webPW`.
#[derive(Debug, Default)]
pub struct Scripted {
    failures: AtomicU32,
}

impl Authority for Scripted {
    fn is_secure(&self) -> bool {
        true
    }

    fn cookie(&self, connection: &Connection) -> happn_core::Cookie {
        match connection.encrypted {
            true => happn_core::Cookie {
                name: "happn_token_https".into(),
                ..happn_core::Cookie::default()
            },
            false => happn_core::Cookie::default(),
        }
    }

    fn login(&self, request: LoginRequest) -> BoxFuture<'static, Result<Admission, Refusal>> {
        assert_eq!(request.via, Via::Http);
        let data: Value = serde_json::from_str(request.data.as_str()).unwrap();
        assert_eq!(data["type"], 0);
        Box::pin(std::future::ready(self.decide(&data)))
    }

    fn nonce(&self, public_key: &str, _: &Connection) -> Result<String, Refusal> {
        Ok(format!("nonce for {public_key}"))
    }

    fn bearer(&self, token: &str) -> BoxFuture<'static, Result<Arc<dyn SessionRights>, Refusal>> {
        let verdict: Result<Arc<dyn SessionRights>, Refusal> = match token {
            "junk" | "is-token-false" | "non-jsonpack-payload" | "alg-none" => {
                Err(Refusal::denied(401, "invalid token format or null token"))
            }
            "revoked" | "after-logout" => Err(Refusal::denied(403, "token has been revoked")),
            "unknown-user" => Err(Refusal::denied(403, "unauthorized")),
            "other-userid" => Err(Refusal::denied(
                401,
                "token userid does not match userid for username: web",
            )),
            "broken-store" => Err(happn_protocol::WireError::system("no store", "Db").into()),
            token => Ok(Arc::new(Rights {
                token: token.into(),
                user: "web".into(),
            })),
        };
        Box::pin(std::future::ready(verdict))
    }
}

impl Scripted {
    fn decide(&self, data: &Value) -> Result<Admission, Refusal> {
        let wrong = || Err(Refusal::denied(401, "Invalid credentials"));
        let text = |member: &str| data[member].as_str().unwrap_or_default();
        match (text("username"), text("password"), text("token")) {
            ("web", ..) if self.failures.load(Ordering::Relaxed) >= 4 => {
                Err(Refusal::denied(403, "Account locked out"))
            }
            ("web", "webPW", _) => Ok(admission("from-login")),
            ("web", ..) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                wrong()
            }
            ("_ADMIN", ..) => Err(Refusal::denied(
                403,
                "use of _ADMIN credentials over the network is disabled",
            )),
            (_, _, "junk") => Err(Refusal::denied(
                401,
                "Invalid credentials: invalid session token",
            )),
            (_, _, "login-by-token-type1-tok") => Err(Refusal::denied(
                403,
                "token was created using the login type 1, which does not match how the new token \
                 is to be created",
            )),
            (_, _, token) if !token.is_empty() => Ok(admission(token)),
            _ => wrong(),
        }
    }
}

fn admission(token: &str) -> Admission {
    Admission {
        token: Some(token.into()),
        ..Admission::open()
    }
}

#[derive(Debug)]
struct Rights {
    token: Arc<str>,
    user: Arc<str>,
}

impl Rights {
    fn decide(&self, operation: Operation<'_>, path: &str) -> Result<(), Refusal> {
        let ended = |text: &str, reason| Err(Refusal::denied(403, text).ending(reason));
        let allowed = match (&*self.token, operation.as_str(), path) {
            ("expired", ..) => return ended("expired session token", "token-expired"),
            ("inactive", ..) => {
                return ended(
                    "session inactivity threshold reached",
                    "inactivity-threshold",
                );
            }
            ("usage-limit-1-2nd", ..) => {
                return ended("session usage limit reached", "usage-limit");
            }
            ("no-policy", ..) => {
                return ended("no policy attached to session", "no-session-policy");
            }
            ("no-policy-type-0", ..) => {
                return ended("no policy for session type", "no-session-type-policy");
            }
            ("policy-permissions-allow", "get", "/@HTTP/secure/zzz") => true,
            ("policy-permissions-deny", ..) => false,
            (_, "get", "/@HTTP/nothing" | "/@HTTP/secure/pct/secret%20x") => true,
            (_, "get", path) => path.starts_with("/@HTTP/secure/route/"),
            (_, "post" | "put", "/@HTTP/secure/post") => true,
            _ => false,
        };
        allowed
            .then_some(())
            .ok_or_else(|| Refusal::denied(403, "unauthorized"))
    }
}

impl SessionRights for Rights {
    fn username(&self) -> &Arc<str> {
        &self.user
    }

    fn session_id(&self) -> &Arc<str> {
        &self.token
    }

    fn authorise(&self, operation: Operation<'_>, path: &str) -> Authorisation {
        let decided = self.decide(operation, path);
        match path.len() % 2 {
            // Some decisions take a moment.
            0 => Authorisation::Pending(Box::pin(async move {
                tokio::task::yield_now().await;
                decided.map(|()| None)
            })),
            _ => match decided {
                Ok(()) => Authorisation::Allowed(None),
                Err(refusal) => Authorisation::Denied(refusal),
            },
        }
    }

    fn may_keep(&self, _: &str) -> Authorisation {
        Authorisation::Allowed(None)
    }

    fn on_behalf_of(&self, _: &str) -> BoxFuture<'static, Result<Arc<dyn SessionRights>, Refusal>> {
        Box::pin(std::future::ready(Err(Refusal::denied(
            403,
            "unauthorized",
        ))))
    }

    fn account(&self, request: AccountRequest) -> BoxFuture<'static, Result<Afterwards, Refusal>> {
        let reason = "by user request".to_owned();
        assert_eq!(request, AccountRequest::RevokeToken { reason });
        Box::pin(std::future::ready(Ok(None)))
    }
}
