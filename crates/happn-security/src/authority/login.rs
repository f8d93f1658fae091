//! Who may log in.

use std::sync::Arc;
use std::time::Duration;

use happn_core::{Admission, LoginRequest, Refusal};

use super::attempt::Attempt;
use super::provider::Checker;
use super::refusals::{admin_over_network, failed, invalid_credentials};
use super::session_object::NewSession;
use super::{AuthProvider, Shared};
use crate::audit::Record;
use crate::credentials::DigestError;
use crate::directory::{ADMIN, ANONYMOUS, DirectoryError, Password, User};

/// What every JavaScript node takes for the password of the anonymous user.
const ANONYMOUS_PASSWORD: &str = "anonymous";
/// How long a provider may take.
const PROVIDER_TIME_MAX: Duration = Duration::from_secs(30);

impl Shared {
    /// The checks come in the order clients know: the first one that fails is what they are told.
    pub(super) async fn login(
        self: &Arc<Self>,
        request: LoginRequest,
    ) -> Result<Admission, Refusal> {
        let attempt = Attempt::read(request);
        let actor = attempt.actor(attempt.username.as_deref().unwrap_or_default());
        let outcome = self.check(attempt).await;
        if let Err(refusal) = &outcome {
            self.directory.audit().record(&Record::Refused {
                actor: &actor,
                action: "login",
                path: "",
                reason: &refusal.error.message,
            });
        }
        outcome
    }

    async fn check(self: &Arc<Self>, mut attempt: Attempt) -> Result<Admission, Refusal> {
        if attempt.username.as_deref() == Some(ANONYMOUS) {
            if !self.config.allow_anonymous {
                return Err(Refusal::denied(401, "Anonymous access is disabled"));
            }
            attempt.password = Some(ANONYMOUS_PASSWORD.to_owned());
        }
        let has_secret = attempt.password.is_some() || attempt.digest.is_some();
        let is_complete = attempt.username.is_some() && has_secret;
        let chosen = self.chosen(&attempt)?;
        let checker = chosen.unwrap_or_else(|| self.config.providers.usual().clone());
        let by_directory = matches!(checker, Checker::Directory);
        if !is_complete && attempt.token.is_none() && by_directory {
            return Err(invalid_credentials());
        }
        let allowed_from = attempt.address().is_none_or(|address| {
            let credentials = attempt.credentials();
            self.config.profiles.allow_address(&credentials, address)
        });
        if !allowed_from {
            return Err(Refusal::denied(401, "Source address access restricted"));
        }
        self.check_admin(attempt.username.as_deref(), &attempt)?;
        match attempt.token.clone() {
            Some(token) => self.login_by_token(attempt, &token).await,
            None => self.login_by_secret(attempt).await,
        }
    }

    /// `_ADMIN` may be kept away from networks.
    pub(super) fn check_admin(
        &self,
        username: Option<&str>,
        attempt: &Attempt,
    ) -> Result<(), Refusal> {
        let refused = username == Some(ADMIN) && attempt.is_remote();
        match refused && !self.config.allow_admin_over_network {
            true => Err(admin_over_network()),
            false => Ok(()),
        }
    }

    async fn login_by_secret(self: &Arc<Self>, attempt: Attempt) -> Result<Admission, Refusal> {
        let name = attempt.username.clone().unwrap_or_default();
        self.check_lockout(&name, &attempt)?;
        let _turn = self.turns.wait(attempt.source).await;
        self.check_lockout(&name, &attempt)?;
        let checked = self.user_of(&name, &attempt).await;
        // While this one was checked, others may have guessed.
        self.check_lockout(&name, &attempt)?;
        match checked {
            Ok(user) => {
                self.lockout.succeeded(&name, attempt.source);
                let session = NewSession::of(&attempt, user);
                self.admit(session, &attempt).await
            }
            Err(refusal) => {
                if refusal.error.code == Some(401) {
                    let now = self.clock.monotonic();
                    self.lockout.failed(&name, attempt.source, now);
                }
                Err(refusal)
            }
        }
    }

    fn check_lockout(&self, name: &str, attempt: &Attempt) -> Result<(), Refusal> {
        let now = self.clock.monotonic();
        let checked = self.lockout.check(name, attempt.source, now);
        checked.map_err(|locked| Refusal::denied(403, locked.to_string()))
    }

    /// The user whose credentials these are.
    async fn user_of(
        self: &Arc<Self>,
        name: &str,
        attempt: &Attempt,
    ) -> Result<Arc<User>, Refusal> {
        let found = match self.directory.user(name).await {
            Ok(user) => user,
            Err(DirectoryError::Name(_)) => None,
            Err(error) => return Err(failed(&error)),
        };
        let checker = self.checker(found.as_deref(), attempt)?;
        match (checker, &attempt.password, &attempt.digest) {
            (Checker::Other(provider), ..) => self.ask(&*provider, attempt).await,
            (_, Some(password), _) => self.check_password(found, password).await,
            (_, None, Some(digest)) => self.check_digest(found, attempt, digest),
            (_, None, None) => Err(invalid_credentials()),
        }
    }

    /// Who checks a login that names the user `found`.
    fn checker(&self, found: Option<&User>, attempt: &Attempt) -> Result<Checker, Refusal> {
        let chosen = self.chosen(attempt)?;
        if found.is_some_and(|user| user.name().as_str() == ADMIN) {
            self.check_admin(Some(ADMIN), attempt)?;
            return Ok(Checker::Directory);
        }
        let providers = &self.config.providers;
        let of_user = || providers.named(found?.auth_type());
        let checker = chosen.or_else(of_user);
        Ok(checker.unwrap_or_else(|| providers.usual().clone()))
    }

    /// Whom a login names, if that is somebody.
    fn chosen(&self, attempt: &Attempt) -> Result<Option<Checker>, Refusal> {
        if attempt.auth_type.is_some() && !self.config.allow_choosing_provider {
            let message =
                "Invalid credentials: security policy disallows choosing of own auth provider";
            return Err(Refusal::denied(401, message));
        }
        Ok(self.config.providers.named(attempt.auth_type.as_deref()))
    }

    async fn ask(
        &self,
        provider: &dyn AuthProvider,
        attempt: &Attempt,
    ) -> Result<Arc<User>, Refusal> {
        let request = &attempt.request;
        let name = tokio::select! {
            answer = provider.authenticate(&request.data, &request.connection) => answer?,
            () = self.clock.sleep(PROVIDER_TIME_MAX) => {
                return Err(failed(&"whoever checks the credentials did not answer in time"));
            }
        };
        let user = self.directory.user(&name).await;
        let user = user.map_err(|error| failed(&error))?;
        // Nobody but the directory vouches for the admin.
        user.filter(|user| user.name().as_str() != ADMIN)
            .ok_or_else(invalid_credentials)
    }

    /// Costs the same whether there is such a user or not, and where the password is right but
    /// not known yet.
    async fn check_password(
        self: &Arc<Self>,
        user: Option<Arc<User>>,
        password: &str,
    ) -> Result<Arc<User>, Refusal> {
        let stored = user.as_ref().and_then(|user| user.password_hash()).cloned();
        if let (Some(user), Some(stored)) = (&user, &stored)
            && self.verified.contains(password, stored)
        {
            self.rehash(user.name(), password, stored);
            return Ok(user.clone());
        }
        let matching = Password::new(password);
        let matches = self.directory.hashing().matches(matching, stored.clone());
        match (matches.await, user, stored) {
            (Ok(true), Some(user), Some(stored)) => {
                self.verified.insert(password, &stored);
                self.rehash(user.name(), password, &stored);
                Ok(user)
            }
            (Ok(_), ..) => Err(invalid_credentials()),
            (Err(error), ..) => Err(failed(&error)),
        }
    }

    fn check_digest(
        &self,
        user: Option<Arc<User>>,
        attempt: &Attempt,
        digest: &str,
    ) -> Result<Arc<User>, Refusal> {
        let user = user.ok_or_else(invalid_credentials)?;
        let key = attempt.public_key.as_deref();
        let key = key.filter(|key| user.public_key() == Some(key));
        let key = key.ok_or_else(invalid_credentials)?;
        let redeemed = self.nonces.redeem(key, digest, self.clock.monotonic());
        redeemed.map_err(|error| match error {
            DigestError::NoNonce => Refusal::denied(401, error.to_string()),
            _ => invalid_credentials(),
        })?;
        Ok(user)
    }
}
