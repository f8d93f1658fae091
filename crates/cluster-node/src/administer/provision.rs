//! `provision` with a url: the file goes to a running cluster.

use std::path::PathBuf;

use serde_json::Value;

use super::answer::text;
use super::route::route;
use super::task::{Show, Task};
use crate::table::{Paint, clean};

pub(super) fn task(file: PathBuf) -> Task {
    Task::post_file(route(&["provision"]), file, Show::Answer(changes))
}

fn changes(answer: &Value, _paint: Paint) -> String {
    let changed = answer["changed"].as_array().map_or(&[][..], Vec::as_slice);
    if changed.is_empty() {
        return "everything is as the file says already\n".to_owned();
    }
    let line = |it: &Value| {
        let [kind, name, change] = ["kind", "name", "change"].map(|member| text(it, member));
        clean(&format!("{kind} {name}: {change}")) + "\n"
    };
    changed.iter().map(line).collect()
}
