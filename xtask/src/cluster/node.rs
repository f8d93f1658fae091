//! A node as a process: its configuration, its log, its life and death.

use std::ffi::OsString;
use std::fs::File;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::access::Access;

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(25);

/// One node of the cluster, dead or alive. Dropping it kills the process.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) inner_port: u16,
    pub(super) proxy_port: u16,
    binary: PathBuf,
    configuration: PathBuf,
    arguments: Vec<OsString>,
    log: PathBuf,
    process: Option<Child>,
    ended: Option<ExitStatus>,
    /// How far its wall clock is ahead, from its next start on.
    pub(super) clock_ahead_hours: u32,
}

impl Node {
    /// Writes the configuration of node `index` of `count` into `folder`.
    pub(super) fn prepare(
        binary: &Path,
        folder: &Path,
        index: usize,
        count: u32,
        (inner_port, proxy_port): (u16, u16),
        announced: IpAddr,
        access: &Access,
    ) -> anyhow::Result<Self> {
        let name = format!("node-{}", index + 1);
        let configuration = folder.join(format!("{name}.json"));
        let text = json!({
            "name": name,
            "secure": access.is_secure(),
            "host": "127.0.0.1",
            "port": inner_port,
            "admin": {"port": 0},
            "announceHost": announced,
            "services": {
                "data": {"config": {"datastores": [{
                    "name": "main",
                    "provider": "sqlite",
                    "isDefault": true,
                    "settings": {"filename": folder.join("happn.sqlite")},
                }]}},
                "security": access.settings(),
                "proxy": {"config": {"host": "127.0.0.1", "port": proxy_port}},
                "orchestrator": {"config": {
                    "deployment": "test-cluster",
                    "minimumPeers": count,
                    "timing": {"keepAlive": 500, "memberRefresh": 300, "keepAliveThreshold": 3000},
                }},
            },
        });
        std::fs::write(&configuration, format!("{text:#}"))
            .with_context(|| format!("cannot write {}", configuration.display()))?;
        Ok(Self {
            log: folder.join(format!("{name}.log")),
            name,
            inner_port,
            proxy_port,
            binary: binary.to_path_buf(),
            configuration,
            arguments: access.arguments(),
            process: None,
            ended: None,
            clock_ahead_hours: 0,
        })
    }

    /// Starts the process; its output goes to the end of its log file.
    pub(super) fn start(&mut self) -> anyhow::Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .with_context(|| format!("cannot open {}", self.log.display()))?;
        let child = Command::new(&self.binary)
            .arg("--config")
            .arg(&self.configuration)
            .args(&self.arguments)
            .env(
                "HAPPN__debug__clockAhead",
                (self.clock_ahead_hours * 3_600_000).to_string(),
            )
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot run {}", self.binary.display()))?;
        self.process = Some(child);
        self.ended = None;
        Ok(())
    }

    /// Waits until clients are served: the front door opens once the node is stable.
    pub(super) async fn serves(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        while !answers_ping(self.proxy_port).await {
            if let Some(status) = self.child()?.try_wait()? {
                bail!(
                    "{} ended at its start: {status}\n{}",
                    self.name,
                    self.log_tail()
                );
            }
            if Instant::now() > deadline {
                bail!("{} does not serve clients\n{}", self.name, self.log_tail());
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Ends the process without a chance to say good-bye.
    pub(super) async fn kill(&mut self) -> anyhow::Result<()> {
        let child = self.child()?;
        child.start_kill()?;
        let status = child.wait().await?;
        self.bury(status);
        Ok(())
    }

    /// Asks the process to stop and waits for it.
    pub(super) async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        let child = self.child()?;
        let id = child.id().context("the process has already ended")?;
        let asked = Command::new("kill")
            .args(["-TERM", &id.to_string()])
            .status()
            .await?;
        if !asked.success() {
            bail!("cannot send SIGTERM to {}", self.name);
        }
        let Ok(status) = timeout(STOP_LIMIT, self.child()?.wait()).await else {
            self.kill().await?;
            bail!(
                "{} did not stop within {STOP_LIMIT:?}\n{}",
                self.name,
                self.log_tail()
            );
        };
        let status = status?;
        self.bury(status);
        Ok(status)
    }

    /// Sends the process a signal, such as `STOP`.
    pub(super) async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let id = self.process_id().context("the process has ended")?;
        let sent = Command::new("kill")
            .args([format!("-{name}"), id.to_string()])
            .status()
            .await?;
        if !sent.success() {
            bail!("cannot send SIG{name} to {}", self.name);
        }
        Ok(())
    }

    /// How often the node said that events of `other` are, or may be, lost.
    pub(super) fn gaps_of(&self, other: &str) -> usize {
        let log = self.log_text();
        let of_other = format!("peer=\"{other}\"");
        let is_gap = |line: &&str| {
            line.contains("of a peer") && line.contains("lost") && line.contains(&of_other)
        };
        log.lines().filter(is_gap).count()
    }

    pub(super) fn process_id(&self) -> Option<u32> {
        self.process.as_ref().and_then(Child::id)
    }

    /// What the node said last about its state, or how it ended.
    pub(super) fn state(&self) -> String {
        if let Some(status) = self.ended {
            return status.to_string();
        }
        let log = self.log_text();
        let said = log.lines().rfind(|line| line.contains("state changed"));
        let state = said.and_then(|line| line.rsplit("to=").next());
        state
            .map_or("starting", |text| text.split(' ').next().unwrap_or(text))
            .to_owned()
    }

    /// How often the node said that `other` left the cluster.
    pub(super) fn departures_of(&self, other: &str) -> usize {
        self.log_text().matches(&format!("({other} left)")).count()
    }

    fn child(&mut self) -> anyhow::Result<&mut Child> {
        self.process
            .as_mut()
            .with_context(|| format!("{} is not running", self.name))
    }

    fn bury(&mut self, status: ExitStatus) {
        self.process = None;
        self.ended = Some(status);
    }

    fn log_text(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn log_tail(&self) -> String {
        let text = self.log_text();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }
}

/// Whether `GET /ping` is answered, within a second.
async fn answers_ping(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream
            .write_all(b"GET /ping HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            .await?;
        let mut answer = String::new();
        stream.take(4096).read_to_string(&mut answer).await?;
        anyhow::Ok(answer.contains("pong"))
    };
    matches!(timeout(Duration::from_secs(1), ask).await, Ok(Ok(true)))
}

/// `count` different pairs of ports that were free a moment ago. A node has to announce its port
/// before it binds it, so that it cannot choose one itself.
pub(super) async fn free_ports(count: u32) -> anyhow::Result<Vec<(u16, u16)>> {
    let mut listeners = Vec::new();
    for _ in 0..2 * count {
        listeners.push(TcpListener::bind(("127.0.0.1", 0)).await?);
    }
    let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
    let ports: Vec<u16> = listeners.iter().map(port).collect::<Result<_, _>>()?;
    Ok(ports.chunks(2).map(|pair| (pair[0], pair[1])).collect())
}
