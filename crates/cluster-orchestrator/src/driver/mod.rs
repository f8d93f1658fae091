//! Timers, tasks and links around the [`Roster`](crate::Roster).

mod bounded;
mod changes;
mod holder;
mod interest;
mod link;
mod log;
mod measured;
mod run;
mod table;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use happn_core::{Clock, Membership, PeerConnector, PeerEvents, SessionEvents};
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::OrchestratorConfig;
use crate::interest::Wanted;
use crate::roster::{HealthReport, MemberSnapshot, Refusal, Roster, State};
use crate::skew::ClockSkew;
use bounded::within;
pub use changes::{PeerChange, PeerChanges};
use holder::HolderCheck;
use interest::Interest;
pub use interest::{AskedOf, InterestSource};
use link::Dialer;
pub use measured::KeepaliveReading;
use measured::Measured;
use run::{Message, Run, Shown};
use table::{Beating, Reading, Watching};

/// The longest [`Orchestrator::stop`] waits for the store, and then again for the links.
const STOP_STEP_MAX: Duration = Duration::from_secs(2);

/// Messages from tasks to the roster that may wait; a full queue makes the tasks wait.
const MESSAGES_MAX: usize = 256;

/// A running orchestrator. Dropping it cancels its tasks without leaving the table;
/// [`Orchestrator::stop`] does it properly.
pub struct Orchestrator {
    view: watch::Receiver<Arc<View>>,
    state: watch::Receiver<State>,
    refusal: watch::Receiver<Option<Refusal>>,
    health: watch::Receiver<Option<HealthReport>>,
    /// Weak, so that listeners learn of the end.
    changes: broadcast::WeakSender<PeerChange>,
    measured: Arc<Measured>,
    /// The own record may be in the table.
    announced: Arc<AtomicBool>,
    stabilise_timeout: Option<Duration>,
    membership: Arc<dyn Membership>,
    clock: Arc<dyn Clock>,
    interest: Option<Arc<Interest>>,
    /// The beats; ended first, so that none comes after the record was removed.
    beating: (CancellationToken, TaskTracker),
    links: (CancellationToken, TaskTracker),
}

/// The cluster as this node sees it at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The node's state.
    pub state: State,
    /// Known nodes: this one first, the others by endpoint.
    pub members: Vec<MemberSnapshot>,
    /// What the table answered last if it cannot be written or read right now. The node goes on
    /// with the members it knows.
    pub degraded: Option<String>,
}

/// Why the node did not become stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StabiliseError {
    /// Not within the configured time; known by the name `StabiliseTimeout`.
    #[error("failed to stabilise in time")]
    StabiliseTimeout,
    /// Another node is there already.
    #[error(transparent)]
    Refused(Refusal),
    /// The orchestrator was stopped first.
    #[error("the orchestrator was stopped")]
    Stopped,
}

impl Orchestrator {
    /// Starts beating, looking for others and linking to them; must be called inside a tokio
    /// runtime. The node must already accept sessions: peers connect as soon as they see the
    /// record. `config` has passed [`OrchestratorConfig::validate`]. With `interest`, peers of our
    /// kind are asked only for what clients here want, otherwise for all of `config.replicate`.
    #[must_use]
    pub fn start(
        config: OrchestratorConfig,
        membership: Arc<dyn Membership>,
        connector: Arc<dyn PeerConnector>,
        events: Arc<dyn PeerEvents>,
        sessions: Arc<dyn SessionEvents>,
        interest: Option<InterestSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let config = Arc::new(config);
        let roster = Roster::new(
            Arc::clone(&config),
            seed(&config, &*clock),
            clock.monotonic(),
        );
        let (view, view_seen) = watch::channel(Arc::new(View {
            state: roster.state(),
            members: roster.members(clock.monotonic()),
            degraded: None,
        }));
        let (state, state_seen) = watch::channel(roster.state());
        let (refusal, refusal_seen) = watch::channel(None);
        let (health, health_seen) = watch::channel(None);
        let (changes, _) = broadcast::channel(changes::CHANGES_MAX);
        let changes_told = changes.downgrade();
        let measured = Arc::new(Measured::default());
        let announced = Arc::new(AtomicBool::new(false));
        let (sender, messages) = mpsc::channel::<Message>(MESSAGES_MAX);
        let refresh = Arc::new(Notify::new());
        let beating = (CancellationToken::new(), TaskTracker::new());
        let links = (CancellationToken::new(), TaskTracker::new());

        let tick = Beating {
            membership: Arc::clone(&membership),
            clock: Arc::clone(&clock),
            timing: config.timing,
            messages: sender.clone(),
            refresh: Arc::clone(&refresh),
            holder: HolderCheck {
                config: Arc::clone(&config),
                connector: Arc::clone(&connector),
            },
            announced: Arc::clone(&announced),
            measured: Arc::clone(&measured),
        };
        beating
            .1
            .spawn(beating.0.clone().run_until_cancelled_owned(tick.run()));
        let reading = Reading {
            membership: Arc::clone(&membership),
            clock: Arc::clone(&clock),
            timing: config.timing,
            messages: sender.clone(),
            refresh: Arc::clone(&refresh),
            measured: Arc::clone(&measured),
        };
        beating
            .1
            .spawn(beating.0.clone().run_until_cancelled_owned(reading.run()));
        let interest = interest.map(|source| Interest::new(source, &config.replicate));
        if let Some(interest) = interest.clone() {
            let following = interest.follow(Arc::clone(&clock));
            let cancel = links.0.clone();
            links.1.spawn(cancel.run_until_cancelled_owned(following));
        }
        let watching = Watching {
            membership: Arc::clone(&membership),
            clock: Arc::clone(&clock),
            timing: config.timing,
            refresh: Arc::clone(&refresh),
        };
        beating
            .1
            .spawn(beating.0.clone().run_until_cancelled_owned(watching.run()));
        let dialer = Dialer {
            config: Arc::clone(&config),
            connector,
            events,
            clock: Arc::clone(&clock),
            messages: sender,
            interest: interest.clone(),
            cancel: links.0.clone(),
            tasks: links.1.clone(),
        };
        let shown = Shown {
            view,
            state,
            refusal,
            health,
            changes,
        };
        let table = Arc::clone(&membership);
        let run = Run::new(
            config.clone(),
            roster,
            dialer,
            refresh,
            table,
            sessions,
            shown,
        );
        let run = run.until_cancelled(messages, links.0.clone());
        links.1.spawn(run);
        Self {
            view: view_seen,
            state: state_seen,
            refusal: refusal_seen,
            health: health_seen,
            changes: changes_told,
            measured,
            announced,
            stabilise_timeout: config.stabilise_timeout,
            membership,
            clock,
            interest,
            beating,
            links,
        }
    }

    /// What peers are asked for, and its changes; `None` when that is all of `replicate`.
    #[must_use]
    pub fn interest(&self) -> Option<watch::Receiver<Wanted>> {
        let interest = self.interest.as_ref()?;
        Some(interest.wanted())
    }

    /// What each peer that sends no more than it is asked for has confirmed; none where the node
    /// asks everybody for all of `replicate`.
    #[must_use]
    pub fn asked_of_peers(&self) -> Vec<AskedOf> {
        let interest = self.interest.as_ref();
        interest.map_or_else(Vec::new, |interest| interest.asked())
    }

    /// The node's state and its changes.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// State, members and degradation, and their changes.
    #[must_use]
    pub fn view(&self) -> watch::Receiver<Arc<View>> {
        self.view.clone()
    }

    /// Known nodes: this one first, the others by endpoint.
    #[must_use]
    pub fn members(&self) -> Vec<MemberSnapshot> {
        self.view.borrow().members.clone()
    }

    /// The members that are peers, this node included.
    #[must_use]
    pub fn peers(&self) -> Vec<MemberSnapshot> {
        let mut members = self.members();
        members.retain(|member| member.is_peer);
        members
    }

    /// The peers there are, each as an arrival, and then every change; this node excluded.
    #[must_use]
    pub fn peer_changes(&self) -> PeerChanges {
        let changes = match self.changes.upgrade() {
            Some(changes) => changes.subscribe(),
            // It has stopped: there will be no change.
            None => broadcast::channel(1).1,
        };
        PeerChanges::new(changes, self.view())
    }

    /// The last health report, made at every interval of the configuration; `None` before the
    /// first interval has passed.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<Option<HealthReport>> {
        self.health.clone()
    }

    /// How the writing of this node's own record goes.
    #[must_use]
    pub fn keepalives(&self) -> KeepaliveReading {
        self.measured.keepalives()
    }

    /// How far the clocks of the nodes in the table are from this one's, this node's own record
    /// included. Nothing depends on it.
    #[must_use]
    pub fn clock_skews(&self) -> Vec<ClockSkew> {
        self.measured.known_skews()
    }

    /// Waits until the node is stable, at most for the configured time from this call on.
    /// Cancel-safe; may be called again.
    ///
    /// # Errors
    /// When the time is over, another node has this one's name or endpoint, or the orchestrator
    /// stops first.
    pub async fn stabilised(&self) -> Result<(), StabiliseError> {
        let mut state = self.state();
        let mut refusal = self.refusal.clone();
        let stable = async {
            tokio::select! {
                biased;
                Ok(refusal) = refusal.wait_for(Option::is_some) => match &*refusal {
                    Some(refusal) => Err(StabiliseError::Refused(refusal.clone())),
                    None => Err(StabiliseError::Stopped),
                },
                reached = state.wait_for(|state| *state == State::Stable) => {
                    reached.map(drop).map_err(|_| StabiliseError::Stopped)
                }
            }
        };
        match self.stabilise_timeout {
            None => stable.await,
            Some(limit) => within(&*self.clock, limit, stable)
                .await
                .unwrap_or(Err(StabiliseError::StabiliseTimeout)),
        }
    }

    /// Removes this node from the table, says good-bye to the peers and ends every task; takes at
    /// most a few seconds. May be called again. Dropped midway, the tasks that were not ended yet
    /// go on until the orchestrator is dropped.
    pub async fn stop(&self) {
        end(&self.beating, &*self.clock).await;
        // Without a beat of ours the record there is another node's.
        if self.announced.load(Ordering::Relaxed) {
            self.leave().await;
        }
        end(&self.links, &*self.clock).await;
    }

    async fn leave(&self) {
        match within(&*self.clock, STOP_STEP_MAX, self.membership.leave()).await {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::warn!(%error, "could not leave the table of nodes"),
            None => tracing::warn!("could not leave the table of nodes in time"),
        }
    }
}

impl Drop for Orchestrator {
    fn drop(&mut self) {
        self.beating.0.cancel();
        self.links.0.cancel();
    }
}

async fn end((cancel, tasks): &(CancellationToken, TaskTracker), clock: &dyn Clock) {
    cancel.cancel();
    tasks.close();
    if within(clock, STOP_STEP_MAX, tasks.wait()).await.is_none() {
        tracing::warn!(left = tasks.len(), "tasks did not end in time");
    }
}

/// Differs between nodes and between starts, and comes from what was passed in only.
fn seed(config: &OrchestratorConfig, clock: &dyn Clock) -> u64 {
    const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const FNV_PRIME: u64 = 0x0100_0000_01b3;
    let start = FNV_OFFSET ^ clock.wall_ms().unsigned_abs();
    config.endpoint.bytes().fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
    })
}
