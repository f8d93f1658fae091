//! The secure servers of recordings: their users and rules, and what was done to them meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use happn_core::{
    Authority, BoxFuture, Clock, Connection, DataService, LoginRequest, SystemClock, Via,
};
use happn_protocol::Json;
use happn_security::authority::{AuthorityConfig, SecurityAuthority};
use happn_security::credentials::{LockoutConfig, Passwords};
use happn_security::directory::{
    Directory, GroupDraft, GroupName, HashingPool, Holder, NameFolding, Password, PermissionSet,
    StartUp, UserDraft, UserName,
};
use happn_security::policy::Profiles;
use serde_json::{Value, json};

use super::script::{Line, What};
use super::volatile::Known;

/// What a recorded server was told before it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    Login,
    Failures,
    Revocation,
    Directory,
    Ending,
    Nested,
    OnBehalf,
    Reconnecting,
    Browser,
    DocumentStore,
    #[allow(dead_code, reason = "not every test file plays links")]
    MixedCluster,
}

impl Scenario {
    /// Whether the recorded server kept who wrote a document: it did so in its database only.
    pub fn keeps_authors(self) -> bool {
        self == Self::DocumentStore
    }
}

/// The security service of one node.
pub struct Security {
    pub authority: Arc<SecurityAuthority>,
    pub clock: Arc<ShiftedClock>,
    scenario: Scenario,
    /// Recorded on a server of the newer generation.
    is_newer: bool,
}

/// The machine's clock, which can be put forward.
#[derive(Debug, Default)]
pub struct ShiftedClock {
    clock: SystemClock,
    ahead_ms: AtomicU64,
}

impl Clock for ShiftedClock {
    fn wall_ms(&self) -> i64 {
        self.clock.wall_ms()
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic() + Duration::from_millis(self.ahead_ms.load(Ordering::Relaxed))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }
}

/// The keys in the recordings of both generations; their private halves are not known.
const NEWER_KEY_OF_BOB: &str = "-----BEGIN RSA PUBLIC KEY-----\nMIIBCgKCAQEA4gK9zywlygVN94GSxEhPCoL7FDh0x7X0ByKw20igEgl7xwfGTb9u\nAQ/GrCfvp48Rq5qY2PCCS+RfMcH8HOiJCAqK5MULDSmyXaGUtSfgbvRDZ/HARZNM\n2Nzzho6YhYSZr5XZ/xNjg4T81V171m9EB0+UhJwuKewHBV+QOJKAxf6JEOe4/s0H\nZtkVwElCeg1MKy8N8/J3W2H0qHERXkUy5x5feekmidugkaoKluigaOTMpP2KYwK3\n7zsm1xF0GX58/APjf9PIdZKd6oNzlouozSYZlsdv3pzdkSskzmIF2XKrju8Q2Bz+\nb4Ruecz1TKdT/FNL848pxdk9jj7R3NmeVwIDAQAB\n-----END RSA PUBLIC KEY-----\n";
const KEY_OF_BOB: &str = "-----BEGIN RSA PUBLIC KEY-----\nMIIBCgKCAQEAyaZN1GXy+y8I/VaVOqE9A4z3faI3v7BwpvgUbNFrPWlzNLJ5Hhhf\n5bPuFkN/+79EaomRvMIQ7n/y1YCfV4BMMLQzx+KKG/S+dXVSVRQr6vFNi3ZxAh7s\n0hY6/ml/00xJZEsHorcQhIVR08KxzXsXSIGwcODZ385+Zm9Oh1V1u8DTCc5fDYcw\nsWP3JjubHvcy++GQaAXDh13TC6Ec6G6AdBQlGqfBv1DTGhgT/7lZAYK/kerf2lpn\n3OcDix+w0vGno+FCL7bKb3CnCm7rDpJMlSjn2fid2peYA1R8PZLqaQ/HaCc4cIWW\nkG45hMXjn0CiAyxG3ZnD4Jp9Pj6t0DOyLwIDAQAB\n-----END RSA PUBLIC KEY-----\n";

impl Security {
    /// The security service over `data`; `policy` is that of every session, where it matters.
    pub async fn start(
        (scenario, is_newer): (Scenario, bool),
        policy: Option<&Value>,
        data: &DataService,
        node_name: &str,
    ) -> Self {
        let clock = Arc::new(ShiftedClock::default());
        let hashing = HashingPool::new(Arc::new(Passwords::new(1)), 2, 64);
        let directory =
            Directory::new(data.clone(), clock.clone(), hashing, NameFolding::default());
        let start = StartUp {
            admin_password: Some(Password::new("happn")),
            allow_anonymous: scenario == Scenario::Revocation,
            ..StartUp::default()
        };
        let started = directory.start(start).await.unwrap();
        let secret = started.token_secret;
        let config = config(scenario, policy, node_name);
        let key = match is_newer {
            true => NEWER_KEY_OF_BOB,
            false => KEY_OF_BOB,
        };
        fill(scenario, key, &directory).await;
        Self {
            authority: SecurityAuthority::new(config, directory, secret, clock.clone()),
            clock,
            scenario,
            is_newer,
        }
    }

    /// What the program around the recorded server did after it wrote `note`.
    pub async fn follow(&self, note: &str) {
        let directory = self.authority.directory();
        let group = |name: &str| GroupName::new(name).unwrap();
        let bob = || UserName::new("bob").unwrap();
        match (self.scenario, note) {
            (Scenario::Failures, "user lo is deleted: every session of lo is ended") => {
                assert!(directory.delete_user("lo").await.unwrap());
            }
            (Scenario::Ending, "get ok -> null") => {
                self.clock.ahead_ms.fetch_add(1_000, Ordering::Relaxed);
            }
            (Scenario::Reconnecting, note) if note.contains("the permission for /q is taken") => {
                let holder = Holder::Group(group("G"));
                for action in ["on", "get"] {
                    let removed = directory.remove_permission(&holder, "/q/*", action, true);
                    removed.await.unwrap();
                }
            }
            (Scenario::Reconnecting, note) if note.contains("the password changes") => {
                let draft = UserDraft::new("bob").password(Password::new("other"));
                directory.upsert_user(draft, true).await.unwrap();
            }
            (Scenario::Directory, "group permission upserted (add)") => {
                let holder = Holder::Group(group("G1"));
                let upserted = directory.upsert_permission(&holder, "/r/*", "on", true);
                upserted.await.unwrap();
            }
            (Scenario::Directory, "group permission removed /q/* on") => {
                let holder = Holder::Group(group("G1"));
                let removed = directory.remove_permission(&holder, "/q/*", "on", true);
                removed.await.unwrap();
            }
            (Scenario::Directory, "upsertGroup with prohibit") => {
                let rules = json!({"/p/*": {"actions": ["*"]}, "/p/1": {"prohibit": ["on"], "actions": []}});
                let rules: PermissionSet = serde_json::from_value(rules).unwrap();
                let draft = GroupDraft::new("G1").permissions(rules);
                directory.upsert_group(draft, true).await.unwrap();
            }
            (Scenario::Directory, "link another group") => {
                let linked = directory.link_group(&group("G2"), &bob(), None).await;
                linked.unwrap();
            }
            (Scenario::Directory, "unlink it") => {
                assert!(directory.unlink_group(&group("G2"), &bob()).await.unwrap());
            }
            (Scenario::Directory, "user permission upserted") => {
                let holder = Holder::User(bob());
                let upserted = directory.upsert_permission(&holder, "/up/*", "set", true);
                upserted.await.unwrap();
            }
            (Scenario::Directory, "user upsert with changed password") => {
                let draft = UserDraft::new("bob").password(Password::new("other"));
                directory.upsert_user(draft, true).await.unwrap();
            }
            (Scenario::Directory, "delete group") => {
                directory.delete_group(&group("G1")).await.unwrap();
            }
            (Scenario::Directory, note) if note.starts_with("delete user") => {
                assert!(directory.delete_user("bob").await.unwrap());
            }
            _ => {}
        }
    }

    /// What is sent in place of a line; `None` for nothing.
    pub async fn instead(&self, line: &Line, known: &mut Known) -> Option<String> {
        let What::Frame(text) = &line.what else {
            return Some(String::new());
        };
        match (self.scenario, line.number) {
            // The server of this recording does not know the request.
            (Scenario::Login, 266 | 268) if !self.is_newer => None,
            // Nobody can sign with the key of the recording: the same login by password.
            (Scenario::Login, 110) => {
                let mut login: Value = serde_json::from_str(text).unwrap();
                let data = login["data"].as_object_mut().unwrap();
                data.remove("digest");
                data.insert("password".to_owned(), "secret".into());
                Some(login.to_string())
            }
            // The token of a login over HTTP, which is not part of the recording.
            (Scenario::Failures, 38) => {
                let login: Value = serde_json::from_str(text).unwrap();
                let token = self.token_over_http().await;
                known.teach(login["data"]["token"].as_str().unwrap(), &token);
                Some(text.clone())
            }
            _ => Some(text.clone()),
        }
    }

    async fn token_over_http(&self) -> String {
        // Older servers made tokens for websockets there, too.
        let data = match self.is_newer {
            true => r#"{"username":"lo","password":"lo"}"#,
            false => r#"{"username":"lo","password":"lo","type":1}"#,
        };
        let request = LoginRequest {
            session_id: "ebad71a7-c7f2-495b-90de-e4417aaf476d".into(),
            data: Json::parse(data).unwrap(),
            connection: Connection {
                ip: "127.0.0.1".into(),
                ..Connection::in_process()
            },
            via: Via::Http,
        };
        let admission = self.authority.login(request).await.unwrap();
        admission.token.unwrap().to_string()
    }
}

fn config(scenario: Scenario, policy: Option<&Value>, node_name: &str) -> AuthorityConfig {
    let mut config = AuthorityConfig::of_node(node_name);
    let profile = |name: &str, policy: &Value| json!({"name": name, "session": {"user.username": name}, "policy": policy});
    let profiles = match scenario {
        Scenario::Failures => json!([
            profile("wl", &json!({"sourceIPWhitelist": ["10.1.1.1"]})),
            profile("nt", &json!({"disallowTokenLogins": true})),
            profile("lo", &json!({"lockTokenToOrigin": true})),
        ]),
        Scenario::Ending => json!([profile("lim", policy.unwrap_or(&json!({})))]),
        _ => json!([]),
    };
    config.profiles = Profiles::parse(&profiles).unwrap();
    match scenario {
        Scenario::Failures => {
            config.allow_admin_over_network = false;
            config.lockout = LockoutConfig {
                attempts: 2,
                ..LockoutConfig::default()
            };
        }
        Scenario::Revocation => config.allow_anonymous = true,
        Scenario::Nested => config.nested_permissions = true,
        Scenario::Browser => {
            config.cookie_name = "my_cookie".to_owned();
            config.https_cookie = true;
            config.cookie_domain = Some(".example.com".to_owned());
        }
        _ => {}
    }
    config
}

async fn fill(scenario: Scenario, key: &str, directory: &Directory) {
    let users: &[(&str, &str)] = match scenario {
        Scenario::Login => &[("bob", "secret")],
        Scenario::Failures => &[("bob", "bob"), ("wl", "wl"), ("nt", "nt"), ("lo", "lo")],
        Scenario::Revocation | Scenario::Ending => &[("lim", "lim")],
        Scenario::Directory | Scenario::Reconnecting => &[("bob", "secret")],
        Scenario::Nested | Scenario::OnBehalf => &[("bob", "bob")],
        Scenario::Browser | Scenario::DocumentStore | Scenario::MixedCluster => &[],
    };
    for (name, password) in users {
        let mut draft = UserDraft::new(name).password(Password::new(password));
        if scenario == Scenario::Login {
            let data = json!({"hello": "world"});
            draft = draft.public_key(key).custom_data(data);
        }
        directory.upsert_user(draft, true).await.unwrap();
    }
    let groups = match scenario {
        Scenario::Login | Scenario::OnBehalf => json!({"G": {
            "/allowed/*": {"actions": ["*"]}, "/ro/*": {"actions": ["get"]},
        }}),
        Scenario::Ending | Scenario::Revocation => json!({"G": {"/a/*": {"actions": ["*"]}}}),
        Scenario::Directory => json!({
            "G1": {"/p/*": {"actions": ["*"]}, "/q/*": {"actions": ["get", "on"]}},
            "G2": {"/z/*": {"actions": ["*"]}},
        }),
        Scenario::Reconnecting => json!({"G": {
            "/p/*": {"actions": ["*"]}, "/q/*": {"actions": ["on", "get"]},
        }}),
        Scenario::Nested => json!({"G": {"/np/b/c": {"actions": ["get", "on"]}}}),
        Scenario::Failures
        | Scenario::Browser
        | Scenario::DocumentStore
        | Scenario::MixedCluster => json!({}),
    };
    for (name, rules) in groups.as_object().unwrap() {
        let rules: PermissionSet = serde_json::from_value(rules.clone()).unwrap();
        let draft = GroupDraft::new(name).permissions(rules);
        directory.upsert_group(draft, true).await.unwrap();
        // The recorded user joins the second group later.
        if name != "G2" {
            let (name, user) = (
                GroupName::new(name).unwrap(),
                UserName::new(users[0].0).unwrap(),
            );
            let linked = directory.link_group(&name, &user, None).await;
            linked.unwrap();
        }
    }
}
