//! `cluster-node admin` against a running node, as a person or a script meets it.

use std::process::Output;

use crate::harness::{Folder, Process, QUIET, busy_port};

const PASSWORD: &str = "of the administrator";

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A node, and how to ask it.
struct Asked {
    folder: Folder,
    port: String,
    _node: Process,
}

impl Asked {
    fn start(options: &[&str]) -> Self {
        let folder = Folder::new();
        let (listener, port) = busy_port();
        drop(listener);
        let admin = ["--admin-port", &port];
        let mut node = Process::start(&folder, &[&QUIET[..], &admin, options].concat());
        node.banner();
        Self {
            folder,
            port,
            _node: node,
        }
    }

    fn secure(options: &[&str]) -> Self {
        let password = format!("services.security.config.adminUser.password={PASSWORD}");
        let cheap = "services.security.config.pbkdf2Iterations=100";
        let secure = ["--set", "secure=true", "--set", &password, "--set", cheap];
        Self::start(&[&secure, options].concat())
    }

    fn run(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        let arguments = [arguments, &["--admin-port", &self.port]].concat();
        let mut command = self.folder.command(&arguments);
        command.envs(variables.iter().copied());
        command.output().unwrap()
    }

    /// As the administrator, with `of ann` for a new password.
    fn admin(&self, arguments: &[&str]) -> Output {
        let variables = [
            ("HAPPN_ADMIN_PASSWORD", PASSWORD),
            ("HAPPN_NEW_PASSWORD", "of ann"),
        ];
        self.run(&variables, &[&["admin"], arguments].concat())
    }

    /// What the administrator is told when it is done.
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.admin(arguments);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
        assert_eq!(told, "", "{arguments:?}");
        text(&output.stdout)
    }
}

/// The exit code and what standard error says.
fn refusal(output: &Output) -> (Option<i32>, String) {
    assert!(output.stdout.is_empty(), "{output:?}");
    (output.status.code(), text(&output.stderr))
}

#[test]
fn everything_can_be_made_shown_and_removed() {
    let node = Asked::secure(&[]);
    for (arguments, said) in [
        (&["group", "add", "STAFF"][..], "group STAFF: added\n"),
        (
            &[
                "permission",
                "add",
                "/a/*",
                "--group",
                "STAFF",
                "--allow",
                "get,on",
            ],
            "group STAFF: /a/* has the rule\n",
        ),
        (
            &["user", "add", "ann", "--group", "STAFF"],
            "user ann: added\n",
        ),
        (
            &[
                "permission",
                "add",
                "/b",
                "--user",
                "ann",
                "--prohibit",
                "*",
            ],
            "user ann: /b has the rule\n",
        ),
        (
            &["permission", "list", "--group", "STAFF"],
            "PATH  ALLOWED  PROHIBITED\n/a/*  get, on  -\n",
        ),
        (
            &["permission", "list", "--user", "ann"],
            "PATH  ALLOWED  PROHIBITED\n/b    -        *\n",
        ),
        (
            &[
                "permission",
                "remove",
                "/a/*",
                "--group",
                "STAFF",
                "--action",
                "on",
            ],
            "group STAFF: /a/* has the rule no more\n",
        ),
        (
            &["permission", "list", "--group", "STAFF"],
            "PATH  ALLOWED  PROHIBITED\n/a/*  get      -\n",
        ),
        (
            &["user", "change", "ann", "--custom-data", "[1]"],
            "user ann: changed\n",
        ),
        (
            &["user", "password", "ann"],
            "user ann: has another password\n",
        ),
        (
            &["user", "leave", "ann", "STAFF"],
            "user ann: is no more in group STAFF\n",
        ),
        (
            &["user", "join", "ann", "STAFF"],
            "user ann: is in group STAFF\n",
        ),
        (&["lookup", "add", "T", "a/1"], "lookup table T: added\n"),
        (
            &["lookup", "insert", "T", "a/2"],
            "lookup table T: has a/2\n",
        ),
        (
            &["lookup", "delete", "T", "a/1"],
            "lookup table T: has a/1 no more\n",
        ),
        (&["lookup", "show", "T"], "a/2\n"),
        (
            &[
                "lookup", "grant", "T", "--group", "STAFF", "--regex", "^/x/(.*)", "--path",
                "a/{{$1}}", "--allow", "get",
            ],
            "group STAFF: asks table T\n",
        ),
        (
            &["lookup", "grants", "--group", "STAFF"],
            "TABLE  REGEX     ALLOWED  PATH\nT      ^/x/(.*)  get      a/{{$1}}\n",
        ),
        (
            &["lookup", "revoke", "T", "--group", "STAFF"],
            "group STAFF: asks table T no more\n",
        ),
        (&["lookup", "remove", "T"], "lookup table T: removed\n"),
        (&["lookup", "list"], "no lookup tables\n"),
        (&["session", "list", "--user", "ann"], "no sessions\n"),
        (&["user", "remove", "ann"], "user ann: removed\n"),
        (&["group", "remove", "STAFF"], "group STAFF: removed\n"),
    ] {
        assert_eq!(node.done(arguments), said, "{arguments:?}");
    }
    let users = node.done(&["user", "list", "--json"]);
    let users: serde_json::Value = serde_json::from_str(&users).unwrap();
    assert_eq!(users["total"], 1, "{users}");
    let users = node.done(&["user", "list"]);
    assert!(users.contains("_ADMIN  _ADMIN"), "{users}");
}

#[test]
fn a_token_stands_for_a_password_until_it_is_revoked() {
    let node = Asked::secure(&[]);
    let token = node.done(&["token", "add", "_ADMIN", "--ttl", "1 hour"]);
    let token = token.trim_end();
    let with_token = |arguments: &[&str]| {
        node.run(
            &[("HAPPN_ADMIN_TOKEN", token)],
            &[&["admin"], arguments].concat(),
        )
    };
    assert_eq!(with_token(&["user", "list"]).status.code(), Some(0));
    let file = node.folder.0.join("token");
    std::fs::write(&file, token).unwrap();
    let shown = text(&node.admin(&["token", "show", "--file", "token"]).stdout);
    assert!(shown.contains("username    _ADMIN\n"), "{shown}");
    assert!(!shown.contains(token));
    let revoked = node.admin(&["token", "revoke", "--file", "token", "--reason", "lost"]);
    assert_eq!(text(&revoked.stdout), "the token is revoked\n");
    let (code, told) = refusal(&with_token(&["user", "list"]));
    assert_eq!(code, Some(6), "{told}");
    assert!(told.starts_with("cluster-node: unauthorized: "), "{told}");
    let list = node.done(&["token", "list"]);
    assert!(list.contains("lost") && !list.contains(token), "{list}");
    let restored = node.admin(&["token", "restore", "--file", "token"]);
    assert_eq!(restored.status.code(), Some(0), "{restored:?}");
    assert_eq!(with_token(&["user", "list"]).status.code(), Some(0));
}

#[test]
fn who_is_refused_is_told_why_and_by_the_exit_code() {
    let node = Asked::secure(&[]);
    node.done(&["user", "add", "ann"]);
    for (variables, arguments, code, words) in [
        (
            [("HAPPN_ADMIN_PASSWORD", "wrong")],
            &["admin", "user", "list"][..],
            6,
            "unauthorized: ",
        ),
        (
            [("HAPPN_ADMIN_PASSWORD", "of ann")],
            &["admin", "--as", "ann", "user", "list"],
            6,
            "forbidden: ",
        ),
        (
            [("HAPPN_ADMIN_TOKEN", "a.b.c")],
            &["admin", "user", "list"],
            6,
            "unauthorized: ",
        ),
        (
            [("HAPPN_ADMIN_PASSWORD", PASSWORD)],
            &["admin", "user", "show", "nobody"],
            7,
            "not-found: ",
        ),
        (
            [("HAPPN_ADMIN_PASSWORD", PASSWORD)],
            &["admin", "permission", "remove", "/none", "--user", "ann"],
            7,
            "not-found: ",
        ),
        (
            [("HAPPN_ADMIN_PASSWORD", PASSWORD)],
            &["admin", "group", "add", "_ADMIN"],
            8,
            "conflict: ",
        ),
        (
            [("HAPPN_ADMIN_PASSWORD", PASSWORD)],
            &[
                "admin",
                "permission",
                "add",
                "/a",
                "--user",
                "ann",
                "--allow",
                "eat",
            ],
            8,
            "invalid: ",
        ),
        (
            [("X", "")],
            &["admin", "user", "list"],
            1,
            "there is no terminal",
        ),
    ] {
        let (exit, told) = refusal(&node.run(&variables, arguments));
        assert!(told.contains(words), "{arguments:?}: {told}");
        assert_eq!(exit, Some(code), "{arguments:?}: {told}");
        assert!(
            !told.contains(PASSWORD) && !told.contains("of ann"),
            "{told}"
        );
    }
}

#[test]
fn an_open_node_has_no_users() {
    let node = Asked::start(&[]);
    let (code, told) = refusal(&node.admin(&["user", "list"]));
    assert_eq!(code, Some(8), "{told}");
    assert!(told.starts_with("cluster-node: not-secure: "), "{told}");
}

#[test]
fn a_listener_with_a_certificate_is_asked_with_https() {
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let key = write("admin.key", &made.signing_key.serialize_pem());
    let certificate = write("admin.crt", &made.cert.pem());
    let identity = [
        format!("admin.keyPath={key}"),
        format!("admin.certPath={certificate}"),
    ];
    let identity = ["--set", &identity[0], "--set", &identity[1]];
    let node = Asked::secure(&identity);
    let list = |more: &[&str]| {
        let arguments = [&["user", "list"], more, &identity].concat();
        node.admin(&arguments)
    };
    let listed = list(&["--ca", &certificate]);
    assert_eq!(listed.status.code(), Some(0), "{listed:?}");
    let (code, told) = refusal(&list(&[]));
    assert_eq!(code, Some(1));
    assert!(told.contains("does --ca name who vouches"), "{told}");
    let status = [&["status", "--ca", &certificate][..], &identity].concat();
    assert_eq!(node.run(&[], &status).status.code(), Some(0));

    let plain = format!("http://127.0.0.1:{}", node.port);
    let (code, told) = refusal(&node.admin(&["user", "list", "--url", &plain]));
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("does it listen with https?"), "{told}");
}

#[test]
fn a_file_is_applied_to_a_running_cluster() {
    let node = Asked::secure(&[]);
    let write = |text: &str| std::fs::write(node.folder.0.join("users.json"), text).unwrap();
    let url = format!("http://127.0.0.1:{}", node.port);
    let provision = || {
        let variables = [("HAPPN_ADMIN_PASSWORD", PASSWORD)];
        node.run(&variables, &["provision", "users.json", "--url", &url])
    };
    write(
        r#"{"groups": [{"name": "STAFF"}],
            "users": [{"username": "ann", "password": "s3cret", "groups": ["STAFF"]}]}"#,
    );
    assert_eq!(
        text(&provision().stdout),
        "group STAFF: made\nuser ann: made\nuser ann: added to group STAFF\n"
    );
    assert_eq!(
        text(&provision().stdout),
        "everything is as the file says already\n"
    );
    write(
        r#"{"groups": [{"name": "_ADMIN"}], "users": [{"username": "bob", "groups": ["NOWHERE"]}]}"#,
    );
    let (code, told) = refusal(&provision());
    assert_eq!(code, Some(8), "{told}");
    assert!(told.contains("groups[0].name"), "{told}");
    write("{");
    let (code, told) = refusal(&provision());
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("users.json is no JSON: EOF"), "{told}");
}
