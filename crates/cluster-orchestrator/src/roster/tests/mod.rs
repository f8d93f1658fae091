//! The rules, one sentence each, played on a scene.

mod linking;
mod liveness;
mod reports;

use happn_core::{Beat, ClusterInfo, ConnectError};
use happn_paths::Mask;

use super::*;
use crate::config::Timing;

const OWN: &str = "10.0.0.1:57000";
const B: &str = "10.0.0.2:57000";
const C: &str = "10.0.0.3:57000";

pub(super) fn config(minimum: u32) -> OrchestratorConfig {
    OrchestratorConfig {
        cluster_name: "cluster-1".to_owned(),
        service_name: "svc".to_owned(),
        deployment: "deployment-1".to_owned(),
        cluster: OrchestratorConfig::minimum_peers("svc", minimum),
        replicate: vec![Mask::parse("*")],
        stabilise_timeout: None,
        timing: Timing::DEFAULT,
        name: "node-1".to_owned(),
        endpoint: OWN.to_owned(),
        instance: "instance-1".to_owned(),
    }
}

/// A roster, its time, and a table of records in which living nodes beat.
struct Scene {
    roster: Roster,
    now: Duration,
    table: BTreeMap<String, Beat>,
    effects: Vec<Effect>,
}

impl Scene {
    /// The node alone, its record in the table and seen.
    fn alone(minimum: u32) -> Self {
        Self::with(config(minimum))
    }

    fn with(config: OrchestratorConfig) -> Self {
        let roster = Roster::new(Arc::new(config), 1, Duration::ZERO);
        let mut scene = Self {
            roster,
            now: Duration::ZERO,
            table: BTreeMap::new(),
            effects: Vec::new(),
        };
        scene.beat(OWN);
        scene
    }

    fn beat(&mut self, endpoint: &str) {
        let beat = self.table.entry(endpoint.to_owned()).or_insert(Beat {
            endpoint: endpoint.to_owned(),
            service: "svc".to_owned(),
            cluster: None,
            name: None,
            instance: (endpoint == self.roster.config.endpoint).then(|| "instance-1".to_owned()),
            mark: 1_000,
        });
        beat.mark += 1;
    }

    fn put(&mut self, input: Input) -> Vec<Effect> {
        let effects = self.roster.handle(self.now, input);
        self.effects.extend(effects.iter().cloned());
        effects
    }

    fn read(&mut self) -> Vec<Effect> {
        let beats = self.table.values().cloned().collect();
        self.put(Input::Beats(beats))
    }

    /// Lets time pass without anything but ticks.
    fn pass(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while self.now < until {
            self.now = self.roster.next_wake(self.now).clamp(self.now, until);
            self.put(Input::Tick);
        }
    }

    /// Five seconds in which the nodes at `living` beat, followed by a read.
    fn round(&mut self, living: &[&str]) -> Vec<Effect> {
        self.pass(5_000);
        for endpoint in [OWN].iter().chain(living) {
            self.beat(endpoint);
        }
        self.read()
    }

    /// The node at `endpoint` answers our dial, confirms, and connects to us, too.
    fn join(&mut self, endpoint: &str, name: &str) {
        self.connect(endpoint, name);
        self.put(Input::Subscribed {
            endpoint: endpoint.to_owned(),
        });
        self.arrive(endpoint, name);
        self.hear(name);
    }

    fn connect(&mut self, endpoint: &str, name: &str) -> Vec<Effect> {
        self.put(Input::Connected {
            endpoint: endpoint.to_owned(),
            name: name.to_owned(),
            instance: None,
        })
    }

    fn arrive(&mut self, endpoint: &str, name: &str) -> Vec<Effect> {
        self.arrive_from("cluster-1", endpoint, name)
    }

    fn arrive_from(&mut self, cluster: &str, endpoint: &str, name: &str) -> Vec<Effect> {
        let record = self.table.get(endpoint);
        let service = record.map_or("svc", |record| record.service.as_str());
        let service_name = Some(service.to_owned());
        self.put(Input::PeerArrived {
            session_id: format!("session of {name}").into(),
            info: ClusterInfo {
                cluster_name: cluster.to_owned(),
                service_name,
                endpoint: Some(endpoint.to_owned()),
                name: Some(name.to_owned()),
                masks: None,
            },
        })
    }

    /// The node called `name` has subscribed here.
    fn hear(&mut self, name: &str) -> Vec<Effect> {
        self.put(Input::PeerSubscribed {
            session_id: format!("session of {name}").into(),
        })
    }

    fn leave(&mut self, name: &str) -> Vec<Effect> {
        self.put(Input::SessionEnded {
            session_id: format!("session of {name}").into(),
        })
    }

    fn refuse(&mut self, endpoint: &str) -> Vec<Effect> {
        let error = ConnectError::Unreachable {
            endpoint: endpoint.to_owned(),
            reason: "refused".to_owned(),
        };
        let endpoint = endpoint.to_owned();
        self.put(Input::ConnectFailed { endpoint, error })
    }

    fn lose(&mut self, endpoint: &str) -> Vec<Effect> {
        let endpoint = endpoint.to_owned();
        self.put(Input::LinkLost { endpoint })
    }

    fn names(&self) -> Vec<String> {
        let members = self.roster.members(self.now);
        let peers = members.into_iter().filter(|member| member.is_peer);
        peers.filter_map(|peer| peer.name).collect()
    }

    fn dials(&self, endpoint: &str) -> usize {
        let dial = dial(endpoint);
        self.effects.iter().filter(|it| **it == dial).count()
    }

    fn health(&self) -> HealthReport {
        self.roster.health(self.now)
    }
}

fn dial(endpoint: &str) -> Effect {
    Effect::Dial {
        endpoint: endpoint.to_owned(),
    }
}
