//! The documents, against those of the reference.

use std::time::Duration;

use happn_core::{Increment, MemoryStore};
use serde_json::Value;

use super::*;

async fn put(store: &MemoryStore, path: &str, data: &str, at: i64) {
    let write = Write {
        path: Path::for_set(path).unwrap(),
        data: Json::parse(data).unwrap(),
        mode: WriteMode::Replace,
        at,
        modified_by: None,
    };
    store.upsert(write).await.unwrap();
}

async fn all(store: &MemoryStore) -> Vec<Document> {
    store
        .find(Query::all(StoreGlob::new("*")))
        .all()
        .await
        .unwrap()
}

struct FixedClock(i64);

impl Clock for FixedClock {
    fn wall_ms(&self) -> i64 {
        self.0
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

fn table(store: &Arc<MemoryStore>, service: &str, endpoint: &str) -> KeepaliveDocuments {
    let record = NodeRecord {
        deployment: "deployment-1".to_owned(),
        service: service.to_owned(),
        endpoint: endpoint.to_owned(),
        cluster_name: "cluster-1".to_owned(),
        name: "node-1".to_owned(),
        instance: "i-1".to_owned(),
    };
    let store = Arc::clone(store) as Arc<dyn DataStore>;
    KeepaliveDocuments::new(store, Arc::new(FixedClock(77)), &record).unwrap()
}

fn vector() -> Value {
    let text = include_str!("../../../../tests/vectors/cluster/membership-documents.json");
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn a_beat_is_the_document_of_the_reference_with_our_members_behind_it() {
    let store = Arc::new(MemoryStore::new());
    table(&store, "service-a", "127.0.0.1:21001")
        .beat()
        .await
        .unwrap();

    let theirs = &vector()["keepalive_documents"][0];
    let written = &all(&store).await[0];
    assert_eq!(*written.path, *theirs["path"].as_str().unwrap());
    assert_eq!(written.modified, Some(77));
    assert_eq!(
        written.data.as_str(),
        r#"{"service":"service-a","endpoint":"127.0.0.1:21001","clusterName":"cluster-1","name":"node-1","instance":"i-1","capabilities":["numbered-links"]}"#
    );
    let data: Value = written.data.decode().unwrap();
    for (key, value) in theirs["data"].as_object().unwrap() {
        assert_eq!(&data[key], value);
    }
}

#[tokio::test]
async fn the_records_of_reference_nodes_are_beats() {
    let store = Arc::new(MemoryStore::new());
    for document in vector()["keepalive_documents"].as_array().unwrap() {
        let (path, data) = (document["path"].as_str(), document["data"].to_string());
        let modified = document["modified"].as_i64().unwrap();
        put(&store, path.unwrap(), &data, modified).await;
    }
    let beats = table(&store, "s", "h:1").beats().await.unwrap();
    let beat = |endpoint: &str, service: &str, mark| Beat {
        endpoint: endpoint.to_owned(),
        service: service.to_owned(),
        cluster: None,
        name: None,
        instance: None,
        mark,
    };
    let expected = [
        beat("127.0.0.1:21001", "service-a", 1_795_446_791_987),
        beat("127.0.0.1:21002", "service-b", 1_795_446_791_884),
    ];
    assert_eq!(beats, expected);
}

#[tokio::test]
async fn malformed_and_foreign_records_are_passed_over() {
    let store = Arc::new(MemoryStore::new());
    let own = table(&store, "s", "h:1");
    own.beat().await.unwrap();
    let prefix = "/SYSTEM/DEPLOYMENT/deployment-1";
    let valid = r#"{"service":"s","endpoint":"h:2"}"#;
    for (place, data) in [
        ("s/h:9", valid),
        ("x/h:2", valid),
        ("s/h:3", r#"{"service":"s"}"#),
        ("s/h:4", r#"{"service":"s","endpoint":4}"#),
    ] {
        put(&store, &format!("{prefix}/{place}"), data, 1).await;
    }
    put(&store, "/SYSTEM/DEPLOYMENT/other/s/h:2", valid, 1).await;
    // Counters have no times.
    let counter = Increment {
        path: Path::for_set(&format!("{prefix}/s/h:2")).unwrap(),
        gauge: "beats".into(),
        by: 1.into(),
    };
    store.increment(counter).await.unwrap();

    let beats = own.beats().await.unwrap();
    assert_eq!(beats.len(), 1, "{beats:?}");
    assert_eq!(beats[0].cluster.as_deref(), Some("cluster-1"));
}

#[tokio::test]
async fn sweeping_removes_the_record_it_is_given_and_never_the_own() {
    let store = Arc::new(MemoryStore::new());
    let own = table(&store, "s", "h:1");
    own.beat().await.unwrap();
    for endpoint in ["h:2", "h:3"] {
        table(&store, "s", endpoint).beat().await.unwrap();
    }
    let beats = own.beats().await.unwrap();
    let mut wild = beats[0].clone();
    wild.endpoint = "*".to_owned();
    for beat in [&beats[0], &beats[1], &wild] {
        own.sweep(beat).await.unwrap();
    }
    let left: Vec<_> = all(&store)
        .await
        .iter()
        .map(|it| it.path.to_string())
        .collect();
    let prefix = "/SYSTEM/DEPLOYMENT/deployment-1/s";
    assert_eq!(left, [format!("{prefix}/h:1"), format!("{prefix}/h:3")]);
}

#[tokio::test]
async fn leaving_removes_the_own_record_only() {
    let store = Arc::new(MemoryStore::new());
    let first = table(&store, "s", "h:1");
    first.beat().await.unwrap();
    table(&store, "s", "h:10").beat().await.unwrap();
    first.leave().await.unwrap();
    let left = all(&store).await;
    assert_eq!(left.len(), 1);
    assert_eq!(&*left[0].path, "/SYSTEM/DEPLOYMENT/deployment-1/s/h:10");
}

#[test]
fn a_deployment_that_would_be_a_wildcard_is_refused() {
    let record = NodeRecord {
        deployment: "*".to_owned(),
        service: "s".to_owned(),
        endpoint: "h:1".to_owned(),
        cluster_name: "c".to_owned(),
        name: "n".to_owned(),
        instance: "i".to_owned(),
    };
    let store = Arc::new(MemoryStore::new());
    assert!(KeepaliveDocuments::new(store, Arc::new(FixedClock(0)), &record).is_err());
}
