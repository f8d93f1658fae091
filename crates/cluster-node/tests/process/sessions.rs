//! What a node logs of its sessions.

use happn_client::{Client, ClientConfig};

use crate::harness::{Folder, Process, QUIET};

/// The log of a node that a client has visited.
fn log_of_a_visit(options: &[&str]) -> String {
    let folder = Folder::new();
    let log = ["--log", "info,happn-session=debug"];
    let mut process = Process::start(&folder, &[&QUIET[..], &log, options].concat());
    let banner = process.banner();
    let (_, rest) = banner.split_once("clients       ").unwrap();
    let url = rest.split_whitespace().next().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = Client::connect(ClientConfig::url(url)).await.unwrap();
        client.disconnect().await;
    });
    process.signal("TERM");
    let (code, log) = process.end();
    assert_eq!(code, Some(0), "{log}");
    log
}

#[test]
fn sessions_that_come_and_go_are_lines_of_json() {
    let log = log_of_a_visit(&[]);
    for event in ["session attached", "session detached"] {
        let line = log.lines().find(|line| line.contains(event));
        let (_, json) = line.expect(&log).split_once('{').unwrap();
        let json: serde_json::Value = serde_json::from_str(&format!("{{{json}")).unwrap();
        assert_eq!(json["event"], event);
        assert_eq!(json["username"], "anonymous (unsecure connection)");
        assert_eq!(json["sourceAddress"], "127.0.0.1");
        assert_eq!(json["happnProtocolVersion"], "happn_4");
    }
}

#[test]
fn sessions_can_be_left_out_of_the_log() {
    let switch = "services.session.config.disableSessionEventLogging=true";
    let log = log_of_a_visit(&["--set", switch]);
    assert!(
        !log.contains("session attached") && !log.contains("session detached"),
        "{log}"
    );
}
