//! What one write leaves behind.

use happn_paths::Path;

use super::{Store, all, found, increment, merge, merge_if, one, replace, set};
use crate::{StoreError, Write, WriteMode};

/// The text of the data survives: numbers as JavaScript prints them, nesting, dots, `$`, unicode,
/// order of keys.
pub async fn data_comes_back_as_it_was_written(store: Store) {
    for (at, data) in [
        "{}",
        r#"{"b":1,"a":2,"10":3}"#,
        r#"{"a.b":{"$set":{"c.d":1}},"$inc":2,"":3}"#,
        r#"{"é\"\\":"日本 👍","n":null,"t":true,"l":[1,[2,{}]]}"#,
        r#"{"big":12345678901234567000,"tiny":5e-324,"f":1.5}"#,
        r#"{"sep":"\u2028"}"#,
    ]
    .into_iter()
    .enumerate()
    {
        let at_path = format!("/data/{at}");
        let answer = set(&store, &at_path, data).await;
        assert_eq!(answer.data.as_str(), data);
        assert_eq!(one(&store, &at_path).await, answer);
    }
}

/// A second write keeps `created`, moves `modified`, and drops members that were not sent.
pub async fn a_replacement_keeps_created_and_moves_modified(store: Store) {
    let first = set(&store, "/r", r#"{"a":1,"b":2}"#).await;
    assert_eq!((first.created, first.modified), (Some(1000), Some(1000)));
    let write = store.upsert(replace("/r", r#"{"b":3}"#, 2000));
    let second = write.await.expect("an upsert succeeds");
    assert_eq!((second.created, second.modified), (Some(1000), Some(2000)));
    assert_eq!(second.data.as_str(), r#"{"b":3}"#);
    assert_eq!(found(&store, "/r").await, [second]);
}

/// `modified_by` is stored when given and otherwise left alone, also by a merge.
pub async fn an_author_stays_until_another_writes(store: Store) {
    assert_eq!(set(&store, "/by", "{}").await.modified_by, None);
    let by = |author: &str, write: Write| Write {
        modified_by: Some(author.into()),
        ..write
    };
    for (write, author) in [
        (by("ann", replace("/by", "{}", 1)), "ann"),
        (replace("/by", "{}", 2), "ann"),
        (merge("/by", r#"{"a":1}"#, 3), "ann"),
        (by("bob", merge("/by", r#"{"b":1}"#, 4)), "bob"),
    ] {
        let answer = store.upsert(write).await.expect("an upsert succeeds");
        assert_eq!(answer.modified_by.as_deref(), Some(author));
        assert_eq!(one(&store, "/by").await, answer);
    }
}

/// Nothing of what was there stays, and times and author are those given, also when there are none.
pub async fn a_restored_document_is_as_given(store: Store) {
    let restore = |created, modified, author: Option<&str>| Write {
        // Items of the server itself may have a star in their path.
        path: Path::for_remove("/restored/*").expect("a legal path"),
        mode: WriteMode::Restore { created, modified },
        modified_by: author.map(Into::into),
        ..replace("/restored", r#"{"r":1.5}"#, 9)
    };
    for (created, modified, author) in [
        (Some(5), Some(7), Some("ann")),
        (None, Some(8), None),
        (None, None, Some("bob")),
        (Some(1), None, None),
    ] {
        let write = restore(created, modified, author);
        let answer = store.upsert(write).await.expect("an upsert succeeds");
        assert_eq!((answer.created, answer.modified), (created, modified));
        assert_eq!(answer.modified_by.as_deref(), author);
        assert_eq!(answer.data.as_str(), r#"{"r":1.5}"#);
        assert_eq!(found(&store, "/restored/*").await, [answer]);
    }
}

/// Top level only; known keys keep their place, new ones follow, nested values are replaced.
pub async fn a_merge_lays_top_level_members_over_those_stored(store: Store) {
    set(&store, "/m", r#"{"a":1,"n":{"x":1},"z":[1,2]}"#).await;
    let sent = r#"{"n":{"y":2},"n.x":3,"a":null}"#;
    let write = store.upsert(merge("/m", sent, 2000));
    let merged = write.await.expect("a merge succeeds");
    let expected = r#"{"a":null,"n":{"y":2},"z":[1,2],"n.x":3}"#;
    assert_eq!(merged.data.as_str(), expected);
    assert_eq!((merged.created, merged.modified), (Some(1000), Some(2000)));
    assert_eq!(found(&store, "/m").await, [merged]);
}

/// Merging where nothing is stored is a plain insert.
pub async fn a_merge_on_a_new_path_stores_it(store: Store) {
    let write = store.upsert(merge("/new", r#"{"b":1,"a":2}"#, 5));
    let stored = write.await.expect("a merge succeeds");
    assert_eq!(stored.data.as_str(), r#"{"b":1,"a":2}"#);
    assert_eq!((stored.created, stored.modified), (Some(5), Some(5)));
}

/// What does not meet the condition stays as it is, and is the answer; where there is nothing,
/// nothing is made.
pub async fn a_merge_with_a_condition_changes_only_what_meets_it(store: Store) {
    let sent = r#"{"key":"new","more":[1]}"#;
    for other in [
        r#"{"key":"other"}"#,
        r#"{"key":1}"#,
        r#"{"key":{"a":"o\"ld $"}}"#,
        r#"{"Key":"o\"ld $"}"#,
        "{}",
    ] {
        let before = set(&store, "/if", other).await;
        let write = store.upsert(merge_if("/if", sent, "o\"ld $", 2000));
        assert_eq!(write.await.expect("a merge succeeds"), before);
        assert_eq!(found(&store, "/if").await, [before]);
    }
    set(&store, "/if", r#"{"a":1,"key":"o\"ld $"}"#).await;
    let write = store.upsert(merge_if("/if", sent, "o\"ld $", 2000));
    let merged = write.await.expect("a merge succeeds");
    assert_eq!(merged.data.as_str(), r#"{"a":1,"key":"new","more":[1]}"#);
    assert_eq!((merged.created, merged.modified), (Some(1000), Some(2000)));
    assert_eq!(found(&store, "/if").await, [merged]);
    let nowhere = store.upsert(merge_if("/nowhere", sent, "old", 2000)).await;
    assert!(matches!(nowhere, Err(StoreError::Failed(_))), "{nowhere:?}");
    assert_eq!(found(&store, "/nowhere").await, []);
}

/// An insert makes a document once; later ones change nothing and answer what is stored. The node's
/// own items may have any character in their path.
pub async fn an_insert_leaves_what_is_there(store: Store) {
    let at = Path::for_own_item("/own/*/имя/{{w}}\"'$.x");
    let insert = |data: &str, at_ms, author: Option<&str>| Write {
        path: at.clone(),
        mode: WriteMode::Insert,
        modified_by: author.map(Into::into),
        ..replace("/own", data, at_ms)
    };
    let write = store.upsert(insert(r#"{"a":1}"#, 5, Some("ann")));
    let first = write.await.expect("an insert succeeds");
    assert_eq!(first.data.as_str(), r#"{"a":1}"#);
    assert_eq!((first.created, first.modified), (Some(5), Some(5)));
    assert_eq!(&*first.path, at.as_str());
    let write = store.upsert(insert(r#"{"b":2}"#, 6, None));
    assert_eq!(write.await.expect("an insert succeeds"), first);
    assert_eq!(found(&store, "/own/*").await, [first]);
}

/// Increments never touch times or author; an item they made gets no `created` later either.
pub async fn an_increment_leaves_the_times_alone(store: Store) {
    let set_before = set(&store, "/i", r#"{"a":1}"#).await;
    for (gauge, by, total) in [("c", 1, 1), ("c", -3, -2), ("a.b", 0, 0), ("c", 2, 0)] {
        let answer = store.increment(increment("/i", gauge, by));
        let answer = answer.await.expect("an increment succeeds");
        assert_eq!(answer.value, total.into());
    }
    let after = one(&store, "/i").await;
    let expected = r#"{"a":1,"c":{"value":0},"a.b":{"value":0}}"#;
    assert_eq!(after.data.as_str(), expected);
    assert_eq!(after.created, set_before.created);
    assert_eq!(after.modified, set_before.modified);

    let answer = store.increment(increment("/made", "c", 4));
    answer.await.expect("an increment makes the item");
    let made = one(&store, "/made").await;
    assert_eq!(made.data.as_str(), r#"{"c":{"value":4}}"#);
    assert_eq!((made.created, made.modified), (None, None));
    let later = set(&store, "/made", "{}").await;
    assert_eq!((later.created, later.modified), (None, Some(1000)));
}

/// A refused write in the middle of others changes nothing and refuses nobody else.
pub async fn one_refused_increment_does_not_disturb_others(store: Store) {
    set(&store, "/nan", r#"{"c":{"value":"5"}}"#).await;
    let before = store.upsert(replace("/before", "{}", 1));
    let refused = store.increment(increment("/nan", "c", 1));
    let after = store.upsert(replace("/after", "{}", 1));
    before.await.expect("the write before succeeds");
    let refusal = StoreError::NotANumber {
        path: "/nan".to_owned(),
        gauge: "c".to_owned(),
    };
    assert_eq!(refused.await, Err(refusal));
    after.await.expect("the write after succeeds");
    let kept = one(&store, "/nan").await;
    assert_eq!(kept.data.as_str(), r#"{"c":{"value":"5"}}"#);
    assert_eq!(store.count(all("*")).await, Ok(3));
}
