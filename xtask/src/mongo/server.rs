//! A MongoDB server of our own, for the length of a task.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::health;
use crate::run;

/// Speaks MongoDB's protocol and comes as a package of PyPI.
const SECANTUS: &str = "SecantusDB";
const SECANTUS_VERSION: &str = "0.7.0b3";
const START_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(10);
/// Somebody else may take a free port before the server does.
const ATTEMPTS: usize = 3;

/// A running server. Dropping it stops it and removes its files.
pub(super) struct Server {
    name: &'static str,
    child: Child,
    port: u16,
    directory: PathBuf,
}

/// Starts what there is and waits until it answers.
pub(super) fn start() -> anyhow::Result<Server> {
    let base = run::target_directory().join("mongo");
    let launch = match version_of_mongod() {
        Some(version) => {
            println!("found {version}");
            Launch::Mongod
        }
        None => Launch::Secantus(secantus(&base)?, Role::Alone),
    };
    launch_until_it_answers(&launch, &base)
}

/// Starts a server that calls itself the one member of a replica set, and therefore has change
/// streams. A `mongod` would have to be made one first.
pub(super) fn start_replica_set() -> anyhow::Result<Server> {
    let base = run::target_directory().join("mongo");
    let launch = Launch::Secantus(secantus(&base)?, Role::Member);
    launch_until_it_answers(&launch, &base)
}

fn launch_until_it_answers(launch: &Launch, base: &Path) -> anyhow::Result<Server> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match start_once(launch, base) {
            Err(error) if attempt < ATTEMPTS => eprintln!("{error:#}; once more"),
            result => return result,
        }
    }
}

enum Launch {
    Mongod,
    /// The program in its virtual environment.
    Secantus(PathBuf, Role),
}

/// What a server says of itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Alone,
    /// Of a replica set.
    Member,
}

impl Launch {
    fn command(&self, port: u16, directory: &Path) -> Command {
        let port = port.to_string();
        match self {
            Self::Mongod => {
                let mut command = Command::new("mongod");
                command.args(["--bind_ip", "127.0.0.1", "--port", &port, "--quiet"]);
                command.args(["--nounixsocket", "--dbpath"]).arg(directory);
                command
            }
            Self::Secantus(program, role) => {
                let mut command = Command::new(program);
                command.args(["--host", "127.0.0.1", "--port", &port]);
                if *role == Role::Alone {
                    command.arg("--standalone");
                }
                command.args(["--storage-path", ":memory:", "--log-level", "WARNING"]);
                command.current_dir(directory);
                command
            }
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Mongod => "mongod",
            Self::Secantus(..) => SECANTUS,
        }
    }
}

fn start_once(launch: &Launch, base: &Path) -> anyhow::Result<Server> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port();
    let directory = base.join(format!("run-{}-{port}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let log = directory.join("log");
    let output = File::create(&log)?;
    let mut command = launch.command(port, &directory);
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let child = command.spawn();
    let name = launch.name();
    let mut server = Server {
        name,
        child: child.with_context(|| format!("cannot start {name}"))?,
        port,
        directory,
    };
    match server.wait_until_it_answers() {
        Ok(()) => Ok(server),
        Err(error) => {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            Err(error.context(format!("{name} said: {}", said.trim())))
        }
    }
}

fn version_of_mongod() -> Option<String> {
    let output = Command::new("mongod").arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let first = text.lines().next()?;
    output.status.success().then(|| first.to_owned())
}

/// The program of SecantusDB, installed into a virtual environment for just this version.
fn secantus(base: &Path) -> anyhow::Result<PathBuf> {
    let environment = base.join(format!("secantus-{SECANTUS_VERSION}"));
    let program = environment.join("bin/secantusd-py");
    // Written last, so that an interrupted installation is made anew.
    let stamp = environment.join("installed");
    if stamp.exists() {
        return Ok(program);
    }
    let hint = format!(
        "set {}, or put a mongod on the PATH, or install Python 3 with venv and pip",
        super::URL
    );
    println!("making {}", environment.display());
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&environment);
    run::succeed(make).with_context(|| hint.clone())?;
    let mut install = Command::new(environment.join("bin/python"));
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    install.arg(format!("{SECANTUS}=={SECANTUS_VERSION}"));
    run::succeed(install).context(hint)?;
    std::fs::write(stamp, SECANTUS_VERSION)?;
    Ok(program)
}

impl Server {
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    fn wait_until_it_answers(&mut self) -> anyhow::Result<()> {
        wait(START_MAX, "answer", || match health::answers(self.port) {
            true => Ok(true),
            false => match self.child.try_wait()? {
                Some(status) => bail!("it ended by itself: {status}"),
                None => Ok(false),
            },
        })
    }

    /// Asks the server to end; it cleans up behind itself.
    fn stop(&mut self) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        wait(STOP_MAX, "end", || Ok(self.child.try_wait()?.is_some()))
    }
}

/// Looks again and again whether the server did what it should.
#[allow(
    clippy::disallowed_methods,
    reason = "a task measures real time, and another program tells nobody when it is ready"
)]
fn wait(
    patience: Duration,
    what: &str,
    mut is_done: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + patience;
    while !is_done()? {
        if Instant::now() >= deadline {
            bail!("it did not {what} within {} s", patience.as_secs());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{}: {error:#}; it is killed", self.name);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
