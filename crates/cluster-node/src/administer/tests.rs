//! What command lines ask for.

use clap::error::ErrorKind;
use serde_json::{Value, json};

use super::task::{Body, Expected, Source};
use super::*;

fn parse(arguments: &[&str]) -> Result<AdminRequest, clap::Error> {
    let arguments = ["admin"].iter().chain(arguments);
    let matches = command().try_get_matches_from(arguments)?;
    Ok(request(&matches).expect("every verb is known"))
}

/// The request of a command line: verb, path and body as text, with what is filled in later.
fn asked(arguments: &[&str]) -> String {
    let task = parse(arguments).unwrap().task;
    let body = match &task.body {
        Body::Nothing => String::new(),
        Body::Members(members, sources) => {
            let mut members = members.clone();
            for (member, source) in sources {
                members.insert((*member).to_owned(), json!(format!("{source:?}")));
            }
            format!(" {}", Value::Object(members))
        }
        Body::File(file) => format!(" <{}", file.display()),
    };
    let path = task.path.strip_prefix("/api/v1/").unwrap();
    let expected = match task.expected {
        None => "",
        Some(Expected::Present(_)) => ", if it is there",
        Some(Expected::Absent(_)) => ", if it is not there",
    };
    format!("{} {path}{body}{expected}", task.method)
}

#[test]
fn the_definition_is_sound() {
    command().debug_assert();
}

#[test]
fn every_verb_is_known() {
    for resource in command().get_subcommands() {
        for verb in resource.get_subcommands() {
            let name = (resource.get_name(), verb.get_name());
            // What a verb needs: so many positional arguments, and the options it cannot do without.
            let needed = match name {
                ("permission", "add") => vec!["x", "--user", "x", "--allow", "x"],
                ("permission", "remove") => vec!["x", "--user", "x"],
                ("permission", "list") => vec!["--user", "x"],
                ("lookup", "grants") => vec!["--group", "x"],
                ("lookup", "grant") => {
                    vec![
                        "x", "--group", "x", "--regex", "x", "--path", "x", "--allow", "x",
                    ]
                }
                ("lookup", "revoke") => vec!["x", "--group", "x"],
                ("lookup", "insert" | "delete") | ("user", "join" | "leave") => vec!["x", "x"],
                ("user" | "group", "change") => vec!["x", "--custom-data", "1"],
                (_, "list") | ("token", "show" | "revoke" | "restore") => vec![],
                _ => vec!["x"],
            };
            let arguments = [&[name.0, name.1][..], &needed].concat();
            assert!(parse(&arguments).is_ok(), "{arguments:?}");
        }
    }
}

#[test]
fn users_are_looked_after() {
    for (arguments, expected) in [
        (&["user", "list"][..], "GET users"),
        (
            &["user", "list", "a*", "--limit", "5", "--skip", "10"],
            "GET users?name=a%2A&limit=5&skip=10",
        ),
        (&["user", "show", "a/b"], "GET users/a%2Fb"),
        (&["user", "remove", "ann"], "DELETE users/ann"),
        (
            &["user", "join", "ann", "STAFF"],
            "PUT users/ann/groups/STAFF",
        ),
        (
            &["user", "leave", "ann", "STAFF"],
            "DELETE users/ann/groups/STAFF",
        ),
        (
            &["user", "change", "ann", "--custom-data", r#"{"a":1}"#],
            r#"PUT users/ann {"custom_data":{"a":1}}, if it is there"#,
        ),
        (
            &["user", "change", "ann", "--public-key", "k.pem"],
            r#"PUT users/ann {"publicKey":"Text(\"k.pem\")"}, if it is there"#,
        ),
        (
            &[
                "user",
                "add",
                "ann",
                "--public-key",
                "k",
                "--group",
                "A",
                "--group",
                "B",
            ],
            r#"PUT users/ann {"groups":["A","B"],"publicKey":"Text(\"k\")"}, if it is not there"#,
        ),
    ] {
        assert_eq!(asked(arguments), expected, "{arguments:?}");
    }
}

#[test]
fn new_passwords_come_later() {
    let request = parse(&["user", "add", "ann", "--new-password-file", "p"]).unwrap();
    let Body::Members(members, sources) = request.task.body else {
        panic!("a body");
    };
    assert!(members.is_empty());
    let file = Some("p".into());
    let user = "ann".to_owned();
    assert_eq!(sources, [("password", Source::NewPassword { user, file })]);
    assert_eq!(
        request.task.expected,
        Some(Expected::Absent("user ann".to_owned()))
    );
    for arguments in [&["user", "add", "ann"][..], &["user", "password", "ann"]] {
        assert!(asked(arguments).contains("NewPassword"), "{arguments:?}");
    }
}

#[test]
fn groups_and_permissions_are_looked_after() {
    for (arguments, expected) in [
        (&["group", "list", "A*"][..], "GET groups?name=A%2A"),
        (&["group", "show", "STAFF"], "GET groups/STAFF"),
        (
            &["group", "add", "STAFF"],
            "PUT groups/STAFF {}, if it is not there",
        ),
        (
            &["group", "change", "STAFF", "--custom-data", "[1]"],
            r#"PUT groups/STAFF {"custom_data":[1]}, if it is there"#,
        ),
        (&["group", "remove", "STAFF"], "DELETE groups/STAFF"),
        (
            &["permission", "list", "--user", "ann"],
            "GET users/ann/permissions",
        ),
        (
            &[
                "permission",
                "add",
                "/a/*",
                "--group",
                "STAFF",
                "--allow",
                "on,get",
                "--allow",
                "set",
            ],
            r#"PUT groups/STAFF/permissions {"path":"/a/*","actions":["on","get","set"]}"#,
        ),
        (
            &[
                "permission",
                "add",
                "/a",
                "--user",
                "ann",
                "--prohibit",
                "*",
            ],
            r#"PUT users/ann/permissions {"path":"/a","prohibit":["*"]}"#,
        ),
        (
            &["permission", "remove", "/a/*", "--user", "ann"],
            "DELETE users/ann/permissions?path=%2Fa%2F%2A",
        ),
        (
            &[
                "permission",
                "remove",
                "/a",
                "--group",
                "G",
                "--action",
                "on,get",
            ],
            "DELETE groups/G/permissions?path=%2Fa&action=on&action=get",
        ),
    ] {
        assert_eq!(asked(arguments), expected, "{arguments:?}");
    }
}

#[test]
fn tables_are_looked_after() {
    for (arguments, expected) in [
        (&["lookup", "list"][..], "GET lookup-tables"),
        (&["lookup", "show", "T"], "GET lookup-tables/T"),
        (
            &["lookup", "add", "T", "/a", "/b"],
            r#"PUT lookup-tables/T {"paths":["/a","/b"]}, if it is not there"#,
        ),
        (&["lookup", "remove", "T"], "DELETE lookup-tables/T"),
        (
            &["lookup", "insert", "T", "/a"],
            r#"PUT lookup-tables/T/paths {"path":"/a"}"#,
        ),
        (
            &["lookup", "delete", "T", "/a"],
            "DELETE lookup-tables/T/paths?path=%2Fa",
        ),
        (
            &["lookup", "grants", "--group", "G"],
            "GET groups/G/lookup-permissions",
        ),
        (
            &[
                "lookup", "grant", "T", "--group", "G", "--regex", "^/(.*)", "--path", "/{{$1}}",
                "--allow", "get",
            ],
            r#"PUT groups/G/lookup-permissions {"table":"T","regex":"^/(.*)","actions":["get"],"path":"/{{$1}}"}"#,
        ),
        (
            &["lookup", "revoke", "T", "--group", "G"],
            "DELETE groups/G/lookup-permissions?table=T",
        ),
        (
            &[
                "lookup", "revoke", "T", "--group", "G", "--regex", "^/(.*)", "--path", "/x",
            ],
            "DELETE groups/G/lookup-permissions?table=T&regex=%5E%2F%28.%2A%29&path=%2Fx",
        ),
    ] {
        assert_eq!(asked(arguments), expected, "{arguments:?}");
    }
}

#[test]
fn sessions_and_tokens_are_looked_after() {
    for (arguments, expected) in [
        (
            &["session", "list", "--user", "ann"][..],
            "GET sessions?user=ann",
        ),
        (&["session", "end", "1-2"], "DELETE sessions/1-2"),
        (
            &["token", "add", "ann", "--ttl", "2 hours"],
            r#"POST tokens {"username":"ann","ttl":7200000}"#,
        ),
        (&["token", "list"], "GET tokens/revoked"),
        (
            &["token", "show", "--file", "t"],
            r#"POST tokens/inspect {"token":"Token(Some(\"t\"))"}"#,
        ),
        (
            &["token", "revoke", "--reason", "lost"],
            r#"POST tokens/revoked {"reason":"lost","token":"Token(None)"}"#,
        ),
        (
            &["token", "restore", "1-2"],
            r#"DELETE tokens/revoked {"id":"Known(\"1-2\")"}"#,
        ),
        (
            &["token", "restore"],
            r#"DELETE tokens/revoked {"token":"Token(None)"}"#,
        ),
    ] {
        assert_eq!(asked(arguments), expected, "{arguments:?}");
    }
}

#[test]
fn who_asks_may_be_said_anywhere() {
    let access = [
        "--url",
        "http://localhost:1",
        "--as",
        "root",
        "--password-file",
        "p",
    ];
    for arguments in [
        [&access[..], &["user", "list", "--json"]].concat(),
        [&["--json", "user"], &access[..], &["list"]].concat(),
        [&["user", "list"], &access[..], &["--json"]].concat(),
    ] {
        let request = parse(&arguments).unwrap();
        assert_eq!(request.access.url.as_deref(), Some("http://localhost:1"));
        assert_eq!(request.access.user.as_deref(), Some("root"));
        assert_eq!(request.access.password_file, Some("p".into()));
        assert!(request.json, "{arguments:?}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_what_is_missing() {
    for (arguments, words) in [
        (&["permission", "list"][..], "--user <USER>|--group <GROUP>"),
        (
            &["permission", "list", "--user", "a", "--group", "b"],
            "cannot be used with",
        ),
        (
            &["permission", "add", "/a", "--user", "a"],
            "--allow <ACTIONS>|--prohibit <ACTIONS>",
        ),
        (
            &["user", "change", "ann"],
            "--public-key <FILE>|--custom-data <JSON>",
        ),
        (&["user", "add", "ann", "--custom-data", "{"], "EOF"),
        (
            &["user", "list", "--limit", "many"],
            "must be a whole number",
        ),
        (&["user", "show", ""], "USER"),
        (
            &["token", "add", "ann", "--ttl", "soon"],
            "is not a duration",
        ),
        (&["token", "add", "ann", "--ttl", "0"], "must have an end"),
        (
            &["--token-file", "t", "--as", "ann", "user", "list"],
            "cannot be used with",
        ),
        (&["user", "ad", "ann"], "similar"),
    ] {
        let error = parse(arguments).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(words), "{arguments:?}: {text}");
    }
}

#[test]
fn a_password_is_no_argument() {
    for arguments in [
        &["--password", "x", "user", "list"][..],
        &["user", "add", "ann", "--password", "x"],
        &["user", "add", "ann", "x"],
        &["token", "show", "x"],
    ] {
        let error = parse(arguments).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownArgument, "{arguments:?}");
    }
}

#[test]
fn the_help_tells_who_asks_and_how_it_ends() {
    let help = command().render_long_help().to_string();
    for words in [
        "user        Users: who can log in",
        "HAPPN_ADMIN_TOKEN",
        "6  admin: the password or the token is wrong",
    ] {
        assert!(help.contains(words), "{words} is not in {help}");
    }
    assert!(!help.contains("--proxy-port"), "{help}");
}
