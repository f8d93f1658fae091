//! Several orchestrators in one process, on one store, one network and paused time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing test may panic, also outside of test functions"
)]

#[allow(dead_code, reason = "shared with other tests")]
mod support;

use std::time::Duration;

use cluster_orchestrator::{StabiliseError, State, View};
use happn_core::{Membership, SessionEvents};
use support::{World, pass};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_lone_node_is_stable_at_once() {
    let world = World::new();
    let node = world.node(1, 1).start();
    let start = Instant::now();
    node.orchestrator.stabilised().await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(200));
    assert_eq!(node.peer_names(), ["node-1"]);
}

#[tokio::test(start_paused = true)]
async fn three_nodes_stabilise_and_hear_each_other_once_and_in_order() {
    let world = World::new();
    let nodes = world.stable_nodes(3).await;
    for node in &nodes {
        assert_eq!(node.orchestrator.members().len(), 3);
        assert_eq!(node.orchestrator.peers().len(), 3);
    }
    nodes[0].publish("/a/1");
    nodes[0].publish("/a/2");
    for other in &nodes[1..] {
        other.receives(&["/a/1", "/a/2"]).await;
    }
    nodes[1].publish("/b/1");
    nodes[0].receives(&["/b/1"]).await;
    pass(60).await;
    nodes[0].receives(&["/b/1"]).await;
    nodes[2].receives(&["/a/1", "/a/2", "/b/1"]).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_nodes_wait_for_the_last_one_they_need() {
    let world = World::new();
    let first = world.node(1, 3).start();
    let second = world.node(2, 3).start();
    first.sees_peers(2).await;
    second.sees_peers(2).await;
    pass(20).await;
    assert_eq!(first.state(), State::ConnectingInsufficientPeers);
    assert_eq!(second.state(), State::ConnectingInsufficientPeers);
    let third = world.node(3, 3).start();
    for node in [&first, &second, &third] {
        node.orchestrator.stabilised().await.unwrap();
        assert_eq!(node.orchestrator.peers().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_minimum_ends_in_a_stabilise_timeout() {
    let world = World::new();
    let node = world
        .node(1, 2)
        .with(|config| config.stabilise_timeout = Some(Duration::from_secs(4)))
        .start();
    let start = Instant::now();
    let error = node.orchestrator.stabilised().await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 4);
    assert_eq!(error, StabiliseError::StabiliseTimeout);
    assert_eq!(error.to_string(), "failed to stabilise in time");
    assert_eq!(node.state(), State::Isolated);
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_is_heard_from_the_moment_it_is_stable() {
    let world = World::new();
    let nodes = world.stable_nodes(2).await;
    let newcomer = world.node(3, 1).start();
    newcomer.orchestrator.stabilised().await.unwrap();
    let peers = newcomer.orchestrator.peers();
    assert!(peers.len() == 3 && peers.iter().all(|peer| peer.subscribed_from));
    newcomer.publish("/news");
    for node in &nodes {
        node.receives(&["/news"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_node_is_noticed_by_its_link_at_once_and_forgotten_with_its_record() {
    let world = World::new();
    let mut nodes = world.stable_nodes(3).await;
    pass(7).await;
    nodes.remove(2).kill();
    let start = Instant::now();
    nodes[0].sees_peers(2).await;
    assert!(start.elapsed() < Duration::from_millis(100));
    assert_eq!(nodes[0].state(), State::Connecting);
    nodes[0].sees_members(2).await;
    assert!(
        start.elapsed() < Duration::from_secs(17),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(nodes[0].state(), State::ConnectingInsufficientPeers);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_restarts_on_its_endpoint_is_a_peer_again_at_once() {
    let world = World::new();
    let mut nodes = world.stable_nodes(2).await;
    nodes.remove(1).kill();
    nodes[0].sees_peers(1).await;
    pass(1).await;
    let start = Instant::now();
    let again = world.node(2, 2).start();
    again.orchestrator.stabilised().await.unwrap();
    nodes[0].sees_peers(2).await;
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    again.publish("/back");
    nodes[0].receives(&["/back"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_stops_takes_its_record_along() {
    let world = World::new();
    let mut nodes = world.stable_nodes(2).await;
    nodes.remove(1).stop().await;
    nodes[0].sees_peers(1).await;
    let config = world.node(9, 1).config;
    let beats = world.table(&config, 0).beats().await.unwrap();
    assert_eq!(beats.len(), 1);
    assert_eq!(beats[0].endpoint, nodes[0].endpoint);
    let start = Instant::now();
    nodes[0].sees_members(1).await;
    assert!(start.elapsed() < Duration::from_millis(200));
    assert_eq!(nodes[0].state(), State::Isolated);
}

#[tokio::test(start_paused = true)]
async fn stopping_is_bounded_even_if_the_store_does_not_answer() {
    let world = World::new();
    let mut nodes = world.stable_nodes(2).await;
    let node = nodes.remove(1);
    node.hang_store(true);
    let start = Instant::now();
    node.orchestrator.stop().await;
    assert!(
        start.elapsed() <= Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    let gone = |view: &View| {
        view.members
            .iter()
            .all(|it| it.is_self || !it.connected_from)
    };
    nodes[0].sees(gone).await;
    assert_eq!(node.orchestrator.peers().len(), 2, "as it was last");
}

#[tokio::test(start_paused = true)]
async fn records_of_long_dead_nodes_delay_nobody() {
    let world = World::new();
    for number in 10..30 {
        let dead = world.node(number, 1).config;
        world.table(&dead, -1_000_000_000).beat().await.unwrap();
        if number % 2 == 0 {
            world.network.silence(&dead.endpoint);
        }
    }
    let node = world.node(1, 1).start();
    let start = Instant::now();
    node.orchestrator.stabilised().await.unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(node.orchestrator.members().len(), 1);
    pass(60).await;
    assert_eq!(node.orchestrator.members().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_living_node_that_cannot_be_reached_is_shown_and_blocks_nobody() {
    let world = World::new();
    let ghost = world.node(9, 1).config;
    world.network.silence(&ghost.endpoint);
    let table = world.table(&ghost, 0);
    let beating = tokio::spawn(async move {
        loop {
            table.beat().await.unwrap();
            pass(5).await;
        }
    });
    pass(1).await;
    let nodes = world.stable_nodes(2).await;
    pass(30).await;
    for node in &nodes {
        assert_eq!(node.state(), State::Stable);
        assert_eq!(node.orchestrator.peers().len(), 2);
        assert_eq!(node.orchestrator.members().len(), 3);
    }
    beating.abort();
}

#[tokio::test(start_paused = true)]
async fn clocks_that_are_hours_off_change_nothing() {
    let world = World::new();
    let nodes = [
        world.node(1, 3).start(),
        world.node(2, 3).skewed(-7).start(),
        world.node(3, 3).skewed(11).start(),
    ];
    for node in &nodes {
        node.orchestrator.stabilised().await.unwrap();
    }
    let mut states: Vec<_> = nodes.iter().map(|node| node.orchestrator.state()).collect();
    states
        .iter_mut()
        .for_each(tokio::sync::watch::Receiver::mark_unchanged);
    pass(600).await;
    assert!(states.iter().all(|state| !state.has_changed().unwrap()));
    assert!(
        nodes
            .iter()
            .all(|node| node.orchestrator.members().len() == 3)
    );
}

#[tokio::test(start_paused = true)]
async fn other_deployments_and_other_clusters_are_other_worlds() {
    let world = World::new();
    let nodes = [
        world.node(1, 1).start(),
        world
            .node(2, 1)
            .with(|config| config.deployment = "deployment-2".to_owned())
            .start(),
        world
            .node(3, 1)
            .with(|config| config.cluster_name = "cluster-2".to_owned())
            .start(),
    ];
    pass(60).await;
    for node in &nodes {
        assert_eq!(node.state(), State::Stable);
        assert_eq!(node.orchestrator.members().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_without_the_store_stays_and_heals() {
    let world = World::new();
    let nodes = world.stable_nodes(3).await;
    nodes[1].lose_store(true);
    nodes[1].sees(|view| view.degraded.is_some()).await;
    pass(120).await;
    for node in &nodes {
        assert_eq!(node.state(), State::Stable);
        assert_eq!(node.orchestrator.peers().len(), 3);
    }
    nodes[1].publish("/still/here");
    nodes[0].receives(&["/still/here"]).await;
    nodes[1].lose_store(false);
    let start = Instant::now();
    nodes[1].sees(|view| view.degraded.is_none()).await;
    assert!(start.elapsed() <= Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_is_an_outage_like_any_other() {
    let world = World::new();
    let nodes = world.stable_nodes(2).await;
    for node in &nodes {
        node.hang_store(true);
        node.sees(|view| view.degraded.is_some()).await;
    }
    pass(120).await;
    // Even links are repaired meanwhile.
    let (from, to) = (&nodes[0].endpoint, &nodes[1].endpoint);
    world.network.wall(from, to);
    nodes[0].sees_peers(1).await;
    pass(10).await;
    world.network.tear_down(from, to);
    nodes[0].sees_peers(2).await;
    for node in &nodes {
        node.hang_store(false);
        node.sees(|view| view.degraded.is_none()).await;
        node.orchestrator.stabilised().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_starts_without_the_store_waits_for_it() {
    let world = World::new();
    let node = world
        .node(1, 1)
        .with(|config| config.stabilise_timeout = None)
        .start();
    node.lose_store(true);
    pass(60).await;
    assert_eq!(node.state(), State::Isolated);
    node.lose_store(false);
    node.orchestrator.stabilised().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_cut_link_is_back_within_seconds_of_the_network() {
    let world = World::new();
    let nodes = world.stable_nodes(2).await;
    pass(7).await;
    let (from, to) = (&nodes[0].endpoint, &nodes[1].endpoint);
    world.network.wall(from, to);
    nodes[0].sees_peers(1).await;
    nodes[1].publish("/lost");
    pass(60).await;
    world.network.tear_down(from, to);
    let start = Instant::now();
    nodes[0].sees_peers(2).await;
    assert!(
        start.elapsed() <= Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    nodes[1].publish("/found");
    nodes[0].receives(&["/found"]).await;
    assert!(nodes[1].received().is_empty());
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_stopped_orchestrator_ends() {
    let world = World::new();
    let node = world.node(1, 2).start();
    let (stabilised, ()) = tokio::join!(node.orchestrator.stabilised(), node.orchestrator.stop());
    assert_eq!(stabilised, Err(StabiliseError::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_bug_in_a_dial_is_a_failed_dial() {
    let world = World::new();
    world.network.break_once("10.0.0.2:57000");
    let nodes = world.stable_nodes(2).await;
    assert_eq!(nodes[0].peer_names(), ["node-1", "node-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_table_is_read_as_often_as_a_fast_one() {
    let world = World::new();
    let node = world.node(1, 1).start();
    node.orchestrator.stabilised().await.unwrap();
    node.slow_store(3);
    let before = node.reads();
    pass(60).await;
    let reads = node.reads() - before;
    assert!(
        (11..=13).contains(&reads),
        "{reads} reads in 60 s, one every 5 s"
    );
}

/// In the reference nobody owns a connection that is made too late.
#[tokio::test(start_paused = true)]
async fn a_node_that_leaves_while_it_is_dialed_is_a_member_as_long_as_its_link_lives() {
    let world = World::new();
    let ghost = world.node(9, 1).config;
    let server = world.network.listen(&ghost.endpoint, &ghost);
    world.network.silence(&ghost.endpoint);
    let table = world.table(&ghost, 0);
    table.beat().await.unwrap();
    let node = world.node(1, 1).start();
    node.sees_members(2).await;
    table.leave().await.unwrap();
    node.sees_members(1).await;
    world.network.answer(&ghost.endpoint);
    node.sees_members(2).await;
    assert_eq!(server.peers().len(), 1);
    world.network.forget(&ghost.endpoint);
    node.sees_members(1).await;
    assert!(server.peers().is_empty());
    assert_eq!(node.state(), State::Stable);
}

/// A record without a node behind it, so that nothing but the table tells of it.
async fn a_newcomer(world: &World, number: u8) {
    let ghost = world.node(number, 1).config;
    world.network.silence(&ghost.endpoint);
    world.table(&ghost, 0).beat().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_is_seen_at_once_where_the_store_tells_and_after_a_refresh_elsewhere() {
    let world = World::new();
    let told = world.node(1, 1).told().start();
    let asks = world.node(2, 1).start();
    told.sees_members(2).await;
    asks.sees_members(2).await;
    pass(1).await;
    a_newcomer(&world, 9).await;
    told.tell();
    let start = Instant::now();
    told.sees_members(3).await;
    assert!(start.elapsed() < Duration::from_millis(200));
    asks.sees_members(3).await;
    assert!(start.elapsed() > Duration::from_secs(1));
    assert!(start.elapsed() <= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stops_telling_is_asked_again_and_read_meanwhile() {
    let world = World::new();
    let node = world.node(1, 1).told().start();
    node.orchestrator.stabilised().await.unwrap();
    node.tell_no_more();
    node.lose_store(true);
    pass(60).await;
    node.lose_store(false);
    a_newcomer(&world, 8).await;
    node.sees_members(2).await;
    // The first one does not beat, and is a member no more.
    pass(20).await;
    node.sees_members(1).await;
    a_newcomer(&world, 9).await;
    node.tell();
    let start = Instant::now();
    node.sees_members(2).await;
    assert!(start.elapsed() < Duration::from_millis(200));
}
