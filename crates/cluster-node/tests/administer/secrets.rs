//! Where passwords and tokens come from, and where they do not go.

use serde_json::json;
use testkit::{ScriptedServer, within};

use crate::harness::{Actor, Folder, Variables, play, run};

const LOGIN: (u16, &str) = (200, r#"{"token":"fresh.token.y","username":"_ADMIN"}"#);
const NOT_FOUND: (u16, &str) = (404, r#"{"error":{"kind":"not-found","message":"no"}}"#);
const DONE: (u16, &str) = (200, r#"{"items":[]}"#);

/// Runs a command line against a server with these answers.
async fn command(
    arguments: &[&str],
    variables: Variables<'_>,
    actor: &mut Actor,
    answers: &[(u16, &str)],
) -> (String, Vec<String>) {
    let server = ScriptedServer::start().await;
    let url = format!("http://{}", server.endpoint());
    let arguments = [&["--url", &url][..], arguments].concat();
    let (outcome, asked) =
        within(async { tokio::join!(run(&arguments, variables, actor), play(&server, answers)) })
            .await;
    (outcome.unwrap(), asked)
}

fn login(user: &str, password: &str) -> String {
    let body = json!({ "username": user, "password": password });
    format!("nobody: POST /api/v1/login {body}")
}

#[tokio::test]
async fn a_password_is_asked_for_and_becomes_a_token() {
    let mut actor = Actor::typing(&["s3 cret"]);
    let (_, asked) = command(&["user", "list"], &[], &mut actor, &[LOGIN, DONE]).await;
    assert_eq!(
        asked,
        [
            login("_ADMIN", "s3 cret"),
            "Bearer fresh.token.y: GET /api/v1/users".to_owned()
        ]
    );
    let question = &actor.questions[0];
    assert!(
        question.starts_with("password of _ADMIN at http://127.0.0.1:"),
        "{question}"
    );
}

#[tokio::test]
async fn the_nearest_secret_is_used() {
    let folder = Folder::new();
    let password = folder.write("password", "of the file\n");
    let token = folder.write("token", "token.of.file\r\n");
    let both = [
        ("HAPPN_ADMIN_TOKEN", "t.t.t"),
        ("HAPPN_ADMIN_PASSWORD", "of the variable"),
    ];
    let list = ["user", "list"];
    let with = |more: &[&'static str]| [more, &list].concat();
    let token_of = |asked: &[String]| asked[0].split(':').next().unwrap().to_owned();

    let arguments = [&["--token-file", &token][..], &list].concat();
    let (_, asked) = command(&arguments, &both, &mut Actor::default(), &[DONE]).await;
    assert_eq!(token_of(&asked), "Bearer token.of.file");
    let arguments = [&["--password-file", &password][..], &list].concat();
    let (_, asked) = command(&arguments, &both, &mut Actor::default(), &[LOGIN, DONE]).await;
    assert_eq!(asked[0], login("_ADMIN", "of the file"));
    let (_, asked) = command(&with(&[]), &both, &mut Actor::default(), &[DONE]).await;
    assert_eq!(token_of(&asked), "Bearer t.t.t");
    let arguments = with(&["--as", "ann"]);
    let (_, asked) = command(&arguments, &both, &mut Actor::default(), &[LOGIN, DONE]).await;
    assert_eq!(asked[0], login("ann", "of the variable"));
    let mut actor = Actor {
        input: b"of the input\n".to_vec(),
        ..Actor::default()
    };
    let arguments = with(&["--password-file", "-"]);
    let (_, asked) = command(&arguments, &both, &mut actor, &[LOGIN, DONE]).await;
    assert_eq!(asked[0], login("_ADMIN", "of the input"));
    assert!(actor.warnings.is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_others_can_read_draws_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let password = folder.write("password", "x");
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o640)).unwrap();
    let mut actor = Actor::default();
    let arguments = ["--password-file", &password, "user", "list"];
    command(&arguments, &[], &mut actor, &[LOGIN, DONE]).await;
    assert_eq!(
        actor.warnings,
        [format!(
            "others can read {password} (its mode is 640): chmod 600 {password}"
        )]
    );
}

#[tokio::test]
async fn a_new_password_is_asked_for_twice() {
    let mut actor = Actor::typing(&["mine", "of ann", "of ann"]);
    let answers = [LOGIN, NOT_FOUND, (201, "{}")];
    let (said, asked) = command(&["user", "add", "ann"], &[], &mut actor, &answers).await;
    assert_eq!(said, "user ann: added\n");
    assert_eq!(
        asked[2],
        r#"Bearer fresh.token.y: PUT /api/v1/users/ann {"password":"of ann"}"#
    );
    assert_eq!(
        actor.questions[1..],
        ["new password of ann: ", "new password of ann again: "]
    );
    let mut actor = Actor::typing(&["mine", "of ann", "of amn"]);
    let url = ["--url", "http://127.0.0.1:1", "user", "add", "ann"];
    let error = run(&url, &[], &mut actor).await.unwrap_err();
    assert!(error.to_string().contains("not the same"), "{error}");
}

#[tokio::test]
async fn a_new_password_may_come_from_a_file_or_a_variable() {
    let folder = Folder::new();
    let file = folder.write("new", "of the file\n");
    let variables = [
        ("HAPPN_ADMIN_TOKEN", "t"),
        ("HAPPN_NEW_PASSWORD", "of the variable"),
    ];
    let answers = [DONE, (200, "{}")];
    let arguments = ["user", "password", "ann", "--new-password-file", &file];
    let mut actor = Actor::default();
    let (_, asked) = command(&arguments, &variables, &mut actor, &answers).await;
    assert!(
        asked[1].ends_with(r#"{"password":"of the file"}"#),
        "{asked:?}"
    );
    let (_, asked) = command(&arguments[..3], &variables, &mut actor, &answers).await;
    assert!(
        asked[1].ends_with(r#"{"password":"of the variable"}"#),
        "{asked:?}"
    );
}

#[tokio::test]
async fn tokens_are_read_as_secrets_too() {
    let variables = [("HAPPN_ADMIN_TOKEN", "t")];
    let mut actor = Actor::typing(&["a.b.c"]);
    let answer = (
        200,
        r#"{"username":"ann","revoked":false,"expires":1795617130210}"#,
    );
    let (said, asked) = command(&["token", "show"], &variables, &mut actor, &[answer]).await;
    assert_eq!(
        said,
        "username  ann\nrevoked   no\nexpires   2026-11-25 14:32:10Z\n"
    );
    assert_eq!(
        asked,
        [r#"Bearer t: POST /api/v1/tokens/inspect {"token":"a.b.c"}"#]
    );
    let mut actor = Actor {
        input: b"a.b.c".to_vec(),
        ..Actor::default()
    };
    let arguments = ["token", "revoke", "--file", "-", "--reason", "lost"];
    let (_, asked) = command(&arguments, &variables, &mut actor, &[(204, "")]).await;
    assert!(
        asked[0].ends_with(r#"POST /api/v1/tokens/revoked {"reason":"lost","token":"a.b.c"}"#),
        "{asked:?}"
    );
}

#[tokio::test]
async fn nothing_secret_goes_over_a_network_in_clear() {
    let variables = [("HAPPN_ADMIN_PASSWORD", "hunter2")];
    for url in ["http://10.0.0.1:56000", "node-1.example:56000"] {
        let arguments = ["--url", url, "user", "list"];
        let outcome = run(&arguments, &variables, &mut Actor::default()).await;
        let text = outcome.unwrap_err().to_string();
        assert!(text.contains("use https://"), "{text}");
        assert!(!text.contains("hunter2"));
    }
}

#[tokio::test]
async fn what_is_no_secret_is_told_without_telling_it() {
    let folder = Folder::new();
    let long = folder.write("long", &"x".repeat(70_000));
    let many = folder.write("many", "hunter2\nhunter3\n");
    let empty = folder.write("empty", "\n");
    for (file, words) in [
        (long.as_str(), "is too long"),
        (&many, "more than one line"),
        (&empty, "is empty"),
        ("/nowhere/at/all", "cannot read /nowhere/at/all"),
    ] {
        let arguments = [
            "--url",
            "127.0.0.1:1",
            "--password-file",
            file,
            "user",
            "list",
        ];
        let outcome = run(&arguments, &[], &mut Actor::default()).await;
        let text = outcome.unwrap_err().to_string();
        assert!(text.contains(words) && !text.contains("hunter"), "{text}");
    }
    let arguments = ["--url", "127.0.0.1:1", "user", "list"];
    let outcome = run(&arguments, &[], &mut Actor::default()).await;
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "there is no terminal to ask on (password of _ADMIN at http://127.0.0.1:1); use \
         --password-file, --token-file, HAPPN_ADMIN_PASSWORD or HAPPN_ADMIN_TOKEN"
    );
}
