//! The decisions of a node about its cluster, without any cluster:
//! `cargo run -p cluster-orchestrator --example roster`

#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::sync::Arc;
use std::time::Duration;

use cluster_orchestrator::{Input, OrchestratorConfig, Roster, Timing};
use happn_core::{Beat, ClusterInfo};

const OWN: &str = "10.0.0.1:57000";
const OTHER: &str = "10.0.0.2:57000";

fn main() {
    let config = OrchestratorConfig {
        cluster_name: "example".to_owned(),
        service_name: "node".to_owned(),
        deployment: "Test-Deploy".to_owned(),
        cluster: OrchestratorConfig::minimum_peers("node", 2),
        replicate: vec!["*".into()],
        stabilise_timeout: None,
        timing: Timing::DEFAULT,
        name: "node-1".to_owned(),
        endpoint: OWN.to_owned(),
        instance: instance(OWN),
    };
    let mut roster = Roster::new(Arc::new(config), 1, Duration::ZERO);
    let table = |mark| vec![beat(OWN, mark), beat(OTHER, mark)];
    let story = [
        (5, "two records are in the table", Input::Beats(table(1))),
        (
            20,
            "the other node was dialed",
            Input::Connected {
                endpoint: OTHER.to_owned(),
                name: "node-2".to_owned(),
                instance: Some(instance(OTHER)),
            },
        ),
        (
            25,
            "it confirmed our subscriptions",
            Input::Subscribed {
                endpoint: OTHER.to_owned(),
            },
        ),
        (
            30,
            "it logged in here",
            Input::PeerArrived {
                session_id: "session-of-node-2".into(),
                info: info(),
            },
        ),
        (
            35,
            "it has subscribed here, too",
            Input::PeerSubscribed {
                session_id: "session-of-node-2".into(),
            },
        ),
        (5000, "both records have changed", Input::Beats(table(2))),
        (
            9000,
            "the link broke",
            Input::LinkLost {
                endpoint: OTHER.to_owned(),
            },
        ),
        (60_000, "a minute has passed", Input::Tick),
    ];
    for (ms, what, input) in story {
        println!("{ms:>6} ms: {what}");
        for effect in roster.handle(Duration::from_millis(ms), input) {
            println!("           -> {effect:?}");
        }
    }
}

fn info() -> ClusterInfo {
    ClusterInfo {
        cluster_name: "example".to_owned(),
        service_name: Some("node".to_owned()),
        endpoint: Some(OTHER.to_owned()),
        name: Some("node-2".to_owned()),
        masks: Some(1),
    }
}

fn beat(endpoint: &str, mark: i64) -> Beat {
    Beat {
        endpoint: endpoint.to_owned(),
        service: "node".to_owned(),
        cluster: None,
        name: None,
        instance: Some(instance(endpoint)),
        mark,
    }
}

/// Differs with every start of a process.
fn instance(endpoint: &str) -> String {
    format!("start of {endpoint}")
}
