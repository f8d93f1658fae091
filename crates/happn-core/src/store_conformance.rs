//! Checks that every [`DataStore`] must pass, one function per guarantee.
//!
//! A store's tests say how an empty store is made and get one test per check:
//!
//! ```
//! # use std::sync::Arc;
//! fn empty_store() -> Arc<dyn happn_core::DataStore> {
//!     Arc::new(happn_core::MemoryStore::new())
//! }
//! happn_core::store_conformance_tests!(empty_store());
//! ```
//!
//! Each check takes an empty store and panics when the guarantee does not hold.

#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "these are checks for tests: a broken guarantee is a panic"
)]

mod concurrency;
mod reading;
mod removing;
mod searching;
mod writing;

pub use concurrency::{
    a_closed_store_says_so, a_dropped_future_does_not_undo_its_write,
    closing_finishes_what_is_queued, concurrent_increments_all_count,
    concurrent_inserts_agree_on_one, concurrent_merges_do_not_lose_each_other,
    of_merges_with_one_condition_one_counts, writes_are_answered_in_the_order_of_their_calls,
    writes_are_applied_in_the_order_of_their_calls,
};
pub use reading::{
    a_large_value_survives, a_page_is_cut_by_skip_and_limit, an_exact_selector_names_one_item,
    nothing_is_found_in_an_empty_store, order_is_by_path_bytewise, paths_only_leaves_the_rest_out,
    stars_cross_slashes_and_match_nothing_else,
};
pub use removing::{
    a_removed_item_starts_anew, removing_counts_what_it_removed, removing_takes_no_neighbours,
    removing_thousands_of_items_takes_them_all,
};
pub use searching::{
    a_collation_compares_text, a_pipeline_computes_rows, a_removal_heeds_its_criteria,
    a_sort_orders_all_kinds_of_values, an_answer_that_is_too_large_is_an_error,
    criteria_find_what_the_evaluator_finds, selected_fields_are_there,
};
pub use writing::{
    a_merge_lays_top_level_members_over_those_stored, a_merge_on_a_new_path_stores_it,
    a_merge_with_a_condition_changes_only_what_meets_it,
    a_replacement_keeps_created_and_moves_modified, a_restored_document_is_as_given,
    an_author_stays_until_another_writes, an_increment_leaves_the_times_alone,
    an_insert_leaves_what_is_there, data_comes_back_as_it_was_written,
    one_refused_increment_does_not_disturb_others,
};

use std::sync::Arc;

use happn_paths::{Path, StoreGlob};
use happn_protocol::Json;

use crate::{DataStore, Document, Increment, Query, Removal, Write, WriteMode};

/// Makes one `#[tokio::test]` per check; the argument is an expression for an empty store.
///
/// The using crate needs tokio with `macros` and `rt-multi-thread` for its tests.
#[macro_export]
macro_rules! store_conformance_tests {
    ($store:expr) => {
        $crate::store_conformance_tests! { $store =>
            data_comes_back_as_it_was_written
            a_replacement_keeps_created_and_moves_modified
            an_author_stays_until_another_writes
            a_restored_document_is_as_given
            a_merge_lays_top_level_members_over_those_stored
            a_merge_on_a_new_path_stores_it
            a_merge_with_a_condition_changes_only_what_meets_it
            an_insert_leaves_what_is_there
            an_increment_leaves_the_times_alone
            one_refused_increment_does_not_disturb_others
            nothing_is_found_in_an_empty_store
            an_exact_selector_names_one_item
            stars_cross_slashes_and_match_nothing_else
            order_is_by_path_bytewise
            a_page_is_cut_by_skip_and_limit
            paths_only_leaves_the_rest_out
            a_large_value_survives
            removing_counts_what_it_removed
            removing_takes_no_neighbours
            a_removed_item_starts_anew
            removing_thousands_of_items_takes_them_all
            criteria_find_what_the_evaluator_finds
            a_sort_orders_all_kinds_of_values
            a_removal_heeds_its_criteria
            selected_fields_are_there
            a_collation_compares_text
            a_pipeline_computes_rows
            an_answer_that_is_too_large_is_an_error
            writes_are_applied_in_the_order_of_their_calls
            writes_are_answered_in_the_order_of_their_calls
            concurrent_merges_do_not_lose_each_other
            concurrent_increments_all_count
            concurrent_inserts_agree_on_one
            of_merges_with_one_condition_one_counts
            a_dropped_future_does_not_undo_its_write
            closing_finishes_what_is_queued
            a_closed_store_says_so
        }
    };
    ($store:expr => $($check:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                $crate::store_conformance::$check($store).await;
            }
        )*
    };
}

type Store = Arc<dyn DataStore>;

fn path(text: &str) -> Path {
    Path::for_set(text).expect("checks use legal paths")
}

fn json(text: &str) -> Json {
    Json::parse(text).expect("checks use valid JSON")
}

fn replace(at_path: &str, data: &str, at: i64) -> Write {
    Write {
        path: path(at_path),
        data: json(data),
        mode: WriteMode::Replace,
        at,
        modified_by: None,
    }
}

fn merge(at_path: &str, data: &str, at: i64) -> Write {
    Write {
        mode: WriteMode::Merge,
        ..replace(at_path, data, at)
    }
}

fn merge_if(at_path: &str, data: &str, was: &str, at: i64) -> Write {
    Write {
        mode: WriteMode::MergeIf {
            member: "key",
            was: was.into(),
        },
        ..replace(at_path, data, at)
    }
}

fn increment(at_path: &str, gauge: &str, by: i64) -> Increment {
    Increment {
        path: path(at_path),
        gauge: gauge.into(),
        by: by.into(),
    }
}

fn all(selector: &str) -> Query {
    Query::all(StoreGlob::new(selector))
}

fn removal(selector: &str) -> Removal {
    Removal::all(StoreGlob::new(selector))
}

async fn set(store: &Store, at_path: &str, data: &str) -> Document {
    let write = store.upsert(replace(at_path, data, 1000));
    write.await.expect("an upsert succeeds")
}

async fn found(store: &Store, selector: &str) -> Vec<Document> {
    let find = store.find(all(selector));
    find.all().await.expect("a find succeeds")
}

async fn one(store: &Store, at_path: &str) -> Document {
    let mut documents = found(store, at_path).await;
    assert_eq!(documents.len(), 1, "exactly one item at {at_path}");
    documents.remove(0)
}

async fn paths(store: &Store, selector: &str) -> Vec<String> {
    let documents = found(store, selector).await;
    documents.iter().map(|item| item.path.to_string()).collect()
}
