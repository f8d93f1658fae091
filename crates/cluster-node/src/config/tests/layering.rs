//! Which value wins, and in which forms values are understood.

use super::*;

#[test]
fn the_defaults_are_those_of_the_seed() {
    let config = Config::load(&Sources::default()).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let settings = config.settings;
    assert_eq!(
        (settings.port, settings.services.proxy.port),
        (57_000, 55_000)
    );
    let orchestrator = &settings.services.orchestrator;
    assert_eq!(orchestrator.cluster_name, "happn-cluster");
    assert_eq!(orchestrator.deployment, "Test-Deploy");
    assert_eq!(orchestrator.replicate, ["*"]);
    assert_eq!(orchestrator.timing.keep_alive.as_millis(), 5000);
    assert_eq!(orchestrator.timing.keep_alive_threshold.as_millis(), 6000);
    assert_eq!(orchestrator.stabilise_timeout(), None);
    assert_eq!(orchestrator.minimums()["happn-cluster-node"], 1);
    assert_eq!(settings.services.session.primus_opts.max_length, 10_485_760);
    let [store] = &settings.services.data.datastores[..] else {
        panic!("one store");
    };
    assert_eq!((store.provider, store.is_default), (Provider::Sqlite, true));
    let file = store.settings.filename.as_deref();
    assert_eq!(file, Some(Path::new("./happn-data/happn.sqlite")));
}

#[test]
fn every_default_is_one_that_its_own_key_allows() {
    for key in KEYS.iter().chain(STORE_KEYS) {
        let value = layers::preset(key.default);
        let unset = key.default == Preset::Unset;
        assert_eq!(value.is_null(), unset, "{}", key.path);
        assert!(
            unset || key.kind.check(&value) == Some(value),
            "{}",
            key.path
        );
    }
}

#[test]
fn the_seeds_own_sample_loads_and_its_spellings_are_understood() {
    let text = "{
        services: {
            data: { config: { datastores: [{provider: 'memory'}] } },
            proxy: { config: { port: 55000, host: '0.0.0.0', allowSelfSignedCerts: false, } },
            orchestrator: { config: {
                clusterName: 'happn-cluster', serviceName: 'happn-cluster-node',
                deployment: 'Test-Deploy', replicate: ['*'],
                timing: { keepaliveThreshold: 6.5e3, stabiliseTimeout: 15e3, keepAlive: 5e3,
                          memberRefresh: 5e3, healthReport: 10e3 },
                cluster: { 'happn-cluster-node': 1 },
                minimumePeers: 1,
            } },
            replicator: { config: { securityChangesetReplicateInterval: 3000 } },
        }
    }";
    let config = load(text).unwrap();
    let orchestrator = &config.settings.services.orchestrator;
    assert_eq!(orchestrator.timing.keep_alive_threshold.as_millis(), 6500);
    assert_eq!(
        orchestrator.stabilise_timeout().unwrap().as_millis(),
        15_000
    );
    assert_eq!(
        warnings(text),
        [
            "services.orchestrator.config.timing.keepaliveThreshold is read as \
             services.orchestrator.config.timing.keepAliveThreshold",
            "services.orchestrator.config.minimumePeers is read as \
             services.orchestrator.config.minimumPeers",
        ]
    );
}

#[test]
fn the_proper_spelling_wins_over_an_alias_beside_it() {
    for order in [
        "keepAliveThreshold: 7000, keepAliveThreshhold: 9000",
        "keepAliveThreshhold: 9000, keepAliveThreshold: 7000",
    ] {
        let text = format!("{{services: {{orchestrator: {{config: {{timing: {{{order}}}}}}}}}}}");
        let config = load(&text).unwrap();
        let timing = &config.settings.services.orchestrator.timing;
        assert_eq!(timing.keep_alive_threshold.as_millis(), 7000);
    }
}

#[test]
fn flags_win_over_the_environment_which_wins_over_the_file() {
    let folder = Folder::new();
    let file = folder.file(
        "happn.toml",
        "port = 1\nname = 'file'\nhost = '127.0.0.1'\n",
    );
    let config = Config::load(&Sources {
        file: Some(&file),
        environment: variables(&[("HAPPN_PORT", "2"), ("HAPPN_NAME", "environment")]),
        flags: vec![flag("--port", "port", "3")],
        ..Sources::default()
    })
    .unwrap();
    let settings = &config.settings;
    assert_eq!(settings.port, 3);
    assert_eq!(settings.name.as_deref(), Some("environment"));
    assert_eq!(settings.host, "127.0.0.1");
    let text = effective(&config);
    assert!(text.contains("\nport = 3  # flag --port\n"), "{text}");
    assert!(
        text.contains("name = \"environment\"  # environment HAPPN_NAME\n"),
        "{text}"
    );
    assert!(
        text.contains(&format!(
            "host = \"127.0.0.1\"  # file {}\n",
            file.display()
        )),
        "{text}"
    );
}

#[test]
fn every_key_can_be_set_by_its_systematic_variable_in_any_case() {
    for key in KEYS {
        let name = environment_name(key.path);
        let value = match key.kind {
            Kind::Whole { .. } if key.path.ends_with("keepAlive") => "5999".into(),
            Kind::Whole { max, .. } | Kind::Duration { max, .. } => max.to_string(),
            Kind::Switch => "false".into(),
            Kind::Choice(words) => words[0].into(),
            Kind::Origins => "https://a.b".into(),
            Kind::Minimums => r#"{"happn-cluster-node": 1}"#.into(),
            Kind::Options => r#"{"some": 1}"#.into(),
            Kind::Profiles => "[]".into(),
            Kind::Providers => r#"{"some": true}"#.into(),
            Kind::Text if key.path.ends_with("host") => "127.0.0.1".into(),
            Kind::Text if key.path.ends_with(".target") => "http://node:1".into(),
            _ => "some".into(),
        };
        // These need files, or a network card.
        let needy = ["keyPath", "certPath", "clientCaPath", "interfaceId"];
        if key.kind == Kind::Pem || needy.iter().any(|end| key.path.ends_with(end)) {
            continue;
        }
        for name in [name.clone(), name.to_uppercase()] {
            let config = from_environment(&[(&name, &value)]).unwrap();
            let line = effective(&config)
                .lines()
                .find(|line| line.starts_with(&format!("{} = ", key.path)))
                .unwrap()
                .to_owned();
            assert!(line.ends_with(&format!("# environment {name}")), "{line}");
        }
    }
}

#[test]
fn lists_and_stores_have_a_short_form_in_the_environment() {
    let config = from_environment(&[
        (
            "HAPPN__services__orchestrator__config__replicate",
            "/a/*, /b",
        ),
        ("HAPPN_DATA", "/some/file.sqlite"),
    ])
    .unwrap();
    let services = &config.settings.services;
    assert_eq!(services.orchestrator.replicate, ["/a/*", "/b"]);
    let file = services.data.datastores[0].settings.filename.as_deref();
    assert_eq!(file, Some(Path::new("/some/file.sqlite")));
}

#[test]
fn ports_in_quotes_and_null_and_empty_texts_are_accepted() {
    let config = load("{port: '4001', announceHost: '', name: null}").unwrap();
    assert_eq!(config.settings.port, 4001);
    assert_eq!(config.settings.announce_host, None);
    assert_eq!(config.settings.name, None);
}
