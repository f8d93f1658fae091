//! What operations leave behind, and what they refuse.

use std::sync::Arc;

use happn_core::{DataStore, MemoryStore};
use happn_security::directory::{
    Directory, DirectoryError, GroupDraft, Holder, Listing, LookupPermission, LookupTable,
    Password, PermissionSet, StartUp, UserDraft,
};
use serde_json::json;

use crate::support::{Recorder, directory, group, on_each_store, paths, table, user};

fn with_password(name: &str) -> UserDraft {
    UserDraft::new(name).password(Password::new("pw"))
}

async fn add_user(directory: &Directory, name: &str) {
    directory
        .upsert_user(with_password(name), false)
        .await
        .unwrap();
}

async fn add_group(directory: &Directory, name: &str) {
    directory
        .upsert_group(GroupDraft::new(name), false)
        .await
        .unwrap();
}

fn text<T: std::fmt::Debug>(result: Result<T, DirectoryError>) -> String {
    result.unwrap_err().to_string()
}

fn lookup(regex: &str) -> LookupPermission {
    LookupPermission {
        regex: regex.to_owned(),
        actions: vec!["get".to_owned()],
        table: table("T"),
        path: "/d/{{$1}}".to_owned(),
    }
}

/// A later user of that name starts with nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_user_leaves_nothing_behind() {
    on_each_store(|store| async move {
        let directory = directory(&store);
        add_group(&directory, "G").await;
        for name in ["ann", "anna"] {
            let rules = PermissionSet::new().allow("/x/*", &["*", "get"]);
            let draft = with_password(name).permissions(rules);
            directory.upsert_user(draft, false).await.unwrap();
            directory
                .link_group(&group("G"), &user(name), None)
                .await
                .unwrap();
        }
        assert_eq!(directory.delete_user("ann").await, Ok(true));
        let left = paths(&store, "*/ann*").await;
        assert!(left.iter().all(|path| path.contains("/anna")), "{left:?}");
        assert_eq!(left.len(), 4);
        assert_eq!(directory.delete_user("ann").await, Ok(false));
        add_user(&directory, "ann").await;
        let memberships = directory.memberships(&user("ann")).await.unwrap();
        assert_eq!(memberships.groups().count(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_group_leaves_nothing_behind() {
    on_each_store(|store| async move {
        let directory = directory(&store);
        add_user(&directory, "ann").await;
        for name in ["G", "GG"] {
            add_group(&directory, name).await;
            let holder = Holder::Group(group(name));
            directory
                .upsert_permission(&holder, "/a/*", "*", false)
                .await
                .unwrap();
            directory
                .link_group(&group(name), &user("ann"), None)
                .await
                .unwrap();
            let name = group(name);
            let stored = directory.upsert_lookup_permission(&name, lookup("^/a/(.*)"));
            assert_eq!(stored.await, Ok(true));
        }
        directory.delete_group(&group("G")).await.unwrap();
        let left = paths(&store, "*").await;
        let of_g = |path: &&String| path.split('/').any(|segment| segment == "G");
        assert_eq!(left.iter().find(of_g), None);
        let lookups = directory.lookup_permissions(&group("GG")).await.unwrap();
        assert_eq!(lookups.len(), 1);
        let again = directory.delete_group(&group("G")).await;
        assert_eq!(text(again), "group you are deleting does not exist");
    })
    .await;
}

/// Stored paths hold stars and braces; none of them may stand for another rule.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_with_wildcards_are_removed_one_by_one() {
    on_each_store(|store| async move {
        let directory = directory(&store);
        add_group(&directory, "G").await;
        let holder = Holder::Group(group("G"));
        let allow = [("/a/*", "*"), ("/a/*", "get"), ("/a/b", "*"), ("*", "get")];
        for (path, action) in allow {
            directory
                .upsert_permission(&holder, path, action, true)
                .await
                .unwrap();
        }
        directory
            .upsert_permission(&holder, "/a/*", "on", false)
            .await
            .unwrap();
        let left = || async {
            let rules = directory.permissions(&holder).await.unwrap();
            let text = rules.iter().map(|it| format!("{} {}", it.action, it.path));
            text.collect::<Vec<_>>()
        };
        let removed = directory.remove_permission(&holder, "*", "get", true).await;
        assert_eq!(removed, Ok(1));
        assert_eq!(left().await, ["* /a/b", "* /a/*", "get /a/*", "on /a/*"]);
        let removed = directory
            .remove_permission(&holder, "/a/*", "*", true)
            .await;
        assert_eq!(removed, Ok(2), "every action, but no prohibition");
        assert_eq!(left().await, ["* /a/b", "on /a/*"]);
        let removed = directory
            .remove_permission(&holder, "/a/*", "on", false)
            .await;
        assert_eq!(removed, Ok(1));
        assert_eq!(left().await, ["* /a/b"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_later_of_allow_and_prohibit_counts() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    add_group(&directory, "G").await;
    let holder = Holder::Group(group("G"));
    for authorized in [true, false] {
        let stored = directory.upsert_permission(&holder, "/a", "get", authorized);
        stored.await.unwrap();
    }
    let rules = directory.permissions(&holder).await.unwrap();
    assert_eq!(rules.len(), 1);
    assert!(!rules[0].authorized);
    // What is not stored that way cannot be taken away.
    let removed = directory
        .remove_permission(&holder, "/a", "get", true)
        .await;
    assert_eq!(removed, Ok(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_the_nodes_own_stays() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    let config = StartUp {
        allow_anonymous: true,
        ..StartUp::default()
    };
    directory.start(config).await.unwrap();
    let before = paths(&store, "*").await;
    let (admins, admin) = (group("_ADMIN"), user("_ADMIN"));
    let holder = Holder::Group(admins.clone());
    let forbidden = "the group _ADMIN cannot be changed or deleted, and its user _ADMIN cannot \
                     leave it";
    assert_eq!(text(directory.delete_group(&admins).await), forbidden);
    assert_eq!(
        text(directory.unlink_group(&admins, &admin).await),
        forbidden
    );
    let changed = directory
        .upsert_permission(&holder, "/a", "get", false)
        .await;
    assert_eq!(text(changed), forbidden);
    let removed = directory.remove_permission(&holder, "*", "*", true).await;
    assert_eq!(text(removed), forbidden);
    for name in ["_ADMIN", "_ANONYMOUS"] {
        let deleted = directory.delete_user(name).await;
        let expected = format!("unable to delete a user with the reserved name: {name}");
        assert_eq!(text(deleted), expected);
        let changed = directory.upsert_user(with_password(name), true).await;
        let expected = format!("validation failure: username cannot be reserved name {name}");
        assert_eq!(text(changed), expected);
    }
    let made = directory
        .upsert_group(GroupDraft::new("_ADMIN"), true)
        .await;
    assert!(text(made).starts_with("validation error: group names cannot contain"));
    assert_eq!(paths(&store, "*").await, before);
    // Others may become admins, and stop.
    add_user(&directory, "ann").await;
    directory
        .link_group(&admins, &user("ann"), None)
        .await
        .unwrap();
    assert_eq!(
        directory.unlink_group(&admins, &user("ann")).await,
        Ok(true)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_is_told_in_the_words_of_the_reference() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    let linked = directory.link_group(&group("G"), &user("ann"), None).await;
    assert_eq!(
        text(linked),
        "validation error: group does not exist or has not been saved"
    );
    add_group(&directory, "G").await;
    let linked = directory.link_group(&group("G"), &user("ann"), None).await;
    assert_eq!(
        text(linked),
        "validation error: user does not exist or has not been saved"
    );
    let made = directory.upsert_user(UserDraft::new("ann"), true).await;
    assert_eq!(
        text(made),
        "validation failure: no password or publicKey specified for a new user"
    );
    add_user(&directory, "ann").await;
    let again = directory.upsert_user(with_password("ann"), false).await;
    assert_eq!(
        text(again),
        "validation failure: user by the name ann already exists"
    );
    let again = directory.upsert_group(GroupDraft::new("G"), false).await;
    assert_eq!(
        text(again),
        "validation failure: group by the name G already exists"
    );
    let rules = PermissionSet::new().allow("/a", &["fly"]);
    let bad = directory
        .upsert_group(GroupDraft::new("H").permissions(rules), true)
        .await;
    assert_eq!(
        text(bad),
        "group permissions invalid: unknown action: fly for path: /a"
    );
    assert_eq!(directory.group(&group("H")).await, Ok(None));
    let anonymous = directory.link_anonymous_group(&group("G")).await;
    assert_eq!(text(anonymous), "Anonymous access is not configured");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_keeps_what_a_change_does_not_mention() {
    on_each_store(|store| async move {
        let directory = directory(&store);
        let draft = with_password("ann")
            .custom_data(json!({"a": 1}))
            .member("authType", json!("ldap"));
        let made = directory.upsert_user(draft, false).await.unwrap();
        let draft = UserDraft::new("ann").custom_data(json!({"b": 2}));
        let changed = directory.upsert_user(draft, true).await.unwrap();
        assert_eq!(changed.userid(), made.userid());
        assert_eq!(changed.password_hash(), made.password_hash());
        assert_eq!(changed.auth_type(), Some("ldap"));
        assert_eq!(changed.custom_data(), Some(&json!({"b": 2})));
        assert!(!format!("{changed:?}").contains("cheap:"));
        assert!(!changed.members().contains_key("password"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_cut_sorted_and_counted() {
    on_each_store(|store| async move {
        let directory = directory(&store);
        add_group(&directory, "G").await;
        for (number, name) in ["ann", "bob", "bill", "carl"].into_iter().enumerate() {
            let draft = with_password(name).custom_data(json!({"n": number}));
            directory.upsert_user(draft, false).await.unwrap();
            directory
                .link_group(&group("G"), &user(name), None)
                .await
                .unwrap();
        }
        let names = |pattern: &'static str, listing: Listing| {
            let directory = &directory;
            async move {
                let users = directory.list_users(pattern, &listing).await.unwrap();
                let names = users.iter().map(|it| it.name().to_string());
                names.collect::<Vec<_>>()
            }
        };
        let all = Listing::default;
        assert_eq!(names("", all()).await, ["ann", "bill", "bob", "carl"]);
        assert_eq!(names("b", all()).await, ["bill", "bob"]);
        assert_eq!(names("*l", all()).await, ["bill", "carl"]);
        let page = Listing {
            skip: 1,
            limit: Some(2),
            ..all()
        };
        assert_eq!(names("", page).await, ["bill", "bob"]);
        let chosen = Listing {
            criteria: happn_query::Criteria::parse(r#"{"custom_data.n":{"$gte":2}}"#).unwrap(),
            sort: happn_query::Sort::parse(r#"{"custom_data.n":-1}"#).unwrap(),
            ..all()
        };
        assert_eq!(names("", chosen.clone()).await, ["carl", "bill"]);
        assert_eq!(directory.count_users("", &chosen).await, Ok(2));
        assert_eq!(directory.count_groups("", &all()).await, Ok(1));
        let members = directory.list_users_by_group(&group("G")).await.unwrap();
        assert_eq!(members.len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lookups_that_could_never_work_or_would_take_for_ever_are_refused() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    add_group(&directory, "G").await;
    let save = |permission: LookupPermission| {
        let directory = &directory;
        async move {
            directory
                .upsert_lookup_permission(&group("G"), permission)
                .await
        }
    };
    for regex in ["(", r"(a)\1", "(?=a)b"] {
        let refused = text(save(lookup(regex)).await);
        assert!(refused.contains("regex"), "{refused}");
    }
    let none = LookupPermission {
        actions: Vec::new(),
        ..lookup("(.*)")
    };
    assert!(save(none).await.is_err());
    assert_eq!(save(lookup("(.*)")).await, Ok(true));
    assert_eq!(
        save(lookup("(.*)")).await,
        Ok(false),
        "equal ones are stored once"
    );
    let removed = directory
        .remove_all_table_permission(&group("G"), &table("T"))
        .await;
    assert_eq!(removed, Ok(true));
    assert!(paths(&store, "*_LOOKUP*").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_and_a_table_cannot_share_a_name() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    add_group(&directory, "G").await;
    let shared = LookupTable {
        name: table("G"),
        paths: vec!["/x".to_owned()],
    };
    let expected = "a group and a lookup table cannot both be called";
    let refused = text(directory.upsert_lookup_table(shared).await);
    assert!(refused.starts_with(expected), "{refused}");
    directory
        .insert_lookup_path(&table("T"), "/x")
        .await
        .unwrap();
    let refused = text(directory.upsert_group(GroupDraft::new("T"), true).await);
    assert!(refused.starts_with(expected), "{refused}");
}

/// Whoever asked may be gone; what began is ended and told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_carried_through_when_its_future_is_dropped() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    let recorder = Recorder::on(&directory);
    {
        let change = directory.upsert_user(with_password("ann"), true);
        tokio::pin!(change);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let _ = change.as_mut().poll(&mut context);
    }
    let told = async {
        while !recorder.has_heard() {
            tokio::task::yield_now().await;
        }
        assert_eq!(recorder.kinds(), ["upsert-user"]);
    };
    let deadline = std::time::Duration::from_secs(10);
    tokio::time::timeout(deadline, told).await.unwrap();
    assert!(directory.user("ann").await.unwrap().is_some());
}
