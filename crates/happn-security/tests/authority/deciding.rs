//! What somebody may do once he has logged in.

use happn_core::Operation;
use happn_security::directory::{GroupName, LookupPermission, LookupTable, TableName, UserDraft};
use happn_security::policy::Profiles;
use serde_json::{Value, json};

use crate::support::{permissions, refusal, secure, secure_with};

const UNAUTHORIZED: (u64, &str) = (403, "unauthorized");

#[tokio::test]
async fn groups_and_own_rules_are_united_and_prohibits_win() {
    let secure = secure().await;
    let rules = json!({"/g/*": {"actions": ["get", "set"]}, "/g/secret": {"prohibit": ["*"]}});
    secure.group("G", rules).await;
    secure.user("bob", &["G"]).await;
    let own = permissions(json!({"/own/{{user.username}}": {"actions": ["set"]}}));
    let draft = UserDraft::new("bob").permissions(own);
    secure.directory.upsert_user(draft, true).await.unwrap();
    let mut bob = secure.client("bob").await;
    for path in ["/g/1", "/own/bob"] {
        assert_eq!(bob.set(path).await["_meta"]["status"], "ok", "{path}");
    }
    for path in ["/g/secret", "/own/ann", "/else"] {
        assert_eq!(refusal(&bob.set(path).await), UNAUTHORIZED, "{path}");
    }
    assert_eq!(refusal(&bob.get("/own/bob").await), UNAUTHORIZED);
}

#[tokio::test]
async fn a_mask_leaves_out_what_is_prohibited_everywhere() {
    let secure = secure().await;
    let rules = json!({"/p/*": {"actions": ["*"]}, "/p/secret": {"prohibit": ["*"]}});
    secure.group("G", rules).await;
    secure.user("bob", &["G"]).await;
    let mut admin = secure.admin().await;
    for path in ["/p/1", "/p/secret"] {
        admin.set(path).await;
    }
    let mut bob = secure.client("bob").await;
    assert_eq!(bob.found("/p/*").await, ["/p/1"]);
    let answer = bob.call("count", "/p/*", &Value::Null, &json!({})).await;
    assert_eq!(answer["data"]["value"], 1);
    bob.on("/ALL@/p/*").await;
    for path in ["/p/1", "/p/secret"] {
        admin.set(path).await;
    }
    let events = bob.rest();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["_meta"]["path"], "/p/1");
    let answer = bob.call("remove", "/p/*", &Value::Null, &json!({})).await;
    assert_eq!(answer["data"]["removed"], 1);
    assert_eq!(admin.found("/p/*").await, ["/p/secret"]);
}

#[tokio::test]
async fn the_nodes_own_paths_are_closed_whatever_rules_say() {
    let secure = secure().await;
    secure.group("G", json!({"*": {"actions": ["*"]}})).await;
    secure.user("bob", &["G"]).await;
    let (mut bob, mut admin) = (secure.client("bob").await, secure.admin().await);
    let secret = "/_SYSTEM/_SECURITY/SESSION_TOKEN_SECRET";
    assert_eq!(refusal(&bob.get(secret).await), UNAUTHORIZED);
    let count = json!({"criteria": {"secret": {"$regex": "."}}});
    let answer = bob.call("count", "*", &Value::Null, &count).await;
    assert_eq!(answer["data"]["value"], 0);
    let inside = |paths: &[String]| paths.iter().any(|path| path.starts_with("/_SYSTEM"));
    assert!(!inside(&bob.found("*").await));
    assert!(inside(&admin.found("*").await));
    for path in [secret, "/__REPLICATE", "/SYSTEM/DEPLOYMENT/x"] {
        assert_eq!(refusal(&bob.set(path).await), UNAUTHORIZED, "{path}");
        assert_eq!(refusal(&admin.set(path).await), UNAUTHORIZED, "{path}");
    }
    assert_eq!(refusal(&bob.on("/ALL@/__REPLICATE").await), UNAUTHORIZED);
}

#[tokio::test]
async fn odd_prefixes_of_a_channel_hide_nothing() {
    let secure = secure().await;
    let rules = json!({"/*": {"actions": ["on"]}, "/secret": {"prohibit": ["on"]}});
    secure.group("G", rules).await;
    secure.user("bob", &["G"]).await;
    let mut bob = secure.client("bob").await;
    for channel in ["/set@/secret", "/*@/secret", "/X@/secret", "/secret"] {
        assert_eq!(refusal(&bob.on(channel).await), UNAUTHORIZED, "{channel}");
    }
}

#[tokio::test]
async fn count_needs_what_get_needs_unless_configured_otherwise() {
    for (open_count, expected) in [(false, UNAUTHORIZED), (true, (0, ""))] {
        let secure = secure_with(|config| config.open_count = open_count).await;
        secure.user("bob", &[]).await;
        let mut bob = secure.client("bob").await;
        let answer = bob.call("count", "/a", &Value::Null, &json!({})).await;
        assert_eq!(refusal(&answer), expected);
        let own = bob
            .call("count", "/_SYSTEM/*", &Value::Null, &json!({}))
            .await;
        assert_eq!(refusal(&own), UNAUTHORIZED);
    }
}

#[tokio::test]
async fn nested_permissions_show_the_parts_that_are_allowed() {
    for nested in [false, true] {
        let secure = secure_with(|config| config.nested_permissions = nested).await;
        let rules = json!({"/n/a": {"actions": ["get", "on"]}});
        secure.group("G", rules).await;
        secure.user("bob", &["G"]).await;
        let mut admin = secure.admin().await;
        for path in ["/n/a", "/n/b"] {
            admin.set(path).await;
        }
        let mut bob = secure.client("bob").await;
        if nested {
            assert_eq!(bob.found("/n/**").await, ["/n/a"]);
        } else {
            assert_eq!(refusal(&bob.get("/n/**").await), UNAUTHORIZED);
        }
    }
}

#[tokio::test]
async fn tables_allow_what_rules_do_not_as_long_as_the_entry_is_there() {
    let secure = secure().await;
    secure.group("G", json!({})).await;
    secure.user("bob", &["G"]).await;
    let table = TableName::new("T").unwrap();
    let directory = &secure.directory;
    let entries = LookupTable {
        name: table.clone(),
        paths: vec!["x/1".to_owned()],
    };
    directory.upsert_lookup_table(entries).await.unwrap();
    let permission = LookupPermission {
        regex: "^/d/(.*)$".to_owned(),
        actions: vec!["get".to_owned(), "on".to_owned()],
        table: table.clone(),
        path: "/x/{{$1}}".to_owned(),
    };
    let group = GroupName::new("G").unwrap();
    let upserted = directory.upsert_lookup_permission(&group, permission);
    assert!(upserted.await.unwrap());
    let mut bob = secure.client("bob").await;
    assert_eq!(bob.get("/d/1").await["_meta"]["status"], "ok");
    assert_eq!(refusal(&bob.get("/d/2").await), UNAUTHORIZED);
    assert_eq!(bob.on("/ALL@/d/1").await["_meta"]["status"], "ok");
    let removed = directory.remove_lookup_path(&table, "x/1").await;
    assert!(removed.unwrap());
    assert_eq!(refusal(&bob.get("/d/1").await), UNAUTHORIZED);
    secure.admin().await.set("/d/1").await;
    assert!(
        bob.rest().is_empty(),
        "the subscription went with the entry"
    );
}

#[tokio::test]
async fn a_mask_that_a_table_allows_shows_nothing_that_is_prohibited() {
    let secure = secure().await;
    let closed = json!({"/d/*/secret": {"prohibit": ["*"]}});
    secure.group("G", closed).await;
    secure.user("bob", &["G"]).await;
    let table = TableName::new("T").unwrap();
    let entries = LookupTable {
        name: table.clone(),
        paths: vec!["x/1".to_owned()],
    };
    secure.directory.upsert_lookup_table(entries).await.unwrap();
    let permission = LookupPermission {
        regex: "^/d/([^/]+)/(.*)$".to_owned(),
        actions: vec!["get".to_owned()],
        table,
        path: "/x/{{$1}}".to_owned(),
    };
    let group = GroupName::new("G").unwrap();
    let upserted = secure
        .directory
        .upsert_lookup_permission(&group, permission);
    assert!(upserted.await.unwrap());
    let mut admin = secure.admin().await;
    for path in ["/d/1/a", "/d/1/secret", "/d/2/a"] {
        admin.set(path).await;
    }
    let mut bob = secure.client("bob").await;
    assert_eq!(bob.found("/d/1/*").await, ["/d/1/a"]);
    for mask in ["/d/*", "/d/1*", "/d/2/*"] {
        assert_eq!(refusal(&bob.get(mask).await), UNAUTHORIZED, "{mask}");
    }
}

#[tokio::test]
async fn rules_of_a_policy_take_the_place_of_those_of_the_user() {
    let secure = secure_with(|config| {
        let profiles = json!([{
            "name": "limited",
            "session": {"user.username": "bob"},
            "policy": {"permissions": {"/only/*": {"actions": ["get"]}}},
        }]);
        config.profiles = Profiles::parse(&profiles).unwrap();
    })
    .await;
    secure.group("G", json!({"*": {"actions": ["*"]}})).await;
    secure.user("bob", &["G"]).await;
    let mut bob = secure.client("bob").await;
    assert_eq!(bob.get("/only/a").await["_meta"]["status"], "ok");
    assert_eq!(
        refusal(&bob.get("/a").await),
        (403, "token permissions limited")
    );
}

#[tokio::test]
async fn delegates_act_for_others_with_the_rights_of_those() {
    let secure = secure().await;
    secure
        .group("_MESH_DELEGATE", json!({"/x": {"actions": ["get"]}}))
        .await;
    secure
        .group("G", json!({"/g": {"actions": ["set", "get"]}}))
        .await;
    secure.user("mesh", &["_MESH_DELEGATE"]).await;
    secure.user("bob", &["G"]).await;
    let (mut mesh, mut bob) = (secure.client("mesh").await, secure.client("bob").await);
    let as_bob = json!({"onBehalfOf": "bob"});
    let answer = mesh.call("set", "/g", &json!({}), &as_bob).await;
    assert_eq!(answer["_meta"]["modifiedBy"], "bob");
    let answer = mesh.call("get", "/x", &Value::Null, &as_bob).await;
    assert_eq!(refusal(&answer), UNAUTHORIZED);
    assert_eq!(
        answer["_meta"]["error"]["reason"],
        " request on behalf of: bob"
    );
    let as_mesh = json!({"onBehalfOf": "mesh"});
    let answer = bob.call("get", "/x", &Value::Null, &as_mesh).await;
    assert_eq!(
        answer["_meta"]["error"]["reason"],
        "session attempting to act on behalf of is not authorized request on behalf of: mesh"
    );
    secure.directory.delete_user("bob").await.unwrap();
    let answer = mesh.call("set", "/g", &json!({}), &as_bob).await;
    assert_eq!(
        answer["_meta"]["error"]["reason"],
        "on behalf of user does not exist request on behalf of: bob"
    );
}

#[tokio::test]
async fn requests_over_http_ask_with_a_token() {
    use happn_core::{Authorisation, Authority};
    let secure = secure().await;
    let rules = json!({"/@HTTP/a": {"actions": ["get"]}});
    secure.group("G", rules).await;
    secure.user("bob", &["G"]).await;
    let token = secure.http_token("bob").await;
    let rights = secure.authority.bearer(&token).await.unwrap();
    let allowed = |action: &str| {
        let answer = rights.authorise(Operation::Named(action), "/@HTTP/a");
        matches!(answer, Authorisation::Allowed(None))
    };
    assert!(allowed("get") && !allowed("post") && !allowed("head"));
    let refused = secure.authority.bearer("nonsense").await.unwrap_err();
    assert_eq!(refused.error.code, Some(401));
    secure.authority.revoke_token(&token, "test").await.unwrap();
    let refused = secure.authority.bearer(&token).await.unwrap_err();
    assert_eq!(
        (refused.error.code, refused.error.message.as_str()),
        (Some(403), "token has been revoked")
    );
}

#[tokio::test]
async fn refusals_are_recorded_and_what_was_allowed_is_not() {
    let secure = secure().await;
    secure
        .group("G", json!({"/a/*": {"actions": ["on"]}}))
        .await;
    secure.user("bob", &["G"]).await;
    let wrong = json!({"username": "bob", "password": "hush"});
    secure.stranger_at("10.0.0.1").login(&wrong).await;
    let mut bob = secure.client("bob").await;
    bob.on("/ALL@/a/1").await;
    bob.get("/b").await;
    secure
        .directory
        .delete_group(&GroupName::new("G").unwrap())
        .await
        .unwrap();
    assert_eq!(
        secure.refusals.take(),
        [
            "bob 10.0.0.1 login : Invalid credentials",
            "bob 127.0.0.1 get /b: unauthorized"
        ]
    );
}
