//! The recorded cases of the JavaScript client against the data service, replayed against a node
//! of ours on every store.
//!
//! Each case starts with an empty store, runs its set-up, and sends the frame the JavaScript
//! client sent; the answer, and the events a second client gets, must be what the reference with
//! its MongoDB store answered, members in the same order. Where ours is known to differ,
//! `data/deviations.rs` says how and why.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "the helpers of tests may panic and print"
)]

mod data;
#[allow(dead_code, reason = "shared with other tests")]
mod raw;

use data::{Engine, play, values_pass_through};

async fn replays(file: &'static str, engine: Engine) {
    let Some(outcome) = play(file, engine).await else {
        println!("data/{file} {engine:?}: LEFT OUT, it has no server to talk to");
        return;
    };
    println!(
        "data/{file} {engine:?}: {} run / {} passed / {} documented deviations / {} not run (secure)",
        outcome.run, outcome.passed, outcome.deviations, outcome.secure
    );
    assert!(
        outcome.failures.is_empty(),
        "{} of {} cases differ:\n{}",
        outcome.failures.len(),
        outcome.run,
        outcome.failures.join("\n")
    );
}

macro_rules! replays {
    ($engine:ident: $($name:ident $file:literal)*) => {$(
        #[tokio::test]
        async fn $name() {
            super::replays($file, super::Engine::$engine).await;
        }
    )*};
}

macro_rules! on_stores {
    ($($module:ident $engine:ident)*) => {$(
        mod $module {
            #[tokio::test]
            async fn values_come_back_as_they_were_sent() {
                if !super::values_pass_through(super::Engine::$engine).await {
                    println!("values on {}: LEFT OUT", stringify!($engine));
                }
            }

            replays! { $engine:
                set "set"
                get "get"
                count "count"
                remove "remove"
                criteria "criteria"
                fields "fields"
                sort_skip_and_limit "sort-skip-limit"
                aggregate_and_collation "aggregate-collation"
                options "options"
                errors "errors"
                values "values"
                merge "merge"
                wildcards "wildcards"
                paths "paths"
                increment "increment"
                initial_values "initial-values"
                events "events"
                secure "secure"
            }
        }
    )*};
}

on_stores! {
    on_memory Memory
    on_sqlite Sqlite
    on_mongo Mongo
}
