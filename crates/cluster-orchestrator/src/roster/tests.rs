use happn_core::{Beat, ClusterInfo, ConnectError};
use happn_paths::Mask;
use serde_json::Value;

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
    }

    fn connect(&mut self, endpoint: &str, name: &str) -> Vec<Effect> {
        self.put(Input::Connected {
            endpoint: endpoint.to_owned(),
            name: name.to_owned(),
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
            },
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

#[test]
fn a_lone_node_is_stable_once_its_own_record_is_in_the_table() {
    let mut scene = Scene::alone(1);
    assert_eq!(scene.put(Input::Beats(Vec::new())), []);
    assert_eq!(scene.roster.state(), State::Isolated);
    let (from, to) = (State::Isolated, State::Stable);
    assert_eq!(scene.read(), [Effect::StateChanged { from, to }]);
}

#[test]
fn a_lone_node_that_needs_two_is_isolated() {
    let mut scene = Scene::alone(2);
    scene.read();
    scene.pass(60_000);
    assert_eq!(scene.roster.state(), State::Isolated);
}

#[test]
fn a_node_is_a_peer_once_it_confirmed_our_subscription() {
    let mut scene = Scene::alone(2);
    scene.beat(B);
    assert!(scene.read().contains(&dial(B)));
    assert_eq!(scene.roster.state(), State::Connecting);
    let endpoint = B.to_owned();
    assert!(
        scene
            .connect(B, "node-2")
            .contains(&Effect::Subscribe { endpoint })
    );
    assert_eq!(scene.roster.state(), State::Subscribing);
    let (endpoint, name) = (B.to_owned(), "node-2".to_owned());
    let effects = scene.put(Input::Subscribed {
        endpoint: endpoint.clone(),
    });
    assert!(effects.contains(&Effect::PeerAdded { endpoint, name }));
    // It may not have subscribed to us yet.
    assert_eq!(scene.roster.state(), State::Subscribing);
    scene.arrive(B, "node-2");
    assert_eq!(scene.roster.state(), State::Stable);
    assert_eq!(scene.names(), ["node-1", "node-2"]);
}

#[test]
fn a_peer_that_never_connects_to_us_is_waited_for_a_little_only() {
    let mut scene = Scene::alone(2);
    scene.beat(B);
    scene.read();
    scene.connect(B, "node-2");
    scene.put(Input::Subscribed {
        endpoint: B.to_owned(),
    });
    scene.pass(2_000);
    assert_eq!(scene.roster.state(), State::Stable);
}

#[test]
fn remnants_of_dead_nodes_do_not_keep_a_lone_node_from_being_stable() {
    let mut scene = Scene::alone(1);
    let remnants: Vec<String> = (0..100).map(|n| format!("10.1.0.{n}:57000")).collect();
    for remnant in &remnants {
        scene.beat(remnant);
    }
    let dialed = scene.read();
    let dials = dialed.iter().filter(|it| matches!(it, Effect::Dial { .. }));
    assert_eq!(dials.count(), DIALS_MAX);
    assert_eq!(scene.roster.state(), State::Connecting);
    // Not one dial is answered, not even refused.
    scene.pass(2_000);
    assert_eq!(scene.roster.state(), State::Stable);
    assert_eq!(scene.health().total_cluster_members, 1);
}

#[test]
fn a_record_that_never_moves_is_dialed_until_the_threshold_has_passed() {
    let mut scene = Scene::alone(1);
    scene.beat(B);
    scene.read();
    scene.refuse(B);
    assert_eq!(scene.roster.state(), State::Stable);
    for _ in 0..3 {
        scene.round(&[]);
        scene.refuse(B);
    }
    let dials = scene.dials(B);
    assert!(dials >= 3, "{dials}");
    for _ in 0..5 {
        scene.round(&[]);
    }
    assert_eq!(scene.dials(B), dials);
    // And it is no new record when it is still there; but it lives when it moves.
    assert!(scene.round(&[B]).contains(&dial(B)));
}

#[test]
fn clocks_of_other_nodes_do_not_matter() {
    let mut scene = Scene::alone(2);
    scene.beat(B);
    // Years behind, years ahead, and jumping back: a mark only has to change.
    for mark in [-5, i64::MAX, 0, 1, i64::MIN] {
        scene.pass(5_000);
        if let Some(record) = scene.table.get_mut(B) {
            record.mark = mark;
        }
        scene.beat(OWN);
        scene.read();
        scene.join(B, "node-2");
        assert_eq!(scene.roster.state(), State::Stable);
    }
}

#[test]
fn a_lost_peer_is_unhealthy_until_its_record_is_stale() {
    let mut scene = Scene::alone(2);
    scene.beat(B);
    scene.read();
    scene.join(B, "node-2");
    scene.round(&[B]);
    let (endpoint, name) = (B.to_owned(), "node-2".to_owned());
    let lost = scene.lose(B);
    assert!(lost.contains(&Effect::PeerRemoved { endpoint, name }));
    assert_eq!(scene.roster.state(), State::Connecting);
    assert_eq!(scene.health().unhealthy_members, [B]);
    for _ in 0..2 {
        scene.pass(400);
        scene.refuse(B);
        scene.round(&[]);
    }
    assert_eq!(scene.roster.state(), State::Isolated);
    assert!(scene.health().unhealthy_members.is_empty());
}

#[test]
fn a_lost_peer_holds_the_others_back_for_one_threshold_only() {
    let mut scene = Scene::alone(1);
    scene.beat(B);
    scene.read();
    scene.join(B, "node-2");
    scene.round(&[B]);
    scene.lose(B);
    assert_eq!(scene.roster.state(), State::Connecting);
    // It beats on, but cannot be reached.
    for _ in 0..2 {
        scene.pass(500);
        scene.refuse(B);
        scene.round(&[B]);
    }
    assert_eq!(scene.roster.state(), State::Stable);
    assert_eq!(scene.health().unhealthy_members, [B]);
}

#[test]
fn redials_back_off_to_a_few_seconds_and_never_stop_while_the_record_moves() {
    let mut scene = Scene::alone(1);
    scene.beat(B);
    scene.read();
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let before = scene.dials(B);
        scene.refuse(B);
        let failed_at = scene.now;
        while scene.dials(B) == before {
            scene.pass(50);
            scene.beat(B);
            scene.read();
        }
        pauses.push(scene.now - failed_at);
    }
    assert!(pauses[0] <= Duration::from_millis(250), "{pauses:?}");
    let last = &pauses[6..];
    assert!(last.iter().all(|it| *it >= backoff::CAP / 2), "{pauses:?}");
    assert!(
        last.iter()
            .all(|it| *it <= backoff::CAP + Duration::from_millis(50)),
        "{pauses:?}"
    );
}

#[test]
fn a_live_link_keeps_a_peer_through_a_database_outage() {
    let mut scene = Scene::alone(2);
    scene.beat(B);
    scene.read();
    scene.join(B, "node-2");
    scene.pass(120_000);
    assert_eq!(scene.roster.state(), State::Stable);
    // Its side of the outage lasts longer: its record does not move, then vanishes.
    for _ in 0..5 {
        scene.round(&[]);
    }
    scene.table.remove(B);
    scene.round(&[]);
    assert_eq!(scene.roster.state(), State::Stable);
    assert_eq!(scene.names(), ["node-1", "node-2"]);
}

#[test]
fn while_the_table_cannot_be_read_a_lost_peer_is_dialed_again() {
    let mut scene = Scene::alone(2);
    scene.beat(B);
    scene.read();
    scene.join(B, "node-2");
    scene.round(&[B]);
    scene.pass(60_000);
    scene.lose(B);
    let before = scene.dials(B);
    scene.pass(400);
    assert_eq!(scene.dials(B), before + 1);
    scene.join(B, "node-2");
    assert_eq!(scene.roster.state(), State::Stable);
}

#[test]
fn nodes_of_other_clusters_and_services_are_not_dialed() {
    let mut scene = Scene::alone(1);
    for (endpoint, cluster, service) in [
        (B, Some("cluster-2"), "svc"),
        (C, Some("cluster-1"), "constructor"),
    ] {
        scene.beat(endpoint);
        let record = scene.table.get_mut(endpoint).unwrap();
        record.cluster = cluster.map(str::to_owned);
        record.service = service.to_owned();
    }
    scene.round(&[B, C]);
    scene.round(&[B, C]);
    assert_eq!(scene.dials(B) + scene.dials(C), 0);
    assert_eq!(scene.roster.members(scene.now).len(), 1);
    assert_eq!(scene.roster.state(), State::Stable);
}

#[test]
fn a_login_is_a_hint_to_look_and_never_an_address_to_dial() {
    let mut scene = Scene::alone(1);
    scene.read();
    assert_eq!(scene.arrive(B, "node-2"), [Effect::RefreshMembers]);
    scene.pass(60_000);
    assert_eq!(scene.dials(B), 0);
    scene.beat(B);
    assert!(scene.read().contains(&dial(B)));
}

#[test]
fn logins_of_other_clusters_mean_nothing() {
    let mut scene = Scene::alone(1);
    scene.read();
    assert_eq!(scene.arrive_from("cluster-2", B, "node-2"), []);
    assert_eq!(scene.arrive_from("cluster-1", OWN, "node-2"), []);
}

#[test]
fn a_peer_that_is_back_is_dialed_at_once_when_it_logs_in() {
    let mut scene = Scene::alone(1);
    scene.beat(B);
    scene.round(&[B]);
    for _ in 0..8 {
        scene.refuse(B);
        scene.round(&[B]);
    }
    scene.refuse(B);
    let before = scene.dials(B);
    scene.arrive(B, "node-2");
    scene.pass(200);
    assert_eq!(scene.dials(B), before + 1);
}

#[test]
fn a_node_with_our_own_name_is_not_a_peer() {
    let mut scene = Scene::alone(1);
    scene.beat(B);
    scene.read();
    let effects = scene.connect(B, "node-1");
    let (endpoint, reason) = (B.to_owned(), DropReason::OwnName);
    assert!(effects.contains(&Effect::Drop { endpoint, reason }));
    assert_eq!(scene.names(), ["node-1"]);
    assert_eq!(scene.roster.state(), State::Stable);
}

/// A node restarts under another address while its old one still leads to it. With both links
/// every one of its events would arrive twice.
#[test]
fn of_two_links_to_one_node_the_one_without_a_living_record_is_dropped() {
    let mut scene = Scene::alone(1);
    scene.beat(B);
    scene.beat(C);
    scene.read();
    scene.join(B, "node-2");
    scene.join(C, "node-2");
    assert_eq!(scene.health().total_cluster_peers, 2);
    for _ in 0..3 {
        scene.round(&[C]);
    }
    let (endpoint, reason) = (B.to_owned(), DropReason::Superseded);
    assert!(scene.effects.contains(&Effect::Drop { endpoint, reason }));
    assert_eq!(scene.health().total_cluster_members, 2);
}

#[test]
fn a_node_that_connects_but_never_confirms_blocks_for_one_threshold_only() {
    let mut scene = Scene::alone(1);
    scene.beat(B);
    scene.read();
    for _ in 0..4 {
        scene.connect(B, "node-2");
        scene.round(&[B]);
        scene.lose(B);
        scene.pass(3_000);
    }
    assert_eq!(scene.roster.state(), State::Stable);
    scene.connect(B, "node-2");
    assert_eq!(scene.roster.state(), State::Stable);
}

#[test]
fn a_node_that_changed_its_service_counts_by_its_newest_record() {
    let mut config = config(1);
    config.cluster.insert("other".to_owned(), 1);
    let mut scene = Scene::with(config);
    scene.beat(B);
    let mut other = scene.table[B].clone();
    other.service = "other".to_owned();
    other.mark += 1;
    scene.table.insert("its second record".to_owned(), other);
    scene.read();
    scene.join(B, "node-2");
    assert_eq!(scene.roster.counts(scene.now).services["other"].peers, 1);
    assert_eq!(scene.roster.state(), State::Stable);
}

fn vector() -> Value {
    let text = include_str!("../../../../tests/vectors/cluster/health-report.json");
    serde_json::from_str(text).unwrap()
}

/// Node 1 of the captured run: alone, with node 2, after node 2 stopped, after its record expired.
#[test]
fn health_reports_are_those_of_the_reference() {
    let vector = vector();
    let captured = |at: usize| {
        let line = &vector["json_lines"][at];
        let timestamp = line["parsed"]["timestamp"].as_i64().unwrap();
        (timestamp, line["raw"].as_str().unwrap().to_owned())
    };
    let mut config = config(1);
    config.name = "svc-1-node-1".to_owned();
    config.endpoint = "127.0.0.1:21001".to_owned();
    config.service_name = "svc-1".to_owned();
    config.cluster = BTreeMap::from([("svc-1".to_owned(), 1), ("svc-2".to_owned(), 1)]);
    let own = config.endpoint.clone();
    let mut scene = Scene::with(config);
    scene.table.clear();
    scene.beat(&own);
    scene.table.get_mut(&own).unwrap().service = "svc-1".to_owned();
    scene.read();
    // Ours knows that it is alone where the reference, by mistake, sees others.
    let (timestamp, line) = captured(0);
    let line = line.replace("CONNECTING_INSUFFICIENT_PEERS", "ISOLATED");
    assert_eq!(scene.health().json_line(timestamp), line);

    let second = "127.0.0.1:21002";
    scene.beat(second);
    scene.table.get_mut(second).unwrap().service = "svc-2".to_owned();
    scene.read();
    scene.join(second, "svc-2-node-1");
    let (timestamp, line) = captured(1);
    assert_eq!(scene.health().json_line(timestamp), line);
    let text = &vector["text_lines_of_one_report"];
    assert_eq!(scene.health().member_line(), text["member_line"]);
    assert_eq!(scene.health().breakdown(), text["breakdown"]);

    scene.beat(second);
    scene.read();
    scene.lose(second);
    let (timestamp, line) = captured(3);
    assert_eq!(scene.health().json_line(timestamp), line);
}

#[test]
fn a_report_comes_at_every_interval_and_tells_whether_it_is_news() {
    let mut scene = Scene::alone(1);
    scene.read();
    scene.pass(30_000);
    let changes: Vec<bool> = scene
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Report { changed, .. } => Some(*changed),
            _ => None,
        })
        .collect();
    assert_eq!(changes, [true, false, false]);
}
