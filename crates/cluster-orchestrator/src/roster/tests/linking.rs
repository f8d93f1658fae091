//! Dials, logins, links, and the states they lead to.

use super::*;

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
    // It does not hear us yet: what is published now would not reach it.
    assert_eq!(scene.roster.state(), State::Subscribing);
    scene.arrive(B, "node-2");
    assert_eq!(scene.roster.state(), State::Subscribing);
    scene.hear("node-2");
    assert_eq!(scene.roster.state(), State::Stable);
    assert_eq!(scene.names(), ["node-1", "node-2"]);
}

/// A peer whose own configuration does not list our service never will, and is right so.
#[test]
fn a_peer_that_never_subscribes_here_is_waited_for_a_threshold_and_a_refresh_only() {
    let mut scene = Scene::alone(2);
    scene.beat(B);
    scene.read();
    scene.connect(B, "node-2");
    scene.put(Input::Subscribed {
        endpoint: B.to_owned(),
    });
    scene.arrive(B, "node-2");
    scene.pass(10_900);
    assert_eq!(scene.roster.state(), State::Subscribing);
    scene.pass(100);
    assert_eq!(scene.roster.state(), State::Stable);
}

/// Only its link to us is cut: it is still our peer, but does not hear us.
#[test]
fn a_peer_that_does_not_hear_us_any_more_is_waited_for_again() {
    let mut scene = Scene::alone(2);
    scene.beat(B);
    scene.read();
    scene.join(B, "node-2");
    scene.round(&[B]);
    scene.round(&[B]);
    assert_eq!(scene.roster.state(), State::Stable);
    scene.leave("node-2");
    assert_eq!(scene.roster.state(), State::Subscribing);
    scene.arrive(B, "node-2");
    assert_eq!(scene.roster.state(), State::Subscribing);
    scene.hear("node-2");
    assert_eq!(scene.roster.state(), State::Stable);
    scene.leave("node-2");
    scene.pass(11_000);
    assert_eq!(scene.roster.state(), State::Stable);
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
    assert_eq!(scene.roster.state(), State::Stable);
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

/// The first one has started earlier, so its instance is smaller.
#[test]
fn of_two_nodes_with_one_name_the_later_one_gives_way_while_it_starts() {
    let refused = |effects: Vec<Effect>| {
        let refuses = |effect: &Effect| matches!(effect, Effect::Refuse(_));
        effects.iter().any(refuses)
    };
    let connect = |scene: &mut Scene, instance: Option<&str>| {
        scene.beat(B);
        scene.read();
        scene.put(Input::Connected {
            endpoint: B.to_owned(),
            name: "node-1".to_owned(),
            instance: instance.map(str::to_owned),
        })
    };
    let mut later = Scene::alone(2);
    let effects = connect(&mut later, Some("instance-0"));
    let refusal = Refusal::DuplicateName {
        name: "node-1".to_owned(),
        endpoint: B.to_owned(),
    };
    assert!(effects.contains(&Effect::Refuse(refusal)));
    assert!(
        refused(connect(&mut Scene::alone(2), None)),
        "a node of the reference is there first"
    );
    assert!(
        !refused(connect(&mut Scene::alone(2), Some("instance-2"))),
        "we were first"
    );
    assert!(
        !refused(connect(&mut Scene::alone(2), Some("instance-1"))),
        "that is us"
    );
    let mut stable = Scene::alone(1);
    stable.read();
    assert!(
        !refused(connect(&mut stable, Some("instance-0"))),
        "a running node stays"
    );
}

#[test]
fn a_node_whose_record_another_process_writes_gives_way_while_it_starts() {
    for (instance, gives_way) in [
        (Some("instance-0"), true),
        (None, true),
        (Some("instance-2"), false),
    ] {
        let mut scene = Scene::alone(2);
        scene.read();
        let own = scene.table.get_mut(OWN).unwrap();
        own.instance = instance.map(str::to_owned);
        own.name = Some("other".to_owned());
        let refusal = Refusal::DuplicateEndpoint {
            endpoint: OWN.to_owned(),
            holder: "other".to_owned(),
        };
        assert_eq!(scene.read().contains(&Effect::Refuse(refusal)), gives_way);
    }
}

/// Only a node of the reference leaves its cluster out of its record.
#[test]
fn a_peer_that_logs_in_as_one_of_another_cluster_is_dropped_and_not_dialed() {
    let mut scene = Scene::alone(1);
    scene.beat(B);
    scene.read();
    scene.connect(B, "node-2");
    scene.put(Input::Subscribed {
        endpoint: B.to_owned(),
    });
    let effects = scene.arrive_from("cluster-2", B, "node-2");
    let (endpoint, reason) = (B.to_owned(), DropReason::ForeignCluster);
    assert!(effects.contains(&Effect::Drop { endpoint, reason }));
    let before = scene.dials(B);
    scene.round(&[B]);
    scene.round(&[B]);
    assert_eq!(
        (scene.dials(B), scene.roster.members(scene.now).len()),
        (before, 1)
    );
    assert_eq!(scene.roster.state(), State::Stable);
}

/// Anybody can log in and claim to be a node of another cluster.
#[test]
fn a_forged_login_does_not_part_peers() {
    let mut scene = Scene::alone(1);
    scene.beat(B);
    scene.table.get_mut(B).unwrap().cluster = Some("cluster-1".to_owned());
    scene.beat(C);
    scene.read();
    scene.join(B, "node-2");
    scene.join(C, "node-3");
    for (endpoint, name) in [(B, "forged-2"), (C, "forged-3")] {
        assert_eq!(scene.arrive_from("cluster-2", endpoint, name), []);
    }
    assert_eq!(scene.names(), ["node-1", "node-2", "node-3"]);
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

fn stranger(name: &str) -> Effect {
    Effect::Stranger {
        session_id: format!("session of {name}").into(),
    }
}

#[test]
fn who_says_to_be_a_node_and_is_not_in_the_table_for_a_threshold_is_a_stranger() {
    let mut scene = Scene::alone(1);
    scene.read();
    scene.pass(10_000);
    scene.arrive(C, "node-3");
    let told = |effects: &[Effect]| effects.contains(&stranger("node-3"));
    // The first read may have been under way, and the second is within the threshold.
    assert!(!told(&scene.read()));
    assert!(!told(&scene.read()));
    scene.pass(60_000);
    assert!(
        !told(&scene.effects),
        "nothing is known as long as the table cannot be read"
    );
    assert!(told(&scene.read()));
    assert!(!told(&scene.read()), "once");
}

#[test]
fn a_node_that_is_in_the_table_is_no_stranger_nor_is_one_of_another_cluster() {
    let mut scene = Scene::alone(1);
    scene.read();
    scene.arrive(B, "node-2");
    scene.arrive_from("another", C, "node-3");
    for _ in 0..5 {
        scene.round(&[B]);
    }
    assert!(!scene.effects.contains(&stranger("node-2")));
    assert!(!scene.effects.contains(&stranger("node-3")));
}
