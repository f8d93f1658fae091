//! What a node finds and makes when it starts.

use std::sync::Arc;

use happn_core::{DataStore, MemoryStore};
use happn_security::directory::{AdminUser, Password, StartUp, Started};

use crate::support::{Folder, directory, found, on_each_store, paths};

fn configured(password: &str) -> StartUp {
    StartUp {
        admin_password: Some(Password::new(password)),
        ..StartUp::default()
    }
}

/// Starts on both stores at the same moment. They may be two views of one database.
async fn start_together(stores: [Arc<dyn DataStore>; 2]) -> [Started; 2] {
    let start = |store: Arc<dyn DataStore>| {
        tokio::spawn(async move { directory(&store).start(StartUp::default()).await.unwrap() })
    };
    let [one, other] = stores.map(start);
    [one.await.unwrap(), other.await.unwrap()]
}

async fn check_agreement(store: &Arc<dyn DataStore>, started: &[Started; 2]) {
    let [one, other] = started;
    assert_eq!(one.token_secret, other.token_secret);
    let made: Vec<_> = started
        .iter()
        .filter_map(|it| match &it.admin {
            AdminUser::MadeUp(password) => Some(password.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(made.len(), 1, "exactly one node has a password to show");
    let checked = configured(made[0].reveal());
    let later = directory(store).start(checked).await.unwrap();
    assert_eq!(later.admin, AdminUser::Found);
    assert_eq!(later.token_secret, one.token_secret);
}

/// The reference reads first and writes then: two nodes that started together on an empty store
/// held different secrets, so neither accepted the other's tokens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_start_together_agree_on_one_secret_and_one_admin() {
    for _ in 0..20 {
        let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
        let started = start_together([store.clone(), store.clone()]).await;
        check_agreement(&store, &started).await;
    }
    for _ in 0..5 {
        let folder = Folder::new();
        let stores = [folder.sqlite(), folder.sqlite()];
        let started = start_together(stores.clone()).await;
        check_agreement(&stores[0], &started).await;
        for store in stores {
            store.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_is_made_up_is_long_and_shown_by_nothing() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let started = directory(&store).start(StartUp::default()).await.unwrap();
    let AdminUser::MadeUp(password) = &started.admin else {
        panic!("{started:?}");
    };
    assert!(password.reveal().len() >= 24);
    let shown = format!("{started:?}");
    assert!(!shown.contains(password.reveal()));
    assert!(!shown.contains(started.token_secret.reveal()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_start_changes_nothing_but_what_the_configuration_says_anew() {
    on_each_store(|store| async move {
        let first = directory(&store).start(configured("pw")).await.unwrap();
        let before = found(&store, "*").await;
        let again = directory(&store).start(configured("pw")).await.unwrap();
        assert_eq!(again.token_secret, first.token_secret);
        assert_eq!(found(&store, "*").await, before);
        let secret = StartUp {
            token_secret: Some("configured".to_owned()),
            ..StartUp::default()
        };
        let third = directory(&store).start(secret).await.unwrap();
        assert_eq!(third.token_secret.reveal(), "configured");
        let fourth = directory(&store).start(StartUp::default()).await.unwrap();
        assert_eq!(fourth.token_secret.reveal(), "configured");
        assert_eq!(fourth.admin, AdminUser::Found);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_anonymous_user_is_made_only_where_it_is_allowed() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let open = directory(&store);
    open.start(configured("pw")).await.unwrap();
    assert!(open.user("_ANONYMOUS").await.unwrap().is_none());
    let allowed = StartUp {
        allow_anonymous: true,
        ..configured("pw")
    };
    open.start(allowed).await.unwrap();
    assert!(open.user("_ANONYMOUS").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_admin_group_holds_one_rule_and_the_admin_user() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    directory(&store).start(configured("pw")).await.unwrap();
    assert_eq!(
        paths(&store, "*").await,
        [
            "/_SYSTEM/_SECURITY/SESSION_TOKEN_SECRET",
            "/_SYSTEM/_SECURITY/_GROUP/_ADMIN",
            "/_SYSTEM/_SECURITY/_PERMISSIONS/_ADMIN/*/{{w}}",
            "/_SYSTEM/_SECURITY/_USER/_ADMIN",
            "/_SYSTEM/_SECURITY/_USER/_ADMIN/_USER_GROUP/_ADMIN",
        ]
    );
}
