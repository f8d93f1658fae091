//! What a node says, and how it goes.

use crate::harness::{Folder, Process, QUIET};

#[test]
fn a_node_with_no_more_than_ports_says_what_runs_where_and_stops_cleanly() {
    for signal in ["TERM", "INT"] {
        let folder = Folder::new();
        let mut process = Process::start(&folder, &QUIET);
        let banner = process.banner();
        for words in [
            "is stable in cluster happn-cluster (deployment Test-Deploy)",
            "clients       ws://127.0.0.1:",
            "peers         127.0.0.1:",
            "data          sqlite ./happn-data/happn.sqlite",
            "npm i happn-3@13.12.1",
            "cluster-node --port ",
            "--data ./happn-data/happn.sqlite --host 127.0.0.1",
        ] {
            assert!(banner.contains(words), "{words} is not in {banner}");
        }
        assert!(folder.0.join("happn-data/happn.sqlite").exists());
        process.signal(signal);
        let (code, log) = process.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("node stopped"), "{log}");
    }
}

#[test]
fn the_command_to_add_a_node_works_as_printed() {
    let folder = Folder::new();
    std::fs::write(folder.0.join("my file.json5"), "{name: 'first'}").unwrap();
    let with_file = ["--config", "my file.json5", "--data", "it's/here.sqlite"];
    let mut process = Process::start(&folder, &[&QUIET[..], &with_file].concat());
    let banner = process.banner();
    let (_, command) = banner.split_once("add a node").unwrap();
    let mut shell = std::process::Command::new("/bin/sh");
    shell.args(["-c", &format!("{} config", command.trim())]);
    let output = shell.current_dir(&folder.0).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("name = \"first-2\"  # flag --name"),
        "{command}: {text}"
    );
    assert!(
        text.contains("\"filename\":\"it's/here.sqlite\""),
        "{command}: {text}"
    );
}

#[test]
fn a_node_that_waits_for_others_can_be_stopped() {
    let folder = Folder::new();
    let waiting = ["--set", "services.orchestrator.config.minimumPeers=2"];
    let mut process = Process::start(&folder, &[&QUIET[..], &waiting].concat());
    process.logged("node started");
    process.signal("TERM");
    let (code, log) = process.end();
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn config_prints_every_value_with_its_origin() {
    let folder = Folder::new();
    std::fs::write(folder.0.join("happn.toml"), "port = 4000\nprot = 1\n").unwrap();
    let mut command = folder.command(&["config", "--config", "happn.toml", "--name", "me"]);
    command.env("HAPPN_PROXY_PORT", "4001");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        "name = \"me\"  # flag --name",
        "port = 4000  # file happn.toml",
        "services.proxy.config.port = 4001  # environment HAPPN_PROXY_PORT",
        "services.orchestrator.config.timing.keepAlive = 5000  # default",
        "# announceHost is not set",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in {text}");
    }
    let warnings = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        warnings,
        "warning: file happn.toml: unknown key prot, did you mean port?\n"
    );
}

#[test]
fn a_node_reads_its_certificates_again_when_told() {
    let folder = Folder::new();
    let certificate = || {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.0.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        std::fs::write(folder.0.join("cert.pem"), made.cert.pem()).unwrap();
    };
    certificate();
    let section = "services.proxy.config";
    let key = format!("{section}.keyPath=key.pem");
    let cert = format!("{section}.certPath=cert.pem");
    let with_tls = ["--set", &key, "--set", &cert];
    let mut process = Process::start(&folder, &[&QUIET[..], &with_tls].concat());
    let banner = process.banner();
    assert!(banner.contains("wss://127.0.0.1:"), "{banner}");
    assert!(banner.contains("protocol: 'https'"), "{banner}");

    certificate();
    process.signal("HUP");
    process.logged("certificates read again");
    std::fs::remove_file(folder.0.join("key.pem")).unwrap();
    process.signal("HUP");
    process.logged("certificates stay as they were");
    process.signal("TERM");
    assert_eq!(process.end().0, Some(0));
}
