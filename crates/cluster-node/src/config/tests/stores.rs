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
        ("{provider: 'happn-db-provider-loki'}", Provider::Memory),
        ("{provider: 'happn-db-provider-nedb'}", Provider::Memory),
        ("{name: 'x'}", Provider::Memory),
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
            "{provider: 'happn-db-provider-mongo'}",
            "provider: this build has no MongoDB store (happn-db-provider-mongo); use sqlite or memory",
        ),
        (
            "{provider: 'happn-service-mongo-2'}",
            "provider: this build has no MongoDB store (happn-service-mongo-2); use sqlite or memory",
        ),
        (
            "{provider: 'loki', settings: {filename: 'f'}}",
            "provider: files of loki cannot be read; use the provider sqlite with a new file",
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
            "provider: unknown provider \"oracle\"; use sqlite or memory",
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
        problems(&stores("[]")),
        [format!("{at}: the list is empty; a node needs a store")]
    );
    assert_eq!(
        problems(&stores("[5]")),
        [format!("{at}[0] is 5, but must be an object")]
    );
    assert_eq!(
        problems(&stores(
            "[{name: 'a', isDefault: true}, {name: 'a', isDefault: true}]"
        )),
        [
            format!("{at}: two stores are called \"a\""),
            format!("{at}: more than one store has isDefault"),
        ]
    );
    assert_eq!(
        warnings(&stores("[{name: 'a'}, {name: 'b', paterns: ['/x/*']}]")),
        [
            format!("unknown key {at}[1].paterns, did you mean {at}[1].patterns?"),
            "the store \"b\" has no patterns and is not the default, so it stays empty".into(),
        ]
    );
}
