//! Guesses of passwords without end.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use happn_core::{Clock as _, DataService, MemoryStore, Node, NodeConfig, SystemClock};
use happn_security::authority::{AuthorityConfig, SecurityAuthority};
use happn_security::credentials::{LockoutConfig, Passwords};
use happn_security::directory::{
    Directory, HashingPool, NameFolding, Password, PermissionSet, StartUp, UserDraft,
};
use happn_server::{Server, ServerConfig};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::harness::{answer, client, client_from, request};
use crate::raw::RawSocket;

/// Where those come from who do not guess.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Each logs in once only: the next time the password would be known.
const USERS: [&str; 4] = ["ann", "bob", "cleo", "dan"];

/// A secure server that hashes one password at a time, and the users.
async fn secure(lockout: bool) -> Server {
    let clock = Arc::new(SystemClock::new());
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let hashing = HashingPool::new(Arc::new(Passwords::new(20_000)), 1, 256);
    let directory = Directory::new(data.clone(), clock.clone(), hashing, NameFolding::default());
    let start = StartUp {
        admin_password: Some(Password::new("happn")),
        ..StartUp::default()
    };
    let started = directory.start(start).await.unwrap();
    for name in USERS {
        let rules = PermissionSet::new().allow("/own/*", &["set", "on"]);
        let user = UserDraft::new(name)
            .password(Password::new("s3cret"))
            .permissions(rules);
        directory.upsert_user(user, true).await.unwrap();
    }
    let config = AuthorityConfig {
        lockout: LockoutConfig {
            enabled: lockout,
            ..LockoutConfig::default()
        },
        ..AuthorityConfig::of_node("target")
    };
    let authority = SecurityAuthority::new(config, directory, started.token_secret, clock.clone());
    let node = Node::new(NodeConfig::named("target"), data, authority, clock);
    let config = ServerConfig::on((Ipv4Addr::LOCALHOST, 0).into());
    Server::bind(config, node).await.unwrap()
}

/// Sockets of one address that guess and guess.
struct Guessing {
    answered: Arc<AtomicU32>,
    sockets: Vec<JoinHandle<()>>,
}

impl Guessing {
    /// `each` guesses on each of so many sockets, all of which are connected when this returns.
    async fn begin(server: &Server, sockets: u32, each: u32) -> Self {
        let answered = Arc::new(AtomicU32::new(0));
        let mut tasks = Vec::new();
        for number in 0..sockets {
            let socket = client(server).await;
            let answered = answered.clone();
            tasks.push(tokio::spawn(guess(socket, number, each, answered)));
        }
        Self {
            answered,
            sockets: tasks,
        }
    }

    fn answered(&self) -> u32 {
        self.answered.load(Ordering::Relaxed)
    }
}

impl Drop for Guessing {
    fn drop(&mut self) {
        self.sockets.iter().for_each(JoinHandle::abort);
    }
}

/// Other names each time, so that not even the name tells that they are guesses.
async fn guess(mut socket: RawSocket, number: u32, count: u32, answered: Arc<AtomicU32>) {
    for guess in 0..count {
        let data = json!({"username": format!("user{number}-{guess}"), "password": "x"});
        let login = json!({"action": "login", "eventId": guess, "data": data});
        socket.send_text(&login.to_string()).await;
    }
    for guess in 0..count {
        let refused = answer(&mut socket, &json!(guess)).await;
        let code = &refused["_meta"]["error"]["code"];
        assert!(*code == 401 || *code == 403, "{refused}");
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

/// Somebody comes from elsewhere, logs in, and hears of his own change; how long both took.
async fn visit(name: &str, server: &Server, clock: &SystemClock) -> [Duration; 2] {
    let mut user = client_from(ELSEWHERE, server).await;
    let began = clock.monotonic();
    let login = json!({"action": "login", "eventId": 1,
        "data": {"username": name, "password": "s3cret"}});
    let admitted = request(&mut user, login).await;
    assert_eq!(admitted["_meta"]["status"], "ok", "{admitted}");
    let logged_in = clock.monotonic();
    let listening = json!({"action": "on", "path": "/ALL@/own/1", "eventId": 2, "data": null});
    request(&mut user, listening).await;
    let set = json!({"action": "set", "path": "/own/1", "eventId": 3, "data": {"a": 1}});
    let stored: Value = request(&mut user, set).await;
    assert_eq!(stored["_meta"]["status"], "ok", "{stored}");
    [logged_in - began, clock.monotonic() - logged_in]
}

/// Their logins are checked one after the other: were others to wait for all of them, they would
/// wait 300 times as long as alone.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_from_one_address_waits_for_himself_and_others_hardly_for_him() {
    let server = secure(false).await;
    let clock = SystemClock::new();
    let [alone, _] = visit(USERS[0], &server, &clock).await;
    let guessing = Guessing::begin(&server, 300, 20).await;
    let few = |duration: Duration| duration < 60 * alone.max(Duration::from_millis(5));
    for name in &USERS[1..] {
        let [login, change] = visit(name, &server, &clock).await;
        assert!(few(login), "a login took {login:?}, and {alone:?} alone");
        assert!(few(change), "a change took {change:?}");
    }
    let answered = guessing.answered();
    assert!(answered < 6000, "all guesses were over before");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_thousands_of_guesses_from_one_address_few_are_even_looked_at() {
    let server = secure(true).await;
    let clock = SystemClock::new();
    let [alone, _] = visit(USERS[0], &server, &clock).await;
    let began = clock.monotonic();
    let mut guessing = Guessing::begin(&server, 16, 625).await;
    let [login, _] = visit(USERS[1], &server, &clock).await;
    for socket in std::mem::take(&mut guessing.sockets) {
        socket.await.unwrap();
    }
    let took = clock.monotonic() - began;
    assert_eq!(guessing.answered(), 10_000);
    // A lock-out after a hundred or so leaves the rest to be refused unchecked.
    let all = 2500 * alone.max(Duration::from_millis(4));
    assert!(
        took < all,
        "{took:?} for all, {alone:?} for one, and {login:?} meanwhile"
    );
    let [login, _] = visit(USERS[2], &server, &clock).await;
    assert!(
        login < 60 * alone.max(Duration::from_millis(5)),
        "{login:?}"
    );
}
