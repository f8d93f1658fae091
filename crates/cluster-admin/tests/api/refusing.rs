//! What hostile or mistaken requests are answered.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Caller, Secure, secure, secure_with, soon};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let deep = "[".repeat(100_000);
    for body in [
        "",
        "{",
        "[]",
        "null",
        "\"x\"",
        "{\"password\":\"x\"}x",
        "\u{0}",
        &deep,
        "{\"a\":NaN}",
    ] {
        let refused = admin.send("PUT", "/users/ann", &[JSON], body).await;
        assert_eq!(refused.refusal(), (400, "invalid"), "{body:.20}");
        let said = refused.message();
        assert!(
            said.starts_with("the body is no JSON: line 1") || said.ends_with("a JSON object"),
            "{said}"
        );
    }
    assert_eq!(admin.get("/users/ann").await.status, 404);
}

#[tokio::test]
async fn members_that_are_unknown_or_of_another_kind_are_named() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let body = json!({"pasword": "x", "groups": "STAFF", "permissions": {"/a": {"action": []}}});
    let refused = admin.put("/users/ann", &body).await;
    assert_eq!(refused.refusal(), (400, "invalid"));
    assert_eq!(
        refused.problems(),
        [
            "unknown member pasword; there are password, publicKey, groups, permissions, custom_data",
            "groups must be a list of texts",
            "unknown member permissions[\"/a\"].action; there are actions, prohibit, remove",
        ]
    );
    let refused = admin.post("/login", &json!({"username": "x"})).await;
    assert_eq!(refused.problems(), ["password is missing"]);
}

#[tokio::test]
async fn parameters_that_are_unknown_or_no_numbers_are_named() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    for (path, message) in [
        (
            "/users?nmae=x",
            "unknown parameter nmae; there are name, limit, skip",
        ),
        ("/users/ann?x=1", "unknown parameter x; there are none here"),
        ("/users?limit=many", "limit must be a whole number"),
        ("/users?limit=1001", "limit must be from 1 to 1000"),
        (
            "/users?limit=99999999999999999999",
            "limit must be a whole number",
        ),
        ("/sessions?user=a&user=b", "user is given twice"),
    ] {
        let refused = admin.get(path).await;
        assert_eq!(refused.refusal(), (400, "invalid"), "{path}");
        assert_eq!(refused.message(), message);
    }
}

#[tokio::test]
async fn a_wrong_verb_is_told_the_right_ones() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    for (method, path, allowed) in [
        ("POST", "/users/ann", "GET, PUT, DELETE"),
        ("HEAD", "/users", "GET"),
        ("OPTIONS", "/users", "GET"),
        ("TRACE", "/sessions/x", "DELETE"),
        ("GET", "/login", "POST"),
        ("BREW", "/tokens/revoked", "GET, POST, DELETE"),
    ] {
        let refused = admin.send(method, path, &[], "").await;
        assert_eq!(refused.status, 405, "{method} {path}");
        assert_eq!(refused.header("allow"), allowed, "{method} {path}");
        assert_eq!(refused.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn only_json_is_taken() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let body = "{\"password\": \"x\"}";
    for headers in [
        vec![],
        vec![("content-type", "text/plain")],
        vec![("content-type", "application/x-www-form-urlencoded")],
        vec![("content-type", "multipart/form-data")],
    ] {
        let refused = admin.send("PUT", "/users/ann", &headers, body).await;
        assert_eq!(refused.refusal(), (415, "invalid"), "{headers:?}");
    }
    let media_type = [("content-type", "Application/JSON; charset=utf-8")];
    assert_eq!(
        admin
            .send("PUT", "/users/ann", &media_type, body)
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn pages_of_other_origins_are_kept_out_even_with_a_token() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let own = format!("http://{}", secure.server.address());
    for (name, value) in [
        ("origin", "https://evil.example.com"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        for (method, path) in [
            ("GET", "/users"),
            ("POST", "/login"),
            ("DELETE", "/users/x"),
        ] {
            let refused = admin.send(method, path, &[(name, value), JSON], "{}").await;
            assert_eq!(refused.refusal(), (403, "forbidden"), "{name}: {value}");
        }
    }
    assert_eq!(
        admin
            .send("GET", "/users", &[("origin", &own)], "")
            .await
            .status,
        200
    );
}

async fn raw(secure: &Secure, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(secure.server.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is reset has ended, too.
    let _ = soon(stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn head(token: &str, lines: &str) -> String {
    format!(
        "PUT /api/v1/users/ann HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nConnection: close\r\n{lines}\r\n"
    )
}

#[tokio::test]
async fn a_huge_body_is_refused_whether_it_says_so_or_not() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    let announced = head(&admin.token, "Content-Length: 9999999999\r\n");
    let refused = raw(&secure, &announced, b"{").await;
    assert!(refused.starts_with("HTTP/1.1 413"), "{refused}");
    assert!(
        refused.contains("must not be larger than 1048576 bytes"),
        "{refused}"
    );

    let text = format!("{{\"custom_data\": \"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let refused = admin.send("PUT", "/users/ann", &[JSON], &text).await;
    assert_eq!(refused.refusal(), (413, "invalid"));
    let mut admin = secure.admin().await;
    let text = format!(
        "{{\"password\": \"x\", \"custom_data\": \"{}\"}}",
        "x".repeat(1_000_000)
    );
    assert_eq!(
        admin.send("PUT", "/users/ann", &[JSON], &text).await.status,
        201
    );
    let login = json!({"username": "x".repeat(20_000), "password": "x"});
    let mut stranger = Caller::of(&secure.server).await;
    let refused = stranger.post("/login", &login).await;
    assert_eq!(refused.refusal(), (413, "invalid"), "strangers send less");
}

#[tokio::test]
async fn a_slow_body_or_half_a_body_ends_its_request_only() {
    let slow = |setup: &mut crate::support::Setup| {
        setup.api.body_time_max = Duration::from_millis(100);
    };
    let secure = secure_with(slow).await;
    let mut admin = secure.admin().await;
    let head = head(&admin.token, "Content-Length: 100\r\n");
    let refused = raw(&secure, &head, b"{\"password\":").await;
    assert!(refused.starts_with("HTTP/1.1 408"), "{refused}");
    assert!(refused.contains("\"kind\":\"invalid\""), "{refused}");
    let mut stream = TcpStream::connect(secure.server.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    drop(stream);
    assert_eq!(admin.get("/users/ann").await.status, 404);
}

#[tokio::test]
async fn smuggled_and_broken_requests_end_their_connection_only() {
    let secure = secure().await;
    let mut admin = secure.admin().await;
    for lines in [
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked\r\n",
    ] {
        let answer = raw(&secure, &head(&admin.token, lines), b"zz\r\n\r\n").await;
        assert!(!answer.starts_with("HTTP/1.1 2"), "{lines}: {answer}");
    }
    assert_eq!(admin.get("/users").await.body["total"], 1);
}
