use std::path::PathBuf;

use super::*;

/// Writes files that vanish with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("cluster-node-{}", uuid()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn uuid() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{number}", std::process::id())
}

/// Loads `text` as a JSON5 file.
fn load(text: &str) -> Result<Config, ConfigError> {
    let folder = Folder::new();
    let file = folder.file("happn.json5", text);
    Config::load(&Sources {
        file: Some(&file),
        ..Sources::default()
    })
}

/// The problems of a configuration, without their origins.
fn problems(text: &str) -> Vec<String> {
    let error = load(text).unwrap_err();
    let line = |problem: &Problem| {
        let line = problem.to_string();
        line.split_once(": ").unwrap().1.to_owned()
    };
    error.problems.iter().map(line).collect()
}

/// The warnings of a configuration that loads, without their origins.
fn warnings(text: &str) -> Vec<String> {
    let config = load(text).unwrap();
    let line = |warning: &String| warning.split_once(": ").unwrap().1.to_owned();
    config.warnings.iter().map(line).collect()
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn from_environment(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(&Sources {
        environment: variables(pairs),
        ..Sources::default()
    })
}

fn flag(flag: &str, key: &str, text: &str) -> FlagValue {
    FlagValue {
        flag: flag.into(),
        key: key.into(),
        text: text.into(),
    }
}

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
            Kind::Whole { max, .. } => max.to_string(),
            Kind::Switch => "false".into(),
            Kind::Choice(words) => words[0].into(),
            Kind::Minimums => r#"{"happn-cluster-node": 1}"#.into(),
            Kind::Text if key.path.ends_with("host") => "127.0.0.1".into(),
            _ => "some".into(),
        };
        if key.path.ends_with("keyPath") || key.path.ends_with("certPath") {
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
fn a_misspelt_variable_is_named_and_a_foreign_one_is_not() {
    let config = from_environment(&[
        ("HAPPN_PROT", "1"),
        ("HAPPN_TEST_MONGO_URL", "mongodb://x"),
        ("HAPPN_CONFIG", "x.json"),
        ("PATH", "/bin"),
        ("HAPPN__services__proxy__config__prot", "1"),
    ])
    .unwrap();
    assert_eq!(
        config.warnings,
        [
            "environment HAPPN_PROT: no such variable, did you mean HAPPN_PORT?",
            "environment HAPPN__services__proxy__config__prot: unknown key \
             services.proxy.config.prot, did you mean services.proxy.config.port?",
        ]
    );
}

#[test]
fn an_unknown_key_is_a_warning_with_the_nearest_known_one() {
    assert_eq!(
        warnings("{prot: 1, services: {proxy: {port: 5}, membership: {config: {}}}, Zq: 1}"),
        [
            "unknown key prot, did you mean port?",
            "unknown key services.proxy.port, did you mean services.proxy.config.port?",
            "unknown key services.membership",
            "unknown key Zq",
        ]
    );
}

#[test]
fn wrong_types_and_ranges_are_told_together_with_what_is_allowed() {
    assert_eq!(
        problems(
            "{port: 70000, secure: 'maybe', name: 5, services: {
                proxy: {config: {port: -1}},
                session: 3,
                orchestrator: {config: {
                    deployment: 'a/b', replicate: '*', cluster: {x: 'many'},
                    timing: {keepAlive: 0, memberRefresh: 1.5, healthReport: 'often'}}}}}"
        ),
        [
            "services.session is 3, but must be an object",
            "port is 70000, but must be a whole number from 0 to 65535",
            "secure is \"maybe\", but must be true or false",
            "name is 5, but must be a text of at most 1024 bytes",
            "services.proxy.config.port is -1, but must be a whole number from 0 to 65535",
            "services.orchestrator.config.deployment is \"a/b\", but must be a name of letters, \
             digits, '_' and '-'",
            "services.orchestrator.config.replicate is \"*\", but must be a list of paths or \
             masks, such as [\"/orders/*\"]",
            "services.orchestrator.config.cluster is {\"x\":\"many\"}, but must be an object of \
             service names and minimums, such as {\"my-service\": 2}",
            "services.orchestrator.config.timing.keepAlive is 0, but must be a whole number from \
             1 to 86400000 (ms)",
            "services.orchestrator.config.timing.memberRefresh is 1.5, but must be a whole number \
             from 1 to 86400000 (ms)",
            "services.orchestrator.config.timing.healthReport is \"often\", but must be a whole \
             number from 1 to 86400000 (ms)",
        ]
    );
}

#[test]
fn an_error_names_the_file_the_variable_or_the_flag() {
    let folder = Folder::new();
    let file = folder.file("happn.json", r#"{"port": true}"#);
    let error = Config::load(&Sources {
        file: Some(&file),
        environment: variables(&[("HAPPN_PORT", "x")]),
        flags: vec![flag("--port", "port", "y")],
    })
    .unwrap_err();
    let allowed = "but must be a whole number from 0 to 65535";
    assert_eq!(
        error.to_string(),
        format!(
            "bad configuration, 3 problems:\n  - file {}: port is true, {allowed}\n  \
             - environment HAPPN_PORT: port is \"x\", {allowed}\n  \
             - flag --port: port is \"y\", {allowed}",
            file.display()
        )
    );
}

#[test]
fn files_that_cannot_be_read_are_one_clear_problem() {
    let folder = Folder::new();
    for (name, text, expected) in [
        ("a.json", "{", "at line 1"),
        ("a.toml", "port = ", "line 1"),
        (
            "a.yaml",
            "port: 1",
            "the name must end in .json, .json5 or .toml",
        ),
    ] {
        let file = folder.file(name, text);
        let sources = Sources {
            file: Some(&file),
            ..Sources::default()
        };
        let message = Config::load(&sources).unwrap_err().to_string();
        assert!(message.starts_with("bad configuration: file "), "{message}");
        assert!(
            message.contains(name) && message.contains(expected),
            "{message}"
        );
    }
    let missing = folder.0.join("missing.json");
    let sources = Sources {
        file: Some(&missing),
        ..Sources::default()
    };
    let message = Config::load(&sources).unwrap_err().to_string();
    assert!(message.contains("No such file"), "{message}");
}

#[test]
fn what_this_version_cannot_do_is_refused_by_name() {
    assert_eq!(
        problems(
            "{secure: true, services: {transport: {config: {mode: 'https'}}, proxy: {config: {keyPath: 'k'}}}}"
        ),
        [
            "secure: security (users, groups, logins) is not supported yet in this version",
            "services.transport.config.mode: https is not supported yet in this version",
            "services.proxy.config.keyPath: https at the proxy is not supported yet in this version",
        ]
    );
}

#[test]
fn keys_without_effect_are_accepted_with_a_warning_unless_they_have_their_default() {
    assert_eq!(
        warnings("{services: {proxy: {config: {timeout: 1000, allowSelfSignedCerts: false}}}}"),
        ["services.proxy.config.timeout has no effect in this version"]
    );
}

#[test]
fn keys_that_contradict_each_other_are_refused() {
    assert_eq!(
        problems(
            "{port: 4000, services: {proxy: {config: {port: 4000}},
                   orchestrator: {config: {cluster: {other: 1}, timing: {keepAlive: 6000}}}}}"
        ),
        [
            "services.proxy.config.port: 4000 is also the inner server's port",
            "services.orchestrator.config.cluster: it must name the node's own service \
             \"happn-cluster-node\"",
            "services.orchestrator.config.timing.keepAliveThreshold: it must be longer than \
             services.orchestrator.config.timing.keepAlive, or living nodes look dead",
        ]
    );
}

#[test]
fn the_proxy_moves_when_the_inner_server_takes_its_port() {
    let config = load("{port: 55000}").unwrap();
    assert_eq!(config.settings.services.proxy.port, 57_000);
}

#[test]
fn ports_in_quotes_and_null_and_empty_texts_are_accepted() {
    let config = load("{port: '4001', announceHost: '', name: null}").unwrap();
    assert_eq!(config.settings.port, 4001);
    assert_eq!(config.settings.announce_host, None);
    assert_eq!(config.settings.name, None);
}

#[test]
fn hosts_are_addresses_names_with_dots_or_localhost() {
    for host in ["127.0.0.1", "::", "localhost", "node.example.org", ""] {
        assert!(load(&format!("{{host: '{host}'}}")).is_ok(), "{host}");
    }
    for host in ["eth0", "eth0/ipv4/1", "some host.x"] {
        let problems = problems(&format!("{{host: '{host}'}}"));
        assert!(problems[0].starts_with(&format!("host: no such interface {host};")));
    }
}

#[test]
fn names_and_endpoints_are_made_of_the_host_and_the_bound_port() {
    use crate::address::{announced_endpoint, node_name};
    let settings = load("{host: 'localhost'}").unwrap().settings;
    assert_eq!(node_name(&settings, "any"), "127-0-0-1_57000");
    assert_eq!(announced_endpoint(&settings, 1234), "127.0.0.1:1234");
    let settings = load("{name: 'mine'}").unwrap().settings;
    assert_eq!(node_name(&settings, "any"), "mine");
    let settings = load("{host: 'localhost', port: 0}").unwrap().settings;
    assert_eq!(node_name(&settings, "any"), "127-0-0-1_any");
    let settings = load("{announceHost: 'outside.example.org'}")
        .unwrap()
        .settings;
    assert_eq!(announced_endpoint(&settings, 1), "outside.example.org:1");
    let settings = load("{}").unwrap().settings;
    let endpoint = announced_endpoint(&settings, 1);
    assert!(!endpoint.starts_with("0.0.0.0"), "{endpoint}");
}

#[test]
fn an_address_that_peers_cannot_be_told_is_refused() {
    let cannot =
        "peers cannot be told an IPv6 address; set announceHost to an IPv4 address or a name";
    assert_eq!(problems("{host: '::1'}"), [format!("host: {cannot}")]);
    assert_eq!(
        problems("{announceHost: '::1'}"),
        [format!("announceHost: {cannot}")]
    );
    assert_eq!(
        problems("{announceHost: 'outside:57000'}"),
        ["announceHost: it must be an IPv4 address or a host name, without a port"]
    );
    assert!(load("{host: '::1', announceHost: 'outside'}").is_ok());
}

#[test]
fn secrets_never_show() {
    let secret = "tell-nobody";
    let text = format!(
        "{{services: {{security: {{config: {{adminUser: {{password: '{secret}'}}, sessionTokenSecret: '{secret}'}}}}}}}}"
    );
    let config = load(&text).unwrap();
    let printed = effective(&config);
    assert!(!printed.contains(secret), "{printed}");
    assert!(printed.contains("services.security.config.adminUser.password = ******"));
    let text = text.replace(&format!("'{secret}'"), &format!("['{secret}']"));
    assert!(!load(&text).unwrap_err().to_string().contains(secret));
}

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
