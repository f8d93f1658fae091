//! `cluster-node status`: how the cluster is, from the admin listener of any of its nodes.

mod table;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use cluster_admin::{AdminClient, FetchError, Question, Target};

use crate::Exit;
use crate::admin::{HEALTH_PATH, Health};
use crate::config::Settings;
use crate::listener::{ListenerError, hint, listener, trust};

pub use crate::table::Paint;
pub use table::table;

/// How long one answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// What to show, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusRequest {
    /// The admin listener to ask; the one of the configured node when absent.
    pub url: Option<String>,
    /// The authorities that may vouch for it, PEM; those of browsers when absent.
    pub authorities: Option<PathBuf>,
    /// Looks again and again until interrupted.
    pub watch: bool,
    /// The answer as it came, one line each.
    pub json: bool,
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// It is not known whom to ask.
    #[error(transparent)]
    Listener(#[from] ListenerError),
    /// There is no answer.
    #[error("{source}{}", hint(source))]
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
    let target = listener(settings, request.url.as_deref())?;
    let client = AdminClient::new(target, &trust(request.authorities.as_deref()))?;
    let on_terminal = std::io::stdout().is_terminal();
    let paint = Paint::of_output();
    loop {
        let asked = ask(&client).await;
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

async fn ask(client: &AdminClient) -> Result<(String, Health), StatusError> {
    let fetched = client.ask(&Question::get(HEALTH_PATH), ANSWER_MAX).await?;
    let health = serde_json::from_str(&fetched.body);
    match health {
        Ok(health) if fetched.status == 200 => Ok((fetched.body, health)),
        _ => Err(StatusError::NotANode {
            target: client.target().clone(),
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
