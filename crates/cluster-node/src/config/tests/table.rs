//! One row per key: its default, what is accepted and as what, what is refused.

/// Values as JSON5 text; of a pair the second is what the first is taken as.
pub(super) struct Row {
    pub(super) key: &'static str,
    pub(super) default: &'static str,
    pub(super) unit: Option<&'static str>,
    pub(super) accepted: &'static [(&'static str, &'static str)],
    pub(super) refused: &'static [&'static str],
}

pub(super) const fn row(
    key: &'static str,
    default: &'static str,
    accepted: &'static [(&'static str, &'static str)],
    refused: &'static [&'static str],
) -> Row {
    Row {
        key,
        default,
        unit: None,
        accepted,
        refused,
    }
}

/// A pause or a limit in ms.
pub(super) const fn ms(
    key: &'static str,
    default: &'static str,
    refused: &'static [&'static str],
) -> Row {
    Row {
        unit: Some("ms"),
        ..row(key, default, MS, refused)
    }
}

const MS: &[(&str, &str)] = &[("7", "7"), ("7e3", "7000"), ("'250'", "250")];
/// What cannot be a pause between two actions.
pub(super) const NO_INTERVAL: &[&str] = &["0", "-5", "1.5", "'5s'", "true", "[5]", "86400001"];
/// What cannot be a limit; 0 is none.
const NO_LIMIT: &[&str] = &["-5", "1.5", "'5s'", "true", "[5]", "86400001"];
pub(super) const TEXT: &[(&str, &str)] = &[("'some'", "'some'")];
pub(super) const NO_TEXT: &[&str] = &["5", "true", "['a']", "'a\\nb'"];
pub(super) const SWITCH: &[(&str, &str)] = &[("true", "true"), ("false", "false")];
pub(super) const NO_SWITCH: &[&str] = &["'maybe'", "1", "{}"];
const NAME: &[(&str, &str)] = &[("'a_B-9'", "'a_B-9'")];
const NO_NAME: &[&str] = &["'a/b'", "'a b'", "'a*'", "5"];
const PORT: &[(&str, &str)] = &[("0", "0"), ("65535", "65535"), ("'4001'", "4001")];
const NO_PORT: &[&str] = &["65536", "-1", "'http'", "1.5", "true"];
pub(super) const COUNT: &[(&str, &str)] = &[("1", "1"), ("1000000", "1000000"), ("'4001'", "4001")];
pub(super) const NO_COUNT: &[&str] = &["0", "-1", "1000001", "'many'", "1.5", "true"];
pub(super) const PEM: &[(&str, &str)] = &[("'-----BEGIN X-----\\n'", "'-----BEGIN X-----\\n'")];
pub(super) const NO_PEM: &[&str] = &["'hunter2'", "5", "true"];
const PROTOCOL: &[(&str, &str)] = &[("'HTTPS'", "'https'"), ("'http'", "'http'")];
pub(super) const MASKS: &[(&str, &str)] = &[("['/a/*', '*']", "['/a/*', '*']"), ("[]", "[]")];
pub(super) const NO_MASKS: &[&str] = &["'*'", "['']", "[5]", "['/a,b']"];

pub(super) const TEXTS: &[(&str, &str)] = &[("['a', 'b c']", "['a', 'b c']"), ("[]", "[]")];
pub(super) const NO_TEXTS: &[&str] = &["'a'", "[5]", "{}"];
pub(super) const OBJECT: &[(&str, &str)] = &[("{a: [1]}", "{a: [1]}")];
pub(super) const NO_OBJECT: &[&str] = &["'a'", "5", "[]"];
pub(super) const PROFILES: &[(&str, &str)] = &[
    ("[]", "[]"),
    (
        "[{name: 'p', session: {type: 1}, policy: {ttl: '2 hours'}}]",
        "[{name: 'p', session: {type: 1}, policy: {ttl: '2 hours'}}]",
    ),
];
pub(super) const NO_PROFILES: &[&str] = &[
    "'p'",
    "[5]",
    "[{name: 'p', session: {}, policy: {ttl: 'x'}}]",
];

pub(super) const ROWS: &[Row] = &[
    row("name", "null", TEXT, NO_TEXT),
    row("host", "'0.0.0.0'", TEXT, NO_TEXT),
    row("port", "57000", PORT, NO_PORT),
    row("announceHost", "null", TEXT, NO_TEXT),
    row("network.interfaceId", "null", TEXT, NO_TEXT),
    row(
        "network.interface",
        "0",
        &[("'1'", "1")],
        &["-1", "1001", "'x'"],
    ),
    row("secure", "false", SWITCH, NO_SWITCH),
    row("dev", "false", SWITCH, NO_SWITCH),
    row("provision", "null", TEXT, NO_TEXT),
    row(
        "disableDefaultAdminNetworkConnections",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row("allowNestedPermissions", "false", SWITCH, NO_SWITCH),
    row("deferListen", "false", SWITCH, NO_SWITCH),
    row("transport.mode", "'http'", PROTOCOL, &["'ftp'", "5"]),
    ms("debug.clockAhead", "0", NO_LIMIT),
    row("log.level", "'info'", TEXT, NO_TEXT),
    row(
        "log.format",
        "'text'",
        &[("'JSON'", "'json'")],
        &["'xml'", "5"],
    ),
    row("admin.enabled", "true", SWITCH, NO_SWITCH),
    row("admin.host", "'127.0.0.1'", TEXT, NO_TEXT),
    row("admin.port", "null", PORT, NO_PORT),
    row("admin.keyPath", "null", TEXT, NO_TEXT),
    row("admin.certPath", "null", TEXT, NO_TEXT),
    ms("admin.tokenTtl", "3600000", NO_INTERVAL),
    ms("shutdown.timeout", "8000", NO_INTERVAL),
    row(
        "services.data.config.patternRule",
        "'strict'",
        &[("'Loose'", "'loose'")],
        &["'any'"],
    ),
    row("services.data.config.filename", "null", TEXT, NO_TEXT),
    row("services.data.config.fsync", "true", SWITCH, NO_SWITCH),
    row(
        "services.data.config.searchLimits.documents",
        "250000",
        &[("'1'", "1")],
        &["0", "1000000001", "'all'"],
    ),
    Row {
        unit: Some("bytes"),
        ..row(
            "services.data.config.searchLimits.bytes",
            "134217728",
            &[("1024", "1024")],
            &["0", "'10mb'", "1099511627777"],
        )
    },
    ms(
        "services.data.config.searchLimits.time",
        "60000",
        NO_INTERVAL,
    ),
    row("services.proxy.config.port", "55000", PORT, NO_PORT),
    row("services.proxy.config.host", "'0.0.0.0'", TEXT, NO_TEXT),
    ms("services.proxy.config.timeout", "1200000", NO_LIMIT),
    row(
        "services.proxy.config.target",
        "null",
        &[("'https://node:1'", "'https://node:1'")],
        NO_TEXT,
    ),
    ms("services.proxy.config.targetTimeout", "60000", NO_INTERVAL),
    row(
        "services.proxy.config.whenUnstable",
        "'serve'",
        &[("'Refuse'", "'refuse'")],
        &["'close'", "true"],
    ),
    row(
        "services.proxy.config.allowSelfSignedCerts",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row("services.proxy.config.keyPath", "null", TEXT, NO_TEXT),
    row("services.proxy.config.certPath", "null", TEXT, NO_TEXT),
    row("services.proxy.config.clientCaPath", "null", TEXT, NO_TEXT),
    row(
        "services.proxy.config.requireClientCert",
        "true",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.proxy.config.connectionsMax",
        "100000",
        COUNT,
        NO_COUNT,
    ),
    row(
        "services.proxy.config.trustForwarded",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.proxy.config.rateLimit.allowedConnections",
        "null",
        COUNT,
        NO_COUNT,
    ),
    ms(
        "services.proxy.config.rateLimit.interval",
        "1000",
        NO_INTERVAL,
    ),
    ms(
        "services.proxy.config.rateLimit.retryAfter",
        "null",
        NO_INTERVAL,
    ),
    row("services.proxy.config.defer", "false", SWITCH, NO_SWITCH),
    row(
        "services.orchestrator.config.clusterName",
        "'happn-cluster'",
        &[("'a_*-9'", "'a_*-9'")],
        &["'a/b'", "5"],
    ),
    row(
        "services.orchestrator.config.serviceName",
        "'happn-cluster-node'",
        NAME,
        NO_NAME,
    ),
    row(
        "services.orchestrator.config.deployment",
        "'Test-Deploy'",
        NAME,
        NO_NAME,
    ),
    row(
        "services.orchestrator.config.replicate",
        "['*']",
        MASKS,
        NO_MASKS,
    ),
    row(
        "services.orchestrator.config.cluster",
        "null",
        &[("{a: '2', b: 0}", "{a: 2, b: 0}"), ("{}", "{}")],
        &["[]", "{a: 'x'}", "{a: -1}", "{'a/b': 1}", "{'': 1}"],
    ),
    row(
        "services.orchestrator.config.minimumPeers",
        "1",
        &[("'3'", "3")],
        &["0", "'many'", "10001"],
    ),
    ms(
        "services.orchestrator.config.stabiliseTimeout",
        "null",
        NO_LIMIT,
    ),
    ms(
        "services.orchestrator.config.timing.stabiliseTimeout",
        "null",
        NO_LIMIT,
    ),
    ms(
        "services.orchestrator.config.timing.keepAlive",
        "5000",
        NO_INTERVAL,
    ),
    ms(
        "services.orchestrator.config.timing.keepAliveThreshold",
        "6000",
        NO_INTERVAL,
    ),
    ms(
        "services.orchestrator.config.timing.memberRefresh",
        "5000",
        NO_INTERVAL,
    ),
    ms(
        "services.orchestrator.config.timing.healthReport",
        "10000",
        NO_INTERVAL,
    ),
    row(
        "services.orchestrator.config.healthReport.json",
        "'stdout'",
        &[("'Log'", "'log'"), ("'off'", "'off'")],
        &["'file'", "true"],
    ),
    row(
        "services.orchestrator.config.healthReport.lines",
        "'always'",
        &[("'CHANGE'", "'change'"), ("'off'", "'off'")],
        &["'never'", "false"],
    ),
    row(
        "services.orchestrator.config.openSystemPaths",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.orchestrator.config.links.keepEvents",
        "65536",
        &[("1", "1"), ("'100'", "100")],
        &["0", "-1", "1.5", "10000001"],
    ),
    Row {
        unit: Some("bytes"),
        ..row(
            "services.orchestrator.config.links.keepBytes",
            "67108864",
            &[("1024", "1024")],
            &["1023", "-1", "'1mb'"],
        )
    },
    ms(
        "services.orchestrator.config.links.keepFor",
        "120000",
        NO_INTERVAL,
    ),
    row(
        "services.orchestrator.config.interest.enabled",
        "true",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.orchestrator.config.interest.maxMasks",
        "1000",
        &[("1", "1"), ("100000", "100000")],
        &["0", "-1", "100001", "1.5"],
    ),
    ms(
        "services.orchestrator.config.interest.confirmWithin",
        "1000",
        NO_INTERVAL,
    ),
    ms(
        "services.replicator.config.securityChangesetReplicateInterval",
        "3000",
        NO_INTERVAL,
    ),
    row(
        "services.transport.config.mode",
        "'http'",
        PROTOCOL,
        &["'ftp'", "5"],
    ),
    row("services.transport.config.keyPath", "null", TEXT, NO_TEXT),
    row("services.transport.config.certPath", "null", TEXT, NO_TEXT),
    row("services.transport.config.key", "null", PEM, NO_PEM),
    row("services.transport.config.cert", "null", PEM, NO_PEM),
    row("services.transport.config.caPath", "null", TEXT, NO_TEXT),
    row(
        "services.transport.config.clientCaPath",
        "null",
        TEXT,
        NO_TEXT,
    ),
    row(
        "services.transport.config.requireClientCert",
        "true",
        SWITCH,
        NO_SWITCH,
    ),
    ms(
        "services.transport.config.keepAliveTimeout",
        "120000",
        NO_LIMIT,
    ),
    Row {
        unit: Some("bytes"),
        ..row(
            "services.session.config.primusOpts.maxLength",
            "10485760",
            &[("1024", "1024"), ("'2048'", "2048")],
            &["0", "1023", "'10mb'", "1073741825"],
        )
    },
    ms(
        "services.session.config.primusOpts.pingInterval",
        "30000",
        NO_LIMIT,
    ),
    row(
        "services.session.config.primusOpts.allowSkippedHeartBeats",
        "1",
        &[("0", "0")],
        &["-1", "1001", "'x'"],
    ),
    row(
        "services.session.config.primusOpts.compression",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    row(
        "services.session.config.disableSessionEventLogging",
        "false",
        SWITCH,
        NO_SWITCH,
    ),
    ms(
        "services.session.config.unconfiguredSessionCleanup.threshold",
        "null",
        NO_INTERVAL,
    ),
    ms(
        "services.session.config.unconfiguredSessionCleanup.interval",
        "null",
        NO_INTERVAL,
    ),
    row(
        "services.session.config.unconfiguredSessionCleanup.verbose",
        "true",
        SWITCH,
        NO_SWITCH,
    ),
    ms(
        "services.publisher.config.publicationOptions.acknowledgeTimeout",
        "60000",
        NO_INTERVAL,
    ),
    row(
        "services.subscription.config.subscriptionTree.defaultVariableDepth",
        "5",
        &[("64", "64")],
        &["0", "65", "'deep'"],
    ),
];
