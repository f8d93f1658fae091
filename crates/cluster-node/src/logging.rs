//! The process's log.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, LogSettings};

/// The filters of `log.level` make no sense.
#[derive(Debug, thiserror::Error)]
#[error("log.level is {level:?}, but must be a level or filters such as info,happn_server=debug")]
pub struct BadFilter {
    level: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Starts logging to standard error. Call once, first thing.
///
/// # Errors
/// When the filters cannot be read.
pub fn start(settings: &LogSettings) -> Result<(), BadFilter> {
    let filter = EnvFilter::try_new(&settings.level).map_err(|source| BadFilter {
        level: settings.level.clone(),
        source: source.into(),
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A program that embeds the node may log already; then its own settings stay.
    let _ = match settings.format {
        LogFormat::Text => lines.with_target(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    Ok(())
}
