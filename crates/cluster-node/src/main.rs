//! The `cluster-node` binary.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use cluster_node::administer::{self, AdminRequest, Terminal};
use cluster_node::banner::{Launch, banner};
use cluster_node::cli::{Invocation, Wish};
use cluster_node::config::{Config, Settings, effective, reference};
use cluster_node::signals::{ReloadSignals, StopSignals};
use cluster_node::status::{StatusRequest, status};
use cluster_node::transfer::{self, ExportRequest, ImportRequest, Progress};
use cluster_node::{Exit, Node, ProvisionRequest, StartError, logging, one_line, provision};
use happn_security::directory::Password;
use happn_security::provision::ProvisionError;

fn main() -> ExitCode {
    let invocation = Invocation::parse(std::env::args_os()).unwrap_or_else(|error| error.exit());
    match run(invocation) {
        Ok(exit) => exit.into(),
        Err(error) => {
            let _ = writeln!(
                std::io::stderr(),
                "cluster-node: {}",
                one_line(error.as_ref())
            );
            Exit::Failed.into()
        }
    }
}

fn run(invocation: Invocation) -> anyhow::Result<Exit> {
    let wish = invocation.wish.clone();
    if matches!(wish, Wish::ShowReference) {
        print(&reference())?;
        return Ok(Exit::Done);
    }
    let environment = environment();
    let launch = Launch {
        program: std::env::args_os()
            .next()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        file: invocation.file(&environment),
    };
    let config = invocation.load(environment.clone())?;
    match wish {
        Wish::ShowConfig | Wish::ShowReference => show(&config)?,
        Wish::Start => return start(&launch, &config),
        Wish::Import(request) => return import_file(&config, request),
        Wish::Export(request) => export_file(&config, &request)?,
        Wish::Provision(request) => return provision_somewhere(&config, request, &environment),
        Wish::Admin(request) => return administer(&config, &request, &environment),
        Wish::Status(request) => return show_status(&config, &request),
    }
    Ok(Exit::Done)
}

/// The process environment; names and values that are no text cannot concern us.
fn environment() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

fn show(config: &Config) -> anyhow::Result<()> {
    warn(config)?;
    print(&effective(config))
}

fn warn(config: &Config) -> anyhow::Result<()> {
    for warning in &config.warnings {
        writeln!(std::io::stderr(), "warning: {warning}")?;
    }
    Ok(())
}

fn import_file(config: &Config, request: ImportRequest) -> anyhow::Result<Exit> {
    warn(config)?;
    let title = format!("{} file {}", request.format, request.file.display());
    let data = &config.settings.services.data;
    let progress = Progress::shown();
    let imported = runtime()?.block_on(transfer::import(data, request, &progress))?;
    print(&format!("imported {title}\n{imported}\n"))?;
    if imported.system > 0 {
        print(OPEN_TO_ALL)?;
    }
    Ok(match imported.skipped {
        0 => Exit::Done,
        _ => Exit::Skipped,
    })
}

const OPEN_TO_ALL: &str = "\
note: a node without security shows documents of the server, password hashes included, to every \
client that asks; --system none leaves them out
";

fn export_file(config: &Config, request: &ExportRequest) -> anyhow::Result<()> {
    warn(config)?;
    let data = &config.settings.services.data;
    let progress = Progress::shown();
    let exported = runtime()?.block_on(transfer::export(data, request, &progress))?;
    // Standard output may be where the documents went.
    writeln!(std::io::stderr(), "{exported}")?;
    Ok(())
}

type Environment = [(String, String)];

fn provision_somewhere(
    config: &Config,
    request: ProvisionRequest,
    environment: &Environment,
) -> anyhow::Result<Exit> {
    let Some(access) = request.access.clone() else {
        provision_stores(config, &request)?;
        return Ok(Exit::Done);
    };
    let request = AdminRequest::provision(access, request.file, request.json);
    administer(config, &request, environment)
}

fn administer(
    config: &Config,
    request: &AdminRequest,
    environment: &Environment,
) -> anyhow::Result<Exit> {
    warn(config)?;
    let prepared = administer::prepare(&config.settings, request, environment, &mut Terminal);
    let outcome = match prepared {
        Ok(prepared) => runtime()?.block_on(prepared.perform()),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(text) => print(&text).map(|()| Exit::Done),
        Err(error) => {
            let mut output = std::io::stderr().lock();
            for problem in error.problems() {
                writeln!(output, "{problem}")?;
            }
            writeln!(output, "cluster-node: {}", one_line(&error))?;
            Ok(error.exit())
        }
    }
}

fn provision_stores(config: &Config, request: &ProvisionRequest) -> anyhow::Result<()> {
    warn(config)?;
    let outcome = runtime()?.block_on(provision(&config.settings, request));
    if let Err(StartError::Provision {
        source: ProvisionError::Invalid(problems),
        ..
    }) = &outcome
    {
        for problem in problems {
            writeln!(std::io::stderr(), "{problem}")?;
        }
        let count = problems.len();
        anyhow::bail!(
            "{count} problems in {}, nothing was changed",
            request.file.display()
        );
    }
    let changes = outcome?;
    if request.json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&changes)?));
    }
    if changes.is_empty() {
        return print("everything is as the file says already\n");
    }
    changes
        .iter()
        .try_for_each(|change| print(&format!("{change}\n")))
}

fn show_status(config: &Config, request: &StatusRequest) -> anyhow::Result<Exit> {
    warn(config)?;
    Ok(runtime()?.block_on(status(&config.settings, request))?)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

fn start(launch: &Launch, config: &Config) -> anyhow::Result<Exit> {
    logging::start(&config.settings.log)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = runtime()?;
    let outcome = runtime.block_on(serve(launch, &config.settings));
    // Whatever outlived the stop must not outlive the process.
    runtime.shutdown_background();
    outcome
}

async fn serve(launch: &Launch, settings: &Settings) -> anyhow::Result<Exit> {
    let mut signals = StopSignals::listen().context("cannot listen for signals")?;
    let node = tokio::select! {
        node = Node::bind(settings) => node,
        _ = signals.next() => return Ok(Exit::Done),
    };
    let made_up = match &node {
        Ok(node) => node.made_up_password(),
        Err(error) => error.made_up_password(),
    };
    if let Some(password) = made_up {
        print(&first_password(password))?;
    }
    let node = node?;
    let outcome = run_node(launch, settings, &node, &mut signals).await;
    tokio::select! {
        () = node.stop(settings.shutdown.timeout) => outcome.map(|()| Exit::Done),
        signal = signals.next_wish() => {
            tracing::warn!(signal, "told again while stopping, gone at once");
            Ok(Exit::Insisted)
        }
    }
}

/// The one time that a password is shown.
fn first_password(password: &Password) -> String {
    format!(
        "the admin user _ADMIN was made; its password, shown this once, is\n  {}\n",
        password.reveal()
    )
}

/// Serves until a signal, or until the start fails.
async fn run_node(
    launch: &Launch,
    settings: &Settings,
    node: &Node,
    signals: &mut StopSignals,
) -> anyhow::Result<()> {
    // From the start: a node whose certificates are renewed while it starts must not end.
    let reloads = ReloadSignals::listen().context("cannot listen for signals")?;
    let signal = tokio::select! {
        ready = node.ready() => {
            print(&banner(launch, settings, node, ready?))?;
            reloading_until(node, reloads, signals).await
        }
        signal = signals.next() => signal,
    };
    tracing::info!(signal, "stopping");
    Ok(())
}

/// Reads certificates again whenever it is asked to, until a signal to stop; answers its name.
async fn reloading_until(
    node: &Node,
    mut reloads: ReloadSignals,
    signals: &mut StopSignals,
) -> &'static str {
    loop {
        tokio::select! {
            signal = signals.next() => return signal,
            () = reloads.next() => match node.reload_certificates() {
                Ok(()) => tracing::info!("certificates read again"),
                Err(error) => tracing::error!(%error, "certificates stay as they were"),
            },
        }
    }
}

/// Writes to standard output; a reader that has gone away is not our failure.
fn print(text: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    match output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
    {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
