//! A permission changes while many clients are connected: how long until the last one that it
//! concerns has lost its subscription and knows, and what others notice of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use futures_util::SinkExt;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, timeout};

use super::crowd::{Crowd, GROUPS, What, kept, login_of, lost, member};
use crate::bench::Plan;
use crate::bench::client::{Socket, log_in_as, set};
use crate::bench::process::{ServerProcess, Told};
use crate::bench::table::{Budget, Row, Table, grouped};
use crate::bench::timed::{Heard, Listener, ms, publish, quantile};

pub(super) const NAME: &str = "permission change";

/// Who publishes what the changes do not concern, to a listener each.
const PAIRS: usize = 8;

/// Events per second of each of them, and their size.
const PACE: (f64, usize) = (500.0, 100);

/// A change that takes longer hangs.
const CHANGE_MAX: Duration = Duration::from_secs(30);

/// Until the last of a thousand clients knows.
const BUDGET_MS: f64 = 250.0;

/// How far a change may hold up other events.
const BUDGET_HELD_UP_MS: f64 = 25.0;

/// What one change did.
struct Round {
    began: Duration,
    /// When the last client was told.
    ended: Duration,
    cpu_seconds: f64,
}

pub(super) async fn measure(plan: Plan, table: &mut Table) -> anyhow::Result<()> {
    let (node, mut told) = ServerProcess::start_told()?;
    prepare(&mut told)?;
    let started = Instant::now();
    let mut crowd = Crowd::gather(node.address()).await?;
    let mut publisher = log_in_as(node.address(), &login_of("publisher")).await?;
    let events = Arc::new(Mutex::new(Vec::new()));
    let mut pairs = pairs(&node, started, &events).await?;
    let mut rounds = Vec::new();
    for group in 0..(plan.rounds as usize).min(GROUPS) {
        sleep(plan.measured).await;
        let changing = change(&node, told, &mut crowd, group, started);
        let round;
        (told, round) = tokio::select! {
            changed = timeout(CHANGE_MAX, changing) => changed.context("a change hangs")??,
            Some(ended) = pairs.join_next() => return Err(ended?.err().context("a pair ended")?),
        };
        verify(&mut publisher, &mut crowd, group).await?;
        rounds.push(round);
    }
    sleep(plan.warm_up).await;
    pairs.shutdown().await;
    let events = events.lock().unwrap_or_else(PoisonError::into_inner);
    report(plan, crowd.sessions, &rounds, &events, table);
    Ok(())
}

/// Users and groups.
fn prepare(told: &mut Told) -> anyhow::Result<()> {
    for group in 0..GROUPS {
        told.tell(&format!("group {group} {} {}", lost(group), kept(group)))?;
        told.tell(&format!("user {} {group}", member(group)))?;
    }
    told.tell("group publishers /bench/*")?;
    told.tell("user publisher publishers")
}

/// Clients that no change concerns.
async fn pairs(
    node: &ServerProcess,
    started: Instant,
    events: &Arc<Mutex<Vec<Heard>>>,
) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let mut pairs = JoinSet::new();
    for pair in 0..PAIRS {
        let path = format!("bench/calm/{pair}");
        let socket = log_in_as(node.address(), &login_of("publisher")).await?;
        let mut listener = Listener::on(socket, &path, started).await?;
        let events = events.clone();
        pairs.spawn(async move {
            loop {
                let heard = listener.next().await?;
                let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
                events.extend(heard);
            }
        });
        let socket = log_in_as(node.address(), &login_of("publisher")).await?;
        pairs.spawn(publish(socket, path, PACE, started));
    }
    Ok(pairs)
}

/// Takes a permission away from `group`.
async fn change(
    node: &ServerProcess,
    mut told: Told,
    crowd: &mut Crowd,
    group: usize,
    started: Instant,
) -> anyhow::Result<(Told, Round)> {
    let (cpu, began) = (node.cpu_seconds()?, started.elapsed());
    let telling = spawn_blocking(move || {
        told.tell(&format!("forbid {group} {}", lost(group)))?;
        anyhow::Ok(told)
    });
    let last = crowd.all_heard(group, What::Change).await?;
    let told = telling.await??;
    let round = Round {
        began,
        ended: last - started,
        cpu_seconds: node.cpu_seconds()? - cpu,
    };
    Ok((told, round))
}

/// What was taken away is heard no more: the event behind it comes, and it does not.
async fn verify(publisher: &mut Socket, crowd: &mut Crowd, group: usize) -> anyhow::Result<()> {
    for mask in [lost(group), kept(group)] {
        let path = mask.replace('*', "now");
        publisher.send(set(&path, r#","noStore":true"#)).await?;
    }
    let all = timeout(CHANGE_MAX, crowd.all_heard(group, What::Kept));
    all.await.context("an event does not arrive")??;
    Ok(())
}

fn report(plan: Plan, sessions: usize, rounds: &[Round], events: &[Heard], table: &mut Table) {
    let slowest = rounds.iter().map(|round| round.ended - round.began).max();
    let cpu: f64 = rounds.iter().map(|round| round.cpu_seconds).sum();
    let sessions_text = grouped(sessions as f64);
    table.add(Row {
        scenario: NAME.into(),
        detail: format!(
            "until the last of {} of {sessions_text} sessions had lost a subscription and was \
             told, the slowest of {}; {:.0} ms of CPU each",
            grouped((sessions / GROUPS) as f64),
            rounds.len(),
            1000.0 * cpu / rounds.len() as f64,
        ),
        value: ms(slowest.unwrap_or_default()),
        unit: "ms",
        budget: Some(Budget::AtMost(BUDGET_MS)),
    });
    let before = latencies(events, |event| {
        let is_before = |round: &Round| {
            let calm = round.began.saturating_sub(plan.measured / 2);
            event.published >= calm && event.heard < round.began
        };
        rounds.iter().any(is_before)
    });
    let during = latencies(events, |event| {
        let meets = |round: &Round| event.published <= round.ended && event.heard >= round.began;
        rounds.iter().any(meets)
    });
    let p99 = |took: &[Duration]| ms(quantile(took, 0.99));
    table.add(Row {
        scenario: format!("{NAME}: events"),
        detail: format!(
            "99 of 100 events that it does not concern take at most so much longer: {:.1} ms of \
             {}, before it {:.1} ms of {}; the slowest {:.1} ms",
            p99(&during),
            grouped(during.len() as f64),
            p99(&before),
            grouped(before.len() as f64),
            ms(during.last().copied().unwrap_or_default()),
        ),
        value: p99(&during) - p99(&before),
        unit: "ms",
        budget: Some(Budget::AtMost(BUDGET_HELD_UP_MS)),
    });
}

/// What those events took, sorted.
fn latencies(events: &[Heard], meant: impl Fn(&Heard) -> bool) -> Vec<Duration> {
    let meant = events.iter().filter(|event| meant(event));
    let mut took: Vec<_> = meant
        .map(|event| event.heard.saturating_sub(event.published))
        .collect();
    took.sort_unstable();
    took
}
