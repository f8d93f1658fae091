//! `remove`: one path or everything a mask names.

use std::sync::Arc;

use happn_paths::{Action, EventKind, StoreGlob, validate};
use happn_protocol::response::Meta;
use happn_protocol::{Json, Options, WireError};
use happn_query::Criteria;
use tokio::sync::oneshot;

use super::publish_options::PublishOptions;
use super::search::{criteria_of, search_failed};
use super::set::not_a_string;
use super::visible::Visible;
use super::written::{Pending, Stored};
use super::{Call, Received};
use crate::{BoxFuture, Node, Operation, PathFilter, Query, Removal, StoreError};

impl Call<'_> {
    pub(super) fn remove(self) -> Received {
        let Some(text) = self.request.path_text() else {
            return self.fail(not_a_string(&self.request.path_printed()));
        };
        let options = match self.removal_options(&text) {
            Ok(options) => options,
            Err(error) => return self.fail(error),
        };
        let removal = match removal(&text, &options) {
            Ok(removal) => removal,
            Err(error) => return self.fail(search_failed(&error)),
        };
        let pending = Pending {
            node: self.node.clone(),
            session: self.session.clone(),
            actor: None,
            echo: self.echo.clone(),
            kind: EventKind::Remove,
            path: text.as_ref().into(),
            options: PublishOptions::read(&options),
            merge_data: None,
        };
        let decision = self.decide(Operation::Remove, &text, options.on_behalf_of);
        let node = self.node.clone();
        self.in_turn(decision, move |mut granted| match granted.only.take() {
            None => run(pending.by(granted), removal),
            Some(filter) => {
                let settled = node.data().settled(&pending.path);
                Received::Blocked(Box::pin(async move {
                    settled.await;
                    let count = remove_visible(&node, removal, filter).await;
                    finish(pending.by(granted), count);
                }))
            }
        })
    }

    fn removal_options(&self, path: &str) -> Result<Options<'_>, WireError> {
        validate(path, Action::Remove).map_err(|error| WireError::plain(error.to_string()))?;
        Ok(self.request.decode_options())
    }
}

fn run(pending: Pending, removal: Removal) -> Received {
    let node = pending.node.clone();
    let under_way = pending.session.begin_write();
    let blocked = node.data().remove(removal, move |outcome| {
        let _under_way = under_way;
        finish(pending, outcome);
    });
    blocked.map_or(Received::Done, Received::Blocked)
}

fn finish(pending: Pending, outcome: Result<u64, StoreError>) {
    let at = pending.node.clock().wall_ms();
    let outcome = outcome.map(|count| removed(count, at, &pending.path));
    pending.finish(outcome.map_err(|error| search_failed(&error)));
}

/// Removes, one by one, what a mask names and `filter` lets through.
async fn remove_visible(
    node: &Node,
    removal: Removal,
    filter: Arc<dyn PathFilter>,
) -> Result<u64, StoreError> {
    let query = Query {
        criteria: removal.criteria.clone(),
        paths_only: true,
        bounds: node.config.search_bounds,
        max_time: Some(node.config.search_time_max),
        ..Query::all(removal.selector)
    };
    let mut visible = Visible::find(node, query, Some(filter));
    let mut paths = Vec::new();
    while let Some(batch) = visible.next_batch().await? {
        paths.extend(batch.into_iter().map(|document| document.path));
        let bounds = node.config.search_bounds;
        bounds.check(paths.len() as u64, 0)?;
    }
    let mut count = 0;
    for path in paths {
        count += remove_one(node, &path, &removal.criteria).await?;
    }
    Ok(count)
}

fn remove_one(
    node: &Node,
    path: &str,
    criteria: &Criteria,
) -> BoxFuture<'static, Result<u64, StoreError>> {
    let removal = Removal {
        selector: StoreGlob::new(path),
        criteria: criteria.clone(),
    };
    let (sender, outcome) = oneshot::channel();
    let blocked = node.data().remove(removal, move |outcome| {
        // Who asked may be gone.
        let _ = sender.send(outcome);
    });
    Box::pin(async move {
        if let Some(blocked) = blocked {
            blocked.await;
        }
        outcome.await.unwrap_or(Err(StoreError::Closed))
    })
}

fn removal(path: &str, options: &Options<'_>) -> Result<Removal, StoreError> {
    Ok(Removal {
        selector: StoreGlob::new(path),
        criteria: criteria_of(options)?,
    })
}

fn removed(count: u64, at: i64, path: &Arc<str>) -> Stored {
    Stored {
        data: Json::from_trusted(format!("{{\"removed\":{count}}}").into_bytes()),
        meta: Meta {
            timestamp: Some(at),
            path: Some(path.clone()),
            ..Meta::default()
        },
    }
}
