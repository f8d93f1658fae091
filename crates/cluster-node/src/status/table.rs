//! The health of a cluster as a table for people.

use std::fmt::Write;

use crate::admin::{Health, LinkHealth, MemberHealth};
use crate::table::{BOLD, Cell, GREEN, Paint, RED, YELLOW, clean, columns, plain, styled};

const TITLES: [&str; 13] = [
    "NODE", "ENDPOINT", "SERVICE", "PEER", "OUT", "IN", "HEARS US", "LAG", "QUEUE", "ASKED",
    "ASKS", "WITHHELD", "CLOCK",
];

/// A few lines about the node that answered, and one per node of its cluster.
#[must_use]
pub fn table(health: &Health, paint: Paint) -> String {
    let mut text = summary(health, paint);
    text.push('\n');
    let rows = health.members.iter().map(|it| row(health, it)).collect();
    text.push_str(&columns(&TITLES, rows, paint));
    text
}

fn summary(health: &Health, paint: Paint) -> String {
    let style = if health.state == "STABLE" {
        GREEN
    } else {
        YELLOW
    };
    let ready = match health.ready {
        true => paint.text(GREEN, "ready"),
        false => paint.text(RED, "not ready"),
    };
    let mut text = format!(
        "{}  {}  {ready}\n",
        paint.text(BOLD, &clean(&health.name)),
        paint.text(style, &clean(&health.state)),
    );
    let mut tell = |label: &str, what: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {label:<10}{what}");
    };
    tell(
        "cluster",
        format!(
            "{}, deployment {}, version {}, up {}",
            clean(&health.cluster_name),
            clean(&health.deployment),
            clean(&health.version),
            duration(health.uptime_seconds)
        ),
    );
    let clients = health
        .clients
        .as_deref()
        .unwrap_or("nowhere, the proxy is closed");
    tell("clients", clean(clients));
    let sessions = &health.sessions;
    tell(
        "sessions",
        format!(
            "{} clients, {} nodes, {} subscriptions, {} waiting",
            sessions.clients,
            sessions.nodes,
            sessions.subscriptions,
            bytes(sessions.queue_bytes)
        ),
    );
    let traffic = &health.traffic;
    tell(
        "events",
        format!(
            "{} published, {} replicated, {} delivered, {} lost",
            traffic.published, traffic.replicated, traffic.delivered, traffic.lost
        ),
    );
    for obstacle in &health.obstacles {
        tell("because", paint.text(RED, &clean(obstacle)));
    }
    text
}

fn row(health: &Health, member: &MemberHealth) -> Vec<Cell> {
    let name = member.name.as_deref().unwrap_or("?");
    let who = [plain(name), plain(&member.endpoint), plain(&member.service)];
    let facts = match member.is_self {
        true => vec![styled(GREEN, "self")],
        false => {
            let links: Vec<&LinkHealth> =
                health.links.iter().filter(|it| it.peer == name).collect();
            vec![
                yes(member.is_peer),
                yes(member.connected_to),
                yes(member.connected_from),
                yes(member.subscribed_from),
                lag(&links),
                of_links(&links, |links| {
                    bytes(links.iter().map(|link| link.queue_bytes).sum())
                }),
                plain(asked(member)),
                of_links(&links, |links| {
                    let masks = links.iter().map(|link| link.masks);
                    masks.max().unwrap_or(0).to_string()
                }),
                of_links(&links, |links| {
                    let withheld = links.iter().map(|link| link.withheld);
                    withheld.sum::<u64>().to_string()
                }),
                plain(
                    member
                        .clock_skew_ms
                        .map_or_else(dash, |ms| format!("{ms:+} ms")),
                ),
            ]
        }
    };
    who.into_iter().chain(facts).collect()
}

fn yes(is_so: bool) -> Cell {
    match is_so {
        true => styled(GREEN, "yes"),
        false => styled(RED, "no"),
    }
}

/// Events that wait for a node, and how old the oldest is that it has not confirmed.
fn lag(links: &[&LinkHealth]) -> Cell {
    let events: u64 = links.iter().map(|link| link.lag_events).sum();
    let oldest = links.iter().map(|link| link.lag_ms).max().unwrap_or(0);
    match (links.is_empty(), events, oldest) {
        (true, ..) => plain(dash()),
        (_, 0, 0) => plain("0"),
        (_, 0, ms) => plain(format!("0, {ms} ms")),
        (_, some, ms) => styled(YELLOW, format!("{some}, {ms} ms")),
    }
}

fn of_links(links: &[&LinkHealth], show: impl FnOnce(&[&LinkHealth]) -> String) -> Cell {
    plain(match links.is_empty() {
        true => dash(),
        false => show(links),
    })
}

/// How many masks a node was asked for.
fn asked(member: &MemberHealth) -> String {
    match member.asked {
        None => dash(),
        Some(asked) if asked.everything => "all".to_owned(),
        Some(asked) => asked.masks.to_string(),
    }
}

fn dash() -> String {
    "-".to_owned()
}

fn bytes(number: usize) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let (mut value, mut unit) = (number, 0);
    while value >= 10 * 1024 && unit + 1 < UNITS.len() {
        value /= 1024;
        unit += 1;
    }
    format!("{value} {}", UNITS[unit])
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::{AskedHealth, SessionsHealth, TrafficHealth};

    fn member(name: Option<&str>, is_self: bool) -> MemberHealth {
        MemberHealth {
            endpoint: "10.0.0.1:57000".to_owned(),
            service: "orders".to_owned(),
            name: name.map(str::to_owned),
            is_self,
            is_peer: name.is_some(),
            connected_to: name.is_some(),
            connected_from: true,
            subscribed_from: is_self,
            clock_skew_ms: (!is_self && name.is_some()).then_some(-12),
            asked: (!is_self && name.is_some()).then_some(AskedHealth {
                masks: 12,
                everything: false,
            }),
        }
    }

    fn health() -> Health {
        Health {
            name: "one".to_owned(),
            endpoint: "10.0.0.1:57000".to_owned(),
            service: "orders".to_owned(),
            cluster_name: "happn-cluster".to_owned(),
            deployment: "Test-Deploy".to_owned(),
            version: "0.1.0".to_owned(),
            uptime_seconds: 150,
            state: "SUBSCRIBING".to_owned(),
            ready: false,
            obstacles: vec!["the state is SUBSCRIBING".to_owned()],
            degraded: Vec::new(),
            clients: Some("127.0.0.1:55000".to_owned()),
            sessions: SessionsHealth {
                clients: 3,
                nodes: 1,
                subscriptions: 7,
                queue_bytes: 20_480,
            },
            traffic: TrafficHealth {
                published: 10,
                replicated: 20,
                delivered: 30,
                lost: 0,
                refused: 0,
            },
            members: vec![
                member(Some("one"), true),
                member(Some("t\u{1b}wo"), false),
                member(None, false),
            ],
            peers: vec!["one".to_owned(), "t\u{1b}wo".to_owned()],
            links: vec![LinkHealth {
                peer: "t\u{1b}wo".to_owned(),
                connected: true,
                lag_events: 5,
                lag_ms: 40,
                queue_bytes: 900,
                masks: 3,
                withheld: 70,
            }],
        }
    }

    #[test]
    fn a_table_says_what_matters_without_colours() {
        let expected = "\
one  SUBSCRIBING  not ready
  cluster   happn-cluster, deployment Test-Deploy, version 0.1.0, up 2 min
  clients   127.0.0.1:55000
  sessions  3 clients, 1 nodes, 7 subscriptions, 20 KiB waiting
  events    10 published, 20 replicated, 30 delivered, 0 lost
  because   the state is SUBSCRIBING

NODE  ENDPOINT        SERVICE  PEER  OUT  IN   HEARS US  LAG       QUEUE  ASKED  ASKS  WITHHELD  CLOCK
one   10.0.0.1:57000  orders   self
t?wo  10.0.0.1:57000  orders   yes   yes  yes  no        5, 40 ms  900 B  12     3     70        -12 ms
?     10.0.0.1:57000  orders   no    no   yes  no        -         -      -      -     -         -
";
        assert_eq!(table(&health(), Paint::new(false)), expected);
    }

    #[test]
    fn colours_change_nothing_but_the_colour() {
        let coloured = table(&health(), Paint::new(true));
        assert!(
            coloured.contains("\u{1b}[31mnot ready\u{1b}[0m"),
            "{coloured}"
        );
        let mut bare = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            bare.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        bare.push_str(rest);
        assert_eq!(bare, table(&health(), Paint::new(false)));
    }
}
