//! What a started node tells the person in front of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use happn_store_mongo::MongoConfig;

use crate::admin::HEALTH_PATH;
use crate::config::{Provider, Settings, Store};
use crate::node::Node;

/// How this node was started, as far as the next one must be started alike.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program as the person called it.
    pub program: String,
    /// The configuration file.
    pub file: Option<PathBuf>,
}

/// A few lines: what runs where, how to connect, how to add a node. `clients` is where the proxy
/// listens, if it does.
#[must_use]
pub fn banner(
    launch: &Launch,
    settings: &Settings,
    node: &Node,
    clients: Option<SocketAddr>,
) -> String {
    let cluster = &settings.services.orchestrator;
    let encrypted = settings.services.proxy.key_path.is_some();
    let mut lines = vec![format!(
        "node {} is stable in cluster {} (deployment {})",
        node.name(),
        cluster.cluster_name,
        cluster.deployment
    )];
    let mut line = |label: &str, text: String| lines.push(format!("  {label:<14}{text}"));
    match clients {
        Some(address) => {
            let scheme = if encrypted { "wss" } else { "ws" };
            line(
                "clients",
                format!("{scheme}://{} (proxy)", reachable(address)),
            );
        }
        None => line("clients", "proxy deferred, not listening".into()),
    }
    line(
        "peers",
        format!("{}, listening on {}", node.endpoint(), node.address()),
    );
    if let Some(address) = node.admin_address() {
        let scheme = match node.admin_is_encrypted() {
            true => "https",
            false => "http",
        };
        let url = format!("{scheme}://{}{HEALTH_PATH}", reachable(address));
        line("health", format!("{url}, and /metrics"));
    }
    for store in &settings.services.data.datastores {
        line("data", store_line(store));
    }
    if let Some(address) = clients {
        line(
            "connect",
            connect_line(reachable(address), encrypted, settings.secure),
        );
    }
    line("add a node", add_a_node(launch, settings, node, clients));
    lines.join("\n") + "\n"
}

/// An address to type in: a listener on all interfaces is reached at this machine's own.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip().is_unspecified() {
        true => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port()),
        false => address,
    }
}

fn store_line(store: &Store) -> String {
    match (store.provider, &store.settings.filename) {
        (Provider::Sqlite, Some(file)) => format!("sqlite {}", file.display()),
        (Provider::Mongo, _) => match MongoConfig::new(store.settings.mongo()) {
            Ok(config) => format!("mongo {}", config.place()),
            Err(error) => error.to_string(),
        },
        _ => "memory, gone when the node stops and not shared with other nodes".into(),
    }
}

fn connect_line(address: SocketAddr, encrypted: bool, secure: bool) -> String {
    let protocol = if encrypted { ", protocol: 'https'" } else { "" };
    let login = match secure {
        true => ", username: '_ADMIN', password: '…'",
        false => "",
    };
    format!(
        "npm i happn-3@13.12.1 && node -e \"require('happn-3').client.create({{host: '{}', \
         port: {}{protocol}{login}}}).then(async c => {{ await c.on('/demo/*', console.log); \
         await c.set('/demo/1', {{hello: 'world'}}) }})\"",
        address.ip(),
        address.port()
    )
}

/// The command for a second node on this machine.
fn add_a_node(
    launch: &Launch,
    settings: &Settings,
    node: &Node,
    clients: Option<SocketAddr>,
) -> String {
    let default = settings
        .services
        .data
        .datastores
        .iter()
        .find(|store| store.is_default);
    let is_mongo = default.is_some_and(|store| store.provider == Provider::Mongo);
    let file = default.and_then(|store| store.settings.filename.as_ref());
    match (is_mongo, file) {
        (true, _) if launch.file.is_none() => {
            return "start it with the same data store, on ports of its own".into();
        }
        (false, None) => {
            return "needs a store that nodes share: set provider mongo and a url, or sqlite and a \
                    filename"
                .into();
        }
        _ => {}
    }
    let cluster = &settings.services.orchestrator;
    let mut taken = vec![node.address().port()];
    taken.extend(clients.map(|address| address.port()));
    let inner = spare_port(node.address().port(), &taken);
    taken.push(inner);
    let mut command = quoted(&launch.program);
    if let Some(file) = &launch.file {
        command += &format!(" --config {}", quoted(&file.display().to_string()));
        if let Some(name) = &settings.name {
            command += &format!(" --name {}", quoted(&format!("{name}-2")));
        }
    }
    command += &format!(" --port {inner}");
    if let Some(address) = clients {
        command += &format!(" --proxy-port {}", spare_port(address.port(), &taken));
    }
    if settings.secure && launch.file.is_none() {
        command += " --set secure=true";
    }
    if let Some(file) = file {
        command += &format!(" --data {}", quoted(&file.display().to_string()));
    }
    for (flag, value, default) in [
        ("--host", &settings.host, "0.0.0.0"),
        ("--cluster-name", &cluster.cluster_name, "happn-cluster"),
        ("--deployment", &cluster.deployment, "Test-Deploy"),
        (
            "--service-name",
            &cluster.service_name,
            "happn-cluster-node",
        ),
    ] {
        if value != default {
            command += &format!(" {flag} {}", quoted(value));
        }
    }
    command
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// The first port above `port` that is none of `taken`.
fn spare_port(port: u16, taken: &[u16]) -> u16 {
    let above = (port..=u16::MAX).skip(1);
    let below = (1024..port).rev();
    let mut candidates = above.chain(below);
    candidates.find(|port| !taken.contains(port)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_where_a_shell_needs_it() {
        assert_eq!(quoted("./data/happn.sqlite"), "./data/happn.sqlite");
        assert_eq!(quoted("my data"), "'my data'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_spare_port_is_the_next_one_that_nobody_has() {
        assert_eq!(spare_port(57_000, &[57_000, 55_000]), 57_001);
        assert_eq!(spare_port(55_000, &[55_000, 55_001]), 55_002);
        assert_eq!(spare_port(u16::MAX, &[u16::MAX]), u16::MAX - 1);
    }
}
