//! The metrics of each link, by the name of the node at its other end.

use std::collections::BTreeMap;
use std::time::Duration;

use cluster_admin::Exposition;

use crate::parts::Parts;

/// The links of one node: one that came back without its old link has two for a while.
#[derive(Default)]
struct Links {
    is_up: bool,
    lag: Duration,
    events: u64,
    bytes: usize,
    masks: usize,
    withheld: u64,
}

/// Appends them.
pub(super) fn write(parts: &Parts, text: &mut Exposition) {
    let mut links: BTreeMap<String, Links> = BTreeMap::new();
    for link in parts.core.links() {
        let all = links.entry(link.peer).or_default();
        all.is_up |= link.is_attached;
        all.lag = all.lag.max(link.lag.unwrap_or_default());
        all.events += link.waiting;
        all.bytes += link.waiting_bytes;
        all.masks = all.masks.max(link.masks);
        all.withheld += link.withheld;
    }
    queues(&links, text);
    interest(parts, &links, text);
}

fn queues(links: &BTreeMap<String, Links>, text: &mut Exposition) {
    let mut up = text.gauge("happn_link_up", "Whether another node's link is connected.");
    for (peer, link) in links {
        up.sample(&[("peer", peer)], u8::from(link.is_up));
    }
    let mut events = text.gauge("happn_link_lag_events", "Events that wait for a link.");
    for (peer, link) in links {
        events.sample(&[("peer", peer)], link.events);
    }
    let mut lag = text.gauge(
        "happn_link_lag_seconds",
        "The age of the oldest event that another node has not confirmed.",
    );
    for (peer, link) in links {
        lag.sample(&[("peer", peer)], link.lag.as_secs_f64());
    }
    let mut bytes = text.gauge("happn_link_queue_bytes", "Bytes that wait for a link.");
    for (peer, link) in links {
        bytes.sample(&[("peer", peer)], link.bytes);
    }
}

fn interest(parts: &Parts, links: &BTreeMap<String, Links>, text: &mut Exposition) {
    let view = parts.orchestrator.view().borrow().clone();
    let name = |endpoint: &str| {
        let known = view.members.iter().find(|it| it.endpoint == endpoint);
        known.and_then(|member| member.name.clone())
    };
    let mut masks = text.gauge(
        "happn_link_masks",
        "Masks that other nodes asked for here (in) and were asked for (out).",
    );
    for (peer, link) in links {
        masks.sample(&[("peer", peer), ("side", "in")], link.masks);
    }
    // By name, too: one that comes back elsewhere may have two endpoints for a moment.
    let asked = parts.orchestrator.asked_of_peers().into_iter();
    let asked = asked.filter_map(|asked| Some((name(&asked.endpoint)?, asked.masks)));
    for (peer, number) in asked.collect::<BTreeMap<_, _>>() {
        masks.sample(&[("peer", &peer), ("side", "out")], number);
    }
    let mut withheld = text.counter(
        "happn_link_withheld_total",
        "Events published here that another node did not ask for, since its link was opened.",
    );
    for (peer, link) in links {
        withheld.sample(&[("peer", peer)], link.withheld);
    }
}
