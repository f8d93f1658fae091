//! What is made of the server's answers.

use cluster_node::Exit;
use testkit::{ScriptedServer, within};

use crate::harness::{Actor, TOKEN, run, with_token};

const NOT_FOUND: (u16, &str) = (
    404,
    r#"{"error":{"kind":"not-found","message":"there is no user ann"}}"#,
);

#[tokio::test]
async fn a_list_is_a_table() {
    let users = r#"{"items":[
        {"username":"ann","groups":["STAFF","READERS"],"publicKey":"k","modified":1795617130210},
        {"username":"bob","groups":[]}],"total":7}"#;
    let (outcome, asked) = with_token(&["user", "list", "*"], &[(200, users)]).await;
    let expected = "\
USER  GROUPS          KEY  MODIFIED
ann   STAFF, READERS  yes  2026-11-25 14:32:10Z
bob   -               -    -
2 of 7 users; --limit and --skip show others
";
    assert_eq!(outcome.unwrap(), expected);
    assert_eq!(
        asked,
        [format!("Bearer {TOKEN}: GET /api/v1/users?name=%2A")]
    );
}

#[tokio::test]
async fn permissions_and_sessions_are_tables() {
    let rules =
        r#"{"items":[{"path":"/a/*","actions":["get","on"]},{"path":"/b","prohibit":["*"]}]}"#;
    let arguments = ["permission", "list", "--group", "STAFF"];
    let (outcome, _) = with_token(&arguments, &[(200, rules)]).await;
    assert_eq!(
        outcome.unwrap(),
        "PATH  ALLOWED  PROHIBITED\n/a/*  get, on  -\n/b    -        *\n"
    );

    let sessions = r#"{"items":[{"id":"1-2","username":"ann","authType":"password",
        "address":"10.0.0.7","since":0,"protocol":"happn_4","info":{"app":"x"}}]}"#;
    let (outcome, _) = with_token(&["session", "list"], &[(200, sessions)]).await;
    let expected = "\
ID   USER  LOGIN     ADDRESS   SINCE                 PROTOCOL  INFO
1-2  ann   password  10.0.0.7  1970-01-01 00:00:00Z  happn_4   {\"app\":\"x\"}
";
    assert_eq!(outcome.unwrap(), expected);
}

#[tokio::test]
async fn scripts_get_what_the_server_answers() {
    let answer = r#"{"items":[], "total":0,  "new":true}"#;
    let (outcome, _) = with_token(&["user", "list", "--json"], &[(200, answer)]).await;
    assert_eq!(outcome.unwrap(), format!("{answer}\n"));
    let arguments = ["user", "remove", "ann", "--json"];
    let (outcome, _) = with_token(&arguments, &[(204, "")]).await;
    assert_eq!(outcome.unwrap(), "");
}

#[tokio::test]
async fn what_is_done_is_said() {
    let arguments = ["user", "join", "ann", "STAFF"];
    let (outcome, asked) = with_token(&arguments, &[(204, "")]).await;
    assert_eq!(outcome.unwrap(), "user ann: is in group STAFF\n");
    assert!(asked[0].ends_with(": PUT /api/v1/users/ann/groups/STAFF"));
    let arguments = ["token", "add", "ann"];
    let (outcome, _) = with_token(&arguments, &[(201, r#"{"token":"a.b.c"}"#)]).await;
    assert_eq!(outcome.unwrap(), "a.b.c\n");
}

#[tokio::test]
async fn adding_changes_nobody_and_changing_adds_nobody() {
    let add = ["group", "add", "STAFF"];
    let (outcome, asked) = with_token(&add, &[NOT_FOUND, (201, "{}")]).await;
    assert_eq!(outcome.unwrap(), "group STAFF: added\n");
    assert_eq!(asked.len(), 2);
    let (outcome, asked) = with_token(&add, &[(200, "{}")]).await;
    let error = outcome.unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.exit()),
        (
            "conflict: group STAFF is there already; the verb `change` changes it",
            Exit::Refused
        )
    );
    assert_eq!(asked.len(), 1);

    let change = ["user", "change", "ann", "--custom-data", "{}"];
    let (outcome, _) = with_token(&change, &[NOT_FOUND]).await;
    let error = outcome.unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.exit()),
        ("not-found: there is no user ann", Exit::NotFound)
    );
    let (outcome, _) = with_token(&change, &[(200, "{}"), (200, "{}")]).await;
    assert_eq!(outcome.unwrap(), "user ann: changed\n");
}

#[tokio::test]
async fn refusals_are_told_with_their_kind() {
    for (status, kind, exit) in [
        (400, "invalid", Exit::Refused),
        (401, "unauthorized", Exit::NotLetIn),
        (403, "forbidden", Exit::NotLetIn),
        (404, "not-found", Exit::NotFound),
        (409, "conflict", Exit::Refused),
        (409, "not-secure", Exit::Refused),
        (429, "too-many-requests", Exit::Failed),
        (503, "unavailable", Exit::Failed),
    ] {
        let body =
            format!(r#"{{"error":{{"kind":"{kind}","message":"why","problems":["a","b"]}}}}"#);
        let (outcome, _) = with_token(&["user", "list"], &[(status, &body)]).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.to_string(), format!("{kind}: why"));
        assert_eq!(error.problems(), ["a", "b"]);
        assert_eq!(error.exit(), exit, "{kind}");
    }
}

#[tokio::test]
async fn somebody_elses_answers_are_not_taken_for_a_nodes() {
    for (status, body) in [(404, "not found\n"), (200, "hello"), (502, "{}")] {
        let (outcome, _) = with_token(&["user", "list"], &[(status, body)]).await;
        let error = outcome.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("(status {status})")), "{text}");
        assert_eq!(error.exit(), Exit::Failed);
    }
}

#[tokio::test]
async fn who_does_not_answer_is_named() {
    let variables = [("HAPPN_ADMIN_TOKEN", TOKEN)];
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let arguments = ["--url", &url, "user", "list"];
    let outcome = run(&arguments, &variables, &mut Actor::default()).await;
    let error = outcome.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("nobody answers at {url} (is the node running, and is this its admin listener?)")
    );
    assert_eq!(error.exit(), Exit::Failed);
}

#[tokio::test]
async fn who_asks_too_often_waits_as_long_as_the_server_wants_within_reason() {
    const TOO_MANY: &str = r#"{"error":{"kind":"too-many-requests","message":"later"}}"#;
    let server = ScriptedServer::start().await;
    let url = format!("http://{}", server.endpoint());
    let arguments = ["--url", &url, "user", "list"];
    let variables = [("HAPPN_ADMIN_TOKEN", TOKEN)];
    let mut actor = Actor::default();
    let running = Box::pin(run(&arguments, &variables, &mut actor));
    let serving = async {
        let exchange = server.exchange().await;
        exchange.answer_with("retry-after: 1", 429, TOO_MANY).await;
        let exchange = server.exchange().await;
        exchange.answer(200, r#"{"items":[]}"#).await;
    };
    let (outcome, ()) = within(async { tokio::join!(running, serving) }).await;
    assert_eq!(outcome.unwrap(), "no users\n");

    let running = Box::pin(run(&arguments, &variables, &mut actor));
    let serving = async {
        let exchange = server.exchange().await;
        exchange.answer_with("retry-after: 60", 429, TOO_MANY).await;
    };
    let (outcome, ()) = within(async { tokio::join!(running, serving) }).await;
    assert_eq!(outcome.unwrap_err().to_string(), "too-many-requests: later");
}
