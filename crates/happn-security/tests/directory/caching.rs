//! What is remembered, and that it is forgotten in time.

use std::sync::Arc;

use happn_core::{DataStore, MemoryStore, StoreError};
use happn_protocol::Json;
use happn_security::directory::{
    Directory, DirectoryError, GroupDraft, Holder, LookupTable, Password, PermissionSet, UserDraft,
};
use serde_json::json;

use crate::support::{Recorder, directory, group, table, user};

async fn prepare(directory: &Directory) {
    let rules = PermissionSet::new().allow("/r/*", &["get"]);
    let staff = GroupDraft::new("STAFF").permissions(rules);
    directory.upsert_group(staff, true).await.unwrap();
    let ann = UserDraft::new("ann").password(Password::new("pw"));
    directory.upsert_user(ann, true).await.unwrap();
    directory
        .link_group(&group("STAFF"), &user("ann"), None)
        .await
        .unwrap();
}

/// Everything that a decision about ann needs.
async fn read_all(directory: &Directory) -> Result<(usize, usize, usize), DirectoryError> {
    let ann = user("ann");
    directory.user("ann").await?;
    let memberships = directory.memberships(&ann).await?;
    let of_group = directory
        .permissions(&Holder::Group(group("STAFF")))
        .await?;
    let own = directory.permissions(&Holder::User(ann)).await?;
    directory.lookup_permissions(&group("STAFF")).await?;
    Ok((memberships.groups().count(), of_group.len(), own.len()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_once_needs_no_store() {
    let memory = Arc::new(MemoryStore::new());
    let store: Arc<dyn DataStore> = memory.clone();
    let directory = directory(&store);
    prepare(&directory).await;
    assert_eq!(read_all(&directory).await, Ok((1, 1, 0)));
    memory.fail_with(Some(StoreError::Closed));
    assert_eq!(read_all(&directory).await, Ok((1, 1, 0)));
    directory.forget_everything();
    let failed = read_all(&directory).await;
    assert_eq!(failed, Err(DirectoryError::Store(StoreError::Closed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_shows_at_once_and_concerns_only_whom_it_concerns() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    prepare(&directory).await;
    let bob = UserDraft::new("bob").password(Password::new("pw"));
    directory.upsert_user(bob, true).await.unwrap();
    let changed = |since, name: &str, groups: &[&'static str]| {
        directory.changed_since(since, name, groups.iter().copied())
    };
    let start = directory.generation();
    read_all(&directory).await.unwrap();

    let own = Holder::User(user("ann"));
    directory
        .upsert_permission(&own, "/ann", "set", true)
        .await
        .unwrap();
    assert_eq!(read_all(&directory).await, Ok((1, 1, 1)));
    assert!(changed(start, "ann", &["STAFF"]) && !changed(start, "bob", &["OTHERS"]));

    let start = directory.generation();
    let staff = Holder::Group(group("STAFF"));
    directory
        .upsert_permission(&staff, "/s", "set", false)
        .await
        .unwrap();
    assert_eq!(read_all(&directory).await, Ok((1, 2, 1)));
    assert!(changed(start, "bob", &["STAFF"]) && !changed(start, "bob", &[]));

    directory.delete_group(&group("STAFF")).await.unwrap();
    assert_eq!(read_all(&directory).await, Ok((0, 0, 1)));
    directory.delete_user("ann").await.unwrap();
    assert_eq!(read_all(&directory).await, Ok((0, 0, 0)));
    assert_eq!(directory.user("ann").await, Ok(None));
}

/// A user made by another program is there at once, although it was looked for before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_somebody_does_not_exist_is_not_remembered() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let (here, there) = (directory(&store), directory(&store));
    assert_eq!(here.user("ann").await, Ok(None));
    prepare(&there).await;
    assert!(here.user("ann").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_another_node_is_seen_when_it_is_told() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let (here, there) = (directory(&store), directory(&store));
    prepare(&there).await;
    assert_eq!(read_all(&here).await, Ok((1, 1, 0)));
    let recorder = Recorder::on(&there);
    let staff = Holder::Group(group("STAFF"));
    there
        .upsert_permission(&staff, "/s", "set", true)
        .await
        .unwrap();
    assert_eq!(read_all(&here).await, Ok((1, 1, 0)), "nobody told it yet");
    here.apply(recorder.take().remove(0).told).unwrap();
    assert_eq!(read_all(&here).await, Ok((1, 2, 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missed_change_is_noticed_by_the_count_of_changes() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let (here, there) = (directory(&store), directory(&store));
    prepare(&there).await;
    assert_eq!(here.check_version().await, Ok(false), "the first look");
    assert_eq!(read_all(&here).await, Ok((1, 1, 0)));
    there.delete_group(&group("STAFF")).await.unwrap();
    assert_eq!(read_all(&here).await, Ok((1, 1, 0)), "nobody told it");
    assert_eq!(here.check_version().await, Ok(true));
    assert_eq!(read_all(&here).await, Ok((0, 0, 0)));
    assert_eq!(here.check_version().await, Ok(false));
    // Its own changes are nothing missed.
    here.delete_user("ann").await.unwrap();
    assert_eq!(here.check_version().await, Ok(false));
}

/// JavaScript nodes write the document and tell nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_was_revoked_without_a_word_is_found_by_its_document() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let (here, there) = (directory(&store), directory(&store));
    let revoke = |directory: &Directory, token: &'static str| {
        let directory = directory.clone();
        let said = Json::parse(r#"{"id": "s"}"#).unwrap();
        async move { directory.revoke_token(token, said, "CLIENT", 0).await }
    };
    assert_eq!(here.load_late_revocations().await, Ok(false));
    for token in ["first", "second"] {
        revoke(&there, token).await.unwrap();
        assert!(!here.is_revoked(token), "nobody told it");
        assert_eq!(here.load_late_revocations().await, Ok(true));
        assert!(here.is_revoked(token));
        assert_eq!(here.load_late_revocations().await, Ok(false));
    }
    revoke(&here, "own").await.unwrap();
    assert_eq!(here.load_late_revocations().await, Ok(false));
    assert_eq!(there.load_revoked_tokens().await, Ok(true));
    assert_eq!(there.load_revoked_tokens().await, Ok(false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_of_tables_are_remembered_and_forgotten() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    let devices = table("DEVICES");
    assert_eq!(directory.is_in_table(&devices, "/d/1").await, Ok(false));
    let paths = vec!["d/1".to_owned()];
    let filled = LookupTable {
        name: devices.clone(),
        paths,
    };
    directory.upsert_lookup_table(filled).await.unwrap();
    assert_eq!(directory.is_in_table(&devices, "/d/1").await, Ok(true));
    assert_eq!(*directory.lookup_table(&devices).await.unwrap(), ["d/1"]);
    assert_eq!(
        directory.list_lookup_tables().await,
        Ok(vec![devices.clone()])
    );
    assert_eq!(
        directory.remove_lookup_path(&devices, "/d/1").await,
        Ok(true)
    );
    assert_eq!(directory.is_in_table(&devices, "d/1").await, Ok(false));
    assert!(directory.lookup_table(&devices).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_password_is_asked_for_before_it_is_changed() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    prepare(&directory).await;
    let change = |name: &'static str, old: &'static str, new: &'static str| {
        let (old, new) = (Password::new(old), Password::new(new));
        let directory = directory.clone();
        async move { directory.change_password(name, old, new).await }
    };
    let refused = change("ann", "wrong", "new").await.unwrap_err();
    assert_eq!(refused.to_string(), "Invalid old password");
    let nobody = change("nobody", "x", "new").await.unwrap_err();
    assert_eq!(nobody, DirectoryError::OldPassword);
    let admin = change("_ADMIN", "x", "new").await.unwrap_err();
    assert_eq!(
        admin.to_string(),
        "updates to the _ADMIN user are forbidden"
    );
    assert!(
        change("ann", "pw", "").await.is_err(),
        "an empty password is none"
    );
    change("ann", "pw", "new").await.unwrap();
    change("ann", "new", "newer").await.unwrap();
    let ann = directory.user("ann").await.unwrap().unwrap();
    assert_eq!(ann.members().get("username"), Some(&json!("ann")));
}
