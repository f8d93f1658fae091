//! What is refused or warned of, and in which words.

use super::*;

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
        ..Sources::default()
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
fn users_for_a_node_without_users_are_a_warning() {
    let told = warnings("{provision: 'users.json'}");
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("provision has no effect on a node that is not secure"));
    assert!(warnings("{secure: true, provision: 'users.json'}").is_empty());
}

#[test]
fn half_of_a_key_and_certificate_is_refused_and_so_is_https_without_them() {
    assert_eq!(
        problems(
            "{services: {transport: {config: {mode: 'https'}}, proxy: {config: {keyPath: 'k'}}}}"
        ),
        [
            "services.proxy.config.keyPath: services.proxy.config.certPath must be given too",
            "services.transport.config.mode: https needs services.transport.config.keyPath or \
             services.transport.config.key",
        ]
    );
}

#[test]
fn authorities_of_clients_where_nobody_would_be_asked_are_refused() {
    assert_eq!(
        problems(
            "{services: {transport: {config: {clientCaPath: 'ca'}},
                proxy: {config: {clientCaPath: 'ca', requireClientCert: false}}}}"
        ),
        [
            "services.proxy.config.clientCaPath: clients show certificates only where \
             services.proxy.config.keyPath is given",
            "services.transport.config.clientCaPath: nobody shows certificates unless \
             services.transport.config.mode is https",
        ]
    );
    assert_eq!(
        problems("{services: {proxy: {config: {requireClientCert: true}}}}"),
        [
            "services.proxy.config.requireClientCert: services.proxy.config.clientCaPath must be \
             given too"
        ]
    );
    assert!(warnings("{services: {proxy: {config: {requireClientCert: false}}}}").is_empty());
}

#[test]
fn inline_keys_are_pem_and_never_shown() {
    let told = problems("{services: {transport: {config: {key: 'hunter2', cert: 'hunter2'}}}}");
    assert!(
        told.iter()
            .all(|line| line.ends_with("must be PEM text of at most 65536 bytes"))
    );
    assert_eq!(told.len(), 2);
    assert!(!told.concat().contains("hunter2"), "{told:?}");
}

#[test]
fn keys_without_effect_are_accepted_with_a_warning_unless_they_have_their_default() {
    assert_eq!(
        warnings(
            "{services: {session: {config: {primusOpts: {compression: true}}}, proxy: {config: {allowSelfSignedCerts: false}}}}"
        ),
        ["services.session.config.primusOpts.compression has no effect in this version"]
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
