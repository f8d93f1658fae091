//! Which documents a query names, in which order.

use super::{Store, all, found, one, paths, set};
use crate::Query;

/// Unknown paths and masks are empty answers, not errors.
pub async fn nothing_is_found_in_an_empty_store(store: Store) {
    for selector in ["/a", "*", "/a/*", ""] {
        assert_eq!(found(&store, selector).await, []);
        assert_eq!(store.count(all(selector)).await, Ok(0));
    }
}

/// A path is its exact text: slashes and case count, characters special elsewhere do not.
pub async fn an_exact_selector_names_one_item(store: Store) {
    let identities = [
        "/t/x",
        "t/x",
        "/t/x/",
        "//t/x",
        "/T/X",
        "/t/x/y",
        "/t/_",
        "/t/%",
        "/t/.",
        "/t/\u{a0}",
    ];
    for at_path in identities {
        set(&store, at_path, &format!(r#"{{"p":"{at_path}"}}"#)).await;
    }
    for at_path in identities {
        let item = one(&store, at_path).await;
        assert_eq!(&*item.path, at_path);
        assert_eq!(item.data.as_str(), format!(r#"{{"p":"{at_path}"}}"#));
        assert_eq!(store.count(all(at_path)).await, Ok(1));
    }
    assert_eq!(paths(&store, "/t").await, [""; 0]);
    assert_eq!(paths(&store, "/t/X").await, [""; 0]);
}

/// `*` is any run of characters, in any place of the mask; all else is literal.
pub async fn stars_cross_slashes_and_match_nothing_else(store: Store) {
    for at_path in [
        "/w", "/w/", "/w/a", "/w/a/b/c", "/w/ab", "/w/b/c", "/x/w/a", "w/a", "/W/a", "/w./a",
    ] {
        set(&store, at_path, "{}").await;
    }
    for (mask, expected) in [
        ("/w/*", &["/w/", "/w/a", "/w/a/b/c", "/w/ab", "/w/b/c"][..]),
        ("/w/***", &["/w/", "/w/a", "/w/a/b/c", "/w/ab", "/w/b/c"]),
        ("/w/a*", &["/w/a", "/w/a/b/c", "/w/ab"]),
        ("/w/*/c", &["/w/a/b/c", "/w/b/c"]),
        ("*/w/a", &["/w/a", "/x/w/a"]),
        ("*w/a", &["/w/a", "/x/w/a", "w/a"]),
        ("/w.*", &["/w./a"]),
        ("/no*", &[]),
    ] {
        assert_eq!(paths(&store, mask).await, expected, "{mask}");
        let count = expected.len() as u64;
        assert_eq!(store.count(all(mask)).await, Ok(count), "{mask}");
    }
    assert_eq!(store.count(all("*")).await, Ok(10));
}

/// Lists are sorted by the bytes of their paths, whatever the order of writing.
pub async fn order_is_by_path_bytewise(store: Store) {
    let sorted = [
        "/",
        "/ ",
        "/-",
        "/1",
        "/10",
        "/2",
        "/A",
        "/Z",
        "/_",
        "/a",
        "/a-",
        "/a/b",
        "/aa",
        "/z",
        "/\u{a0}",
        "/\u{2003}",
        "/\u{feff}",
        "a",
    ];
    for (at, _) in sorted.iter().enumerate() {
        // 7 and 18 have no common factor: every path is written once, far from its neighbours.
        set(&store, sorted[at * 7 % sorted.len()], "{}").await;
    }
    assert_eq!(paths(&store, "*").await, sorted);
}

/// `skip` counts matches, not documents walked over; `count` heeds both.
pub async fn a_page_is_cut_by_skip_and_limit(store: Store) {
    for number in 0..5 {
        set(&store, &format!("/p/{number}"), "{}").await;
        set(&store, &format!("/p/{number}/other"), "{}").await;
    }
    for (skip, limit, expected) in [
        (0, Some(2), &["/p/0/other", "/p/1/other"][..]),
        (3, None, &["/p/3/other", "/p/4/other"]),
        (4, Some(3), &["/p/4/other"]),
        (2, Some(1), &["/p/2/other"]),
        (5, None, &[]),
        (u64::MAX, Some(u64::MAX), &[]),
        (0, Some(0), &[]),
    ] {
        let page = Query {
            skip,
            limit,
            ..all("/p/*/other")
        };
        let answer = store
            .find(page.clone())
            .all()
            .await
            .expect("a find succeeds");
        let answered: Vec<&str> = answer.iter().map(|item| &*item.path).collect();
        assert_eq!(answered, expected, "skip {skip}, limit {limit:?}");
        assert_eq!(store.count(page).await, Ok(expected.len() as u64));
    }
    let behind = Query {
        skip: 1,
        ..all("/p/0")
    };
    assert_eq!(store.find(behind).all().await, Ok(Vec::new()));
}

/// With `paths_only` there is a path and nothing else.
pub async fn paths_only_leaves_the_rest_out(store: Store) {
    set(&store, "/o/1", r#"{"a":1}"#).await;
    set(&store, "/o/2", r#"{"a":1}"#).await;
    let query = Query {
        paths_only: true,
        ..all("/o/*")
    };
    let answer = store.find(query).all().await.expect("a find succeeds");
    assert_eq!(answer.len(), 2);
    for (item, expected) in answer.iter().zip(["/o/1", "/o/2"]) {
        assert_eq!((&*item.path, item.data.as_str()), (expected, "{}"));
        assert_eq!((item.created, item.modified), (None, None));
        assert_eq!(item.modified_by, None);
    }
}

/// One megabyte in one value is no special case.
pub async fn a_large_value_survives(store: Store) {
    let data = format!(r#"{{"text":"{}"}}"#, "0123456789abcdef".repeat(65_536));
    let answer = set(&store, "/large", &data).await;
    assert_eq!(answer.data.as_str().len(), data.len());
    assert!(one(&store, "/large").await.data.as_str() == data);
    set(&store, "/large", "{}").await;
    assert_eq!(one(&store, "/large").await.data.as_str(), "{}");
}
