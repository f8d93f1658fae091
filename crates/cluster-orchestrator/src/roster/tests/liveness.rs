//! Who lives, and for how long the dead matter.

use super::*;

#[test]
fn remnants_of_dead_nodes_do_not_keep_a_lone_node_from_being_stable() {
    let mut scene = Scene::alone(1);
    let remnants: Vec<String> = (0..100).map(|n| format!("10.1.0.{n}:57000")).collect();
    for remnant in &remnants {
        scene.beat(remnant);
    }
    let dialed = scene.read();
    let dials = dialed.iter().filter(|it| matches!(it, Effect::Dial { .. }));
    assert_eq!(dials.count(), REMNANT_DIALS_MAX);
    assert_eq!(scene.roster.state(), State::Connecting);
    // Not one dial is answered, not even refused.
    scene.pass(2_000);
    assert_eq!(scene.roster.state(), State::Stable);
    assert_eq!(scene.health().total_cluster_members, 1);
}

#[test]
fn the_living_are_dialed_before_remnants_have_timed_out() {
    let mut scene = Scene::alone(1);
    for n in 0..100 {
        scene.beat(&format!("10.0.0.1{n}:57000"));
    }
    scene.beat(B);
    scene.read();
    assert_eq!(scene.dials(B), 0);
    assert!(scene.round(&[B]).contains(&dial(B)));
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
fn redials_back_off_to_less_than_a_second_and_never_stop_while_the_record_moves() {
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

#[test]
fn a_record_that_has_not_moved_for_an_hour_is_removed() {
    let mut scene = Scene::alone(1);
    scene.beat(B);
    let swept = |scene: &mut Scene| {
        let effects = scene.round(&[]);
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Sweep(beat) if beat.endpoint == B))
    };
    scene.round(&[]);
    scene.refuse(B);
    let rounds = 3600 / 5;
    assert!(!(0..rounds - 2).any(|_| swept(&mut scene)));
    assert!((0..4).any(|_| swept(&mut scene)));
}
