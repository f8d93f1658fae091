//! Documents in and out, as a person does it.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::harness::{Folder, Process, QUIET};

fn vector(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file: PathBuf = root.join("../../tests/vectors/import").join(name);
    file.canonicalize().unwrap().display().to_string()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn a_file_of_a_javascript_node_becomes_lines_and_a_store_again() {
    let folder = Folder::new();
    let nedb = vector("nedb-1.9.1.db");
    let import = ["import", "--from", "nedb", &nedb, "--data", "one.sqlite"];
    let imported = folder.run(&import);
    assert_eq!(code(&imported), Some(0), "{}", text(&imported.stderr));
    let summary = text(&imported.stdout);
    assert!(
        summary.starts_with(&format!("imported nedb file {nedb}\n")),
        "{summary}"
    );
    assert!(summary.contains("  read      44 lines\n"), "{summary}");
    assert!(
        summary.contains("note: a node without security shows"),
        "{summary}"
    );
    assert!(imported.stderr.is_empty(), "no bar without a terminal");

    let exported = folder.run(&["export", "--data", "one.sqlite", "all.jsonl"]);
    assert_eq!(code(&exported), Some(0));
    assert!(text(&exported.stderr).starts_with("exported 16 documents, "));
    let again = [
        "import",
        "--from",
        "jsonl",
        "all.jsonl",
        "--data",
        "two.sqlite",
    ];
    assert_eq!(code(&folder.run(&again)), Some(0));
    let [one, two] = ["one.sqlite", "two.sqlite"].map(|file| {
        let output = folder.run(&["export", "--path", "*", "--data", file, "-"]);
        text(&output.stdout)
    });
    assert_eq!(one, two);
    assert_eq!(
        one,
        std::fs::read_to_string(folder.0.join("all.jsonl")).unwrap()
    );
}

#[test]
fn skipped_lines_have_an_exit_code_of_their_own() {
    let folder = Folder::new();
    std::fs::write(
        folder.0.join("bad.jsonl"),
        "{\"path\":\"/a\",\"data\":{}}\nbad\n",
    )
    .unwrap();
    let import = [
        "import",
        "--from",
        "jsonl",
        "bad.jsonl",
        "--data",
        "x.sqlite",
    ];
    let output = folder.run(&import);
    assert_eq!(code(&output), Some(3));
    let summary = text(&output.stdout);
    assert!(
        summary.contains("  skipped   1 line\n    line 2: it cannot be read"),
        "{summary}"
    );
}

#[test]
fn what_cannot_be_done_is_one_message_and_exit_code_1_or_2() {
    let folder = Folder::new();
    let data = ["--data", "x.sqlite"];
    let run = |arguments: &[&str]| {
        let output = folder.run(&[arguments, &data].concat());
        (code(&output), text(&output.stderr))
    };
    let (code, message) = run(&["import", "--from", "jsonl", "missing"]);
    assert_eq!(code, Some(1));
    assert!(
        message.starts_with("cluster-node: file missing: No such file"),
        "{message}"
    );
    let (code, message) = run(&["export", "--store", "other", "-"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        message,
        "cluster-node: there is no data store other; the configuration has main\n"
    );
    let (code, message) = run(&["import", "--from", "mongo", "x"]);
    assert_eq!(code, Some(2));
    assert!(message.contains("loki, nedb, jsonl"), "{message}");
}

#[test]
fn a_node_on_a_loki_file_says_how_to_bring_it_along() {
    let folder = Folder::new();
    std::fs::copy(vector("loki-1.3.1.db"), folder.0.join("happn.db")).unwrap();
    let output = folder.run(&[&QUIET[..], &["--log", "error", "--data", "happn.db"]].concat());
    assert_eq!(code(&output), Some(1));
    assert_eq!(
        text(&output.stderr),
        "cluster-node: the data store main cannot be opened: happn.db is a file of loki; give the \
         store another file, then fill it with `cluster-node import --from loki happn.db`\n"
    );
}

#[test]
fn a_running_node_and_an_import_share_a_sqlite_file() {
    let folder = Folder::new();
    let flags = [&QUIET[..], &["--data", "shared.sqlite"]].concat();
    let mut node = Process::start(&folder, &flags);
    node.banner();
    let nedb = vector("nedb-1.9.1.db");
    let import = ["import", "--from", "nedb", &nedb, "--data", "shared.sqlite"];
    assert_eq!(code(&folder.run(&import)), Some(0));
    let exported = folder.run(&[
        "export",
        "--path",
        "/gauges/*",
        "--data",
        "shared.sqlite",
        "-",
    ]);
    assert_eq!(text(&exported.stdout).lines().count(), 2);
    node.signal("TERM");
    assert_eq!(node.end().0, Some(0));
}

/// The configuration of a store in a collection that nobody else uses; none, said loudly, where
/// there is no MongoDB.
fn mongo() -> Option<String> {
    let variable = "HAPPN_TEST_MONGO_URL";
    let Ok(url) = std::env::var(variable) else {
        let hint =
            format!("{variable} is not set; run this by `cargo xtask mongo -- cargo test …`");
        assert!(std::env::var_os("CI").is_none(), "{hint}");
        eprintln!("LEFT OUT: {hint}");
        return None;
    };
    let collection = format!("transfer-{}", std::process::id());
    Some(format!(
        r#"services.data.config.datastores=[{{"name": "m", "provider": "mongo", "settings":
            {{"url": "{url}", "database": "happn-test", "collection": "{collection}"}}}}]"#
    ))
}

#[test]
fn documents_move_between_sqlite_and_mongodb() {
    let Some(mongo) = mongo() else {
        return;
    };
    let folder = Folder::new();
    let succeed = |arguments: &[&str]| {
        let output = folder.run(arguments);
        assert_eq!(code(&output), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let nedb = vector("nedb-1.9.1.db");
    succeed(&["import", "--from", "nedb", &nedb, "--data", "one.sqlite"]);
    let lines = succeed(&["export", "--data", "one.sqlite", "-"]);
    std::fs::write(folder.0.join("one.jsonl"), &lines).unwrap();
    // Twice, to see that a second time changes nothing there either.
    for _ in 0..2 {
        succeed(&["import", "--from", "jsonl", "one.jsonl", "--set", &mongo]);
    }
    succeed(&["export", "--set", &mongo, "two.jsonl"]);
    succeed(&[
        "import",
        "--from",
        "jsonl",
        "two.jsonl",
        "--data",
        "two.sqlite",
    ]);
    let back = succeed(&["export", "--data", "two.sqlite", "-"]);
    // The mark of the index is the store's own and was not exported from SQLite.
    assert_eq!(back, lines);
}
