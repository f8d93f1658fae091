//! What signals do to a running node.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use crate::harness::{Folder, Process, QUIET};

/// A client that never answers the good-bye, so that a clean stop takes a while.
fn deaf_client(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET /primus HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).unwrap();
    assert!(line.contains("101"), "{line}");
    stream
}

fn with_a_deaf_client(folder: &Folder) -> (Process, TcpStream) {
    let mut process = Process::start(folder, &QUIET);
    let banner = process.banner();
    let (_, rest) = banner.split_once("ws://").unwrap();
    let client = deaf_client(rest.split_whitespace().next().unwrap());
    (process, client)
}

/// A terminal and a service manager, or a supervisor and its script, both say it. The second signal
/// once ended the process before it had stopped.
#[test]
fn signals_that_come_together_are_one_wish_to_stop_cleanly() {
    for signals in [["TERM", "TERM"], ["INT", "TERM"]] {
        let folder = Folder::new();
        let (process, client) = with_a_deaf_client(&folder);
        for signal in signals {
            process.signal(signal);
        }
        let (code, log) = process.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("node stopped"), "{log}");
        drop(client);
    }
}

#[test]
fn a_signal_to_a_node_that_is_stopping_ends_it_at_once() {
    let folder = Folder::new();
    let (mut process, client) = with_a_deaf_client(&folder);
    process.signal("TERM");
    process.logged("stopping");
    process.signal_until_it_ends("TERM");
    let (code, log) = process.end();
    assert_eq!(code, Some(4), "{log}");
    assert!(log.contains("told again while stopping"), "{log}");
    assert!(!log.contains("node stopped"), "{log}");
    drop(client);
}

#[test]
fn a_node_stops_within_its_time_although_clients_do_not_go() {
    let folder = Folder::new();
    let mut process = Process::start(
        &folder,
        &[&QUIET[..], &["--set", "shutdown.timeout=600"]].concat(),
    );
    let banner = process.banner();
    let (_, rest) = banner.split_once("ws://").unwrap();
    let client = deaf_client(rest.split_whitespace().next().unwrap());
    process.signal("TERM");
    let (code, log) = process.end();
    assert_eq!(code, Some(0), "{log}");
    for words in ["clients are still connected", "node stopped"] {
        assert!(log.contains(words), "{words}: {log}");
    }
    drop(client);
}

#[test]
fn the_help_tells_the_exit_codes() {
    let output = Folder::new().run(&["--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    for line in [
        "  0  done",
        "  1  failed",
        "  2  wrong",
        "  3  imported",
        "  4  ended at once",
    ] {
        assert!(help.contains(line), "{line}: {help}");
    }
}
