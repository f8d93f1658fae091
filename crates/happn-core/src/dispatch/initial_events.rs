//! The oldest dialect gets initial values once more, as one event per item.

use happn_protocol::publication::{self, Event};
use happn_protocol::response::Echo;
use happn_protocol::{Dialect, Json};

use crate::Session;

/// Where the events of a new subscription go.
pub(super) struct InitialEvents {
    channel: String,
    depth: Option<u32>,
    dialect: Dialect,
}

impl InitialEvents {
    /// For a subscription on `channel`, if its dialect expects them.
    pub(super) fn expected(dialect: Dialect, channel: &str, depth: Option<u32>) -> Option<Self> {
        dialect.is_first().then(|| Self {
            channel: channel.to_owned(),
            depth,
            dialect,
        })
    }

    /// Queues one event with `item`, which has its `_meta` inside.
    pub(super) fn push(&self, session: &Session, echo: &Echo, item: &Json) {
        let event_id = echo.event_id.as_ref().map_or("undefined", Json::as_str);
        let publication_id = format!("{}-{}", session.id(), event_id.trim_matches('"'));
        let event = Event {
            action: "ON",
            path: &self.channel,
            session_id: session.id(),
            consistency: "2",
            publication_id: &[&publication_id],
            created: None,
            modified: None,
            event_origin: None,
            custom: &[],
        };
        let frame = publication::encode(&event, item, &self.channel, self.depth, self.dialect);
        session.send(frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_oldest_dialect_expects_them() {
        let expected = |dialect| InitialEvents::expected(dialect, "/ALL@/a", None).is_some();
        assert!(expected(Dialect::Happn) && expected(Dialect::Happn1));
        for newer in [Dialect::Happn2, Dialect::Happn3, Dialect::Happn4] {
            assert!(!expected(newer), "{newer:?}");
        }
    }
}
