//! The task that owns the roster.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use happn_core::{Beat, ConnectError, Membership, MembershipError, SessionEvent, SessionEvents};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::bounded::within;
use super::changes::PeerChange;
use super::link::{Dialer, LinkHandle, LinkNews};
use super::{View, log};
use crate::config::OrchestratorConfig;
use crate::roster::{Effect, HealthReport, Input, Refusal, Roster, State};

/// The longest the removal of one record may take.
const SWEEP_MAX: Duration = Duration::from_secs(5);

/// What other tasks tell.
pub(super) enum Message {
    /// The own record was written, or why not.
    Beat(Option<String>),
    /// The table was read, or why not.
    Table(Result<Vec<Beat>, MembershipError>),
    /// Another node is there already: this one must not start.
    Refused(Refusal),
    /// Something happened on a link.
    Link {
        endpoint: String,
        id: u64,
        news: LinkNews,
    },
}

/// Puts what happens into the roster and does what comes out.
pub(super) struct Run {
    config: Arc<OrchestratorConfig>,
    roster: Roster,
    dialer: Dialer,
    links: BTreeMap<String, LinkHandle>,
    links_started: u64,
    refresh: Arc<Notify>,
    beat_problem: Option<String>,
    read_problem: Option<String>,
    membership: Arc<dyn Membership>,
    sessions: Arc<dyn SessionEvents>,
    shown: Shown,
    /// Of the input that is being handled.
    untold: Vec<PeerChange>,
}

/// What the outside sees.
pub(super) struct Shown {
    pub(super) view: watch::Sender<Arc<View>>,
    pub(super) state: watch::Sender<State>,
    pub(super) refusal: watch::Sender<Option<Refusal>>,
    pub(super) health: watch::Sender<Option<HealthReport>>,
    pub(super) changes: broadcast::Sender<PeerChange>,
}

impl Run {
    pub(super) fn new(
        config: Arc<OrchestratorConfig>,
        roster: Roster,
        dialer: Dialer,
        refresh: Arc<Notify>,
        membership: Arc<dyn Membership>,
        sessions: Arc<dyn SessionEvents>,
        shown: Shown,
    ) -> Self {
        Self {
            config,
            roster,
            dialer,
            links: BTreeMap::new(),
            links_started: 0,
            refresh,
            beat_problem: None,
            read_problem: None,
            membership,
            sessions,
            shown,
            untold: Vec::new(),
        }
    }

    pub(super) async fn until_cancelled(
        self,
        messages: mpsc::Receiver<Message>,
        cancel: CancellationToken,
    ) {
        cancel.run_until_cancelled_owned(self.run(messages)).await;
    }

    async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let sessions = Arc::clone(&self.sessions);
        // Watched first, so that nobody who comes in between is missed.
        let mut arrivals = Some(sessions.watch());
        self.put(Input::Sessions(sessions.peers()));
        loop {
            let now = self.now();
            let pause = self.roster.next_wake(now).saturating_sub(now);
            let clock = Arc::clone(&self.dialer.clock);
            tokio::select! {
                message = messages.recv() => match message {
                    Some(message) => self.take(message),
                    None => return,
                },
                event = next_arrival(&mut arrivals) => match event {
                    Ok(event) => self.session_changed(event),
                    Err(RecvError::Lagged(_)) => self.put(Input::Sessions(sessions.peers())),
                    Err(RecvError::Closed) => arrivals = None,
                },
                () = clock.sleep(pause) => self.put(Input::Tick),
            }
        }
    }

    fn now(&self) -> Duration {
        self.dialer.clock.monotonic()
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Beat(problem) => {
                self.beat_problem = problem;
                self.show();
            }
            Message::Table(Ok(beats)) => {
                self.read_problem = None;
                self.put(Input::Beats(beats));
            }
            Message::Table(Err(error)) => {
                self.read_problem = Some(error.to_string());
                self.show();
            }
            Message::Refused(refusal) => self.refuse(refusal),
            Message::Link { endpoint, id, news } => self.link_changed(endpoint, id, news),
        }
    }

    fn session_changed(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::Authenticated {
                session_id,
                cluster: Some(info),
            } => self.put(Input::PeerArrived { session_id, info }),
            SessionEvent::Subscribed { session_id } => {
                self.put(Input::PeerSubscribed { session_id });
            }
            SessionEvent::Detached { session_id } => self.put(Input::SessionEnded { session_id }),
            SessionEvent::Attached { .. } | SessionEvent::Authenticated { .. } => {}
        }
    }

    fn link_changed(&mut self, endpoint: String, id: u64, news: LinkNews) {
        if self.links.get(&endpoint).is_none_or(|link| link.id != id) {
            return;
        }
        if !matches!(news, LinkNews::Connected(..) | LinkNews::Subscribed) {
            self.links.remove(&endpoint);
        }
        let input = match news {
            LinkNews::Connected(name, instance) => Input::Connected {
                endpoint,
                name,
                instance,
            },
            LinkNews::ConnectFailed(error) => Input::ConnectFailed { endpoint, error },
            LinkNews::Subscribed => Input::Subscribed { endpoint },
            LinkNews::Lost(error) => {
                log::lost(&endpoint, &error);
                Input::LinkLost { endpoint }
            }
            LinkNews::Died(reason) => {
                log::died(&endpoint, &reason);
                let lost = Input::LinkLost {
                    endpoint: endpoint.clone(),
                };
                // One of the two fits.
                self.put(lost);
                let error = ConnectError::Unreachable {
                    endpoint: endpoint.clone(),
                    reason,
                };
                Input::ConnectFailed { endpoint, error }
            }
        };
        self.put(input);
    }

    fn put(&mut self, input: Input) {
        let now = self.now();
        for effect in self.roster.handle(now, input) {
            self.perform(effect);
        }
        self.show();
        // After the view: whoever begins to listen in between finds the change there.
        for change in self.untold.drain(..) {
            // Nobody needs to listen.
            let _ = self.shown.changes.send(change);
        }
    }

    fn perform(&mut self, effect: Effect) {
        log::effect(&self.config, &self.roster, &*self.dialer.clock, &effect);
        match effect {
            Effect::Dial { endpoint } => {
                self.links_started += 1;
                let link = self.dialer.dial(endpoint.clone(), self.links_started);
                self.links.insert(endpoint, link);
            }
            Effect::Subscribe { endpoint } => {
                if let Some(link) = self.links.get(&endpoint) {
                    link.subscribe.notify_one();
                }
            }
            Effect::Drop { endpoint, .. } => {
                if let Some(link) = self.links.remove(&endpoint) {
                    link.cancel.cancel();
                }
            }
            Effect::Forgotten { endpoint, name } => {
                self.dialer.forget(&endpoint, name.as_deref());
            }
            Effect::Refuse(refusal) => self.refuse(refusal),
            Effect::Sweep(beat) => self.sweep(&beat),
            Effect::Stranger { session_id } => self.sessions.refuse(&session_id),
            Effect::RefreshMembers => self.refresh.notify_one(),
            Effect::PeerAdded { endpoint, name } => {
                self.untold.push(PeerChange::Added { name, endpoint });
            }
            Effect::PeerRemoved { endpoint, name } => {
                self.untold.push(PeerChange::Removed { name, endpoint });
            }
            Effect::Report { report, .. } => {
                self.shown.health.send_replace(Some(report));
            }
            Effect::StateChanged { .. } | Effect::Unreachable { .. } => {}
        }
    }

    /// Whoever waits for this node to be stable learns why it must not be.
    fn refuse(&self, refusal: Refusal) {
        self.shown.refusal.send_replace(Some(refusal));
    }

    fn sweep(&self, beat: &Beat) {
        let sweeping = self.membership.sweep(beat);
        let (clock, limit) = (Arc::clone(&self.dialer.clock), SWEEP_MAX);
        self.dialer.tasks.spawn(async move {
            // What does not succeed now is tried again after the next read.
            within(&*clock, limit, sweeping).await;
        });
    }

    /// Shows the outside what changed.
    fn show(&self) {
        let view = View {
            state: self.roster.state(),
            members: self.roster.members(self.now()),
            degraded: self.beat_problem.clone().or(self.read_problem.clone()),
        };
        let state = view.state;
        self.shown.view.send_if_modified(|shown| {
            let changed = **shown != view;
            if changed {
                *shown = Arc::new(view);
            }
            changed
        });
        // After the view, so that whoever waits for the state finds its members there.
        self.shown
            .state
            .send_if_modified(|shown| std::mem::replace(shown, state) != state);
    }
}

/// Without a channel there are no more arrivals.
async fn next_arrival(
    arrivals: &mut Option<broadcast::Receiver<SessionEvent>>,
) -> Result<SessionEvent, RecvError> {
    match arrivals {
        Some(arrivals) => arrivals.recv().await,
        None => std::future::pending().await,
    }
}
