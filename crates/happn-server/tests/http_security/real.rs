//! The recordings, asked of a node whose users, rules and tokens are real.

use std::collections::BTreeMap;
use std::sync::Arc;

use happn_core::{Clock as _, DataService, MemoryStore, Node, NodeConfig, SystemClock};
use happn_security::authority::{AuthorityConfig, SecurityAuthority};
use happn_security::credentials::{Passwords, SessionToken, TokenSecret};
use happn_security::directory::{
    Directory, GroupDraft, GroupName, HashingPool, NameFolding, Password, PermissionSet, StartUp,
    UserDraft, UserName,
};
use happn_security::policy::{Policies, SessionType};
use happn_server::HttpSecurity;
use serde_json::{Value, json};

use crate::recorded::{Site, replay, settings};
use crate::{ask, bind};

const SECRET: &str = "HTTPSECRET";

struct Secure {
    node: Arc<Node>,
    site: Site,
    authority: Arc<SecurityAuthority>,
}

impl Secure {
    /// With the user, the group and the rules that were recorded with.
    async fn start() -> Self {
        let clock = Arc::new(SystemClock::new());
        let data = DataService::new(Arc::new(MemoryStore::new()));
        let hashing = HashingPool::new(Arc::new(Passwords::new(1)), 2, 64);
        let directory =
            Directory::new(data.clone(), clock.clone(), hashing, NameFolding::default());
        let start = StartUp {
            admin_password: Some(Password::new("happn")),
            token_secret: Some(SECRET.to_owned()),
            ..StartUp::default()
        };
        directory.start(start).await.unwrap();
        let rules = PermissionSet::new()
            .allow("/@HTTP/secure/route/*", &["get"])
            .allow("/@HTTP/secure/post", &["post", "put"])
            .allow("/@HTTP/secure/pct/secret%20x", &["get"])
            .allow("/@HTTP/nothing", &["get"]);
        let group = GroupDraft::new("WEB").permissions(rules);
        directory.upsert_group(group, true).await.unwrap();
        let user = UserDraft::new("web").password(Password::new("webPW"));
        directory.upsert_user(user, true).await.unwrap();
        let (group, user) = (
            GroupName::new("WEB").unwrap(),
            UserName::new("web").unwrap(),
        );
        directory.link_group(&group, &user, None).await.unwrap();
        let secret = TokenSecret::new(SECRET).unwrap();
        let config = AuthorityConfig::of_node("n");
        let authority = SecurityAuthority::new(config, directory, secret, clock.clone());
        let node = Node::new(NodeConfig::named("n"), data, authority.clone(), clock);
        Self {
            site: Site {
                server: bind(node.clone(), settings(false)).await,
                with_logout: bind(node.clone(), settings(true)).await,
            },
            node,
            authority,
        }
    }
}

/// A token of the user `web`, an hour old.
fn token(id: &str, change: impl FnOnce(&mut SessionToken)) -> String {
    let mut session = SessionToken {
        id: id.to_owned(),
        https_cookie: None,
        info: None,
        session_type: SessionType::Stateful,
        timestamp_ms: SystemClock::new().wall_ms() - 3_600_000,
        parent_id: id.to_owned(),
        origin: "n".to_owned(),
        policies: policies(&json!({"ttl": 0})),
        username: "web".to_owned(),
        userid: None,
    };
    change(&mut session);
    session.encode(&TokenSecret::new(SECRET).unwrap()).unwrap()
}

fn policies(policy: &Value) -> Option<Policies> {
    Policies::parse(&json!({"0": policy, "1": policy})).ok()
}

/// Tokens of cases that need one of their own.
fn tokens() -> BTreeMap<&'static str, String> {
    let limited = |case: &'static str, policy: &Value| {
        (
            case,
            token(case, |session| session.policies = policies(policy)),
        )
    };
    let only = json!({"permissions": {"/@HTTP/secure/zzz": {"actions": ["get"]}}});
    let no_session = || "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.ImEi.".to_owned();
    let ended = token("logout allowed", |_| ());
    BTreeMap::from([
        ("junk token", "junk".to_owned()),
        ("login junk token", "junk".to_owned()),
        ("non-jsonpack payload", no_session()),
        ("alg none", no_session()),
        ("isToken false", no_session()),
        ("logout allowed", ended.clone()),
        ("after logout", ended),
        ("revoked", token("revoked", |_| ())),
        limited("expired", &json!({"ttl": 60_000})),
        limited("inactive", &json!({"inactivity_threshold": 60_000})),
        limited("usage limit 1, 2nd", &json!({"usage_limit": 1})),
        (
            "no policy",
            token("no policy", |session| session.policies = None),
        ),
        (
            "no policy type 0",
            token("no policy type 0", |session| {
                session.policies = Policies::parse(&json!({"1": {}})).ok();
            }),
        ),
        limited("policy permissions allow", &only),
        limited("policy permissions deny", &only),
        (
            "unknown user",
            token("unknown user", |session| {
                session.username = "ghost".to_owned();
            }),
        ),
        (
            "login by token (type0 tok)",
            token("type 0", |session| {
                session.session_type = SessionType::Stateless;
            }),
        ),
    ])
}

#[tokio::test]
async fn a_node_with_real_users_answers_http_requests_as_recorded() {
    let secure = Secure::start().await;
    let (tokens, usual) = (tokens(), token("usual", |_| ()));
    let revoked = secure.authority.revoke_token(&tokens["revoked"], "a test");
    revoked.await.unwrap();
    let first = format!(
        "GET /secure/route/a HTTP/1.1\r\nAuthorization: Bearer {}",
        tokens["usage limit 1, 2nd"]
    );
    assert_eq!(ask(&secure.site.server, &first, "").await.status, 200);
    let token = |case: &str| tokens.get(case).unwrap_or(&usual).clone();
    replay("real", &secure.site, token).await;
}

#[tokio::test]
async fn a_token_of_a_login_over_http_works_until_it_is_logged_out() {
    let secure = Secure::start().await;
    let server = &secure.site.with_logout;
    let login = ask(server, "POST /auth/login?u=web&p=webPW HTTP/1.1", "").await;
    let token: Value = serde_json::from_str(&login.body).unwrap();
    let token = token["data"].as_str().unwrap();
    let with = |path: &str| format!("GET {path} HTTP/1.1\r\nCookie: happn_token={token}");
    assert_eq!(ask(server, &with("/secure/route/a"), "").await.status, 200);
    assert_eq!(ask(server, &with("/auth/logout"), "").await.status, 200);
    assert_eq!(ask(server, &with("/secure/route/a"), "").await.status, 403);
    assert_eq!(ask(server, &with("/auth/logout"), "").await.status, 403);
}

#[tokio::test]
async fn a_header_does_not_lift_the_lock_out_of_an_address() {
    let secure = Secure::start().await;
    let server = &secure.site.server;
    let login = |password: &str, claimed: u8| {
        let query = format!("u=web&p={password}");
        format!("GET /auth/login?{query} HTTP/1.1\r\nX-Forwarded-For: 192.0.2.{claimed}")
    };
    for claimed in 0..4 {
        let answer = ask(server, &login("wrong", claimed), "").await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    let answer = ask(server, &login("webPW", 9), "").await;
    assert!(answer.body.contains("Account locked out"), "{answer:?}");
    let trusting = HttpSecurity {
        trusts_forwarded: true,
        ..settings(false)
    };
    let behind_proxy = bind(secure.node.clone(), trusting).await;
    let answer = ask(&behind_proxy, &login("webPW", 9), "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
}
