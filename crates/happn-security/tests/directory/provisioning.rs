//! Files of users, groups and tables; and who is written down as having applied them.

use std::sync::{Arc, Mutex};

use happn_core::{DataService, DataStore, MemoryStore, SystemClock};
use happn_security::audit::{Actor, Audit, Record};
use happn_security::directory::{Directory, HashingPool, Holder, NameFolding, StartUp};
use happn_security::provision::{Provision, ProvisionError};

use crate::support::{Cheap, Recorder, directory, found, group, on_each_store, table, user};

const FILE: &str = r#"{
  "groups": [
    {"name": "STAFF", "permissions": {
      "/staff/*": {"actions": ["get", "on"]}, "/staff/boss": {"prohibit": ["*"]}
    }, "custom_data": {"floor": 2}},
    {"name": "GUESTS"}
  ],
  "users": [
    {"username": "ann", "password": "s3cret", "groups": ["STAFF", "_ADMIN"],
     "permissions": {"/ann/*": {"actions": ["*"]}}, "custom_data": {"n": 1}},
    {"username": "key", "publicKey": "a key", "groups": ["GUESTS"]}
  ],
  "lookupTables": [
    {"name": "DEVICES", "paths": ["/device/1"], "permissions": [
      {"group": "STAFF", "regex": "^/data/(.*)", "actions": ["get"], "path": "/device/{{$1}}"}
    ]}
  ]
}"#;

async fn apply(directory: &Directory, text: &str) -> Vec<String> {
    let provision = Provision::parse(text).unwrap();
    let changes = provision.apply(directory).await.unwrap();
    changes.iter().map(ToString::to_string).collect()
}

/// Everything that is wrong with a file, in its shape or with what is stored.
async fn problems(directory: &Directory, text: &str) -> Vec<String> {
    let found = match Provision::parse(text) {
        Err(problems) => problems,
        Ok(provision) => match provision.apply(directory).await {
            Err(ProvisionError::Invalid(problems)) => problems,
            other => panic!("{other:?}"),
        },
    };
    found.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_applied_once_and_then_changes_nothing() {
    on_each_store(|store| async move {
        let directory = directory(&store);
        directory.start(StartUp::default()).await.unwrap();
        let recorder = Recorder::on(&directory);
        assert_eq!(
            apply(&directory, FILE).await,
            [
                "group STAFF: made",
                "group GUESTS: made",
                "user ann: made",
                "user ann: added to group STAFF",
                "user ann: added to group _ADMIN",
                "user key: made",
                "user key: added to group GUESTS",
                "lookup table DEVICES: paths added: /device/1",
                "group STAFF: lookup permission on table DEVICES added",
            ]
        );
        assert_eq!(recorder.take().len(), 9);
        let rules = directory
            .permissions(&Holder::Group(group("STAFF")))
            .await
            .unwrap();
        assert_eq!(rules.len(), 3);
        assert_eq!(
            directory.is_in_table(&table("DEVICES"), "device/1").await,
            Ok(true)
        );
        let before = found(&store, "*").await;
        assert!(apply(&directory, FILE).await.is_empty());
        assert_eq!(found(&store, "*").await, before);
        assert!(recorder.take().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_differs_is_changed_and_the_rest_stays() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    directory.start(StartUp::default()).await.unwrap();
    apply(&directory, FILE).await;
    let staff = Holder::Group(group("STAFF"));
    directory
        .upsert_permission(&staff, "/by-hand", "get", true)
        .await
        .unwrap();
    let changed = r#"{
      "groups": [{"name": "STAFF", "permissions": {
        "/staff/*": {"actions": ["get", "set"]},
        "/staff/boss": {"prohibit": ["*"], "remove": true}
      }}],
      "users": [{"username": "ann", "password": "new", "publicKey": "k", "groups": ["GUESTS"]},
                {"username": "key"}]
    }"#;
    assert_eq!(
        apply(&directory, changed).await,
        [
            "group STAFF: permissions changed on /staff/*, /staff/boss",
            "user ann: password, publicKey changed",
            "user ann: added to group GUESTS",
        ]
    );
    assert!(apply(&directory, changed).await.is_empty());
    let rules = directory.permissions(&staff).await.unwrap();
    let rules: Vec<_> = rules
        .iter()
        .map(|it| format!("{} {}", it.action, it.path))
        .collect();
    let expected = [
        "get /by-hand",
        "get /staff/*",
        "on /staff/*",
        "set /staff/*",
    ];
    assert_eq!(rules, expected);
    let staff = directory.group(&group("STAFF")).await.unwrap().unwrap();
    assert!(staff.custom_data().is_some());
    let memberships = directory.memberships(&user("ann")).await.unwrap();
    assert_eq!(memberships.groups().count(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_wrong_is_told_at_once_and_nothing_is_written() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    let wrong = r#"{
      "groups": [
        {"name": "_ADMIN"},
        {"name": "G", "permissions": {"/a": {"actions": ["fly"]}, "/b": {}}},
        {"name": "G"}
      ],
      "users": [{"username": "a/b", "password": ""}, {"username": "ok", "password": "p"}],
      "lookupTables": [{"name": "G", "paths": [""], "permissions": [
        {"group": "*", "regex": "(", "actions": ["get"], "path": "/x"}
      ]}]
    }"#;
    let told = problems(&directory, wrong).await;
    let places: Vec<_> = told.iter().filter_map(|it| it.split(": ").next()).collect();
    assert_eq!(
        places,
        [
            "groups[0].name",
            "groups[1].permissions",
            "groups[1].permissions",
            "users[0].username",
            "users[0].password",
            "lookupTables[0].paths[0]",
            "lookupTables[0].permissions[0].group",
            "lookupTables[0].permissions[0]",
            "groups[2]",
            "lookupTables[0].name",
        ],
        "{told:#?}"
    );
    assert!(found(&store, "*").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_what_is_stored_is_told_before_anything_is_written() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    directory
        .insert_lookup_path(&table("T"), "/x")
        .await
        .unwrap();
    let before = found(&store, "*").await;
    let wrong = r#"{
      "groups": [{"name": "T"}, {"name": "NEW"}],
      "users": [{"username": "ann", "groups": ["NEW", "NOWHERE"]}]
    }"#;
    assert_eq!(
        problems(&directory, wrong).await,
        [
            "users[0]: validation failure: no password or publicKey specified for a new user",
            "users[0].groups[1]: there is no group NOWHERE, neither here nor stored",
            "groups[0].name: a group and a lookup table cannot both be called T",
        ]
    );
    assert_eq!(found(&store, "*").await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_another_shape_is_told_by_entry_and_shows_no_password() {
    let store: Arc<dyn DataStore> = Arc::new(MemoryStore::new());
    let directory = directory(&store);
    let told = problems(
        &directory,
        r#"{"groups": {}, "users": [{"username": "a", "pasword": "x"}, {"password": 12345},
            {"username": "b", "password": ["hidden"]}], "other": 1}"#,
    )
    .await;
    assert_eq!(told.len(), 5, "{told:#?}");
    assert_eq!(told[0], "groups: must be an array");
    assert!(told[1].starts_with("users[0]: unknown field `pasword`"));
    assert!(told[4].starts_with("other: unknown member"));
    let all = told.join("\n");
    assert!(!all.contains("12345") && !all.contains("hidden"));
    assert_eq!(problems(&directory, "[]").await.len(), 1);
    assert!(problems(&directory, "{").await[0].starts_with("no JSON"));
}

#[derive(Default)]
struct Written(Mutex<Vec<String>>);

impl Audit for Written {
    fn record(&self, record: &Record<'_>) {
        let Record::Changed {
            actor,
            kind,
            object,
        } = record
        else {
            panic!("nothing is refused here");
        };
        let line = format!("{} from {}: {kind} {object}", actor.name, actor.from);
        self.0.lock().unwrap().push(line);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_is_recorded_with_who_made_it_and_without_secrets() {
    let audit = Arc::new(Written::default());
    let directory = Directory::with_audit(
        DataService::new(Arc::new(MemoryStore::new())),
        Arc::new(SystemClock::new()),
        HashingPool::new(Arc::new(Cheap), 1, 10),
        NameFolding::default(),
        audit.clone(),
    );
    directory.start(StartUp::default()).await.unwrap();
    let boss = directory.acting_as(Actor::new("boss", "10.0.0.7"));
    apply(&boss, FILE).await;
    let staff = Holder::Group(group("STAFF"));
    boss.upsert_permission(&staff, "/a", "set", false)
        .await
        .unwrap();
    boss.unlink_group(&group("STAFF"), &user("ann"))
        .await
        .unwrap();
    directory.delete_user("ann").await.unwrap();
    let lines = audit.0.lock().unwrap().clone();
    assert_eq!(lines.len(), 12);
    assert_eq!(lines[0], "boss from 10.0.0.7: upsert-group group STAFF");
    assert_eq!(
        lines[3],
        "boss from 10.0.0.7: link-group user ann, group STAFF"
    );
    assert_eq!(
        lines[9],
        "boss from 10.0.0.7: permission-upserted group STAFF, prohibit set on /a"
    );
    assert_eq!(
        lines[10],
        "boss from 10.0.0.7: unlink-group user ann, group STAFF"
    );
    assert_eq!(lines[11], "(node) from (node): delete-user user ann");
    assert!(!lines.join("\n").contains("s3cret"));
}
