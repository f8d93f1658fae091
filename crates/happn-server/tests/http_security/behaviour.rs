//! What the recordings do not show.

use std::net::Ipv4Addr;
use std::sync::Arc;

use happn_core::{Arrival, DataService, MemoryStore, Node, NodeConfig, OpenAuthority, SystemClock};
use happn_server::mount::Response;
use happn_server::{HttpSecurity, Server, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{ask, parse, serve};

const ROUTE: &str = "GET /secure/route/a HTTP/1.1";
const BEARER: &str = "Authorization: Bearer good";

#[tokio::test]
async fn a_login_is_taken_from_a_body_too() {
    let server = serve(HttpSecurity::default()).await;
    let form = "POST /auth/login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded";
    let json = "POST /auth/login HTTP/1.1\r\nContent-Type: application/json; charset=utf-8";
    for (head, body) in [
        (form, "u=web&p=webPW"),
        (json, r#"{"username":"web","password":"webPW","more":[1]}"#),
        (json, r#"{"User":"web","pwd":"webPW","digest":null}"#),
        ("POST /auth/login?u=web&p=webPW HTTP/1.1", ""),
        (
            "PUT /auth/login?user=web&password=webPW HTTP/1.1",
            "ignored",
        ),
    ] {
        let answer = ask(&server, head, body).await;
        let expected = r#"{"message":"login successful", "data":"from-login", "error":null}"#;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, expected),
            "{head} {body}"
        );
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn a_body_that_is_no_login_is_refused_with_what_is_allowed() {
    let server = serve(HttpSecurity::default()).await;
    let head = "POST /auth/login HTTP/1.1\r\nContent-Type: application/json";
    for body in [
        "[]",
        "1",
        r#"{"username":"web","password":5}"#,
        r#"{"U":{}}"#,
    ] {
        let answer = ask(&server, head, body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(
            answer.body.contains("a JSON object whose members are text"),
            "{answer:?}"
        );
    }
    let form = "POST /auth/login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded";
    let large = format!("u=web&p={}", "x".repeat(200 * 1024));
    assert_eq!(ask(&server, form, &large).await.status, 413);
    let nonce = ask(&server, "GET /auth/request-nonce?x=y HTTP/1.1", "").await;
    assert!(
        nonce.status == 400 && nonce.body.contains("publicKey"),
        "{nonce:?}"
    );
}

#[tokio::test]
async fn a_locked_out_admin_over_the_network_counts_as_wrong_credentials() {
    let server = serve(HttpSecurity::default()).await;
    let answer = ask(&server, "GET /auth/login?u=_ADMIN&p=x HTTP/1.1", "").await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn pages_of_the_operators_own_take_the_place_of_the_plain_refusals() {
    let server = serve(HttpSecurity {
        unauthorized_page: Some("<h1>who?</h1>".into()),
        forbidden_page: Some("<h1>no!</h1>".into()),
        ..HttpSecurity::default()
    })
    .await;
    let answer = ask(&server, ROUTE, "").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (401, "<h1>who?</h1>")
    );
    assert_eq!(answer.reason, "unauthorized access");
    assert_eq!(answer.header("content-type"), "text/html");
    assert_eq!(answer.header("www-authenticate"), "happn-auth");
    let forbidden = format!("GET /secure/other HTTP/1.1\r\n{BEARER}");
    let answer = ask(&server, &forbidden, "").await;
    assert_eq!((answer.status, answer.body.as_str()), (403, "<h1>no!</h1>"));
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing_with_the_cookie_of_its_visitor() {
    let server = serve(HttpSecurity {
        origins: vec!["https://friend.example.com".to_owned()],
        ..HttpSecurity::default()
    })
    .await;
    let post = |headers: &str| format!("POST /secure/post HTTP/1.1{headers}");
    let cookie = "\r\nCookie: happn_token=good";
    let bearer = format!("\r\n{BEARER}");
    for (headers, status) in [
        (format!("{cookie}\r\nOrigin: https://evil.example.com"), 403),
        (format!("{cookie}\r\nOrigin: null"), 403),
        (format!("{cookie}\r\nSec-Fetch-Site: cross-site"), 403),
        (format!("{cookie}\r\nOrigin: http://here"), 200),
        (
            format!("{cookie}\r\nOrigin: https://friend.example.com"),
            200,
        ),
        (cookie.to_owned(), 200),
        (format!("{bearer}\r\nOrigin: https://evil.example.com"), 200),
    ] {
        let answer = ask(&server, &post(&headers), "").await;
        assert_eq!(answer.status, status, "{headers}: {answer:?}");
    }
}

#[tokio::test]
async fn a_logout_takes_the_cookie_away_and_no_other_page_can_ask_for_it() {
    let server = serve(HttpSecurity {
        allow_logout: true,
        set_cookie: true,
        ..HttpSecurity::default()
    })
    .await;
    let logout = "GET /auth/logout HTTP/1.1\r\nCookie: happn_token=good";
    let foreign = format!("{logout}\r\nSec-Fetch-Site: cross-site");
    assert_eq!(ask(&server, &foreign, "").await.status, 403);
    let answer = ask(&server, logout, "").await;
    assert_eq!(
        answer.body,
        r#"{"message":"logout successful", "data":"good", "error":null}"#
    );
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.starts_with("happn_token=; Path=/; HttpOnly; SameSite=Lax; Expires=Thu, 01 Jan")
    );
    assert_eq!(
        ask(&server, "GET /auth/logout HTTP/1.1", "").await.status,
        401
    );
}

#[tokio::test]
async fn a_cookie_is_set_where_the_operator_wants_it() {
    let server = serve(HttpSecurity {
        set_cookie: true,
        ..HttpSecurity::default()
    })
    .await;
    let answer = ask(&server, "GET /auth/login?u=web&p=webPW HTTP/1.1", "").await;
    let cookie = "happn_token=from-login; Path=/; HttpOnly; SameSite=Lax";
    assert_eq!(answer.header("set-cookie"), cookie);
    let over_tls = encrypted(&server, "GET /auth/login?u=web&p=webPW HTTP/1.1").await;
    let cookie = "happn_token_https=from-login; Path=/; HttpOnly; SameSite=Lax; Secure";
    assert_eq!(over_tls.header("set-cookie"), cookie);
}

#[tokio::test]
async fn the_cookie_for_protected_connections_counts_on_those_only() {
    let server = serve(HttpSecurity::default()).await;
    let head = format!("{ROUTE}\r\nCookie: happn_token_https=good");
    assert_eq!(encrypted(&server, &head).await.status, 200);
    assert_eq!(ask(&server, &head, "").await.status, 401);
    let both = format!("{ROUTE}\r\nCookie: happn_token=good");
    assert_eq!(encrypted(&server, &both).await.status, 200);
}

/// What is answered over a protected connection.
async fn encrypted(server: &Server, head: &str) -> crate::Answer {
    let (mut near, far) = tokio::io::duplex(64 * 1024);
    let arrival = Arrival {
        encrypted: true,
        ..Arrival::direct((Ipv4Addr::LOCALHOST, 1).into())
    };
    server.ingress().accept(Box::new(far), arrival);
    let request = format!("{head}\r\nHost: here\r\nConnection: close\r\n\r\n");
    near.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    near.read_to_string(&mut answer).await.unwrap();
    let answer = parse(&answer);
    assert!(
        answer
            .header("strict-transport-security")
            .starts_with("max-age=")
    );
    answer
}

#[tokio::test]
async fn refusals_name_their_reason_and_failures_are_no_refusals() {
    let server = serve(HttpSecurity::default()).await;
    let with = |token: &str| format!("{ROUTE}\r\nAuthorization: Bearer {token}");
    let answer = ask(&server, &with("other-userid"), "").await;
    let text = "token userid does not match userid for username: web";
    assert_eq!((answer.status, answer.body.as_str()), (401, text));
    assert_eq!(ask(&server, &with("broken-store"), "").await.status, 500);
}

#[tokio::test]
async fn a_path_that_stands_for_another_one_is_nobodys() {
    let server = serve(HttpSecurity {
        exclusions: vec!["*".to_owned()],
        ..HttpSecurity::default()
    })
    .await;
    assert_eq!(ask(&server, "GET /open/x HTTP/1.1", "").await.body, "open");
    for path in [
        "/open/../secure/a",
        "/open/%2e%2e/secure",
        "//open/x",
        "/open/..%2f",
    ] {
        let nobody = ask(&server, &format!("GET {path} HTTP/1.1"), "").await;
        assert_eq!(nobody.status, 401, "{path}");
        let somebody = ask(&server, &format!("GET {path} HTTP/1.1\r\n{BEARER}"), "").await;
        assert_eq!(somebody.status, 403, "{path}");
    }
}

#[tokio::test]
async fn an_open_node_asks_nobody() {
    let data = DataService::new(Arc::new(MemoryStore::new()));
    let clock = Arc::new(SystemClock::new());
    let node = Node::new(NodeConfig::named("n"), data, Arc::new(OpenAuthority), clock);
    let config = ServerConfig::on((Ipv4Addr::LOCALHOST, 0).into());
    let server = Server::bind(config, node).await.unwrap();
    server
        .mount("/a", async |_| Response::new("a".into()))
        .unwrap();
    assert_eq!(ask(&server, "GET /a/../b HTTP/1.1", "").await.body, "a");
    assert_eq!(
        ask(&server, "GET /auth/login HTTP/1.1", "").await.status,
        404
    );
}
