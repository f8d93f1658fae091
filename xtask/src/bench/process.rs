//! A server in a process of its own, and what it costs.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::ServerKind;
use super::client::{PASSWORD, USERNAME, log_in, log_in_as, password_login};
use crate::run;

/// How often the kernel counts processor time; the same on every Linux of today.
const TICKS_PER_SECOND: f64 = 100.0;

/// A node that is not stable by then never will be.
const START_MAX: Duration = Duration::from_secs(20);

/// Where a node keeps its documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Documents {
    /// In a file beside its configuration.
    Sqlite,
    /// In a database of its own on the server of this url.
    Mongo(String),
}

impl Documents {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Mongo(_) => "mongo",
        }
    }

    /// The longest list worth storing there.
    pub(super) fn list_max(&self) -> u64 {
        match self {
            Self::Sqlite => u64::MAX,
            // Filling it takes minutes on the servers that stand in for MongoDB in tests.
            Self::Mongo(_) => 10_000,
        }
    }

    fn store(&self, directory: &Path, database: &str) -> Value {
        let (provider, settings) = match self {
            Self::Sqlite => (
                "sqlite",
                json!({"filename": directory.join("happn.sqlite")}),
            ),
            Self::Mongo(url) => (
                "mongo",
                json!({"url": url, "database": database, "collection": "happn"}),
            ),
        };
        json!({"name": "main", "provider": provider, "isDefault": true, "settings": settings})
    }
}

/// A running server. Dropped, it is killed and its files are removed.
#[derive(Debug)]
pub(super) struct ServerProcess {
    child: Child,
    address: SocketAddr,
    /// Where a node serves clients once it is stable.
    proxy: Option<SocketAddr>,
    /// Whether clients log in.
    secure: bool,
    /// Removed with the process.
    directory: Option<PathBuf>,
}

impl ServerProcess {
    /// Starts `kind` on a free port and waits until it serves.
    pub(super) async fn start(kind: ServerKind) -> anyhow::Result<Self> {
        match kind {
            ServerKind::Happn => Self::start_on(&Documents::Sqlite).await,
            ServerKind::Secure => Self::start_node(&Documents::Sqlite, true).await,
            ServerKind::Raw => Self::start_raw(),
        }
    }

    /// Starts a node that keeps its documents as told.
    pub(super) async fn start_on(documents: &Documents) -> anyhow::Result<Self> {
        Self::start_node(documents, false).await
    }

    async fn start_node(documents: &Documents, secure: bool) -> anyhow::Result<Self> {
        // A node announces its port before it binds it, so that it cannot choose one itself.
        let free = || TcpListener::bind(("127.0.0.1", 0)).and_then(|taken| taken.local_addr());
        let (address, proxy) = (free()?, free()?);
        let name = format!("bench-{}", address.port());
        let directory = run::target_directory().join(&name);
        std::fs::create_dir_all(&directory)?;
        let text = json!({
            "name": name,
            "host": "127.0.0.1",
            "port": address.port(),
            "admin": {"port": 0},
            "secure": secure,
            "services": {
                "data": {"config": {"datastores": [documents.store(&directory, &name)]}},
                "proxy": {"config": {"host": "127.0.0.1", "port": proxy.port()}},
            },
        });
        let mut arguments = Vec::new();
        if secure {
            arguments.extend(["--provision".into(), provision(&directory)?]);
        }
        let node = Self {
            child: spawn(&directory, &name, &text, &arguments)?,
            address,
            proxy: Some(proxy),
            secure,
            directory: Some(directory),
        };
        node.serves().await?;
        Ok(node)
    }

    /// Starts node `number` of a cluster whose files are in `directory`, announced at another
    /// address of this machine. It may not be stable yet.
    pub(super) fn start_member(
        directory: &Path,
        number: usize,
        announced: Ipv4Addr,
        orchestrator: &Value,
    ) -> anyhow::Result<Self> {
        let free = || TcpListener::bind(("127.0.0.1", 0)).and_then(|taken| taken.local_addr());
        let (address, proxy) = (free()?, free()?);
        let name = format!("node-{number}");
        let text = json!({
            "name": name,
            "host": "127.0.0.1",
            "port": address.port(),
            "announceHost": announced,
            "admin": {"port": 0},
            "services": {
                "data": {"config": {"datastores": [Documents::Sqlite.store(directory, "")]}},
                "proxy": {"config": {"host": "127.0.0.1", "port": proxy.port()}},
                "orchestrator": {"config": orchestrator},
            },
        });
        Ok(Self {
            child: spawn(directory, &name, &text, &[])?,
            address,
            proxy: Some(proxy),
            secure: false,
            directory: None,
        })
    }

    /// Waits until clients are served: the front door lets nobody through before the node is
    /// stable.
    pub(super) async fn serves(&self) -> anyhow::Result<()> {
        let Some(proxy) = self.proxy else {
            return Ok(());
        };
        tokio::time::timeout(START_MAX, logged_in(proxy, self.secure))
            .await
            .context("a node serves no clients")
    }

    fn start_raw() -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program has no path")?;
        let (server, _) = Self::start_speaking(Command::new(program).arg("bench-server"))?;
        Ok(server)
    }

    /// Starts the secure node of happn-security's examples that is told what to change.
    pub(super) fn start_told() -> anyhow::Result<(Self, Told)> {
        let program = run::target_directory().join("release/examples/changing_rights");
        let (mut node, answers) = Self::start_speaking(&mut Command::new(program))?;
        let input = node.child.stdin.take().context("a node without input")?;
        Ok((node, Told { input, answers }))
    }

    /// Starts what says in its first line, at the end, where it listens.
    fn start_speaking(command: &mut Command) -> anyhow::Result<(Self, BufReader<ChildStdout>)> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a server")?;
        let output = child.stdout.take().context("a server without output")?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let address = line.split_whitespace().last().unwrap_or_default();
        let address = address
            .parse()
            .with_context(|| format!("a server said {line:?} instead of its address"))?;
        let server = Self {
            child,
            address,
            proxy: None,
            secure: false,
            directory: None,
        };
        Ok((server, output))
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Processor time used so far by all its threads, in seconds.
    pub(super) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let text = self.proc_file("stat")?;
        // The name in parentheses may hold anything, so fields are counted from behind it.
        let (_, fields) = text.rsplit_once(')').context("a malformed stat file")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |at: usize| -> anyhow::Result<f64> {
            let field = fields.get(at).context("a short stat file")?;
            Ok(field.parse::<f64>()?)
        };
        Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
    }

    /// Memory it occupies now, in KiB.
    pub(super) fn resident_kib(&self) -> anyhow::Result<u64> {
        let text = self.proc_file("status")?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.context("no VmRSS in the status file")?.parse()?)
    }

    fn proc_file(&self, name: &str) -> anyhow::Result<String> {
        let path = Path::new("/proc")
            .join(self.child.id().to_string())
            .join(name);
        std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {} (this needs Linux)", path.display()))
    }
}

/// The way to a node that does what it is told.
#[derive(Debug)]
pub(super) struct Told {
    input: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Told {
    /// Waits until it is done; blocks the thread meanwhile.
    pub(super) fn tell(&mut self, line: &str) -> anyhow::Result<()> {
        writeln!(self.input, "{line}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        match answer.trim() {
            "ok" => Ok(()),
            other => bail!("{line:?} was answered {other:?}"),
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(directory) = &self.directory {
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

/// Runs a node with its configuration and log in `directory`.
fn spawn(
    directory: &Path,
    name: &str,
    configuration: &Value,
    arguments: &[PathBuf],
) -> anyhow::Result<Child> {
    let file = directory.join(format!("{name}.json"));
    std::fs::write(&file, configuration.to_string())?;
    let log = File::create(directory.join(format!("{name}.log")))?;
    Command::new(run::target_directory().join("release/cluster-node"))
        .arg("--config")
        .arg(&file)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("cannot start a node")
}

/// Writes what a secure node is to make sure of: the one user of the benchmark.
fn provision(directory: &Path) -> anyhow::Result<PathBuf> {
    let file = directory.join("provision.json");
    let rules = json!({"/bench/*": {"actions": ["get", "set", "on"]}});
    let user = json!({"username": USERNAME, "password": PASSWORD, "permissions": rules});
    std::fs::write(&file, json!({"users": [user]}).to_string())?;
    Ok(file)
}

/// Tries to log in until it works.
async fn logged_in(address: SocketAddr, secure: bool) {
    let attempt = async || match secure {
        true => log_in_as(address, &password_login()).await,
        false => log_in(address).await,
    };
    while attempt().await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
