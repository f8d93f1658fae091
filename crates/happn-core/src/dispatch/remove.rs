//! `remove`: one path or everything a mask names.

use std::sync::Arc;

use happn_paths::{Action, EventKind, StoreGlob, validate};
use happn_protocol::response::Meta;
use happn_protocol::{Json, Options, WireError};

use super::publish_options::PublishOptions;
use super::search::{criteria_of, search_failed};
use super::set::not_a_string;
use super::written::{Pending, Stored};
use super::{Call, Received};
use crate::{Operation, Removal, StoreError};

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
            echo: self.echo.clone(),
            kind: EventKind::Remove,
            path: text.as_ref().into(),
            options: PublishOptions::read(&options),
            merge_data: None,
        };
        self.authorised(Operation::Remove, &text, move || {
            let node = pending.node.clone();
            let at = node.clock().wall_ms();
            let under_way = pending.session.begin_write();
            let blocked = node.data().remove(removal, move |outcome| {
                let _under_way = under_way;
                let outcome = outcome.map(|count| removed(count, at, &pending.path));
                pending.finish(outcome.map_err(|error| search_failed(&error)));
            });
            blocked.map_or(Received::Done, Received::Blocked)
        })
    }

    fn removal_options(&self, path: &str) -> Result<Options<'_>, WireError> {
        validate(path, Action::Remove).map_err(|error| WireError::plain(error.to_string()))?;
        self.request.decode_options().map_err(WireError::plain)
    }
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
