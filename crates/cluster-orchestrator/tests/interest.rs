//! Nodes that ask each other for no more than their clients want.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing test may panic, also outside of test functions"
)]

#[allow(dead_code, reason = "shared with other tests")]
mod support;

use std::sync::Arc;
use std::time::Duration;

use support::{Clients, TestNode, World, pass};

/// Two stable nodes; the clients are those of the second one.
async fn two_nodes(world: &World) -> (TestNode, TestNode, Arc<Clients>) {
    let clients = Arc::new(Clients::default());
    let first = world.node(1, 2).start();
    let second = world.node(2, 2).interested(&clients).start();
    for node in [&first, &second] {
        node.orchestrator.stabilised().await.unwrap();
    }
    (first, second, clients)
}

fn asked_for(node: &TestNode) -> usize {
    node.orchestrator.interest().unwrap().borrow().mask_count()
}

#[tokio::test(start_paused = true)]
async fn only_what_clients_want_crosses_and_the_messages_between_nodes() {
    let world = World::new();
    let (first, second, clients) = two_nodes(&world).await;
    first.publish("/a/1");
    clients.confirmed(clients.want(&["/a/*"])).await;
    for path in ["/a/2", "/b/2", "/__REPLICATE"] {
        first.publish(path);
    }
    second.receives(&["/a/2", "/__REPLICATE"]).await;
    // Whoever asks for everything gets it.
    second.publish("/z");
    first.receives(&["/z"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_confirmed_when_the_slowest_peer_knows_and_not_before() {
    let world = World::new();
    let (first, _second, clients) = two_nodes(&world).await;
    let third = world.node(3, 2).start();
    third.orchestrator.stabilised().await.unwrap();
    third.sees_peers(3).await;
    first.confirm_after(Duration::from_secs(5));
    let number = clients.want(&["/a"]);
    pass(4).await;
    assert!(!clients.is_confirmed(number));
    clients.confirmed(number).await;
    // What is asked for already is confirmed without asking again.
    let number = clients.want(&["/a", "/a"]);
    pass(1).await;
    assert!(clients.is_confirmed(number));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_wants_any_more_is_given_up_after_a_while() {
    let world = World::new();
    let (first, second, clients) = two_nodes(&world).await;
    clients.confirmed(clients.want(&["/a", "/b"])).await;
    clients.confirmed(clients.want(&["/b"])).await;
    assert_eq!(
        asked_for(&second),
        3,
        "a client that reconnects wants it again"
    );
    pass(11).await;
    assert_eq!(asked_for(&second), 2);
    for path in ["/a", "/b"] {
        first.publish(path);
    }
    second.receives(&["/b"]).await;
}

#[tokio::test(start_paused = true)]
async fn more_masks_than_allowed_are_everything() {
    let world = World::new();
    let (first, second, clients) = two_nodes(&world).await;
    clients
        .confirmed(clients.want(&["/1", "/2", "/3", "/4", "/5"]))
        .await;
    let interest = second.orchestrator.interest().unwrap();
    assert!(interest.borrow().is_everything());
    for path in ["/5", "/6"] {
        first.publish(path);
    }
    second.receives(&["/5", "/6"]).await;
}

/// Its subscribers were told that they would hear it.
#[tokio::test(start_paused = true)]
async fn what_came_to_be_wanted_while_a_link_was_down_is_a_gap() {
    let world = World::new();
    let (first, second, clients) = two_nodes(&world).await;
    clients.confirmed(clients.want(&["/a/*"])).await;
    for (wanted, missed) in [
        (&["/a/*"][..], &[][..]),
        (&["/a/*", "/a/1"], &[]),
        (&["/a/*", "/b"], &["some of node-1 lost"]),
    ] {
        world.network.wall(&second.endpoint, &first.endpoint);
        pass(1).await;
        let number = clients.want(wanted);
        pass(1).await;
        assert!(
            clients.is_confirmed(number),
            "nobody waits for a node that is away"
        );
        world.network.tear_down(&second.endpoint, &first.endpoint);
        pass(10).await;
        assert_eq!(second.received(), missed, "{wanted:?}");
    }
    first.publish("/b");
    second.receives(&["some of node-1 lost", "/b"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_was_answered_before_a_peer_knew_of_it_is_a_gap_once() {
    let world = World::new();
    let (first, second, clients) = two_nodes(&world).await;
    first.confirm_after(Duration::from_secs(5));
    let number = clients.want(&["/a"]);
    pass(1).await;
    clients.overrun(number);
    clients.confirmed(number).await;
    pass(1).await;
    clients.confirmed(clients.want(&["/a", "/b"])).await;
    pass(20).await;
    assert_eq!(second.received(), ["some of node-1 lost"]);
}

#[tokio::test(start_paused = true)]
async fn a_node_alone_has_nobody_to_tell() {
    let world = World::new();
    let clients = Arc::new(Clients::default());
    let node = world.node(1, 1).interested(&clients).start();
    node.orchestrator.stabilised().await.unwrap();
    let number = clients.want(&["/a"]);
    pass(1).await;
    assert!(number > 0 && asked_for(&node) == 2);
}
