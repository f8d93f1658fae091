//! The one table of configuration keys.

mod security;

use crate::config::key::{INTERVAL, Key, LIMIT, PORT, Preset, key};
use crate::config::kind::Kind;

/// Every key, in the order in which people read them.
pub const KEYS: &[Key] = &joined::<COUNT>(PARTS);

/// The table, in parts.
const PARTS: &[&[Key]] = &[NODE, security::KEYS, CONNECT];
const COUNT: usize = NODE.len() + security::KEYS.len() + CONNECT.len();

const fn joined<const N: usize>(parts: &[&[Key]]) -> [Key; N] {
    let mut all = [parts[0][0]; N];
    let (mut at, mut part) = (0, 0);
    while part < parts.len() {
        let mut row = 0;
        while row < parts[part].len() {
            all[at] = parts[part][row];
            at += 1;
            row += 1;
        }
        part += 1;
    }
    all
}

/// The node and its services but for security.
const NODE: &[Key] = &[
    key(
        "name",
        Kind::Text,
        Preset::Unset,
        "The node's name, unique in the cluster; made of address and port when unset.",
    )
    .short("HAPPN_NAME", "--name"),
    key(
        "host",
        Kind::Text,
        Preset::Text("0.0.0.0"),
        "Where the inner server listens: an IP address, a host name with a dot, localhost, or a network interface such as eth0, eth0/ipv6 or eth0/ipv4/1.",
    )
    .short("HAPPN_HOST", "--host"),
    key("port", PORT, Preset::Whole(57_000), "The inner server's port, where peers connect; 0 lets the system choose.")
        .short("HAPPN_PORT", "--port"),
    key(
        "announceHost",
        Kind::Text,
        Preset::Unset,
        "The address that peers are told to connect to; when unset that of network.interfaceId, else the listening one.",
    )
    .short("HAPPN_ANNOUNCE_HOST", "--announce-host"),
    key(
        "network.interfaceId",
        Kind::Text,
        Preset::Unset,
        "The network interface whose address peers are told; eth0 when only network.interface is set.",
    )
    .variable("NETWORK_INTERFACE_ID"),
    key(
        "network.interface",
        Kind::Whole { min: 0, max: 1000 },
        Preset::Whole(0),
        "Which of that interface's addresses, from 0.",
    )
    .variable("NETWORK_INTERFACE"),
    key("secure", Kind::Switch, Preset::Switch(false), "Whether clients must log in; alike on all nodes."),
    key("dev", Kind::Switch, Preset::Switch(false), "Whether a secure node without a configured admin password makes its admin with the password happn; only to develop with."),
    key("provision", Kind::Text, Preset::Unset, "A JSON file of groups, users and lookup tables that a secure node makes sure of when it starts.")
        .short("HAPPN_PROVISION", "--provision"),
    key("allowNestedPermissions", Kind::Switch, Preset::Switch(false), "Whether a mask ending in ** reads what of it is permitted."),
    key("disableDefaultAdminNetworkConnections", Kind::Switch, Preset::Switch(false), "Whether _ADMIN may only log in on the machine of the node.")
        .also(&["services.security.config.disableDefaultAdminNetworkConnections"]),
    key("deferListen", Kind::Switch, Preset::Switch(false), "Of no use here: a program around the node decides when to start it.").inert(),
    key("transport.mode", Kind::Choice(&["http", "https"]), Preset::Text("http"), "A key that never had an effect; services.transport.config.mode is meant.").inert(),
    key("debug.clockAhead", LIMIT, Preset::Whole(0), "How far the node's clock runs ahead of the machine's; only to test with.")
        .ms(),
    key("log.level", Kind::Text, Preset::Text("info"), "What to log: error, warn, info, debug, trace, or filters such as info,happn_server=debug.")
        .short("HAPPN_LOG", "--log"),
    key("log.format", Kind::Choice(&["text", "json"]), Preset::Text("text"), "How a log line looks.")
        .short("HAPPN_LOG_FORMAT", "--log-format"),
    key("admin.enabled", Kind::Switch, Preset::Switch(true), "Whether the node has a listener of its own for health, metrics and administration."),
    key("admin.host", Kind::Text, Preset::Text("127.0.0.1"), "Where that listens, like host. Everybody who reaches it may read health and metrics."),
    key("admin.keyPath", Kind::Text, Preset::Unset, "The admin listener's private key, a PEM file: it speaks https then, without which nobody administers over a network. Read again on SIGHUP."),
    key("admin.certPath", Kind::Text, Preset::Unset, "The admin listener's certificate and those that vouch for it, a PEM file."),
    key("admin.tokenTtl", INTERVAL, Preset::Whole(3_600_000), "How long an administrator stays logged in to the admin listener.")
        .ms(),
    key("admin.port", PORT, Preset::Unset, "The port of the admin listener; when unset 1000 below port, or any if that is taken or port is 0. 0 lets the system choose.")
        .short("HAPPN_ADMIN_PORT", "--admin-port"),
    key("shutdown.timeout", INTERVAL, Preset::Whole(8000), "How long the node may take to stop when told to; the stores get 5 s more to finish writing.")
        .ms(),
    key(
        "services.data.config.datastores",
        Kind::Stores,
        Preset::Json(r#"[{"name":"main","provider":"sqlite","isDefault":true,"settings":{"filename":"./happn-data/happn.sqlite"}}]"#),
        "Where documents live; as a flag or in the environment also just the name of a SQLite file.",
    )
    .short("HAPPN_DATA", "--data"),
    key(
        "services.data.config.patternRule",
        Kind::Choice(&["strict", "loose"]),
        Preset::Text("strict"),
        "How patterns of stores are read: strict as written; loose ignores letter case and takes doubled characters as wildcards, as the JavaScript server does.",
    ),
    key("services.data.config.filename", Kind::Text, Preset::Unset, "The SQLite file of the one store that a configuration without datastores has.")
        .also(&["services.data.config.dbfile"]),
    key("services.data.config.fsync", Kind::Switch, Preset::Switch(true), "Whether a write to that file survives a power cut before it is answered."),
    key(
        "services.data.config.searchLimits.documents",
        Kind::Whole { min: 1, max: 1_000_000_000 },
        Preset::Whole(250_000),
        "The most items that a search may answer or gather; more is an error that says so.",
    ),
    key(
        "services.data.config.searchLimits.bytes",
        Kind::Whole { min: 1024, max: 1 << 40 },
        Preset::Whole(128 << 20),
        "The most data that a search may answer or gather.",
    )
    .bytes(),
    key(
        "services.data.config.searchLimits.time",
        INTERVAL,
        Preset::Whole(60_000),
        "How long a search may take; a client may ask for less with maxTimeMS.",
    )
    .ms(),
    key("services.proxy.config.port", PORT, Preset::Whole(55_000), "Where clients connect; 57000 when the inner server has 55000, 0 lets the system choose.")
        .short("HAPPN_PROXY_PORT", "--proxy-port"),
    key("services.proxy.config.host", Kind::Text, Preset::Text("0.0.0.0"), "Where the proxy listens, like host.")
        .short("HAPPN_PROXY_HOST", "--proxy-host"),
    key("services.proxy.config.timeout", LIMIT, Preset::Whole(1_200_000), "How long a client's HTTP connection may be idle, where that is shorter than the node's own limit; 0 leaves it to the node.")
        .ms(),
    key("services.proxy.config.target", Kind::Text, Preset::Unset, "Another happn server that clients are led to instead of this node, http://host:port or https://host:port."),
    key("services.proxy.config.targetTimeout", INTERVAL, Preset::Whole(60_000), "How long that server may keep a request without a sign; clients get 504 then.")
        .ms(),
    key("services.proxy.config.allowSelfSignedCerts", Kind::Switch, Preset::Switch(false), "Whether that server's certificate counts whoever vouches for it. Without a target it is of no use: the proxy hands clients to the node in process."),
    key(
        "services.proxy.config.whenUnstable",
        Kind::Choice(&["serve", "refuse"]),
        Preset::Text("serve"),
        "What happens when the node loses the others for longer than keepAliveThreshold: serve goes on, refuse closes the proxy to new clients until it is stable again. Who is connected stays.",
    ),
    key("services.proxy.config.keyPath", Kind::Text, Preset::Unset, "The proxy's private key, a PEM file: clients connect with https then. Read again on SIGHUP."),
    key("services.proxy.config.certPath", Kind::Text, Preset::Unset, "The proxy's certificate and those that vouch for it, a PEM file."),
    key("services.proxy.config.clientCaPath", Kind::Text, Preset::Unset, "The authorities that vouch for clients, a PEM file: the proxy asks clients for a certificate then. Read again on SIGHUP."),
    key("services.proxy.config.requireClientCert", Kind::Switch, Preset::Switch(true), "Whether the proxy sends away clients that have no certificate when asked; who shows a wrong one is always sent away."),
    key(
        "services.proxy.config.connectionsMax",
        Kind::Whole { min: 1, max: 1_000_000 },
        Preset::Whole(100_000),
        "The most clients connected at one time; further ones are closed as they arrive.",
    ),
    key("services.proxy.config.trustForwarded", Kind::Switch, Preset::Switch(false), "Whether X-Forwarded-For and the like say where a client is: only behind a load balancer that sets them."),
    key(
        "services.proxy.config.rateLimit.allowedConnections",
        Kind::Whole { min: 1, max: 1_000_000 },
        Preset::Unset,
        "How many websockets may begin in one interval, over all clients; unset is as many as come. Others get 429 with Retry-After.",
    ),
    key("services.proxy.config.rateLimit.interval", INTERVAL, Preset::Whole(1000), "The interval of that limit.").ms(),
    key("services.proxy.config.rateLimit.retryAfter", INTERVAL, Preset::Unset, "What a client over that limit is told to wait; the rest of the interval when unset.").ms(),
    key("services.proxy.config.defer", Kind::Switch, Preset::Switch(false), "Leaves the proxy closed until the program around the node starts it."),
    key(
        "services.orchestrator.config.clusterName",
        Kind::Segment { star: true },
        Preset::Text("happn-cluster"),
        "The cluster's name; nodes of other clusters are ignored.",
    )
    .short("HAPPN_CLUSTER_NAME", "--cluster-name"),
    key(
        "services.orchestrator.config.serviceName",
        Kind::Segment { star: false },
        Preset::Text("happn-cluster-node"),
        "The group of nodes that this node belongs to.",
    )
    .short("HAPPN_SERVICE_NAME", "--service-name"),
    key(
        "services.orchestrator.config.deployment",
        Kind::Segment { star: false },
        Preset::Text("Test-Deploy"),
        "Nodes see only nodes of the same deployment.",
    )
    .short("HAPPN_DEPLOYMENT", "--deployment"),
    key("services.orchestrator.config.replicate", Kind::Masks, Preset::Json(r#"["*"]"#), "The paths whose events cross the cluster."),
    key(
        "services.orchestrator.config.cluster",
        Kind::Minimums,
        Preset::Unset,
        "How many nodes of each service make the cluster stable; services not named are not connected to.",
    ),
    key(
        "services.orchestrator.config.minimumPeers",
        Kind::Whole { min: 1, max: 10_000 },
        Preset::Whole(1),
        "How many nodes of the own service make the cluster stable, this one included; only used without cluster.",
    )
    .also(&["services.orchestrator.config.minimumePeers"]),
    key(
        "services.orchestrator.config.stabiliseTimeout",
        LIMIT,
        Preset::Unset,
        "How long a starting node waits for stability before it gives up; unset or 0 is for ever.",
    )
    .ms()
    .also(&["services.orchestrator.config.stabilizeTimeout"]),
    key(
        "services.orchestrator.config.timing.stabiliseTimeout",
        LIMIT,
        Preset::Unset,
        "The same; the one outside timing wins.",
    )
    .ms()
    .also(&[
        "services.orchestrator.config.timing.stabilisedTimeout",
        "services.orchestrator.config.timing.stabilizeTimeout",
    ]),
    key("services.orchestrator.config.timing.keepAlive", INTERVAL, Preset::Whole(5000), "How often the node writes its sign of life.")
        .ms()
        .also(&["services.orchestrator.config.timing.keepalive"]),
    key(
        "services.orchestrator.config.timing.keepAliveThreshold",
        INTERVAL,
        Preset::Whole(6000),
        "How long a node without a new sign of life still counts as alive.",
    )
    .ms()
    .also(&[
        "services.orchestrator.config.timing.keepaliveThreshold",
        "services.orchestrator.config.timing.keepAliveThreshhold",
        "services.orchestrator.config.timing.keepaliveThreshhold",
        "services.orchestrator.config.keepAliveThreshold",
    ]),
    key("services.orchestrator.config.timing.memberRefresh", INTERVAL, Preset::Whole(5000), "How often the node looks who is there.")
        .ms(),
    key("services.orchestrator.config.timing.healthReport", INTERVAL, Preset::Whole(10_000), "How often the node reports its health.")
        .ms()
        .also(&["services.orchestrator.config.stableReportInterval"]),
    key("services.orchestrator.config.healthReport.json", Kind::Choice(&["stdout", "log", "off"]), Preset::Text("stdout"), "Where the JSON line of a health report goes when state or unhealthy members have changed."),
    key("services.orchestrator.config.healthReport.lines", Kind::Choice(&["always", "change", "off"]), Preset::Text("always"), "When the lines of a health report go to the log."),
    key(
        "services.orchestrator.config.openSystemPaths",
        Kind::Switch,
        Preset::Switch(false),
        "Whether clients may set and remove /__REPLICATE and what is below /SYSTEM/DEPLOYMENT, where only nodes have business.",
    ),
    key(
        "services.orchestrator.config.links.keepEvents",
        Kind::Whole { min: 1, max: 10_000_000 },
        Preset::Whole(65_536),
        "How many events are kept for nodes whose links fell behind or are down for a moment.",
    ),
    key(
        "services.orchestrator.config.links.keepBytes",
        Kind::Whole { min: 1024, max: 17_179_869_184 },
        Preset::Whole(67_108_864),
        "How large the events that are kept for other nodes may be together.",
    )
    .bytes(),
    key(
        "services.orchestrator.config.links.keepFor",
        INTERVAL,
        Preset::Whole(120_000),
        "How long a node may stay away before nothing more is kept for it.",
    )
    .ms(),
    key(
        "services.orchestrator.config.interest.enabled",
        Kind::Switch,
        Preset::Switch(true),
        "Whether other nodes are asked only for what clients here have subscribed to, instead of for all that replicate names.",
    ),
    key(
        "services.orchestrator.config.interest.maxMasks",
        Kind::Whole { min: 1, max: 100_000 },
        Preset::Whole(1000),
        "When clients here have subscribed to more different masks than this, other nodes are asked for all that replicate names.",
    ),
    key(
        "services.orchestrator.config.interest.confirmWithin",
        INTERVAL,
        Preset::Whole(1000),
        "How long a subscription waits for the other nodes to know of it before it is answered.",
    )
    .ms(),
    key(
        "services.replicator.config.securityChangesetReplicateInterval",
        INTERVAL,
        Preset::Whole(3000),
        "How often changes of users and groups are sent to the other nodes.",
    )
    .ms(),
    key("services.transport.config.mode", Kind::Choice(&["http", "https"]), Preset::Text("http"), "The inner server's transport, alike on all nodes; https needs a key and a certificate."),
    key("services.transport.config.keyPath", Kind::Text, Preset::Unset, "The inner server's private key, a PEM file, with which the node also dials others. Read again on SIGHUP."),
    key("services.transport.config.certPath", Kind::Text, Preset::Unset, "The inner server's certificate and those that vouch for it, a PEM file."),
    key("services.transport.config.key", Kind::Pem, Preset::Unset, "The same key as text."),
    key("services.transport.config.cert", Kind::Pem, Preset::Unset, "The same certificate as text."),
    key("services.transport.config.caPath", Kind::Text, Preset::Unset, "The authorities that vouch for the other nodes, a PEM file; the public ones when unset."),
    key("services.transport.config.clientCaPath", Kind::Text, Preset::Unset, "The authorities that vouch for those that connect to the inner server, other nodes included, a PEM file: they are asked for a certificate then. Read again on SIGHUP."),
    key("services.transport.config.requireClientCert", Kind::Switch, Preset::Switch(true), "Whether the inner server sends away those that have no certificate when asked; who shows a wrong one is always sent away."),
    key("services.transport.config.keepAliveTimeout", LIMIT, Preset::Whole(120_000), "How long an idle HTTP connection is kept; 0 is for ever.")
        .ms(),
    key(
        "services.session.config.primusOpts.maxLength",
        Kind::Whole { min: 1024, max: 1_073_741_824 },
        Preset::Whole(10_485_760),
        "The largest message a client may send.",
    )
    .bytes(),
    key("services.session.config.primusOpts.pingInterval", LIMIT, Preset::Whole(30_000), "How often the node pings its clients; 0 is never, and clients of today then give up after 45 s.")
        .ms(),
    key(
        "services.session.config.primusOpts.allowSkippedHeartBeats",
        Kind::Whole { min: 0, max: 1000 },
        Preset::Whole(1),
        "How many pings a client may leave unanswered.",
    ),
    key("services.session.config.primusOpts.compression", Kind::Switch, Preset::Switch(false), "Whether to compress messages.").inert(),
    key("services.session.config.disableSessionEventLogging", Kind::Switch, Preset::Switch(false), "Whether to leave sessions out of the log, where each that comes or goes is a JSON line at level debug, target happn-session."),
    key(
        "services.session.config.unconfiguredSessionCleanup.threshold",
        INTERVAL,
        Preset::Unset,
        "How long a connection may stay without a login; 30 s when only the interval is set, else for ever.",
    )
    .ms(),
    key(
        "services.session.config.unconfiguredSessionCleanup.interval",
        INTERVAL,
        Preset::Unset,
        "How often to look for connections without a login; every 5 s when only the threshold is set, else never.",
    )
    .ms(),
    key("services.session.config.unconfiguredSessionCleanup.verbose", Kind::Switch, Preset::Switch(true), "Whether each round is logged, at level debug."),
    key(
        "services.publisher.config.publicationOptions.acknowledgeTimeout",
        INTERVAL,
        Preset::Whole(60_000),
        "How long to wait for the acknowledgement of a publication.",
    )
    .ms(),
    key(
        "services.subscription.config.subscriptionTree.defaultVariableDepth",
        Kind::Whole { min: 1, max: 64 },
        Preset::Whole(5),
        "How many levels a mask ending in ** reaches when its subscriber does not say.",
    ),
];

/// What HTTP requests of a secure cluster have to do with.
const CONNECT: &[Key] = &[
    key(
        "services.connect.config.middleware.security.exclusions",
        Kind::Masks,
        Preset::Json("[]"),
        "The HTTP paths of a secure cluster that need no token.",
    ),
    key(
        "services.connect.config.middleware.security.unauthorizedResponsePath",
        Kind::Text,
        Preset::Unset,
        "The HTML file that a secure cluster answers to HTTP requests without a valid token.",
    ),
    key(
        "services.connect.config.middleware.security.forbiddenResponsePath",
        Kind::Text,
        Preset::Unset,
        "The HTML file that a secure cluster answers to HTTP requests without permission.",
    ),
    key(
        "services.connect.config.middleware.security.allowLogoutOverHttp",
        Kind::Switch,
        Preset::Switch(false),
        "Whether /auth/logout revokes the token it is asked with.",
    )
    .also(&["services.security.config.allowLogoutOverHttp"]),
    key(
        "services.connect.config.middleware.security.setCookie",
        Kind::Switch,
        Preset::Switch(false),
        "Whether /auth/login sets the cookie itself, out of reach of scripts; the client for browsers wants to reach it.",
    ),
    key(
        "services.connect.config.middleware.security.origins",
        Kind::Origins,
        Preset::Json("[]"),
        "The origins beside the node's own whose pages may change things with the cookie of their visitor.",
    ),
    key(
        "services.connect.config.middleware.security.trustForwarded",
        Kind::Switch,
        Preset::Switch(false),
        "Whether X-Forwarded-For and the like say where clients of a secure node's own port are: only behind a proxy that sets them.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::config::store_keys::STORE_KEYS;

    #[test]
    fn no_name_is_used_twice() {
        let mut names = HashSet::new();
        for key in KEYS {
            for name in [key.path].iter().chain(key.aliases) {
                assert!(names.insert(*name), "{name}");
            }
            for name in key.environment.iter().chain(&key.flag) {
                assert!(names.insert(name), "{name}");
            }
        }
    }

    #[test]
    fn no_key_is_also_a_section() {
        for key in KEYS {
            let section = format!("{}.", key.path);
            assert!(!KEYS.iter().any(|other| other.path.starts_with(&section)));
        }
    }

    #[test]
    fn every_doc_is_a_sentence() {
        for key in KEYS.iter().chain(STORE_KEYS) {
            assert!(key.doc.ends_with('.'), "{}", key.path);
        }
    }
}
