//! The node's metrics, gathered when they are asked for.
//!
//! Labels are bounded: kinds of paths and sessions are fixed, stores are those of the
//! configuration, links at most 128, nodes cut off at [`NODES_MAX`].

use cluster_admin::Exposition;
use cluster_orchestrator::State;
use happn_core::{ClassTraffic, Histogram, HistogramReading};

use super::link_metrics;
use crate::parts::Parts;

/// The most nodes with samples of their own.
const NODES_MAX: usize = 128;

/// All metrics as text.
pub(super) async fn write(parts: &Parts) -> String {
    let mut text = Exposition::default();
    about(parts, &mut text).await;
    cluster(parts, &mut text);
    sessions(parts, &mut text);
    events(parts, &mut text);
    links(parts, &mut text);
    stores(parts, &mut text);
    keepalives(parts, &mut text);
    proxy(parts, &mut text);
    text.finish()
}

async fn about(parts: &Parts, text: &mut Exposition) {
    let identity = &parts.identity;
    let labels = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("name", parts.core.name()),
        ("cluster", &identity.cluster_name),
        ("deployment", &identity.deployment),
        ("service", &identity.service),
    ];
    text.gauge("happn_info", "Which node this is.")
        .sample(&labels, 1);
    let uptime = parts.started.elapsed().as_secs_f64();
    text.gauge(
        "happn_uptime_seconds",
        "How long the node has been running.",
    )
    .sample(&[], uptime);
    let ready = parts.obstacles().await.is_empty();
    text.gauge("happn_ready", "Whether clients may be sent to the node.")
        .sample(&[], u8::from(ready));
    text.gauge("happn_stopping", "Whether the node was told to stop.")
        .sample(&[], u8::from(parts.is_stopping()));
}

const STATES: [State; 5] = [
    State::Isolated,
    State::ConnectingInsufficientPeers,
    State::Connecting,
    State::Subscribing,
    State::Stable,
];

fn cluster(parts: &Parts, text: &mut Exposition) {
    let view = parts.orchestrator.view().borrow().clone();
    let mut state = text.gauge("happn_state", "1 for the state the node is in.");
    for known in STATES {
        let is_it = u8::from(known == view.state);
        state.sample(&[("state", known.name())], is_it);
    }
    let degraded = u8::from(view.degraded.is_some());
    text.gauge(
        "happn_degraded",
        "Whether the table of nodes is out of order.",
    )
    .sample(&[], degraded);
    text.gauge("happn_members", "Known nodes, this one included.")
        .sample(&[], view.members.len());
    let peers = view.members.iter().filter(|member| member.is_peer).count();
    text.gauge("happn_peers", "Nodes connected to, this one included.")
        .sample(&[], peers);
    let skews = parts.orchestrator.clock_skews().into_iter();
    let others = skews.filter(|skew| skew.endpoint != parts.identity.endpoint);
    let mut skew = text.gauge(
        "happn_clock_skew_seconds",
        "How far another node's clock is ahead of this one's for certain.",
    );
    for other in others.take(NODES_MAX) {
        let seconds = seconds(other.certain_ms());
        skew.sample(&[("node", &other.endpoint)], seconds);
    }
}

fn sessions(parts: &Parts, text: &mut Exposition) {
    let load = parts.core.load();
    let (link_frames, link_bytes) = parts.core.kept_for_links();
    let mut sessions = text.gauge("happn_sessions", "Connected sessions.");
    sessions.sample(&[("kind", "client")], load.clients);
    sessions.sample(&[("kind", "node")], load.nodes);
    text.gauge("happn_subscriptions", "Subscriptions of all sessions.")
        .sample(&[], load.subscriptions);
    let mut frames = text.gauge("happn_queue_frames", "Frames that wait to be written.");
    frames.sample(&[("for", "sessions")], load.waiting_frames);
    frames.sample(&[("for", "links")], link_frames);
    let mut bytes = text.gauge("happn_queue_bytes", "Bytes that wait to be written.");
    bytes.sample(&[("for", "sessions")], load.waiting_bytes);
    bytes.sample(&[("for", "links")], link_bytes);
    text.counter(
        "happn_frames_refused_total",
        "Frames that clients lost because they were too slow, or layers withheld.",
    )
    .sample(&[], parts.core.refused_frames());
}

fn events(parts: &Parts, text: &mut Exposition) {
    let traffic = parts.core.traffic();
    let classes = [
        ("data", traffic.data),
        ("system", traffic.system),
        ("messages", traffic.messages),
    ];
    let mut events = text.counter(
        "happn_events_in_total",
        "Events published here by clients, and those of other nodes published again.",
    );
    for (
        paths,
        ClassTraffic {
            published,
            replicated,
            ..
        },
    ) in classes
    {
        events.sample(&[("paths", paths), ("from", "clients")], published);
        events.sample(&[("paths", paths), ("from", "nodes")], replicated);
    }
    let mut frames = text.counter("happn_events_out_total", "Frames handed to sessions.");
    for (paths, class) in classes {
        frames.sample(&[("paths", paths)], class.delivered);
    }
}

fn links(parts: &Parts, text: &mut Exposition) {
    let counters = parts.replicator.counters();
    let dialed = parts.dialer.counts();
    let kept = parts.core.link_counts();
    text.counter(
        "happn_replicated_total",
        "Events that other nodes delivered.",
    )
    .sample(&[], counters.received);
    let mut duplicates = text.counter(
        "happn_duplicates_dropped_total",
        "Events of other nodes that had been here before.",
    );
    duplicates.sample(&[("by", "publication")], counters.duplicates);
    duplicates.sample(&[("by", "number")], dialed.repeated);
    text.counter(
        "happn_gaps_total",
        "How often events of another node went missing.",
    )
    .sample(&[], counters.gaps);
    text.counter(
        "happn_lost_total",
        "Events of other nodes known to be lost here.",
    )
    .sample(&[], counters.lost);
    text.counter(
        "happn_link_events_lost_total",
        "Events that made room before another node could take them.",
    )
    .sample(&[], kept.lost);
    text.counter("happn_links_opened_total", "Links opened to other nodes.")
        .sample(&[], dialed.opened);
    let mut resumed = text.counter(
        "happn_links_resumed_total",
        "Links that went on where they had stopped: to other nodes, and theirs to this one.",
    );
    resumed.sample(&[("side", "out")], dialed.resumed);
    resumed.sample(&[("side", "in")], kept.resumed);
    link_metrics::write(parts, text);
}

fn stores(parts: &Parts, text: &mut Exposition) {
    let stores = parts.core.data().times();
    let mut took = text.histogram(
        "happn_store_seconds",
        "How long stores took for what clients asked.",
    );
    for store in &stores {
        for (op, reading) in [("write", &store.writes), ("read", &store.reads)] {
            let labels = [("store", &*store.name), ("op", op)];
            durations(&mut took, &labels, reading);
        }
    }
    let mut failed = text.counter("happn_store_failed_writes_total", "Writes that failed.");
    for store in &stores {
        failed.sample(&[("store", &*store.name)], store.failed_writes);
    }
}

fn keepalives(parts: &Parts, text: &mut Exposition) {
    let reading = parts.orchestrator.keepalives();
    let mut took = text.histogram(
        "happn_keepalive_seconds",
        "How long it took to write the node's own sign of life.",
    );
    durations(&mut took, &[], &reading.latency);
    text.counter("happn_keepalive_failed_total", "Signs of life that failed.")
        .sample(&[], reading.failed);
}

fn proxy(parts: &Parts, text: &mut Exposition) {
    let counters = parts.door.proxy().counters();
    text.gauge(
        "happn_proxy_open",
        "Connections of clients through the proxy.",
    )
    .sample(&[], counters.open);
    let mut arrived = text.counter("happn_proxy_connections_total", "What came of connections.");
    for (outcome, number) in [
        ("accepted", counters.accepted),
        ("turned away", counters.turned_away),
        ("failed", counters.failed),
        ("no handshake", counters.handshakes_failed),
    ] {
        arrived.sample(&[("outcome", outcome)], number);
    }
}

fn durations(
    family: &mut cluster_admin::Family<'_>,
    labels: &[(&str, &str)],
    reading: &HistogramReading,
) {
    family.durations(labels, &Histogram::BOUNDS, &reading.counts, reading.total);
}

/// Milliseconds as seconds; skews are small enough for a float to be exact.
#[allow(clippy::cast_precision_loss, reason = "a bound in seconds")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
