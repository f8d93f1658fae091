//! What a removal takes and what it leaves.

use super::{Store, all, one, paths, removal, replace, set};

/// The answer is the number of items removed; 0 is no error.
pub async fn removing_counts_what_it_removed(store: Store) {
    for at_path in ["/a", "/a/1", "/a/2", "/a/2/x", "/b"] {
        set(&store, at_path, "{}").await;
    }
    for (selector, removed, left) in [
        ("/nothing", 0, &["/a", "/a/1", "/a/2", "/a/2/x", "/b"][..]),
        ("/a/*/x", 1, &["/a", "/a/1", "/a/2", "/b"]),
        ("/a/*", 2, &["/a", "/b"]),
        ("/a/*", 0, &["/a", "/b"]),
        ("/a", 1, &["/b"]),
        ("*", 1, &[]),
    ] {
        let answer = store.remove(removal(selector)).await;
        assert_eq!(answer, Ok(removed), "{selector}");
        assert_eq!(paths(&store, "*").await, left, "{selector}");
    }
}

/// There is no tree: removing `/a` leaves `/a/b`, and the other way round.
pub async fn removing_takes_no_neighbours(store: Store) {
    for at_path in ["/a", "/a/", "/A", "a", "/a/b", "/ab"] {
        set(&store, at_path, "{}").await;
    }
    assert_eq!(store.remove(removal("/a")).await, Ok(1));
    assert_eq!(paths(&store, "*").await, ["/A", "/a/", "/a/b", "/ab", "a"]);
}

/// A write after a removal knows nothing of the item before.
pub async fn a_removed_item_starts_anew(store: Store) {
    set(&store, "/again", r#"{"a":1}"#).await;
    let removed = store.remove(removal("/again"));
    let written = store.upsert(super::merge("/again", r#"{"b":1}"#, 2000));
    assert_eq!(removed.await, Ok(1));
    let item = written.await.expect("a merge succeeds");
    assert_eq!((item.created, item.modified), (Some(2000), Some(2000)));
    assert_eq!(one(&store, "/again").await.data.as_str(), r#"{"b":1}"#);
}

/// A mask may take more items than a store handles in one step.
pub async fn removing_thousands_of_items_takes_them_all(store: Store) {
    const ITEMS: u64 = 2500;
    let mut writes = Vec::new();
    for number in 0..ITEMS {
        writes.push(store.upsert(replace(&format!("/many/{number}/x"), "{}", 1)));
        if number % 3 == 0 {
            writes.push(store.upsert(replace(&format!("/many/{number}"), "{}", 1)));
        }
    }
    for write in writes {
        write.await.expect("an upsert succeeds");
    }
    assert_eq!(store.remove(removal("/many/*/x")).await, Ok(ITEMS));
    assert_eq!(store.count(all("*")).await, Ok(ITEMS.div_ceil(3)));
}
