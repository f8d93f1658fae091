//! Who asks for more than his share.

use serde_json::json;

use crate::support::{refusal, secure};

const INVALID: (u64, &str) = (401, "Invalid credentials");

#[tokio::test]
async fn many_wrong_logins_of_one_address_keep_nobody_else_waiting_for_long() {
    let secure = secure().await;
    for name in ["bob", "ann"] {
        secure.user(name, &[]).await;
    }
    let mut guessing = Vec::new();
    for guess in 0..500 {
        let mut client = secure.stranger_at("10.0.0.1");
        let data = json!({"username": format!("name{guess}"), "password": "x"});
        guessing.push(tokio::spawn(async move { client.login(&data).await }));
    }
    let data = json!({"username": "ann", "password": "ann"});
    let answer = secure.stranger_at("10.0.0.2").login(&data).await;
    assert_eq!(answer["_meta"]["status"], "ok");
    let mut locked = 0;
    for guess in guessing {
        let answer = guess.await.unwrap();
        match refusal(&answer) {
            INVALID => {}
            (403, "Account locked out") => locked += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(locked > 300, "only {locked} were refused unchecked");
}

/// Each is two hashes, and one user may have any number of sessions.
#[tokio::test]
async fn many_changes_of_passwords_wait_for_each_other_and_for_nobody_elses_login() {
    let secure = secure().await;
    for name in ["bob", "ann"] {
        secure.user(name, &[]).await;
    }
    let mut changing = Vec::new();
    for _ in 0..200 {
        let mut client = secure.stranger_at("10.0.0.1");
        let data = json!({"username": "bob", "password": "bob"});
        assert_eq!(client.login(&data).await["_meta"]["status"], "ok");
        changing.push(client);
    }
    let changes = changing.into_iter().map(|mut client| {
        let data = json!({"oldPassword": "bob", "newPassword": "bob"});
        let nothing = json!({});
        tokio::spawn(async move { client.call("change-password", "", &data, &nothing).await })
    });
    let changes: Vec<_> = changes.collect();
    tokio::task::yield_now().await;
    let data = json!({"username": "ann", "password": "ann"});
    let answer = secure.stranger_at("10.0.0.2").login(&data).await;
    assert_eq!(answer["_meta"]["status"], "ok", "{answer}");
    for change in changes {
        let answer = change.await.unwrap();
        assert_eq!(answer["_meta"]["status"], "ok", "{answer}");
    }
}
