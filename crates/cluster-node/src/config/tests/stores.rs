//! The list of data stores.

use super::*;

fn stores(list: &str) -> String {
    format!("{{services: {{data: {{config: {{datastores: {list}}}}}}}}}")
}

#[test]
fn providers_of_javascript_configurations_are_understood() {
    for (entry, provider) in [
        (
            "{provider: 'sqlite', settings: {filename: 'f'}}",
            Provider::Sqlite,
        ),
        ("{settings: {filename: 'f'}}", Provider::Sqlite),
        ("{provider: 'memory'}", Provider::Memory),
        ("{provider: 'mem'}", Provider::Memory),
        (
            "{provider: 'happn-db-provider-sqlite', filename: 'f'}",
            Provider::Sqlite,
        ),
        ("{settings: {dbfile: 'f'}}", Provider::Sqlite),
        ("{provider: 'happn-db-provider-loki'}", Provider::Memory),
        ("{provider: 'happn-db-provider-nedb'}", Provider::Memory),
        ("{name: 'x'}", Provider::Memory),
        (
            "{provider: 'happn-db-provider-mongo', settings: {collection: 'c'}}",
            Provider::Mongo,
        ),
        ("{provider: 'happn-service-mongo-2'}", Provider::Mongo),
        ("{settings: {url: 'mongodb://h'}}", Provider::Mongo),
    ] {
        let config = load(&stores(&format!("[{entry}]"))).unwrap();
        let store = &config.settings.services.data.datastores[0];
        assert_eq!(
            (store.provider, store.is_default),
            (provider, true),
            "{entry}"
        );
    }
}

#[test]
fn providers_that_cannot_work_say_what_to_use() {
    let at = "services.data.config.datastores[0].";
    for (entry, expected) in [
        (
            "{provider: 'mongo', settings: {url: 'http://u:secret@h'}}",
            "settings.url: it must start with mongodb:// or mongodb+srv://",
        ),
        (
            "{provider: 'mongo', settings: {database: 'a.b'}}",
            "settings.database: \"a.b\" is no name: it holds a character that MongoDB does not \
             allow there",
        ),
        (
            "{provider: 'mongo', settings: {index: {path: 1}}}",
            "settings.index.path: it has no object `fields`; use false, or an object of indexes \
             such as {\"by_path\": {\"fields\": {\"path\": 1}, \"options\": {\"unique\": true}}}",
        ),
        (
            "{provider: 'mongo', settings: {index: true}}",
            "settings.index is true, but must be false or an object of indexes",
        ),
        (
            "{provider: 'happn-service-mongo-2', settings: {filename: 'f'}}",
            "settings.filename: a mongo store has no file; use settings.url, database and collection",
        ),
        (
            "{provider: 'loki', settings: {filename: 'f'}}",
            "provider: a node does not work on files of loki; set the provider sqlite with another \
             file, then fill it with `cluster-node import --from loki f`",
        ),
        (
            "{provider: 'happn-service-nedb', settings: {filename: 'f'}}",
            "provider: a node does not work on files of happn-service-nedb; set the provider \
             sqlite with another file, then fill it with `cluster-node import --from nedb f`",
        ),
        (
            "{provider: 'memory', settings: {filename: 'f'}}",
            "settings.filename: a memory store has no file; use the provider sqlite to keep documents",
        ),
        (
            "{provider: 'sqlite'}",
            "settings.filename: a sqlite store needs a file name",
        ),
        (
            "{provider: 'oracle'}",
            "provider: unknown provider \"oracle\"; known are memory, sqlite, mongo, mem, \
             happn-db-provider-mem, happn-db-provider-sqlite, mongodb, happn-db-provider-mongo, \
             happn-service-mongo, happn-service-mongo-2, loki, happn-db-provider-loki, nedb, \
             happn-db-provider-nedb, happn-service-nedb",
        ),
        (
            "{isDefault: 3}",
            "isDefault is 3, but must be true or false",
        ),
    ] {
        let found = problems(&stores(&format!("[{entry}]")));
        assert_eq!(found, [format!("{at}{expected}")], "{entry}");
    }
}

#[test]
fn a_list_of_stores_has_one_default_and_unique_names() {
    let at = "services.data.config.datastores";
    assert_eq!(
        problems(&stores("[5]")),
        [format!("{at}[0] is 5, but must be an object")]
    );
    assert_eq!(
        problems(&stores("[{name: 'a'}, {name: 'a', isDefault: true}]")),
        [format!("{at}: two stores are called \"a\"")]
    );
    assert_eq!(
        warnings(&stores("[{name: 'a'}, {name: 'b', paterns: ['/x/*']}]")),
        [
            format!("unknown key {at}[1].paterns, did you mean {at}[1].patterns?"),
            "the store \"b\" has no patterns and is not the default, so it stays empty".into(),
        ]
    );
}

#[test]
fn the_last_store_that_says_so_is_the_default() {
    let list = "[{name: 'a', isDefault: true}, {name: 'b', isDefault: true}, {name: 'c', patterns: ['/c']}]";
    let config = load(&stores(list)).unwrap();
    let defaults = config.settings.services.data.datastores;
    let defaults: Vec<bool> = defaults.iter().map(|store| store.is_default).collect();
    assert_eq!(defaults, [false, true, false]);
    assert!(
        warnings(&stores(list))[0]
            .starts_with("more than one store has isDefault; the last of them, \"b\"")
    );
}

#[test]
fn without_a_list_there_is_one_store_in_the_file_that_is_named() {
    let only = |text: &str| {
        let config = load(text).unwrap();
        let [store] = &config.settings.services.data.datastores[..] else {
            panic!("one store");
        };
        assert!(store.is_default);
        (store.name.clone(), store.settings.clone())
    };
    assert_eq!(only(&stores("[]")), only("{}"));
    let (name, settings) = only("{services: {data: {config: {dbfile: 'f', datastores: []}}}}");
    assert_eq!(name, "default");
    assert_eq!(settings.filename.as_deref(), Some(Path::new("f")));
    assert_eq!(settings.synchronous, Synchronous::Full);
    let (_, settings) = only("{services: {data: {config: {filename: 'f', fsync: false}}}}");
    assert_eq!(settings.synchronous, Synchronous::Normal);
    assert_eq!(
        warnings("{services: {data: {config: {filename: 'f', datastores: [{name: 'a'}]}}}}"),
        ["services.data.config.filename is only used without services.data.config.datastores"]
    );
}

#[test]
fn a_password_in_an_url_or_in_options_is_never_shown() {
    let list = "[{provider: 'mongo', settings: {url: 'mongodb://ann:secret@h/x', \
                 opts: {auth: {user: 'ann', password: 'secret'}}}}]";
    let shown = effective(&load(&stores(list)).unwrap());
    assert!(shown.contains("mongodb://ann:******@h/x"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}
