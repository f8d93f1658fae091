//! Clients of a node in the same process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing test may panic"
)]

use std::sync::Arc;
use std::time::Duration;

use happn_client::{
    Client, ClientConfig, ConnectionState, Consistency, ReconnectPolicy, SubscribeOptions,
    WriteOptions,
};
use happn_core::{
    Admission, Authority, BoxFuture, Ending, LoginRequest, Node, Refusal, SessionRights,
};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(10);

async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, work).await.expect("in time")
}

async fn client_of(node: &Arc<Node>) -> Client {
    let reconnect = ReconnectPolicy {
        min: Duration::from_millis(1),
        max: Duration::from_millis(5),
        ..ReconnectPolicy::default()
    };
    let config = ClientConfig {
        reconnect,
        ..ClientConfig::default()
    };
    soon(Client::local(node.clone(), config)).await.unwrap()
}

#[tokio::test]
async fn every_verb_works_without_a_socket() {
    let node = Node::builder("here").build();
    let client = client_of(&node).await;
    let mut events = client
        .on("/a/*", SubscribeOptions::default())
        .await
        .unwrap();
    client.set("/a/1", &json!({"x": 1})).await.unwrap();
    assert_eq!(client.increment("/a/2", "g", 5).await.unwrap(), 5.into());
    client.publish("/a/3", &json!({"y": 2})).await.unwrap();
    assert_eq!(client.count("/a/*").await.unwrap(), 2);
    let item = client.get::<Value>("/a/1").await.unwrap().unwrap();
    assert_eq!(item.data, json!({"x": 1}));
    assert_eq!(client.remove("/a/*").await.unwrap().count, 2);
    let mut heard = Vec::new();
    for _ in 0..4 {
        heard.push(soon(events.next()).await.unwrap().path().to_owned());
    }
    assert_eq!(heard, ["/a/1", "/a/2", "/a/3", "/a/*"]);
}

#[tokio::test]
async fn an_event_of_consistency_3_is_acknowledged_by_itself() {
    let node = Node::builder("here").build();
    let listener = client_of(&node).await;
    let _events = listener.on_all().await.unwrap();
    let publisher = client_of(&node).await;
    let options = WriteOptions {
        consistency: Consistency::Acknowledged,
        ..WriteOptions::default()
    };
    let written = publisher.set_with("/a", &1, &options).await.unwrap();
    let results = soon(written.publication.unwrap().wait()).await.unwrap();
    assert_eq!(results.acknowledged, Some(1));
}

#[tokio::test]
async fn many_requests_at_once_are_all_answered() {
    let node = Node::builder("here").build();
    let client = client_of(&node).await;
    let _events = client.on_all().await.unwrap();
    let writes = (0..3000).map(|n| {
        let client = client.clone();
        tokio::spawn(async move { client.set(&format!("/many/{n}"), &n).await.is_ok() })
    });
    let writes: Vec<_> = writes.collect();
    for write in writes {
        assert!(soon(write).await.unwrap());
    }
    assert_eq!(client.count("/many/*").await.unwrap(), 3000);
}

#[tokio::test]
async fn a_session_ended_for_good_stays_ended_and_says_why() {
    let node = Node::builder("here").build();
    let client = client_of(&node).await;
    let id = client.session_id().unwrap();
    assert!(node.end_session(&id, Some("enough")));
    let mut state = client.state();
    let ended = soon(state.wait_for(ConnectionState::is_final))
        .await
        .unwrap();
    assert!(matches!(&*ended, ConnectionState::Ended { reason } if reason == "enough"));
    assert!(!node.end_session(&id, None), "it is gone");
}

#[tokio::test]
async fn a_session_that_is_dropped_comes_back_with_its_subscriptions() {
    let node = Node::builder("here").build();
    let client = client_of(&node).await;
    let mut events = client.on_all().await.unwrap();
    node.end_sessions(&Ending::Reconnect);
    let mut state = client.state();
    let back =
        |state: &ConnectionState| matches!(state, ConnectionState::Connected { reconnects: 1, .. });
    soon(state.wait_for(back)).await.unwrap();
    client.set("/a", &1).await.unwrap();
    assert_eq!(soon(events.next()).await.unwrap().path(), "/a");
}

/// The good-bye used to wait for its whole bound, because a place reserved for a request that
/// never came kept the session waiting.
#[tokio::test(start_paused = true)]
async fn a_good_bye_takes_no_time() {
    let node = Node::builder("here").build();
    let client = client_of(&node).await;
    let start = tokio::time::Instant::now();
    client.disconnect().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(node.session_count(), 0);
}

#[tokio::test]
async fn a_dropped_client_leaves_no_session_behind() {
    let node = Node::builder("here").build();
    let client = client_of(&node).await;
    assert_eq!(node.session_count(), 1);
    drop(client);
    soon(async {
        while node.session_count() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Lets nobody do anything.
struct Fortress;

impl Authority for Fortress {
    fn is_secure(&self) -> bool {
        true
    }

    fn login(&self, _request: LoginRequest) -> BoxFuture<'static, Result<Admission, Refusal>> {
        let refusal = Refusal::denied(401, "Invalid credentials");
        Box::pin(std::future::ready(Err(refusal)))
    }

    fn bearer(&self, _token: &str) -> BoxFuture<'static, Result<Arc<dyn SessionRights>, Refusal>> {
        Box::pin(std::future::ready(Err(Refusal::no_login())))
    }
}

#[tokio::test]
async fn only_the_admin_client_needs_no_permission() {
    let node = Node::builder("here").authority(Arc::new(Fortress)).build();
    let refused = Client::local(node.clone(), ClientConfig::default()).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "AccessDenied: Invalid credentials"
    );
    let admin = Client::admin(node.clone(), ClientConfig::default()).await;
    let admin = admin.unwrap();
    admin.set("/a", &1).await.unwrap();
    assert_eq!(admin.count("*").await.unwrap(), 1);
}
