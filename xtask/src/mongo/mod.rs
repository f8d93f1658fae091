//! `cargo xtask mongo`: a MongoDB for the tests, whatever this machine has.

mod health;
mod server;

use std::process::Command;

use anyhow::Context;
use clap::Args;

use crate::run;

/// Where tests find their MongoDB.
pub(crate) const URL: &str = "HAPPN_TEST_MONGO_URL";

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
    _server: Option<server::Server>,
}

impl Mongo {
    /// The one that `HAPPN_TEST_MONGO_URL` names; else a `mongod` of the PATH; else SecantusDB in a
    /// virtual environment of our own, which is made if it is not there.
    pub(crate) fn start() -> anyhow::Result<Self> {
        if let Ok(url) = std::env::var(URL) {
            println!("MongoDB: the one of {URL}");
            return Ok(Self { url, _server: None });
        }
        let server = server::start()?;
        let url = format!("mongodb://127.0.0.1:{}", server.port());
        println!("MongoDB: {} at {url}", server.name());
        Ok(Self {
            url,
            _server: Some(server),
        })
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
        return serve();
    };
    let mut command = Command::new(program);
    command.args(arguments).env(URL, mongo.url());
    run::succeed(command)
}

fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let stopped = runtime.block_on(tokio::signal::ctrl_c());
    stopped.context("cannot wait for Ctrl-C")
}
