//! `cargo xtask mongo`: a MongoDB for the tests, whatever this machine has.

mod health;
mod server;

use std::process::Command;

use anyhow::Context;
use clap::Args;

use crate::run;

/// Where tests find their MongoDB.
pub(crate) const URL: &str = "HAPPN_TEST_MONGO_URL";

/// Where tests find one that has change streams.
pub(crate) const REPLICA_URL: &str = "HAPPN_TEST_MONGO_REPLICA_URL";

#[derive(Args)]
pub(crate) struct Options {
    /// Run this command with HAPPN_TEST_MONGO_URL set and end with it; without one, serve until
    /// Ctrl-C
    #[arg(trailing_var_arg = true)]
    command: Vec<String>,
}

/// A MongoDB that answers. One that was started here ends when this is dropped.
pub(crate) struct Mongo {
    url: String,
    /// The one with change streams, if there is one.
    replica_url: Option<String>,
    _servers: Vec<server::Server>,
}

impl Mongo {
    /// The one that `HAPPN_TEST_MONGO_URL` names; else a `mongod` of the PATH; else SecantusDB in a
    /// virtual environment of our own, which is made if it is not there.
    pub(crate) fn start() -> anyhow::Result<Self> {
        if let Ok(url) = std::env::var(URL) {
            println!("MongoDB: the one of {URL}");
            return Ok(Self {
                url,
                replica_url: std::env::var(REPLICA_URL).ok(),
                _servers: Vec::new(),
            });
        }
        let server = server::start()?;
        let url = format!("mongodb://127.0.0.1:{}", server.port());
        println!("MongoDB: {} at {url}", server.name());
        let replica_set = server::start_replica_set()
            .inspect_err(|error| eprintln!("no MongoDB with change streams: {error:#}"))
            .ok();
        let address = |server: &server::Server| format!("mongodb://127.0.0.1:{}", server.port());
        Ok(Self {
            url,
            replica_url: replica_set.as_ref().map(address),
            _servers: std::iter::once(server).chain(replica_set).collect(),
        })
    }

    /// Tells `command` where its databases are.
    pub(crate) fn announce(&self, command: &mut Command) {
        command.env(URL, &self.url);
        if let Some(url) = &self.replica_url {
            command.env(REPLICA_URL, url);
        }
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mongo = Mongo::start()?;
    let Some((program, arguments)) = options.command.split_first() else {
        println!("export {URL}={}", mongo.url());
        if let Some(url) = &mongo.replica_url {
            println!("export {REPLICA_URL}={url}");
        }
        return serve();
    };
    let mut command = Command::new(program);
    command.args(arguments);
    mongo.announce(&mut command);
    run::succeed(command)
}

fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let stopped = runtime.block_on(tokio::signal::ctrl_c());
    stopped.context("cannot wait for Ctrl-C")
}
