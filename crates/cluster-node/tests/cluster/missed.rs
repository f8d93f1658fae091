//! Changes of users and groups that a node does not hear of, because no link works.

use std::time::Duration;

use happn_client::ConnectionState;
use happn_security::directory::{Holder, Password, UserDraft};
use testkit::Line;
use tokio::time::{Instant, sleep};

use crate::harness::{Folder, relayed, soon, stop, until_peers};
use crate::secure::{add_ann, directory, log_in, may_set, staff};

/// Nodes compare counts every ten seconds; the rest is for a busy machine.
const REPAIRED_WITHIN: Duration = Duration::from_secs(18);

/// As long as the links are cut only the store can tell.
#[tokio::test(flavor = "multi_thread")]
async fn rights_that_are_taken_away_while_no_link_works_are_gone_in_seconds() {
    let folder = Folder::of_secure_nodes();
    let (nodes, relays) = relayed(&folder, 2).await;
    add_ann(&nodes[0]).await;
    let bob = UserDraft::new("bob").password(Password::new("b0b"));
    directory(&nodes[0]).upsert_user(bob, true).await.unwrap();
    let ann = log_in(&nodes[1], "ann", "s3cret").await.unwrap();
    assert!(may_set(&ann, "/staff/1").await);
    let bob = log_in(&nodes[1], "bob", "b0b").await.unwrap();

    relays.iter().for_each(|relay| relay.set(Line::Cut));
    for node in &nodes {
        until_peers(node, 1).await;
    }
    let since = Instant::now();
    let holder = Holder::Group(staff());
    let prohibited = directory(&nodes[0]).upsert_permission(&holder, "/staff/1", "set", false);
    prohibited.await.unwrap();
    directory(&nodes[0]).delete_user("bob").await.unwrap();
    let refused = async {
        while may_set(&ann, "/staff/1").await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    soon("the prohibition is found", refused).await;
    let mut of_bob = bob.state();
    let ended = of_bob.wait_for(|state| !ConnectionState::is_connected(state));
    drop(soon("the session of a deleted user ends", ended).await);
    assert!(since.elapsed() < REPAIRED_WITHIN, "{:?}", since.elapsed());

    // What comes late, when the links work again, changes nothing.
    relays.iter().for_each(|relay| relay.set(Line::Open));
    for node in &nodes {
        until_peers(node, 2).await;
    }
    assert!(!may_set(&ann, "/staff/1").await);
    assert!(may_set(&ann, "/staff/2").await);
    stop(nodes).await;
}
