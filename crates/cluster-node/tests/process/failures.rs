//! What a node cannot start with ends it with exit code 1 and one clear message.

use crate::harness::{Folder, QUIET, busy_port};

/// Runs a node that must fail and answers its last line.
pub(crate) fn failure(folder: &Folder, arguments: &[&str]) -> String {
    let output = folder.run(&[&["--log", "error"], arguments].concat());
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(output.stdout.is_empty());
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 1, "one message: {log}");
    lines[0].strip_prefix("cluster-node: ").unwrap().to_owned()
}

#[test]
fn a_busy_inner_port() {
    let (_listener, port) = busy_port();
    let folder = Folder::new();
    let message = failure(&folder, &["--host", "127.0.0.1", "--port", &port]);
    let expected = format!("cannot listen on 127.0.0.1:{port}: Address already in use");
    assert!(message.starts_with(&expected), "{message}");
}

#[test]
fn a_cluster_that_does_not_become_stable_in_time() {
    let folder = Folder::new();
    let flags = ["--host", "127.0.0.1", "--port", "0", "--proxy-port", "0"];
    let config = r#"{"services": {"orchestrator": {"config": {"minimumPeers": 2, "stabiliseTimeout": 300}}}}"#;
    std::fs::write(folder.0.join("happn.json"), config).unwrap();
    let message = failure(&folder, &[&flags[..], &["--config", "happn.json"]].concat());
    assert_eq!(message, "StabiliseTimeout: failed to stabilise in time");
}

#[test]
fn a_busy_proxy_port() {
    let (_listener, port) = busy_port();
    let folder = Folder::new();
    let flags = [
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--proxy-host",
        "127.0.0.1",
    ];
    let message = failure(&folder, &[&flags[..], &["--proxy-port", &port]].concat());
    let expected = format!("the proxy cannot listen on 127.0.0.1:{port}: Address already in use");
    assert!(message.starts_with(&expected), "{message}");
}

#[test]
fn a_data_directory_that_cannot_be_made() {
    let folder = Folder::new();
    std::fs::write(folder.0.join("file"), "").unwrap();
    let message = failure(
        &folder,
        &[&QUIET[..], &["--data", "file/data/happn.sqlite"]].concat(),
    );
    let expected = "the data store main cannot be opened: cannot make the directory file/data: ";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn a_file_that_is_no_database() {
    let folder = Folder::new();
    std::fs::write(
        folder.0.join("happn.sqlite"),
        "this is a text, ".repeat(1000),
    )
    .unwrap();
    let message = failure(&folder, &[&QUIET[..], &["--data", "happn.sqlite"]].concat());
    let expected =
        "the data store main cannot be opened: the file happn.sqlite is not a SQLite database";
    assert_eq!(message, expected);
}

#[test]
fn a_configuration_that_is_wrong() {
    let folder = Folder::new();
    std::fs::write(folder.0.join("happn.json5"), "{port: 'many'}").unwrap();
    let message = failure(&folder, &["--config", "happn.json5"]);
    assert_eq!(
        message,
        "bad configuration: file happn.json5: port is \"many\", but must be a whole number from \
         0 to 65535"
    );
}

#[test]
fn log_filters_that_make_no_sense() {
    let folder = Folder::new();
    let output = folder.run(&["--log", "a=b=c"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.starts_with("cluster-node: log.level is \"a=b=c\", but must be"),
        "{message}"
    );
}
