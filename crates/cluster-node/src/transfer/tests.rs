//! Files of JavaScript nodes and back, through real stores.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use happn_core::{DataService, MemoryStore, Query};
use happn_paths::{RouteRule, StoreGlob};
use serde_json::{Value, json};

use super::import::import_into;
use super::*;
use crate::config::{Config, FlagValue, Settings, Sources};
use crate::transfer::export::export_from;

/// A folder that vanishes with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("cluster-node-{}", uuid::Uuid::new_v4());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// A configuration with one SQLite store called `main`.
    fn sqlite(&self, name: &str) -> Settings {
        let file = self.path(name);
        settings(&json!([{"name": "main", "settings": {"filename": file}}]))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn settings(stores: &Value) -> Settings {
    let flags = vec![FlagValue {
        flag: "--set".into(),
        key: "services.data.config.datastores".into(),
        text: stores.to_string(),
    }];
    let sources = Sources {
        flags,
        ..Sources::default()
    };
    Config::load(&sources).unwrap().settings
}

fn vector(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("../../tests/vectors/import").join(name)
}

fn request(format: Format, file: PathBuf) -> ImportRequest {
    ImportRequest {
        format,
        file,
        store: None,
        system: SystemItems::Needed,
    }
}

async fn import_to(settings: &Settings, request: ImportRequest) -> Imported {
    let data = &settings.services.data;
    let imported = import(data, request, &Progress::hidden()).await;
    imported.unwrap()
}

/// Everything in the stores of a configuration, as lines.
async fn exported(settings: &Settings, folder: &Folder, mask: &str) -> String {
    let file = folder.path("exported.jsonl");
    let request = ExportRequest {
        mask: mask.into(),
        store: None,
        to: ExportTo::File(file.clone()),
    };
    let data = &settings.services.data;
    export(data, &request, &Progress::hidden()).await.unwrap();
    std::fs::read_to_string(file).unwrap()
}

/// The documents of clients by path, out of exported lines.
fn of_clients(lines: &str) -> BTreeMap<String, Value> {
    let documents = lines.lines().map(|line| {
        let document: Value = serde_json::from_str(line).unwrap();
        (document["path"].as_str().unwrap().to_owned(), document)
    });
    documents
        .filter(|(path, _)| !path.starts_with("/_SYSTEM"))
        .collect()
}

/// What a JavaScript client was told by the node that wrote a file, in the form of exported lines.
fn recorded(name: &str) -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(vector(name)).unwrap();
    let items: Vec<Value> = serde_json::from_str(&text).unwrap();
    let documents = items.into_iter().map(|mut item| {
        let mut document = item.as_object_mut().unwrap().remove("_meta").unwrap();
        document["data"] = item;
        (document["path"].as_str().unwrap().to_owned(), document)
    });
    documents
        .filter(|(path, _)| !path.starts_with("/_SYSTEM"))
        .collect()
}

#[tokio::test]
async fn a_nedb_file_gives_what_its_node_showed_to_clients() {
    let folder = Folder::new();
    let settings = folder.sqlite("main.sqlite");
    let imported = import_to(&settings, request(Format::Nedb, vector("nedb-1.9.1.db"))).await;
    assert_eq!(imported.skipped, 0, "{imported}");
    assert_eq!(imported.lines, 44);
    let mine = of_clients(&exported(&settings, &folder, "*").await);
    assert_eq!(mine, recorded("nedb-1.9.1.expected.json"));
}

#[tokio::test]
async fn a_loki_file_gives_the_data_that_its_node_showed_and_the_times_it_holds() {
    let folder = Folder::new();
    let settings = folder.sqlite("main.sqlite");
    let imported = import_to(&settings, request(Format::Loki, vector("loki-1.3.1.db"))).await;
    let mut mine = of_clients(&exported(&settings, &folder, "*").await);
    // Of one removal the file does not hold the regular expression it had.
    assert_eq!(imported.skipped, 1, "{imported}");
    assert_eq!(imported.skips[0].line, 20);
    assert!(
        imported.skips[0]
            .reason
            .starts_with("what it removed stays")
    );
    assert!(mine.remove("/orders/3").is_some());
    let recorded = recorded("loki-1.3.1.expected.json");
    assert!(mine.keys().eq(recorded.keys()));
    for (path, document) in &recorded {
        assert_eq!(mine[path]["data"], document["data"], "{path}");
        // The file leaves out the time of later writes; what it tells is at most that late.
        let (mine, theirs) = (&mine[path]["modified"], &document["modified"]);
        assert!(mine.as_i64() <= theirs.as_i64() && mine.is_i64(), "{path}");
    }
}

#[tokio::test]
async fn importing_again_gives_the_same() {
    for (format, name) in [
        (Format::Loki, "loki-1.3.1.db"),
        (Format::Nedb, "nedb-1.9.1.db"),
    ] {
        let folder = Folder::new();
        let settings = folder.sqlite("main.sqlite");
        let first = import_to(&settings, request(format, vector(name))).await;
        let after_first = exported(&settings, &folder, "*").await;
        let second = import_to(&settings, request(format, vector(name))).await;
        assert_eq!(first, second, "{name}");
        assert_eq!(after_first, exported(&settings, &folder, "*").await);
    }
}

#[tokio::test]
async fn an_export_is_what_an_import_reads() {
    let folder = Folder::new();
    let (from, to) = (folder.sqlite("from.sqlite"), folder.sqlite("to.sqlite"));
    import_to(&from, request(Format::Nedb, vector("nedb-1.9.1.db"))).await;
    let lines = exported(&from, &folder, "*").await;
    let copied = import_to(&to, request(Format::Jsonl, folder.path("exported.jsonl"))).await;
    assert_eq!(copied.skipped, 0, "{copied}");
    assert_eq!(copied.written as usize, lines.lines().count());
    assert_eq!(exported(&to, &folder, "*").await, lines);
    let some = exported(&to, &folder, "/gauges/*").await;
    assert_eq!(some.lines().count(), 2);
}

#[tokio::test]
async fn documents_of_the_server_are_taken_as_far_as_a_node_does_not_make_them() {
    let folder = Folder::new();
    let file = folder.file(
        "some.jsonl",
        r#"{"path":"/_SYSTEM/_NETWORK/_SETTINGS/NAME","data":{"value":"n"}}
{"path":"/SYSTEM/DEPLOYMENT/d/s/1.1.1.1:1","data":{}}
{"path":"/_SYSTEM/_SECURITY/_PERMISSIONS/_ADMIN/*/{{w}}","data":{"path":"*"}}
{"path":"/mine","data":{}}
"#,
    );
    for (system, expected) in [
        (SystemItems::Needed, (2, 1, 2)),
        (SystemItems::All, (4, 3, 0)),
        (SystemItems::None, (1, 0, 3)),
    ] {
        let settings = folder.sqlite(&format!("{system:?}.sqlite"));
        let request = ImportRequest {
            system,
            ..request(Format::Jsonl, file.clone())
        };
        let done = import_to(&settings, request).await;
        let counts = (done.written, done.system, done.left_out);
        assert_eq!(counts, expected, "{system:?}");
    }
}

/// Everything a JavaScript node keeps for itself can be brought along, except what ours makes.
#[tokio::test]
async fn the_documents_of_a_javascript_server_are_taken() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/data");
    let text = std::fs::read_to_string(root.join("system-documents.json")).unwrap();
    // The stand-in for a token is no path.
    let text = text.replace("<token>", "a.b-c_d");
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let lists = ["secure_server", "cluster_node"].map(|list| vectors[list].as_array().unwrap());
    let documents: Vec<&Value> = lists.into_iter().flatten().collect();
    let lines: Vec<String> = documents.iter().map(ToString::to_string).collect();
    let folder = Folder::new();
    let file = folder.file("system.jsonl", &lines.join("\n"));
    let settings = folder.sqlite("main.sqlite");
    let done = import_to(&settings, request(Format::Jsonl, file)).await;
    assert_eq!((done.left_out, done.skipped), (3, 0), "{done}");
    assert_eq!(done.written as usize, documents.len() - 3);
    let exported = exported(&settings, &folder, "*").await;
    let mut kept = Vec::new();
    for line in exported.lines() {
        let document: Value = serde_json::from_str(line).unwrap();
        let original = documents.iter().find(|it| it["path"] == document["path"]);
        assert_eq!(document["data"], original.unwrap()["data"]);
        kept.push(document["path"].as_str().unwrap().to_owned());
    }
    assert!(kept.contains(&"/_SYSTEM/_SECURITY/_PERMISSIONS/_ADMIN/*/{{w}}".to_owned()));
    assert!(
        !kept
            .iter()
            .any(|path| path.starts_with("/SYSTEM/DEPLOYMENT/"))
    );
}

#[tokio::test]
async fn lines_that_cannot_be_taken_are_told_by_number() {
    let folder = Folder::new();
    let file = folder.file(
        "bad.jsonl",
        "{\"path\":\"/a\",\"data\":{}}\n\nnonsense\n{\"path\":\"/b\",\"data\":5}\n\
         {\"path\":\"/c,d\",\"data\":{}}\n{\"path\":\"/e\",\"data\":{}}",
    );
    let settings = folder.sqlite("main.sqlite");
    let imported = import_to(&settings, request(Format::Jsonl, file)).await;
    assert_eq!((imported.lines, imported.written), (6, 2));
    let text = imported.to_string();
    for expected in [
        "  read      6 lines\n  written   2 documents\n  skipped   3 lines\n",
        "line 3: it cannot be read: expected ident, column 2",
        "line 4: its data is not an object",
        "line 5: Bad path, can only contain characters",
    ] {
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn documents_go_where_their_paths_are_routed_unless_a_store_is_named() {
    let folder = Folder::new();
    let two = settings(&json!([
        {"name": "main", "settings": {"filename": folder.path("main.sqlite")}},
        {"name": "other", "patterns": ["/o/*"], "settings": {"filename": folder.path("other.sqlite")}},
        {"name": "gone", "patterns": ["/g/*"], "provider": "memory"},
    ]));
    let file = folder.file(
        "some.jsonl",
        "{\"path\":\"/m\",\"data\":{}}\n{\"path\":\"/o/1\",\"data\":{}}\n{\"path\":\"/g/1\",\"data\":{}}\n",
    );
    let done = import_to(&two, request(Format::Jsonl, file.clone())).await;
    assert_eq!(done.written, 2, "{done}");
    assert!(done.skips[0].reason.contains("the memory store gone"));
    let lines = exported(&two, &folder, "*").await;
    assert_eq!(
        lines,
        "{\"path\":\"/m\",\"data\":{}}\n{\"path\":\"/o/1\",\"data\":{}}\n"
    );

    // What is in a store that its path does not lead to is not what clients see.
    let to_main = ImportRequest {
        store: Some("main".into()),
        ..request(Format::Jsonl, file)
    };
    assert_eq!(import_to(&two, to_main.clone()).await.written, 3);
    assert_eq!(exported(&two, &folder, "*").await, lines);

    let nowhere = ImportRequest {
        store: Some("elsewhere".into()),
        ..to_main
    };
    let error = import(&two.services.data, nowhere, &Progress::hidden()).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "there is no data store elsewhere; the configuration has main, other, gone"
    );
}

#[tokio::test]
async fn files_and_stores_that_cannot_serve_are_told_apart() {
    let folder = Folder::new();
    let main = folder.sqlite("main.sqlite");
    let failure = async |settings: &Settings, format, file| {
        let data = &settings.services.data;
        let outcome = import(data, request(format, file), &Progress::hidden()).await;
        crate::one_line(&outcome.unwrap_err())
    };
    let missing = failure(&main, Format::Jsonl, folder.path("missing")).await;
    assert!(missing.contains("No such file"), "{missing}");
    let empty = folder.file("empty", "");
    let no_loki = failure(&main, Format::Loki, empty).await;
    assert!(no_loki.contains("line 1: this is no snapshot of loki: the file is empty"));
    let no_loki = failure(&main, Format::Loki, vector("nedb-1.9.1.db")).await;
    assert!(no_loki.contains("this is no snapshot of loki: it cannot be read: missing field"));
    let memory = settings(&json!([{"name": "m", "provider": "memory"}]));
    let refused = failure(&memory, Format::Nedb, vector("nedb-1.9.1.db")).await;
    assert!(refused.starts_with("the data store m is a memory store"));
}

#[tokio::test]
async fn a_store_that_stops_answering_ends_the_transfer() {
    let store = std::sync::Arc::new(MemoryStore::new());
    let data = DataService::named("main", store.clone(), RouteRule::Strict);
    let outage = StoreError::Unavailable("played".into());
    store.fail_with(Some(outage.clone()));
    let request = request(Format::Nedb, vector("nedb-1.9.1.db"));
    let failed = import_into(&data, Vec::new(), request.clone(), &Progress::hidden()).await;
    assert!(matches!(failed, Err(TransferError::Store { done: 0, source }) if source == outage));
    let folder = Folder::new();
    let export = ExportRequest {
        mask: "*".into(),
        store: None,
        to: ExportTo::File(folder.path("x.jsonl")),
    };
    let failed = export_from(&data, &export, &Progress::hidden()).await;
    assert!(matches!(failed, Err(TransferError::Store { .. })));
    let left = std::fs::read_dir(&folder.0).unwrap().count();
    assert_eq!(left, 0, "an export that fails leaves nothing behind");

    store.fail_with(None);
    let done = import_into(&data, Vec::new(), request, &Progress::hidden()).await;
    let everything = Query::all(StoreGlob::new("*"));
    let store: std::sync::Arc<dyn happn_core::DataStore> = store;
    assert_eq!(
        store.count(everything).await.unwrap(),
        done.unwrap().written
    );
}

/// Lines as a broken disk, an editor or an attacker might leave them.
fn odd_line() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let operation = (
        prop::sample::select(vec!["UPSERT", "INSERT", "INCREMENT", "REMOVE", "SNAPSHOT"]),
        prop::collection::vec(
            prop::sample::select(vec![
                r#""/a""#,
                r#""/*""#,
                "5",
                "null",
                "{}",
                "[]",
                r#"{"data":{"g":{"value":1}}}"#,
                r#"{"path":"/a","data":{"x":1},"created":1e300}"#,
                r#""g""#,
                "1e308",
                "-0.5",
                r#"{"merge":true,"modifiedBy":5}"#,
                r#"{"data.x":{"$gt":1}}"#,
            ]),
            0..4,
        ),
    );
    prop_oneof![
        ".{0,40}",
        operation.prop_map(|(kind, arguments)| format!(
            r#"{{"operation":{{"operationType":"{kind}","arguments":[{}]}}}}"#,
            arguments.join(",")
        )),
        Just(r#"{"_id":"/a","data":{},"$$deleted":true}"#.to_owned()),
        Just(
            r#"{"_id":"/a","path":"/b","data":{"$$date":1},"modified":{"$$date":"x"}}"#.to_owned()
        ),
        Just(r#"{"path":"/a","data":{"a":1},"modifiedBy":null}"#.to_owned()),
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]

    #[test]
    fn any_file_is_taken_skipped_or_refused(
        lines in proptest::collection::vec(odd_line(), 0..12),
        snapshot: bool,
    ) {
        let first = r#"{"snapshot":"{\"collections\":[{\"name\":\"happn\",\"data\":[]}]}"}"#;
        let mut text = lines.join("\n");
        if snapshot {
            text = format!("{first}\n{text}");
        }
        let folder = Folder::new();
        let file = folder.file("odd", &text);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for format in [Format::Loki, Format::Nedb, Format::Jsonl] {
                let store = std::sync::Arc::new(MemoryStore::new());
                let data = DataService::named("main", store, RouteRule::Strict);
                let request = request(format, file.clone());
                match import_into(&data, Vec::new(), request, &Progress::hidden()).await {
                    Ok(done) => assert!(done.written <= done.lines),
                    Err(error) => {
                        assert!(matches!(error, TransferError::Format { line: 1, .. }), "{error}");
                        assert_eq!(format, Format::Loki);
                    }
                }
            }
        });
    }
}
