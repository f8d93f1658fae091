//! Who may log in.

use happn_security::directory::{Password, UserDraft};
use happn_security::policy::Profiles;
use serde_json::{Value, json};

use crate::support::{refusal, secure, secure_with};

const INVALID: (u64, &str) = (401, "Invalid credentials");

#[tokio::test]
async fn what_is_no_credential_is_refused_alike_and_ends_nothing() {
    let secure = secure().await;
    secure.user("bob", &[]).await;
    for (at, data) in [
        json!({"username": "bob", "password": "wrong"}),
        json!({"username": "nobody", "password": "x"}),
        json!({"username": "bob", "password": 5}),
        json!({"username": {"$ne": 1}, "password": "x"}),
        json!({"username": "_ADMIN*", "password": "happn"}),
        json!({"username": "bob", "digest": "x", "publicKey": "y"}),
        json!({"username": "__proto__", "password": "x"}),
        json!({"username": "bob"}),
        json!({"password": "bob"}),
        json!({}),
        Value::Null,
        json!([1]),
    ]
    .iter()
    .enumerate()
    {
        // One address each: the lock-out is about something else.
        let mut client = secure.stranger_at(&format!("10.0.0.{at}"));
        let answer = client.login(data).await;
        assert_eq!(refusal(&answer), INVALID, "{data}");
        assert!(client.rest().is_empty(), "{data}");
    }
    secure.client("bob").await;
}

#[tokio::test]
async fn the_answer_shows_the_user_without_password_and_groups() {
    let secure = secure().await;
    secure.group("G", json!({"/a": {"actions": ["get"]}})).await;
    let draft = UserDraft::new("ann")
        .password(Password::new("ann"))
        .custom_data(json!({"x": 1}));
    secure.directory.upsert_user(draft, true).await.unwrap();
    secure.link("G", "ann").await;
    let mut client = secure.stranger();
    let data = json!({"username": "ann", "password": "ann", "info": {"my": "info"}});
    let answer = client.login(&data).await;
    let session = &answer["data"];
    let names: Vec<_> = session.as_object().unwrap().keys().collect();
    assert_eq!(
        names.iter().rev().take(9).rev().collect::<Vec<_>>(),
        [
            "info",
            "type",
            "user",
            "timestamp",
            "parentId",
            "origin",
            "policy",
            "permissionSetKey",
            "token"
        ]
        .iter()
        .collect::<Vec<_>>()
    );
    let user: Vec<_> = session["user"].as_object().unwrap().keys().collect();
    assert_eq!(user, ["username", "custom_data", "userid", "permissions"]);
    assert_eq!(session["parentId"], session["id"]);
}

#[tokio::test]
async fn somebody_who_guesses_is_locked_out_and_nobody_else() {
    let secure = secure().await;
    secure.user("bob", &[]).await;
    let mut guesser = secure.stranger_at("10.0.0.1");
    let wrong = json!({"username": "bob", "password": "guess"});
    for _ in 0..4 {
        assert_eq!(refusal(&guesser.login(&wrong).await), INVALID);
    }
    let right = json!({"username": "bob", "password": "bob"});
    let answer = guesser.login(&right).await;
    assert_eq!(refusal(&answer), (403, "Account locked out"));
    let mut bob = secure.stranger_at("10.0.0.2");
    assert_eq!(bob.login(&right).await["_meta"]["status"], "ok");
}

#[tokio::test]
async fn anonymous_users_log_in_where_that_is_allowed() {
    let data = json!({"username": "_ANONYMOUS"});
    let answer = secure().await.stranger().login(&data).await;
    assert_eq!(refusal(&answer), (401, "Anonymous access is disabled"));
    let open = secure_with(|config| config.allow_anonymous = true).await;
    let answer = open.stranger().login(&data).await;
    assert_eq!(answer["data"]["user"]["username"], "_ANONYMOUS");
}

#[tokio::test]
async fn the_admin_can_be_kept_away_from_networks_whatever_a_client_says() {
    let secure = secure_with(|config| config.allow_admin_over_network = false).await;
    let data = json!({"username": "_ADMIN", "password": "happn", "info": {"_local": true}});
    let answer = secure.stranger().login(&data).await;
    let message = "use of _ADMIN credentials over the network is disabled";
    assert_eq!(refusal(&answer), (403, message));
}

#[tokio::test]
async fn addresses_may_be_listed_for_a_user() {
    let secure = secure_with(|config| {
        let profiles = json!([{
            "name": "listed",
            "session": {"user.username": "bob"},
            "policy": {"sourceIPWhitelist": ["10.1.1.1"]},
        }]);
        config.profiles = Profiles::parse(&profiles).unwrap();
    })
    .await;
    secure.user("bob", &[]).await;
    let data = json!({"username": "bob", "password": "bob"});
    let answer = secure.stranger_at("10.1.1.2").login(&data).await;
    assert_eq!(refusal(&answer), (401, "Source address access restricted"));
    let answer = secure.stranger_at("10.1.1.1").login(&data).await;
    assert_eq!(answer["_meta"]["status"], "ok");
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let secure = secure().await;
    secure.user("bob", &[]).await;
    let mut client = secure.client("bob").await;
    let mut change = async |old: &str, new: &str| {
        let data = json!({"oldPassword": old, "newPassword": new});
        client.call("change-password", "", &data, &json!({})).await
    };
    let missing = "Invalid parameters: oldPassword and newPassword required";
    assert_eq!(refusal(&change("bob", "").await), (500, missing));
    let answer = change("wrong", "new").await;
    assert_eq!(refusal(&answer), (500, "Invalid old password"));
    let answer = change("bob", "new").await;
    assert_eq!(answer["_meta"]["status"], "ok");
    let told = client.next().await;
    assert_eq!(told["data"]["whatHappnd"], "upsert-user");
    assert!(!told.to_string().contains("password"));
    let login = async |password: &str| {
        let data = json!({"username": "bob", "password": password});
        secure.stranger_at("10.0.0.9").login(&data).await
    };
    assert_eq!(refusal(&login("bob").await), INVALID);
    assert_eq!(login("new").await["_meta"]["status"], "ok");
}
