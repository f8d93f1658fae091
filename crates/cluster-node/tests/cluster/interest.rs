//! Nodes ask each other for no more than their clients want.

use std::time::Duration;

use happn_client::SubscribeOptions;
use serde_json::json;

use crate::harness::{Folder, Listener, client, cluster, open_and_secure, soon, stop};

open_and_secure!(
    an_event_that_nobody_there_wants_does_not_cross,
    what_is_published_elsewhere_after_a_subscription_was_answered_is_heard,
    thousands_of_subscriptions_are_asked_for_as_everything_and_given_up_again,
    switched_off_everything_crosses_as_with_the_reference,
);

const INTEREST: &str = "services.orchestrator.config.interest";

async fn an_event_that_nobody_there_wants_does_not_cross(folder: Folder) {
    let nodes = cluster(&folder, 2, |plan| plan).await;
    let writer = client(&nodes[0]).await;
    let received = || nodes[1].replicator().counters().received;
    for number in 0..100 {
        let path = format!("/unwanted/{number}");
        writer.publish(&path, &json!({})).await.unwrap();
    }
    let mut there = Listener::on(&nodes[1], "/wanted/*").await;
    for path in ["/wanted/1", "/unwanted/1", "/wanted/2"] {
        writer.publish(path, &json!({})).await.unwrap();
    }
    assert_eq!(there.next().await.path(), "/wanted/1");
    assert_eq!(there.next().await.path(), "/wanted/2");
    assert_eq!(received(), 2, "and nothing else crossed");
    let asked = nodes[1].orchestrator().interest().unwrap();
    assert_eq!(asked.borrow().mask_count(), 2, "this one and /__REPLICATE");
    stop(nodes).await;
}

async fn what_is_published_elsewhere_after_a_subscription_was_answered_is_heard(folder: Folder) {
    let nodes = cluster(&folder, 3, |plan| plan).await;
    let writers = [client(&nodes[0]).await, client(&nodes[2]).await];
    let listener = client(&nodes[1]).await;
    for number in 0..100 {
        let path = format!("/topic/{number}");
        let options = SubscribeOptions::default();
        let mut heard = listener.on(&path, options).await.unwrap();
        for writer in &writers {
            writer.publish(&path, &json!({})).await.unwrap();
        }
        for _ in &writers {
            soon("the event arrives", heard.next()).await.unwrap();
        }
    }
    stop(nodes).await;
}

async fn thousands_of_subscriptions_are_asked_for_as_everything_and_given_up_again(folder: Folder) {
    let limit = format!("{INTEREST}.maxMasks");
    let nodes = cluster(&folder, 2, |plan| plan.with(&limit, "50")).await;
    let writer = client(&nodes[0]).await;
    let listener = client(&nodes[1]).await;
    let mut ears = Vec::new();
    for number in 0..2000 {
        let path = format!("/many/{number}");
        let options = SubscribeOptions::default();
        ears.push(listener.on(&path, options).await.unwrap());
    }
    let mut asked = nodes[1].orchestrator().interest().unwrap();
    assert!(asked.borrow().is_everything());
    assert_eq!(asked.borrow().mask_count(), 1);
    writer.publish("/many/1999", &json!({})).await.unwrap();
    soon("the event arrives", ears[1999].next()).await.unwrap();
    listener.disconnect().await;
    let narrow = asked.wait_for(|asked| !asked.is_everything());
    soon("it is given up", narrow).await.unwrap();
    stop(nodes).await;
}

async fn switched_off_everything_crosses_as_with_the_reference(folder: Folder) {
    let switch = format!("{INTEREST}.enabled");
    let nodes = cluster(&folder, 2, |plan| plan.with(&switch, "false")).await;
    assert!(nodes[1].orchestrator().interest().is_none());
    let writer = client(&nodes[0]).await;
    writer.publish("/unwanted", &json!({})).await.unwrap();
    let crossed = async {
        while nodes[1].replicator().counters().received == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("it crosses", crossed).await;
    stop(nodes).await;
}
