//! `cluster-node status`: how the cluster is, from the admin listener of any of its nodes.

mod table;

use std::io::{IsTerminal, Write};
use std::time::Duration;

use cluster_admin::{FetchError, Target, TargetError, fetch};

use crate::Exit;
use crate::admin::{HEALTH_PATH, Health};
use crate::config::Settings;

pub use table::{Paint, table};

/// How long one answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// What to show, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusRequest {
    /// The admin listener to ask; the one of the configured node when absent.
    pub url: Option<String>,
    /// Looks again and again until interrupted.
    pub watch: bool,
    /// The answer as it came, one line each.
    pub json: bool,
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// The url names no listener.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The configuration does not tell which port it is.
    #[error(
        "admin.port is 0, so that the system chose the port: the node's log and its first lines \
         say which; name it with --url"
    )]
    UnknownPort,
    /// The node has no admin listener.
    #[error(
        "admin.enabled is false: this node has no admin listener to ask; name another's with --url"
    )]
    SwitchedOff,
    /// There is no answer.
    #[error("{source} (is the node running, and is this its admin listener?)")]
    Fetch {
        /// Why not.
        #[from]
        source: FetchError,
    },
    /// Somebody else answers.
    #[error(
        "what {target} answers to {HEALTH_PATH} is not a node's health (status {status}): it is \
         not the admin listener of a node; clients and peers have ports of their own"
    )]
    NotANode {
        /// Who was asked.
        target: Target,
        /// The HTTP status of the answer.
        status: u16,
    },
    /// The output is gone.
    #[error("cannot write the status")]
    Output(#[from] std::io::Error),
}

/// Asks and shows once, or again and again until the future is dropped. Answers whether the node
/// was ready.
///
/// # Errors
/// When there is nothing to show. While watching only a wrong url ends it: a node that does not
/// answer now may do so later.
pub async fn status(settings: &Settings, request: &StatusRequest) -> Result<Exit, StatusError> {
    let target = target(settings, request.url.as_deref())?;
    let on_terminal = std::io::stdout().is_terminal();
    let paint = Paint::new(on_terminal && std::env::var_os("NO_COLOR").is_none());
    loop {
        let asked = ask(&target).await;
        let text = match (&asked, request.json) {
            (Ok((text, _)), true) => format!("{}\n", text.trim_end()),
            (Ok((_, health)), false) => table(health, paint),
            (Err(error), _) if request.watch => format!("{}\n", crate::one_line(error)),
            (Err(_), _) => String::new(),
        };
        if !request.watch {
            let (_, health) = asked?;
            show(&text)?;
            return Ok(match health.ready {
                true => Exit::Done,
                false => Exit::NotReady,
            });
        }
        // A person sees one table that changes, a file gets them all.
        match on_terminal && !request.json {
            true => show(&format!("\u{1b}[H\u{1b}[2J{text}"))?,
            false => show(&text)?,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn target(settings: &Settings, url: Option<&str>) -> Result<Target, StatusError> {
    if let Some(url) = url {
        return Ok(url.parse()?);
    }
    if !settings.admin.enabled {
        return Err(StatusError::SwitchedOff);
    }
    let port = settings.admin_port();
    if port == 0 {
        return Err(StatusError::UnknownPort);
    }
    let host = match settings.admin.host.as_str() {
        "0.0.0.0" => "127.0.0.1".to_owned(),
        "::" => "[::1]".to_owned(),
        host if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
        host => host.to_owned(),
    };
    Ok(format!("{host}:{port}").parse()?)
}

async fn ask(target: &Target) -> Result<(String, Health), StatusError> {
    let fetched = fetch(target, HEALTH_PATH, ANSWER_MAX).await?;
    let health = serde_json::from_str(&fetched.body);
    match health {
        Ok(health) if fetched.status == 200 => Ok((fetched.body, health)),
        _ => Err(StatusError::NotANode {
            target: target.clone(),
            status: fetched.status,
        }),
    }
}

/// A reader that has gone away has seen enough.
fn show(text: &str) -> Result<(), StatusError> {
    let mut output = std::io::stdout().lock();
    Ok(output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())?)
}
