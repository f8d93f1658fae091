//! Which crate may depend on which. The architecture is this table: arrows point down only.

use anyhow::Context;
use serde_json::Value;

use crate::run;

/// A crate and everything its normal (not development) dependencies may be.
const ALLOWED: &[(&str, &[&str])] = &[
    ("happn-paths", &[]),
    (
        "happn-protocol",
        &["bytes", "happn-paths", "serde", "serde_json", "thiserror"],
    ),
    (
        "happn-query",
        &[
            "happn-protocol",
            "icu_collator",
            "icu_locale_core",
            "regex",
            "regex-syntax",
            "serde",
            "serde_json",
            "thiserror",
        ],
    ),
    (
        "happn-core",
        &[
            "arc-swap",
            "bytes",
            "happn-paths",
            "happn-protocol",
            "happn-query",
            "metrics",
            "quick_cache",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
            "tokio-util",
            "tracing",
            "uuid",
        ],
    ),
    (
        "happn-store-mongo",
        &[
            "bson",
            "futures-util",
            "happn-core",
            "happn-paths",
            "happn-protocol",
            "happn-query",
            "mongodb",
            "serde_json",
            "thiserror",
            "tokio",
            "tokio-util",
            "tracing",
        ],
    ),
    (
        "happn-store-sqlite",
        &[
            "bytes",
            "happn-core",
            "happn-paths",
            "happn-protocol",
            "happn-query",
            "rusqlite",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
            "tracing",
        ],
    ),
    (
        "happn-security",
        &[
            "arc-swap",
            "base64",
            "happn-core",
            "happn-paths",
            "happn-protocol",
            "happn-query",
            "k256",
            "quick_cache",
            "regex",
            "regex-syntax",
            "ring",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
            "tokio-util",
            "tracing",
            "uuid",
        ],
    ),
    (
        "happn-tls",
        &[
            "rustls",
            "rustls-pemfile",
            "thiserror",
            "tokio",
            "tokio-rustls",
            "webpki-roots",
        ],
    ),
    (
        "happn-server",
        &[
            "bytes",
            "futures-util",
            "happn-core",
            "happn-paths",
            "happn-protocol",
            "happn-tls",
            "http",
            "http-body-util",
            "hyper",
            "hyper-util",
            "serde",
            "serde_json",
            "socket2",
            "thiserror",
            "tokio",
            "tokio-tungstenite",
            "tokio-util",
            "tracing",
            "uuid",
        ],
    ),
    (
        "happn-client",
        &[
            "bytes",
            "futures-util",
            "happn-core",
            "happn-paths",
            "happn-protocol",
            "happn-tls",
            "rand",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
            "tokio-tungstenite",
            "tokio-util",
            "tracing",
        ],
    ),
    ("cluster-orchestrator", CLUSTER),
    ("cluster-replicator", CLUSTER),
    (
        "cluster-admin",
        &[
            "bytes",
            "happn-core",
            "happn-paths",
            "happn-protocol",
            "happn-security",
            "happn-tls",
            "http",
            "http-body-util",
            "hyper",
            "hyper-util",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
            "tokio-util",
            "tracing",
            "uuid",
        ],
    ),
    (
        "cluster-proxy",
        &[
            "bytes",
            "happn-core",
            "happn-tls",
            "http-body-util",
            "hyper",
            "hyper-util",
            "socket2",
            "thiserror",
            "tokio",
            "tokio-util",
            "tracing",
        ],
    ),
    (
        "cluster-node",
        &[
            "anyhow",
            "clap",
            "cluster-admin",
            "cluster-orchestrator",
            "cluster-proxy",
            "cluster-replicator",
            "console",
            "glob",
            "happn-client",
            "happn-core",
            "happn-paths",
            "happn-protocol",
            "happn-query",
            "happn-security",
            "happn-server",
            "happn-store-mongo",
            "happn-store-sqlite",
            "if-addrs",
            "happn-tls",
            "indicatif",
            "json5",
            "rand",
            "serde",
            "serde_json",
            "socket2",
            "thiserror",
            "tokio",
            "tokio-util",
            "toml",
            "tracing",
            "tracing-subscriber",
            "uuid",
        ],
    ),
    (
        "xtask",
        &[
            "anyhow",
            "bytes",
            "clap",
            "futures-util",
            "happn-client",
            "indicatif",
            "rusqlite",
            "serde",
            "serde_json",
            "testkit",
            "tokio",
            "tokio-tungstenite",
        ],
    ),
    // Nobody depends on it but the fuzzer.
    (
        "hostile-input",
        &[
            "bytes",
            "happn-core",
            "happn-paths",
            "happn-protocol",
            "happn-security",
            "serde_json",
            "tokio",
            "uuid",
        ],
    ),
    // Only ever a development dependency, and xtask's.
    (
        "testkit",
        &["futures-util", "serde_json", "tokio", "tokio-tungstenite"],
    ),
];

/// Decision crates: no socket, no driver, no server, no other `cluster-*` crate.
const CLUSTER: &[&str] = &[
    "happn-core",
    "happn-paths",
    "happn-protocol",
    "metrics",
    "rand",
    "serde",
    "serde_json",
    "thiserror",
    "tokio",
    "tokio-util",
    "tracing",
];

/// Features of tokio that open sockets or files; the decision crates must not turn them on.
const TOKIO_IO: &[&str] = &["net", "fs", "process", "signal", "full", "rt-multi-thread"];
const WITHOUT_IO: &[&str] = &["happn-core", "cluster-orchestrator", "cluster-replicator"];

pub(super) fn check() -> anyhow::Result<Vec<String>> {
    let text = run::output(run::cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
    ]))?;
    let metadata: Value =
        serde_json::from_str(&text).context("`cargo metadata` printed no JSON")?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    Ok(packages.iter().flat_map(check_package).collect())
}

fn check_package(package: &Value) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let mut complaints = Vec::new();
    if package["license"].as_str() != Some("MIT") {
        complaints.push(format!("{name}: `license.workspace = true` is missing"));
    }
    let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
        complaints.push(format!(
            "{name}: not in the dependency table of xtask/src/tidy/dependencies.rs"
        ));
        return complaints;
    };
    for dependency in normal_dependencies(package) {
        let wanted = dependency["name"].as_str().unwrap_or_default();
        if !allowed.contains(&wanted) {
            complaints.push(format!("{name}: must not depend on {wanted}"));
        }
        if wanted == "tokio" && WITHOUT_IO.contains(&name) {
            complaints.extend(io_features(dependency).map(|feature| {
                format!(
                    "{name}: must not use tokio's feature `{feature}`: it decides, others do I/O"
                )
            }));
        }
    }
    complaints
}

fn normal_dependencies(package: &Value) -> impl Iterator<Item = &Value> {
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice);
    dependencies
        .unwrap_or_default()
        .iter()
        .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
}

fn io_features(dependency: &Value) -> impl Iterator<Item = &str> {
    let features = dependency["features"].as_array().map(Vec::as_slice);
    features
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .filter(|feature| TOKIO_IO.contains(feature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn complaints(name: &str, dependencies: &Value) -> Vec<String> {
        check_package(&json!({"name": name, "license": "MIT", "dependencies": dependencies}))
    }

    #[test]
    fn the_paths_crate_may_depend_on_nothing() {
        let found = complaints("happn-paths", &json!([{"name": "serde", "kind": null}]));
        assert_eq!(found, ["happn-paths: must not depend on serde"]);
    }

    #[test]
    fn development_dependencies_are_free() {
        let found = complaints("happn-paths", &json!([{"name": "proptest", "kind": "dev"}]));
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_decision_crate_may_not_turn_on_sockets() {
        let tokio = json!([{"name": "tokio", "kind": null, "features": ["sync", "net"]}]);
        assert_eq!(complaints("cluster-orchestrator", &tokio).len(), 1);
    }

    #[test]
    fn an_unknown_crate_has_to_be_entered_in_the_table() {
        assert_eq!(complaints("happn-news", &json!([])).len(), 1);
    }
}
