use std::collections::BTreeMap;
use std::time::Duration;

use happn_core::{Increment, Incremented, StoreFuture};
use serde_json::Value;

use super::*;

/// A store that is a map; what it does not need to do, it refuses.
#[derive(Default)]
struct Documents(Mutex<BTreeMap<String, Document>>);

impl Documents {
    fn put(&self, path: &str, data: &str, modified: Option<i64>) {
        let document = Document {
            path: path.into(),
            data: Json::parse(data).unwrap(),
            created: modified,
            modified,
            modified_by: None,
        };
        self.0.lock().unwrap().insert(path.to_owned(), document);
    }

    fn paths(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }
}

fn ready<T: Send + 'static>(result: Result<T, StoreError>) -> StoreFuture<T> {
    Box::pin(std::future::ready(result))
}

impl DataStore for Documents {
    fn upsert(&self, write: Write) -> StoreFuture<Document> {
        let path = write.path.as_str();
        self.put(path, write.data.as_str(), Some(write.at));
        ready(Ok(self.0.lock().unwrap()[path].clone()))
    }

    fn increment(&self, _increment: Increment) -> StoreFuture<Incremented> {
        ready(Err(StoreError::Closed))
    }

    fn remove(&self, selector: StoreGlob) -> StoreFuture<u64> {
        let mut documents = self.0.lock().unwrap();
        let before = documents.len();
        documents.retain(|path, _| !selector.matches(path));
        ready(Ok((before - documents.len()) as u64))
    }

    fn find(&self, query: Query) -> StoreFuture<Vec<Document>> {
        let documents = self.0.lock().unwrap();
        let matching = documents
            .values()
            .filter(|document| query.selector.matches(&document.path));
        ready(Ok(matching.cloned().collect()))
    }

    fn count(&self, _query: Query) -> StoreFuture<u64> {
        ready(Err(StoreError::Closed))
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
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

fn table(store: &Arc<Documents>, service: &str, endpoint: &str) -> KeepaliveDocuments {
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
    let store = Arc::new(Documents::default());
    table(&store, "service-a", "127.0.0.1:21001")
        .beat()
        .await
        .unwrap();

    let theirs = &vector()["keepalive_documents"][0];
    let written = store.0.lock().unwrap()[theirs["path"].as_str().unwrap()].clone();
    assert_eq!(written.modified, Some(77));
    assert_eq!(
        written.data.as_str(),
        r#"{"service":"service-a","endpoint":"127.0.0.1:21001","clusterName":"cluster-1","name":"node-1","instance":"i-1"}"#
    );
    let data: Value = written.data.decode().unwrap();
    for (key, value) in theirs["data"].as_object().unwrap() {
        assert_eq!(&data[key], value);
    }
}

#[tokio::test]
async fn the_records_of_reference_nodes_are_beats() {
    let store = Arc::new(Documents::default());
    for document in vector()["keepalive_documents"].as_array().unwrap() {
        let (path, data) = (document["path"].as_str(), document["data"].to_string());
        store.put(path.unwrap(), &data, document["modified"].as_i64());
    }
    let beats = table(&store, "s", "h:1").beats().await.unwrap();
    let beat = |endpoint: &str, service: &str, mark| Beat {
        endpoint: endpoint.to_owned(),
        service: service.to_owned(),
        cluster: None,
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
    let store = Arc::new(Documents::default());
    let own = table(&store, "s", "h:1");
    own.beat().await.unwrap();
    let prefix = "/SYSTEM/DEPLOYMENT/deployment-1";
    let valid = r#"{"service":"s","endpoint":"h:2"}"#;
    store.put(&format!("{prefix}/s/h:9"), valid, Some(1));
    store.put(&format!("{prefix}/x/h:2"), valid, Some(1));
    store.put(&format!("{prefix}/s/h:2"), valid, None);
    store.put(&format!("{prefix}/s/h:3"), r#"{"service":"s"}"#, Some(1));
    store.put(
        &format!("{prefix}/s/h:4"),
        r#"{"service":"s","endpoint":4}"#,
        Some(1),
    );
    store.put("/SYSTEM/DEPLOYMENT/other/s/h:2", valid, Some(1));

    let beats = own.beats().await.unwrap();
    assert_eq!(beats.len(), 1, "{beats:?}");
    assert_eq!(beats[0].cluster.as_deref(), Some("cluster-1"));
}

#[tokio::test]
async fn leaving_removes_the_own_record_only() {
    let store = Arc::new(Documents::default());
    let first = table(&store, "s", "h:1");
    first.beat().await.unwrap();
    table(&store, "s", "h:10").beat().await.unwrap();
    first.leave().await.unwrap();
    assert_eq!(store.paths(), ["/SYSTEM/DEPLOYMENT/deployment-1/s/h:10"]);
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
    let store = Arc::new(Documents::default());
    assert!(KeepaliveDocuments::new(store, Arc::new(FixedClock(0)), &record).is_err());
}
