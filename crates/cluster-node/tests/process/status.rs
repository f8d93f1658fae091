//! `cluster-node status`, as a person or a script meets it.

use std::process::Output;

use crate::harness::{Folder, Process, QUIET, busy_port};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A running node and the url of its admin listener.
fn node(folder: &Folder, options: &[&str]) -> (Process, String) {
    let mut process = Process::start(folder, &[&QUIET[..], options].concat());
    let banner = process.banner();
    (process, health_url(&banner))
}

fn health_url(banner: &str) -> String {
    let (_, rest) = banner.split_once("health        ").unwrap();
    rest.split(['/', ','])
        .nth(2)
        .map(|it| format!("http://{it}"))
        .unwrap()
}

fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    text(&output.stderr)
}

#[test]
fn a_table_or_json_of_a_running_node() {
    let folder = Folder::new();
    let (_node, url) = node(&folder, &["--name", "one"]);
    let output = folder.run(&["status", "--url", &url]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let table = text(&output.stdout);
    for words in ["one  STABLE  ready\n", "NODE  ENDPOINT", "self\n"] {
        assert!(table.contains(words), "{words} is not in {table}");
    }
    assert!(
        !table.contains('\u{1b}'),
        "colours are for terminals: {table:?}"
    );

    let output = folder.run(&["status", "--json", "--url", &url]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&json["name"], &json["ready"]),
        (&"one".into(), &true.into())
    );
}

#[test]
fn a_node_that_is_not_ready_is_told_by_the_exit_code() {
    let folder = Folder::new();
    let waiting = ["--set", "services.orchestrator.config.minimumPeers=2"];
    // The port has to be known: a node that waits prints nothing yet.
    let (listener, port) = busy_port();
    drop(listener);
    let admin = ["--admin-port", &port];
    let mut process = Process::start(&folder, &[&QUIET[..], &waiting, &admin].concat());
    process.logged("health, metrics and administration");
    let output = folder.run(&["status", "--admin-port", &port]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let table = text(&output.stdout);
    assert!(table.contains("because   the state is"), "{table}");
}

#[test]
fn who_is_asked_in_vain_is_named() {
    let folder = Folder::new();
    let (listener, port) = busy_port();
    drop(listener);
    let url = format!("http://127.0.0.1:{port}");
    let message = failed(&folder.run(&["status", "--url", &url]));
    let expected = format!(
        "cluster-node: nobody answers at {url} (is the node running, and is this its admin \
         listener?): Connection refused"
    );
    assert!(message.starts_with(&expected), "{message}");

    let message = failed(&folder.run(&["status", "--url", "127.0.0.1"]));
    assert!(message.contains("must look like http://"), "{message}");
    let message = failed(&folder.run(&["status", "--port", "0"]));
    assert!(message.contains("name it with --url"), "{message}");
    let off = ["status", "--set", "admin.enabled=false"];
    let message = failed(&folder.run(&off));
    assert!(message.contains("no admin listener"), "{message}");
}

#[test]
fn another_port_of_the_node_is_not_taken_for_its_admin_listener() {
    let folder = Folder::new();
    let mut process = Process::start(&folder, &QUIET);
    let banner = process.banner();
    let (_, rest) = banner.split_once("ws://").unwrap();
    let url = format!("http://{}", rest.split_whitespace().next().unwrap());
    let message = failed(&folder.run(&["status", "--url", &url]));
    assert!(
        message.contains("is not a node's health (status 404)"),
        "{message}"
    );
}

#[test]
fn watching_goes_on_until_it_is_interrupted() {
    let folder = Folder::new();
    let (_node, url) = node(&folder, &["--name", "one"]);
    let mut watch = Process::start(&folder, &["status", "--watch", "--json", "--url", &url]);
    for _ in 0..2 {
        let line: serde_json::Value = serde_json::from_str(&watch.line()).unwrap();
        assert_eq!(line["name"], "one");
    }
}
