//! The documents of a JavaScript node, both ways.

use std::collections::BTreeMap;
use std::sync::Arc;

use happn_core::{DataStore, Write, WriteMode};
use happn_paths::Path;
use happn_protocol::Json;
use happn_security::credentials::Passwords;
use happn_security::directory::{
    AdminUser, Directory, DirectoryError, GroupDraft, Holder, Listing, LookupPermission,
    LookupTable, Password, PermissionSet, StartUp, UserDraft,
};
use serde_json::{Value, json};

use crate::support::{found, group, on_each_store, table, user, vectors, with_hasher};

/// Extended JSON as plain JSON.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get("$numberDouble") {
                let number: f64 = text.parse().unwrap();
                return if number.fract() == 0.0 {
                    json!(number as i64)
                } else {
                    json!(number)
                };
            }
            if let Some(Value::String(text)) = members.get("$numberInt") {
                return json!(text.parse::<i64>().unwrap());
            }
            members
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

fn recorded() -> Vec<Value> {
    let file = vectors("documents");
    let documents: Vec<_> = file["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(plain)
        .collect();
    assert!(documents.len() > 40);
    documents
}

async fn load(store: &Arc<dyn DataStore>) {
    for document in recorded() {
        let write = Write {
            path: Path::for_own_item(document["path"].as_str().unwrap()),
            data: Json::encode(&document["data"]).unwrap(),
            mode: WriteMode::Restore {
                created: document["created"].as_i64(),
                modified: document["modified"].as_i64(),
            },
            at: 0,
            modified_by: document["modifiedBy"].as_str().map(Into::into),
        };
        store.upsert(write).await.unwrap();
    }
}

fn directory(store: &Arc<dyn DataStore>) -> Directory {
    with_hasher(store, Arc::new(Passwords::new(1000)))
}

fn admin_password(text: &str) -> StartUp {
    StartUp {
        admin_password: Some(Password::new(text)),
        ..StartUp::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_of_a_javascript_node_is_understood() {
    on_each_store(|store| async move {
        load(&store).await;
        let directory = directory(&store);
        let started = directory
            .start(admin_password("docs-admin-pw"))
            .await
            .unwrap();
        assert_eq!(started.admin, AdminUser::Found);
        assert_eq!(started.token_secret.reveal(), "docs-token-secret");

        for (name, password) in vectors("documents")["passwords"].as_object().unwrap() {
            let user = directory.user(name).await.unwrap().unwrap();
            let hash = user.password_hash().cloned();
            let check = |text: &str| {
                let (hash, password) = (hash.clone(), Password::new(text));
                directory.hashing().matches(password, hash)
            };
            assert_eq!(check(password.as_str().unwrap()).await, Ok(true), "{name}");
            assert_eq!(check("wrong").await, Ok(false), "{name}");
            assert!(user.userid().is_some(), "{name}");
        }
        let key_user = directory.user("key-user").await.unwrap().unwrap();
        assert!(key_user.public_key().unwrap().contains("RSA PUBLIC KEY"));
        assert_eq!(key_user.password_hash(), None);

        let member = user("password.user@example.test");
        let memberships = directory.memberships(&member).await.unwrap();
        let names: Vec<_> = memberships
            .groups()
            .map(|it| it.as_str().to_owned())
            .collect();
        assert_eq!(names, ["STAFF", "with blank"]);
        let members = directory
            .list_user_names_by_group(&group("STAFF"))
            .await
            .unwrap();
        assert_eq!(members, [user("made-by-13.12.1"), member]);

        let staff = Holder::Group(group("STAFF"));
        let rules = directory.permissions(&staff).await.unwrap();
        let first: Vec<_> = rules
            .iter()
            .take(3)
            .map(|it| (&*it.action, &*it.path))
            .collect();
        let stored_order = [
            ("*", "/staff/private"),
            ("*", "/users/{{user.username}}/*"),
            ("delete", "/@HTTP/web/*"),
        ];
        assert_eq!(first, stored_order);
        assert_eq!(rules.len(), 14);
        let own = Holder::User(user("both-user"));
        let set = PermissionSet::of(&directory.permissions(&own).await.unwrap());
        assert_eq!(
            json!(set),
            json!({"/mine/*": {"actions": ["get", "on"]}, "/mine/no": {"prohibit": ["on"]}})
        );

        let lookups = directory.lookup_permissions(&group("STAFF")).await.unwrap();
        assert_eq!(lookups.len(), 2);
        let devices = table("DEVICES");
        let entries = directory.lookup_table(&devices).await.unwrap();
        assert_eq!(*entries, ["device/north/d1", "device/south/*"]);
        assert!(
            directory
                .is_in_table(&devices, "/device/north/d1")
                .await
                .unwrap()
        );
        assert!(
            directory
                .is_in_table(&devices, "device/south/*")
                .await
                .unwrap()
        );
        assert!(
            !directory
                .is_in_table(&devices, "device/south/x")
                .await
                .unwrap()
        );
        assert!(
            !directory
                .is_in_table(&devices, "device/north/*")
                .await
                .unwrap()
        );

        let revoked = directory.list_revoked_tokens().await.unwrap();
        assert_eq!((revoked.len(), &*revoked[0].reason), (1, "example"));
        assert!(directory.is_revoked(&revoked[0].token));
        assert!(!directory.is_revoked("another"));

        let users = directory.list_users("", &Listing::default()).await.unwrap();
        assert_eq!(users.len(), 7);
        let groups = directory
            .list_groups("", &Listing::default())
            .await
            .unwrap();
        let groups: Vec<_> = groups.iter().map(|it| it.name().as_str()).collect();
        assert_eq!(groups, ["PARENT", "STAFF", "_ADMIN", "with blank"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configured_admin_password_that_is_not_the_stored_one_is_told() {
    on_each_store(|store| async move {
        load(&store).await;
        let refused = directory(&store).start(admin_password("guessed")).await;
        let error = refused.unwrap_err();
        assert_eq!(error, DirectoryError::AdminPassword);
        let text = error.to_string();
        assert!(text.contains("adminUser.password") && !text.contains("guessed"));
    })
    .await;
}

/// The same operations leave the documents that the JavaScript node left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_operations_leave_the_same_documents() {
    on_each_store(|store| async move {
        let directory = directory(&store);
        let config = StartUp {
            token_secret: Some("docs-token-secret".to_owned()),
            allow_anonymous: true,
            ..admin_password("docs-admin-pw")
        };
        let started = directory.start(config).await.unwrap();
        assert_eq!(started.admin, AdminUser::Made);
        repeat(&directory).await;
        let mine = comparable(&directory, found(&store, "/_SYSTEM/*").await).await;
        let theirs = recorded().into_iter().filter_map(|document| {
            let path = document["path"].as_str()?.to_owned();
            // Nested groups are not usable there, and cannot be made here.
            let is_child = path.contains("CHILD");
            let is_ours = path.starts_with("/_SYSTEM/_SECURITY/")
                || path.starts_with("/_SYSTEM/_CACHE/cache_revoked_tokens/");
            (is_ours && !is_child).then(|| (path, without_chance(&document["data"])))
        });
        let theirs: BTreeMap<_, _> = theirs.collect();
        assert_eq!(mine, theirs);
    })
    .await;
}

/// The stored data by path, but for what is different in every run. Passwords are checked.
async fn comparable(
    directory: &Directory,
    documents: Vec<happn_core::Document>,
) -> BTreeMap<String, Value> {
    let passwords = vectors("documents")["passwords"].clone();
    let mut comparable = BTreeMap::new();
    for document in documents {
        if document.path.ends_with("/DIRECTORY_VERSION") {
            continue;
        }
        let data: Value = document.data.decode().unwrap();
        if let Some(hash) = data["password"].as_str() {
            let name = data["username"].as_str().unwrap();
            let password = Password::new(passwords[name].as_str().unwrap());
            let matches = directory.hashing().matches(password, Some(hash.into()));
            assert_eq!(matches.await, Ok(true), "{name}");
        }
        comparable.insert(document.path.to_string(), without_chance(&data));
    }
    comparable
}

fn without_chance(data: &Value) -> Value {
    let mut data = data.clone();
    for name in ["password", "userid", "timestamp"] {
        if data.get(name).is_some() {
            data[name] = json!("differs");
        }
    }
    if data["data"].get("timestamp").is_some() {
        data["data"]["timestamp"] = json!("differs");
    }
    data
}

/// What was done on the JavaScript node before its documents were written down.
async fn repeat(directory: &Directory) {
    let web = ["get", "head", "put", "post", "delete", "options"];
    let rules = PermissionSet::new()
        .allow("/staff/*", &["get", "set", "on", "remove"])
        .prohibit("/staff/private", &["get", "*"])
        .allow("/users/{{user.username}}/*", &["*"])
        .allow("nolead", &["get"])
        .allow("/@HTTP/web/*", &web);
    let staff = GroupDraft::new("STAFF")
        .custom_data(json!({"floor": 2, "tags": ["a", "b"]}))
        .permissions(rules);
    directory.upsert_group(staff, true).await.unwrap();
    for name in ["with blank", "PARENT"] {
        directory
            .upsert_group(GroupDraft::new(name), true)
            .await
            .unwrap();
    }
    repeat_users(directory).await;
    let devices = LookupTable {
        name: table("DEVICES"),
        paths: vec!["/device/north/d1".to_owned(), "device/south/*".to_owned()],
    };
    directory.upsert_lookup_table(devices).await.unwrap();
    let lookup = |regex: &str, actions: &[&str], path: &str| LookupPermission {
        regex: regex.to_owned(),
        actions: actions.iter().map(|it| (*it).to_owned()).collect(),
        table: table("DEVICES"),
        path: path.to_owned(),
    };
    for permission in [
        lookup(
            "^/_data/store/(.*)",
            &["on", "get"],
            "/device/{{user.custom_data.area}}/{{$1}}",
        ),
        lookup("^/other/(.*)", &["set"], "/device/*/{{$1}}"),
    ] {
        let staff = group("STAFF");
        let stored = directory.upsert_lookup_permission(&staff, permission);
        assert!(stored.await.unwrap());
    }
    let token = recorded().into_iter().find_map(|it| {
        let path = it["path"].as_str()?;
        path.strip_prefix("/_SYSTEM/_CACHE/cache_revoked_tokens/")
            .map(str::to_owned)
    });
    let token = token.unwrap();
    let revoked = directory.revoke_token(&token, Json::NULL, "example", 0);
    revoked.await.unwrap();
}

async fn repeat_users(directory: &Directory) {
    let documents = recorded();
    for document in &documents {
        let path = document["path"].as_str().unwrap();
        let name = path
            .strip_prefix("/_SYSTEM/_SECURITY/_USER/")
            .unwrap_or("/");
        if name.contains('/') || name.starts_with('_') {
            continue;
        }
        let data = &document["data"];
        let mut draft = UserDraft::new(name);
        if let Some(password) = vectors("documents")["passwords"][name].as_str() {
            draft = draft.password(Password::new(password));
        }
        if let Some(key) = data["publicKey"].as_str() {
            draft = draft.public_key(key);
        }
        if let Some(custom) = data.get("custom_data") {
            draft = draft.custom_data(custom.clone());
        }
        if name == "made-by-13.12.1" {
            draft = draft.permissions(PermissionSet::new().allow("/n/*", &["get"]));
        }
        directory.upsert_user(draft, true).await.unwrap();
    }
    let both = Holder::User(user("both-user"));
    let rules = PermissionSet::new()
        .allow("/mine/*", &["on", "get"])
        .prohibit("/mine/no", &["on"]);
    directory.upsert_permissions(&both, rules).await.unwrap();
    for document in documents {
        let path = document["path"].as_str().unwrap();
        if let Some((name, linked)) = path
            .strip_prefix("/_SYSTEM/_SECURITY/_USER/")
            .and_then(|rest| rest.split_once("/_USER_GROUP/"))
            .filter(|(_, linked)| *linked != "_ADMIN")
        {
            let data = document["data"].as_object().cloned();
            let (linked, name) = (group(linked), user(name));
            directory.link_group(&linked, &name, data).await.unwrap();
        }
    }
}
