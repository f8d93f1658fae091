//! The recorded traffic of the JavaScript client and server, replayed against a node of ours.
//!
//! Each recorded connection is opened again and sends what was sent then; each recorded frame of
//! the server must arrive, members in the same order. Volatile values are masked, but ids must be
//! used consistently. Two things may differ: the events of one publication may be permuted on one
//! connection, and answers to requests that were under way together may change places.
//!
//! Recordings of secure servers are played against a secure node with the same users. Where both
//! server generations were recorded, `errors`, `remove-tag-merge` and `transport-limits` are played
//! in the newer one, those of secure servers in both: ours speak as the older one, which clusters
//! are made of, and `newer.rs` says what the newer one calls otherwise. Of
//! `transport-options`, compression and another path are not offered.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests may panic and print"
)]

#[allow(dead_code, reason = "shared with other tests")]
mod raw;
mod replay;

use replay::{Scenario, Setup, play};

async fn replays(file: &'static str, setup: Setup) {
    let outcome = play(file, setup).await;
    println!(
        "wire/{file}: {} run / {} passed / {} documented deviations",
        outcome.run, outcome.passed, outcome.deviations
    );
    assert!(
        outcome.failures.is_empty(),
        "{} of {} frames differ:\n{}",
        outcome.failures.len(),
        outcome.run,
        outcome.failures.join("\n")
    );
}

macro_rules! recordings {
    ($($name:ident: $file:literal $(, $member:ident = $value:expr)*;)*) => {$(
        #[tokio::test]
        async fn $name() {
            #[allow(clippy::needless_update, reason = "most recordings set nothing")]
            let setup = Setup { $($member: $value,)* ..Setup::default() };
            replays($file, setup).await;
        }
    )*};
}

recordings! {
    set_and_get: "insecure-connect-set-get";
    subscribe_and_publish: "subscribe-publish";
    subscription_edge_cases: "subscription-edge-cases";
    wildcards_and_variable_depth: "wildcard-and-variable-depth";
    off_of_variable_depth: "variable-depth-off";
    remove_and_merge: "server-13.12.1/remove-tag-merge";
    consistency_and_acknowledgements: "consistency-ack", acknowledge_timeout_ms = Some(700);
    duplicate_acknowledgements: "ack-duplicates", acknowledge_timeout_ms = Some(700);
    errors: "server-13.12.1/errors";
    malformed_requests: "malformed-requests";
    peers_order_and_characters: "misc";
    heartbeats: "heartbeat", ping_interval_ms = Some(400);
    reconnecting: "reconnect";
    upgrade_variants: "upgrade-variants";
    transport_limits: "server-13.12.1/transport-limits", message_bytes_max = Some(600);
    legacy_protocols: "legacy-protocols";
    unanswered_requests: "request-timeout";
    browser_without_security: "transport-options", lines = Some((23, 35));
    stopping_and_restarting: "server-restart";
    pings_that_come_too_late: "client-ping-timeout";
    a_cluster_node: "cluster-node-through-proxy",
        name = Some("node_1"), version = Some("13.1.3-prerelease-1");
    shapes_of_the_document_store: "mongo-provider-shapes", secure = Some(Scenario::DocumentStore);
    logging_in: "secure-login", secure = Some(Scenario::Login);
    logging_in_lately: "server-13.12.1/secure-login", secure = Some(Scenario::Login);
    logins_that_fail: "login-failures", secure = Some(Scenario::Failures);
    logins_that_fail_lately: "server-13.12.1/login-failures", secure = Some(Scenario::Failures);
    revoked_tokens: "secure-revoke", secure = Some(Scenario::Revocation);
    changes_of_the_directory: "secure-security-directory", secure = Some(Scenario::Directory);
    sessions_that_end: "secure-session-ending", secure = Some(Scenario::Ending);
    nested_permissions: "nested-permissions", secure = Some(Scenario::Nested);
    acting_for_somebody_else: "on-behalf-of", secure = Some(Scenario::OnBehalf);
    acting_for_somebody_else_lately: "server-13.12.1/on-behalf-of",
        secure = Some(Scenario::OnBehalf);
    reconnecting_securely: "reconnect-secure", secure = Some(Scenario::Reconnecting);
    browsers: "browser-flow", secure = Some(Scenario::Browser);
    cleaning_up_silent_connections: "transport-options",
        lines = Some((13, 20)), unconfigured_cleanup_ms = Some((300, 600));
    a_generated_name: "transport-options",
        lines = Some((36, 46)), name = Some("zirconpanther_Zvl7-sLaSsKyZTRykjACbg-0");
}
