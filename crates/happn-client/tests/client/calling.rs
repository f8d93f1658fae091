//! Requests and their answers.

use std::time::Duration;

use happn_client::{
    ClientError, Consistency, QueryOptions, SubscribeOptions, Wrapped, WriteOptions,
};
use serde_json::{Value, json};
use testkit::{ScriptedServer, within};

use super::{connected, exchanged};

#[tokio::test]
async fn a_set_is_answered_with_what_was_stored() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let script = async {
        let request = session.request("set").await;
        assert_eq!(
            request.to_string(),
            r#"{"action":"set","eventId":4,"path":"/a/b","data":{"x":1},"sessionId":"S1","options":{"timeout":60000}}"#
        );
        session
            .send(r#"{"data":{"x":1},"_meta":{"path":"/a/b","created":5,"modified":6,"published":true,"type":"response","status":"ok","eventId":4,"sessionId":"S1","action":"set"},"protocol":"happn_4"}"#)
            .await;
    };
    let data = json!({"x": 1});
    let (written, ()) = tokio::join!(within(client.set("/a/b", &data)), script);
    let written = written.unwrap();
    assert_eq!(written.data::<Value>().unwrap(), json!({"x": 1}));
    assert_eq!(
        (written.meta.created, written.meta.modified),
        (Some(5), Some(6))
    );
    assert_eq!(written.meta.published, Some(true));
}

#[tokio::test]
async fn publish_increment_remove_and_count_send_what_the_javascript_client_sends() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;

    let call = client.publish("/p", &json!(null));
    let ((), request) = exchanged(&mut session, "set", json!({"value": null}), call).await;
    assert_eq!(
        request["options"].to_string(),
        r#"{"nullValue":true,"noStore":true,"noDataResponse":true,"timeout":60000}"#
    );

    let answer = json!({"value": 7, "gauge": "counter"});
    let call = client.increment("/i", "counter", 2);
    let (total, request) = exchanged(&mut session, "set", answer, call).await;
    assert_eq!(total.as_i64(), Some(7));
    assert_eq!(request["data"], "counter");
    assert_eq!(request["options"]["increment"], 2);

    let call = client.remove("/r/*");
    let (removed, request) = exchanged(&mut session, "remove", json!({"removed": 3}), call).await;
    assert_eq!((removed.count, &request["data"]), (3, &Value::Null));

    let call = client.count("/c/*");
    let (count, request) = exchanged(&mut session, "count", json!({"value": 9}), call).await;
    assert_eq!((count, &request["path"]), (9, &json!("/c/*")));
}

#[tokio::test]
async fn reading_tells_missing_single_and_many_items_apart() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let call = client.get::<Value>("/none");
    let (item, _) = exchanged(&mut session, "get", Value::Null, call).await;
    assert!(item.is_none());

    let call = client.get::<Wrapped<u8>>("/one");
    let (item, _) = exchanged(&mut session, "get", json!({"value": 5}), call).await;
    assert_eq!(item.unwrap().data.value, 5);

    let options = QueryOptions {
        limit: Some(2),
        ..QueryOptions::default()
    };
    let script = async {
        let request = session.request("get").await;
        assert_eq!(request["options"]["options"], json!({"limit": 2}));
        let meta = json!({"type": "response", "status": "ok", "eventId": request["eventId"], "action": "get"});
        let first = json!({"x": 1, "_meta": {"path": "/m/1", "created": 1}});
        session.send(json!([first, meta]).to_string()).await;
    };
    let (items, ()) = tokio::join!(
        within(client.get_all_with::<Value>("/m/*", &options)),
        script
    );
    let items = items.unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].data, json!({"x": 1}));
    assert_eq!(items[0].meta.path.as_deref(), Some("/m/1"));

    let script = async {
        let request = session.request("get").await;
        assert_eq!(request["options"]["options"], json!({"path_only": true}));
        let meta = json!({"type": "response", "status": "ok", "eventId": request["eventId"], "action": "get"});
        let paths = json!([{"_meta": {"path": "/m/1"}}, {"_meta": {"path": "/m/2"}}, meta]);
        session.send(paths.to_string()).await;
    };
    let (paths, ()) = tokio::join!(within(client.get_paths("/m/*")), script);
    assert_eq!(paths.unwrap(), ["/m/1", "/m/2"]);
}

#[tokio::test]
async fn errors_of_the_server_keep_name_code_and_message() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let script = async {
        let request = session.request("get").await;
        let error =
            json!({"name": "AccessDenied", "code": 403, "message": "unauthorized", "reason": "r"});
        session.refuse(&request, error).await;
    };
    let (outcome, ()) = tokio::join!(within(client.get::<Value>("/a")), script);
    let Err(ClientError::Server(error)) = outcome else {
        panic!("refused")
    };
    assert_eq!(error.to_string(), "AccessDenied: unauthorized");
    assert_eq!(error.code, Some(403));
    assert_eq!(error.object.decode::<Value>().unwrap()["reason"], "r");
}

#[tokio::test]
async fn bad_paths_are_refused_before_anything_is_sent() {
    let server = ScriptedServer::start().await;
    let (client, _session) = connected(&server).await;
    let wildcard = client.set("/a/*", &1).await.unwrap_err();
    assert!(
        wildcard
            .to_string()
            .contains("cannot contain the * wildcard")
    );
    let characters = client.on("/a#", SubscribeOptions::default()).await;
    assert!(matches!(characters, Err(ClientError::Path(_))));
}

#[tokio::test]
async fn a_call_without_an_answer_times_out_and_the_connection_stays() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = WriteOptions {
        timeout: Some(Duration::from_millis(50)),
        ..WriteOptions::default()
    };
    let error = within(client.set_with("/a", &1, &options))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "api request timed out path: /a action: set"
    );
    session.request("set").await;
    let call = client.set("/a", &2);
    exchanged(&mut session, "set", json!({"value": 2}), call).await;
}

#[tokio::test]
async fn answers_find_their_callers_in_any_order() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let script = async {
        let first = session.request("get").await;
        let second = session.request("get").await;
        for request in [second, first] {
            let data = json!({"of": request["path"]});
            session.answer(&request, data).await;
        }
    };
    let (a, b, ()) = tokio::join!(
        within(client.get::<Value>("/a")),
        within(client.get::<Value>("/b")),
        script
    );
    assert_eq!(a.unwrap().unwrap().data, json!({"of": "/a"}));
    assert_eq!(b.unwrap().unwrap().data, json!({"of": "/b"}));
}

#[tokio::test]
async fn an_acknowledged_publication_reports_its_end() {
    let server = ScriptedServer::start().await;
    let (client, mut session) = connected(&server).await;
    let options = WriteOptions {
        consistency: Consistency::Acknowledged,
        ..WriteOptions::default()
    };
    let data = json!({});
    let call = client.set_with("/a", &data, &options);
    let (written, request) = exchanged(&mut session, "set", json!({}), call).await;
    assert_eq!(
        request["options"].to_string(),
        r#"{"consistency":3,"timeout":60000}"#
    );
    session
        .send(r#"{"id":"S1-4","action":"publication-ack","result":{"successful":1,"failed":0,"skipped":0,"acknowledged":1,"queued":1},"status":"ok","_meta":{"type":"ack","eventId":4},"protocol":"happn_4"}"#)
        .await;
    let results = within(written.publication.unwrap().wait()).await.unwrap();
    assert_eq!((results.successful, results.acknowledged), (1, Some(1)));

    let call = client.set_with("/a", &data, &options);
    let (written, _) = exchanged(&mut session, "set", json!({}), call).await;
    session
        .send(r#"{"id":"S1-5","action":"publication-ack","result":{"successful":2},"status":"error","_meta":{"type":"ack","eventId":5},"error":"unacknowledged publication","protocol":"happn_4"}"#)
        .await;
    let error = within(written.publication.unwrap().wait())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "unacknowledged publication");
}
