//! A secure node as a person meets it: its first password, and files of users.

use crate::harness::{Folder, Process, QUIET};

const SHOWN: &str = "the admin user _ADMIN was made; its password, shown this once, is";
const CHEAP: [&str; 2] = ["--set", "services.security.config.pbkdf2Iterations=100"];

fn arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let secure = ["--set", "secure=true", "--data", "h.sqlite"];
    [&QUIET[..], &secure, &CHEAP, more].concat()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_made_up_password_is_shown_once_and_never_logged() {
    let folder = Folder::new();
    let mut first = Process::start(&folder, &arguments(&["--log", "trace"]));
    let shown = first.banner();
    let password = shown.lines().skip_while(|line| *line != SHOWN).nth(1);
    let password = password.expect("a password is shown").trim().to_owned();
    assert_eq!(password.len(), 32, "{shown}");
    assert!(shown.contains("username: '_ADMIN'"), "{shown}");
    assert_eq!(shown.matches(&password).count(), 1);
    first.signal("TERM");
    let (output, log) = first.end_with_output();
    assert!(!output.contains(&password) && !log.contains(&password));

    let mut second = Process::start(&folder, &arguments(&[]));
    assert!(!second.banner().contains(SHOWN));
    second.signal("TERM");
    second.end();
}

#[test]
fn a_password_is_shown_even_when_the_node_then_cannot_start() {
    let folder = Folder::new();
    let (_busy, port) = crate::harness::busy_port();
    let mut arguments = arguments(&[]);
    let own = arguments.iter().position(|argument| *argument == "--port");
    arguments[own.unwrap() + 1] = &port;
    let started = folder.run(&arguments);
    assert_eq!(started.status.code(), Some(1));
    assert!(text(&started.stdout).starts_with(SHOWN));
    let told = text(&started.stderr);
    assert!(told.contains("cluster-node: "), "{told}");
}

#[test]
fn another_admin_password_than_the_stored_one_is_told_with_what_to_do() {
    let folder = Folder::new();
    let mut first = Process::start(&folder, &arguments(&["--dev"]));
    assert!(!first.banner().contains(SHOWN));
    first.signal("TERM");
    first.end();
    let password = "services.security.config.adminUser.password";
    let with = |text: &str| format!("{password}={text}");
    let refused = folder.run(&arguments(&["--set", &with("hunter2")]));
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    assert!(
        told.contains(password) && told.contains("stop all nodes"),
        "{told}"
    );
    assert!(!told.contains("hunter2"));
    let mut second = Process::start(&folder, &arguments(&["--set", &with("happn")]));
    second.banner();
    second.signal("TERM");
    second.end();
}

#[test]
fn a_file_of_users_is_applied_to_the_stores_with_a_report() {
    let folder = Folder::new();
    let write = |text: &str| std::fs::write(folder.0.join("users.json"), text).unwrap();
    let provision = |more: &[&str]| {
        let command = ["provision", "users.json", "--data", "h.sqlite"];
        folder.run(&[&command[..], &CHEAP, more].concat())
    };
    write(
        r#"{"groups": [{"name": "STAFF"}],
            "users": [{"username": "ann", "password": "s3cret", "groups": ["STAFF"]}]}"#,
    );
    let done = provision(&[]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(
        text(&done.stdout),
        "group STAFF: made\nuser ann: made\nuser ann: added to group STAFF\n"
    );
    let again = provision(&["--json"]);
    assert_eq!(text(&again.stdout), "[]\n");

    write(
        r#"{"groups": [{"name": "_ADMIN"}],
            "users": [{"username": "ann", "groups": ["NOWHERE"]}], "x": 1}"#,
    );
    let refused = provision(&[]);
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    let places: Vec<_> = told
        .lines()
        .filter_map(|line| line.split(": ").next())
        .collect();
    assert_eq!(places, ["x", "groups[0].name", "cluster-node"], "{told}");

    let memory = [
        "--set",
        "services.data.config.datastores=[{provider:'memory'}]",
    ];
    let refused = folder.run(&[&["provision", "users.json"][..], &memory].concat());
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    assert!(told.contains("lives only inside a running node"), "{told}");
}
