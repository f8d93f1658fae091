//! Logins, as a secure node takes them.

use std::sync::Arc;

use happn_core::{
    Authority as _, Connection, DataService, LoginRequest, MemoryStore, SystemClock, Via,
};
use happn_protocol::Json;
use happn_security::authority::{AuthorityConfig, SecurityAuthority};
use happn_security::credentials::{LockoutConfig, Passwords};
use happn_security::directory::{
    Directory, DirectoryError, HashingPool, NameFolding, Password, StartUp, UserDraft,
};
use tokio::runtime::Runtime;

use crate::text;

/// What is known of the user `joe` to everybody: a key, of which nobody has the other half.
const PEM: &str =
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----";

/// A node that lives as long as its thread, because making one takes long.
struct House {
    runtime: Runtime,
    authority: Arc<SecurityAuthority>,
}

thread_local! {
    static HOUSE: Option<House> = House::build();
}

/// `data` as logins, a line each, over a socket and over HTTP, and as tokens of requests.
///
/// # Panics
/// When one is let in, or refused as if the node had failed.
pub fn logins(data: &[u8]) {
    HOUSE.with(|house| {
        assert!(house.is_some(), "no node");
        if let Some(house) = house {
            for line in text(data).lines().take(16) {
                house.runtime.block_on(house.refuse(line));
            }
        }
    });
}

impl House {
    fn build() -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let runtime = runtime.ok()?;
        let authority = runtime.block_on(authority()).ok()?;
        Some(Self { runtime, authority })
    }

    async fn refuse(&self, line: &str) {
        assert!(
            self.authority.bearer(line).await.is_err(),
            "a token of nobody is taken"
        );
        let Ok(data) = Json::parse(line) else { return };
        for via in [Via::Socket, Via::Http] {
            let request = LoginRequest {
                session_id: "s".into(),
                data: data.clone(),
                connection: Connection::in_process(),
                via,
            };
            let code = match self.authority.login(request).await {
                Ok(_) => None,
                Err(refusal) => refusal.error.code,
            };
            assert!(matches!(code, Some(401 | 403)), "{code:?} is no refusal");
        }
    }
}

/// Knows `_ADMIN` and `joe`, and their passwords nobody.
async fn authority() -> Result<Arc<SecurityAuthority>, DirectoryError> {
    let password = || Password::new(&uuid::Uuid::new_v4().to_string());
    let clock = Arc::new(SystemClock::new());
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let hashing = HashingPool::new(Arc::new(Passwords::new(1)), 2, 64);
    let directory = Directory::new(data, clock.clone(), hashing, NameFolding::default());
    let start = StartUp {
        admin_password: Some(password()),
        ..StartUp::default()
    };
    let started = directory.start(start).await?;
    let joe = UserDraft::new("joe").password(password()).public_key(PEM);
    directory.upsert_user(joe, true).await?;
    let config = AuthorityConfig {
        lockout: LockoutConfig {
            enabled: false,
            ..LockoutConfig::default()
        },
        ..AuthorityConfig::of_node("fuzzed")
    };
    Ok(SecurityAuthority::new(
        config,
        directory,
        started.token_secret,
        clock,
    ))
}
