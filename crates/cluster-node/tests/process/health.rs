//! The health reports of a running node.

use serde_json::Value;

use crate::harness::{Folder, Process, QUIET};

const OFTEN: [&str; 2] = [
    "--set",
    "services.orchestrator.config.timing.healthReport=100",
];

fn vector() -> Value {
    let text = include_str!("../../../../tests/vectors/cluster/health-report.json");
    serde_json::from_str(text).unwrap()
}

/// The line that the reference wrote for a stable cluster of two, as it is for this node alone.
fn expected(line: &str, endpoint: &str) -> String {
    let timestamp = serde_json::from_str::<Value>(line).unwrap()["timestamp"].to_string();
    let captured = vector()["json_lines"][1]["raw"]
        .as_str()
        .unwrap()
        .to_owned();
    captured
        .replace("1795446167280", &timestamp)
        .replace("svc-1-node-1", "one")
        .replace("127.0.0.1:21001", endpoint)
        .replace("\"TOTAL_CLUSTER_MEMBERS\":2", "\"TOTAL_CLUSTER_MEMBERS\":1")
        .replace("\"TOTAL_CLUSTER_PEERS\":2", "\"TOTAL_CLUSTER_PEERS\":1")
}

#[test]
fn the_json_line_is_that_of_the_reference_and_alone_on_standard_output() {
    let folder = Folder::new();
    let mut process = Process::start(&folder, &[&QUIET[..], &OFTEN, &["--name", "one"]].concat());
    let banner = process.banner();
    let (_, rest) = banner.split_once("peers         ").unwrap();
    let endpoint = rest.split(',').next().unwrap();
    // A report may have come before the node was stable, and then the banner.
    let early = banner.lines().find(|line| line.contains("\"STABLE\""));
    let line = early.map_or_else(
        || loop {
            let line = process.line();
            if line.contains("\"STABLE\"") {
                return line;
            }
        },
        str::to_owned,
    );
    assert_eq!(line.trim_end(), expected(&line, endpoint));
    process.logged("Member: name one, endpoint: ");
    process.logged("Service happn-cluster-node has 1 peers of 1 required");
}

#[test]
fn reports_can_be_logged_or_switched_off() {
    let section = "services.orchestrator.config.healthReport";
    let folder = Folder::new();
    let json = format!("{section}.json=log");
    let lines = format!("{section}.lines=off");
    let options = ["--set", &json, "--set", &lines];
    let mut process = Process::start(&folder, &[&QUIET[..], &OFTEN, &options].concat());
    process.banner();
    process.logged("\"STATUS\":\"STABLE\"");
    process.signal("TERM");
    let (output, log) = process.end_with_output();
    assert_eq!(output, "");
    assert!(!log.contains("Member: name"), "{log}");
}
