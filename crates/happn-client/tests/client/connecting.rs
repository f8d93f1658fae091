//! From the login to the last frame.

use happn_client::{Client, ClientConfig, ClientError, ConnectionState, SubscribeOptions};
use serde_json::{Value, json};
use testkit::{ScriptedServer, within};

use super::{connected, exchanged, subscribed};

#[tokio::test]
async fn a_login_sends_the_frames_of_the_javascript_client() {
    let server = ScriptedServer::start().await;
    let config = ClientConfig::url(server.endpoint());
    let script = async {
        let mut session = server.accept().await;
        assert!(session.target.starts_with("/primus?_primuscb="));
        let configure = session.serve("configure-session", Value::Null).await;
        assert_eq!(
            configure.to_string(),
            r#"{"action":"configure-session","eventId":1,"data":{"protocol":"happn_4","version":"13.12.1","browser":false}}"#
        );
        let describe = session.serve("describe", json!({"secure": false})).await;
        assert_eq!(
            describe.to_string(),
            r#"{"action":"describe","eventId":2,"data":null}"#
        );
        let login = session.serve("login", json!({"id": "S1"})).await;
        assert_eq!(
            login.to_string(),
            r#"{"action":"login","eventId":3,"data":{"info":{"_browser":false,"_local":false},"protocol":"happn_4"},"options":{"timeout":60000}}"#
        );
    };
    let (client, ()) = tokio::join!(within(Client::connect(config)), script);
    assert_eq!(client.unwrap().session_id().as_deref(), Some("S1"));
}

#[tokio::test]
async fn dropping_the_last_handle_closes_the_socket_and_ends_subscriptions() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = SubscribeOptions::default();
    let (mut subscription, _) = subscribed(&client, &mut session, "/a", options).await;
    let clone = client.clone();
    drop(client);
    assert!(clone.state().borrow().is_connected());
    drop(clone);
    session.closed().await;
    assert!(within(subscription.next()).await.is_none());
}

#[tokio::test]
async fn a_disconnected_client_refuses_calls_at_once() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let clone = client.clone();
    tokio::join!(within(client.disconnect()), session.closed());
    assert_eq!(*clone.state().borrow(), ConnectionState::Closed);
    let error = clone.set("/a", &1).await.unwrap_err();
    assert_eq!(error.to_string(), "client is disconnected: closed");
}

#[tokio::test]
async fn frames_that_make_no_sense_are_ignored() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    for nonsense in [
        "",
        "null",
        "{",
        "[]",
        "7",
        "\"hello\"",
        "{\"_meta\":{}}",
        "[[[[",
    ] {
        session.send(nonsense).await;
    }
    let call = client.set("/a", &1);
    exchanged(&mut session, "set", json!({"value": 1}), call).await;
}

#[tokio::test]
async fn addresses_that_cannot_work_say_why() {
    let error = Client::connect(ClientConfig::url("gopher://h:1")).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "bad address gopher://h:1: unknown scheme gopher"
    );
    let server = ScriptedServer::start().await;
    let config = ClientConfig::url(server.endpoint());
    drop(server);
    let error = within(Client::connect(config)).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
}
