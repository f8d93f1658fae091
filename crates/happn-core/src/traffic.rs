//! What passes through the node, counted by kinds of paths.

use std::sync::atomic::{AtomicU64, Ordering};

use happn_paths::REPLICATE_MASK;

use crate::Node;

/// A reading of the node's counters of events since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Paths of applications.
    pub data: ClassTraffic,
    /// Paths of the system, below `/SYSTEM/` and `/_SYSTEM/`.
    pub system: ClassTraffic,
    /// Messages between nodes.
    pub messages: ClassTraffic,
}

/// Events on one kind of paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassTraffic {
    /// Events that began here: clients of this node published them, or the node itself.
    pub published: u64,
    /// Events of other nodes, published again for the clients here.
    pub replicated: u64,
    /// Frames handed to sessions, those of other nodes included: one event becomes any number.
    pub delivered: u64,
}

/// Sessions and what waits for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Connected clients.
    pub clients: usize,
    /// Sessions of other nodes.
    pub nodes: usize,
    /// Subscriptions of all of them.
    pub subscriptions: usize,
    /// Frames that wait to be written, without those kept for numbered links.
    pub waiting_frames: usize,
    /// The same in bytes.
    pub waiting_bytes: usize,
}

/// Where an event comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    Here,
    Elsewhere,
}

/// The counters while they run. Each publication adds to two of one cache line.
#[derive(Debug, Default)]
pub(crate) struct LiveTraffic {
    data: LiveClass,
    system: LiveClass,
    messages: LiveClass,
}

/// A line of its own, so that different kinds of paths do not slow each other down.
#[derive(Debug, Default)]
#[repr(align(64))]
struct LiveClass {
    published: AtomicU64,
    replicated: AtomicU64,
    delivered: AtomicU64,
}

impl LiveTraffic {
    pub(crate) fn count(&self, path: &str, origin: Origin, delivered: u32) {
        let class = self.class(path);
        let events = match origin {
            Origin::Here => &class.published,
            Origin::Elsewhere => &class.replicated,
        };
        events.fetch_add(1, Ordering::Relaxed);
        if delivered > 0 {
            class
                .delivered
                .fetch_add(u64::from(delivered), Ordering::Relaxed);
        }
    }

    fn class(&self, path: &str) -> &LiveClass {
        // Nearly all paths differ within the first two bytes.
        match path.as_bytes() {
            [b'/', b'_' | b'S', ..] if path == REPLICATE_MASK => &self.messages,
            [b'/', b'_' | b'S', ..] if is_system(path) => &self.system,
            _ => &self.data,
        }
    }

    fn read(&self) -> Traffic {
        Traffic {
            data: self.data.read(),
            system: self.system.read(),
            messages: self.messages.read(),
        }
    }
}

fn is_system(path: &str) -> bool {
    path.starts_with("/SYSTEM/") || path.starts_with("/_SYSTEM/")
}

impl LiveClass {
    fn read(&self) -> ClassTraffic {
        ClassTraffic {
            published: self.published.load(Ordering::Relaxed),
            replicated: self.replicated.load(Ordering::Relaxed),
            delivered: self.delivered.load(Ordering::Relaxed),
        }
    }
}

impl Node {
    /// The events so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.traffic.read()
    }

    /// Who is connected and what waits for them now. Visits every session, so it is for a look
    /// every few seconds.
    #[must_use]
    pub fn load(&self) -> Load {
        let mut load = Load {
            subscriptions: self.subscriptions.count(),
            ..Load::default()
        };
        self.for_each_session(|session| {
            match session.is_cluster_link() {
                true => load.nodes += 1,
                false => load.clients += 1,
            }
            let (frames, bytes) = session.outbox().waiting();
            load.waiting_frames += frames;
            load.waiting_bytes += bytes;
        });
        load
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_counted_by_their_kind() {
        let traffic = LiveTraffic::default();
        for (path, origin, delivered) in [
            ("/orders/7", Origin::Here, 3),
            ("/SYSTEMATIC/1", Origin::Elsewhere, 0),
            ("/_orders", Origin::Here, 1),
            ("/SYSTEM/DEPLOYMENT/a", Origin::Here, 1),
            ("/_SYSTEM/_SECURITY/x", Origin::Elsewhere, 1),
            ("/__REPLICATE", Origin::Elsewhere, 2),
        ] {
            traffic.count(path, origin, delivered);
        }
        let class = |published, replicated, delivered| ClassTraffic {
            published,
            replicated,
            delivered,
        };
        let expected = Traffic {
            data: class(2, 1, 4),
            system: class(1, 1, 2),
            messages: class(0, 1, 2),
        };
        assert_eq!(traffic.read(), expected);
    }
}
