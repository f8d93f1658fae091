//! Several processes on one file: what one was answered, others see, even when it is killed.
//!
//! Without the usual harness, because this program starts itself again as the other processes:
//! `processes count FILE TIMES` or `processes write FILE TIMES`.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test stops at what fails, and its children talk through their output"
)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use happn_core::{DataStore, Query};
use happn_paths::StoreGlob;
use happn_store_sqlite::{SqliteConfig, SqliteStore};

use crate::support::{Directory, increment, write};

mod support;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["count", file, times] => count(file, times.parse().unwrap()).await,
        ["write", file, times] => write_aloud(file, times.parse().unwrap()).await,
        // Whatever `cargo test` was told to pass on.
        _ => {
            processes_count_one_gauge_together().await;
            what_a_killed_process_was_answered_is_there().await;
        }
    }
}

async fn processes_count_one_gauge_together() {
    let directory = Directory::new();
    let file = directory.file("happn.sqlite");
    // The file does not exist yet: they also have to agree on who makes it.
    let children: Vec<Child> = (0..3).map(|_| start("count", &file, 200)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let found = open(&file)
        .find(Query::all(StoreGlob::new("*")))
        .all()
        .await;
    assert_eq!(
        found.unwrap()[0].data.as_str(),
        r#"{"counter":{"value":600}}"#
    );
    println!("processes_count_one_gauge_together ... ok");
}

async fn what_a_killed_process_was_answered_is_there() {
    let directory = Directory::new();
    let file = directory.file("happn.sqlite");
    let survivor = open(&file);
    let mut child = start("write", &file, 100_000);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut answered = Vec::new();
    for line in lines.by_ref().take(200) {
        answered.push(line.unwrap());
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it still said before it died counts as well; the last line may be cut.
    answered.extend(
        lines
            .map_while(Result::ok)
            .filter(|line| line.ends_with('.')),
    );
    for path in answered.iter().map(|line| line.trim_end_matches('.')) {
        let count = survivor.count(Query::all(StoreGlob::new(path))).await;
        assert_eq!(count, Ok(1), "{path}");
    }
    survivor.upsert(write("/after", "{}")).await.unwrap();
    survivor.close().await;
    open(&file).close().await;
    println!("what_a_killed_process_was_answered_is_there ... ok");
}

// === the other processes ===

async fn count(file: &str, times: u32) {
    let store = open(Path::new(file));
    for _ in 0..times {
        store.increment(increment("/shared")).await.unwrap();
    }
    store.close().await;
}

async fn write_aloud(file: &str, times: u32) {
    let store = open(Path::new(file));
    for number in 0..times {
        let path = format!("/n/{number}");
        store.upsert(write(&path, "{}")).await.unwrap();
        println!("{path}.");
    }
}

fn start(task: &str, file: &Path, times: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([task, file.to_str().unwrap(), &times.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn open(file: &Path) -> SqliteStore {
    SqliteStore::open(SqliteConfig::new(file)).unwrap()
}
