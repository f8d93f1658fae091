//! Clients that ask again for each answer they get.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::InFlight;
use super::requests::{Scenario, stored};
use crate::bench::Plan;
use crate::bench::client::{Socket, log_in};
use crate::bench::fan_out::{Spent, watch};
use crate::bench::process::ServerProcess;

/// Writes under way while the lists are filled.
const FILL_WINDOW: u64 = 512;
/// How long the requests under way at the end of a measurement may take: longer than a node lets
/// any of them wait for its turn and for the database.
const DRAIN_MAX: Duration = Duration::from_secs(30);
/// How close to the end of an answer its status stands, in bytes.
const STATUS_WITHIN: usize = 512;

/// Stores the list of `size` documents.
pub(super) async fn fill(server: &ServerProcess, size: u64) -> anyhow::Result<()> {
    let mut socket = log_in(server.address()).await?;
    let numbers: Vec<u64> = (0..size).collect();
    for batch in numbers.chunks(FILL_WINDOW as usize) {
        for at in batch {
            socket.feed(Message::text(stored(size, *at))).await?;
        }
        socket.flush().await?;
        for _ in batch {
            check(&answer(&mut socket).await?)?;
        }
    }
    Ok(())
}

/// What became of a load.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// What was answered well, and what that cost the server.
    pub(super) spent: Spent,
    /// How many requests were answered with an error.
    pub(super) refused: u64,
    /// One of these answers.
    pub(super) refusal: Option<String>,
    /// Not all requests were answered within [`DRAIN_MAX`] after the measurement.
    pub(super) is_stuck: bool,
}

/// What the clients count together.
#[derive(Default)]
struct Tally {
    answered: AtomicU64,
    refused: AtomicU64,
    refusal: OnceLock<String>,
    is_over: AtomicBool,
}

/// What the clients of `load` get done. When it returns, nothing of it is under way, unless the
/// outcome says so.
pub(super) async fn run(
    plan: Plan,
    server: &ServerProcess,
    scenario: Scenario,
    load: InFlight,
) -> anyhow::Result<Outcome> {
    let tally = Arc::new(Tally::default());
    let mut tasks = JoinSet::new();
    for client in 0..load.clients as u64 {
        let socket = log_in(server.address()).await?;
        tasks.spawn(ask(socket, scenario, client, load.each, tally.clone()));
    }
    let spent = watch(plan, server, &tally.answered, &mut tasks).await?;
    tally.is_over.store(true, Ordering::Relaxed);
    // What is still under way would slow down whatever is measured next.
    let drained = async {
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        anyhow::Ok(())
    };
    let drained = tokio::time::timeout(DRAIN_MAX, drained).await;
    tasks.shutdown().await;
    let is_stuck = drained.is_err();
    drained.unwrap_or(Ok(()))?;
    Ok(Outcome {
        spent,
        refused: tally.refused.load(Ordering::Relaxed),
        refusal: tally.refusal.get().cloned(),
        is_stuck,
    })
}

/// Keeps `each` requests under way until the load is over, and then waits for their answers.
async fn ask(
    mut socket: Socket,
    scenario: Scenario,
    client: u64,
    each: usize,
    tally: Arc<Tally>,
) -> anyhow::Result<()> {
    let mut requests = (0..).map(|turn| Message::text(scenario.request(client, turn)));
    let mut under_way = 0;
    loop {
        if !tally.is_over.load(Ordering::Relaxed) {
            for request in requests.by_ref().take(each - under_way) {
                socket.feed(request).await?;
            }
            socket.flush().await?;
            under_way = each;
        }
        if under_way == 0 {
            return Ok(());
        }
        tally.count(&answer(&mut socket).await?);
        under_way -= 1;
        // Whatever else has arrived is asked for again with the same flush.
        while under_way > 0
            && let Some(further) = answer(&mut socket).now_or_never()
        {
            tally.count(&further?);
            under_way -= 1;
        }
    }
}

impl Tally {
    fn count(&self, answer: &str) {
        match check(answer) {
            Ok(()) => self.answered.fetch_add(1, Ordering::Relaxed),
            Err(refusal) => {
                self.refusal.get_or_init(|| refusal.to_string());
                self.refused.fetch_add(1, Ordering::Relaxed)
            }
        };
    }
}

/// The next frame that is no heartbeat.
async fn answer(socket: &mut Socket) -> anyhow::Result<Utf8Bytes> {
    loop {
        let message = socket
            .next()
            .await
            .context("the server closed the connection")??;
        if let Message::Text(text) = message
            && text.starts_with(['{', '['])
        {
            return Ok(text);
        }
    }
}

fn check(answer: &str) -> anyhow::Result<()> {
    // What a request came to stands at the end of its answer, behind the data.
    let tail = answer.ceil_char_boundary(answer.len().saturating_sub(STATUS_WITHIN));
    let shown = || answer.chars().take(400).collect::<String>();
    ensure!(
        answer[tail..].contains(r#""status":"ok""#),
        "a request was answered {}",
        shown()
    );
    Ok(())
}
