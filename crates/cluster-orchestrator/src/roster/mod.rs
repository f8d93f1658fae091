//! The decisions: who is a member, who is a peer, whom to dial, how stable the node is.

mod backoff;
mod inbound;
mod inputs;
mod interface;
mod member;
mod record;
mod report;
mod state;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::config::OrchestratorConfig;
use backoff::Backoff;
use inbound::Inbound;
use member::{Link, Member, Now};

pub use interface::{DropReason, Effect, Input, MemberSnapshot, Refusal};
pub use report::{HealthReport, ServiceHealth};
pub use state::{Counts, ServiceCounts, State};

/// The dials in progress beyond which no record is dialed that never moved; a table full of dead
/// records must not exhaust sockets, nor stand in the way of the living.
const REMNANT_DIALS_MAX: usize = 32;

/// The most dials in progress at once.
const DIALS_MAX: usize = 256;

/// Who is in the cluster, as this node sees it.
///
/// A pure state machine: inputs and the time go in, effects come out. It is driven like this:
///
/// - Every [`Effect`] is carried out, in order.
/// - Each [`Effect::Dial`] is answered by exactly one of [`Input::Connected`] or
///   [`Input::ConnectFailed`]; after `Connected` the link stays up until [`Input::LinkLost`] is
///   put in or [`Effect::Drop`] comes out.
/// - [`Input::Tick`] is put in at [`Roster::next_wake`] at the latest.
///
/// Inputs that do not fit the state of their endpoint are ignored.
///
/// Rules:
///
/// - **Alive** is a node whose record's mark *changed* within the threshold, by our own monotonic
///   clock. Marks are compared with each other only, so that clocks of nodes do not matter.
/// - A record seen for the first time is dialed at once but does not prove anything yet: it may
///   be years old.
/// - A live link keeps a peer whatever became of its record: the database may be out of order.
/// - Only endpoints from the table are dialed, never one that is only known from a login.
/// - Who logs in as a node of this cluster and is not in the table within a threshold is a stranger.
/// - Stable is ready: a peer that has not subscribed here holds the node back, because what is
///   published here would not reach it.
/// - No member holds the node back from [`State::Stable`] for longer than a threshold and a
///   refresh: the time a peer of the reference may take until it subscribes.
#[derive(Debug)]
pub struct Roster {
    config: Arc<OrchestratorConfig>,
    backoff: Backoff,
    members: BTreeMap<String, Member>,
    inbound: Inbound,
    /// The own record was seen in the table, so others can find this node.
    announced: bool,
    was_stable: bool,
    state: State,
    next_report: Duration,
    last_report: Option<(Vec<String>, State)>,
}

impl Roster {
    /// A roster that has seen nothing yet. `seed` spreads the redials of nodes that lost the same
    /// peer; equal seeds and inputs give equal effects.
    #[must_use]
    pub fn new(config: Arc<OrchestratorConfig>, seed: u64, now: Duration) -> Self {
        Self {
            backoff: Backoff::new(seed),
            members: BTreeMap::new(),
            inbound: Inbound::default(),
            announced: false,
            was_stable: false,
            state: State::Isolated,
            next_report: now + config.timing.health_report,
            last_report: None,
            config,
        }
    }

    /// Takes `input` at monotonic time `now`, which must not go back.
    pub fn handle(&mut self, now: Duration, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Beats(beats) => self.see_beats(now, beats, &mut effects),
            Input::Connected {
                endpoint,
                name,
                instance,
            } => self.connected(now, endpoint, name, instance.as_deref(), &mut effects),
            Input::Subscribed { endpoint } => self.subscribed(now, endpoint, &mut effects),
            Input::ConnectFailed { endpoint, error } => {
                self.connect_failed(now, endpoint, &error, &mut effects);
            }
            Input::LinkLost { endpoint } => self.link_lost(now, &endpoint, &mut effects),
            Input::PeerArrived { session_id, info } => {
                self.peer_arrived(now, session_id, info, &mut effects);
            }
            Input::PeerSubscribed { session_id } => self.inbound.subscribed(&session_id),
            Input::SessionEnded { session_id } => {
                self.with_ears_on(now, |roster| roster.inbound.remove(&session_id));
            }
            Input::Sessions(sessions) => {
                self.with_ears_on(now, |roster| {
                    roster.replace_sessions(now, sessions, &mut effects);
                });
            }
            Input::Tick => {}
        }
        self.dial_who_is_due(now, &mut effects);
        self.update_state(now, &mut effects);
        self.report_if_due(now, &mut effects);
        effects
    }

    /// The state of the node.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// What the state follows from.
    #[must_use]
    pub fn counts(&self, now: Duration) -> Counts {
        let mut counts = Counts::new(&self.config, self.announced);
        let mut names = BTreeSet::from([self.config.name.as_str()]);
        for (endpoint, member) in &self.members {
            let view = self.view(now, endpoint, member);
            let is_new_name = member.peer_name().is_some_and(|name| names.insert(name));
            counts.add(&member.service, &view, is_new_name);
        }
        counts
    }

    /// Everybody the node knows of, itself first, then by endpoint.
    #[must_use]
    pub fn members(&self, now: Duration) -> Vec<MemberSnapshot> {
        let listed = self.members.iter().filter_map(|(endpoint, member)| {
            let view = self.view(now, endpoint, member);
            view.listed
                .then(|| MemberSnapshot::of_member(endpoint, member, &view))
        });
        std::iter::once(MemberSnapshot::of_self(&self.config, self.announced))
            .chain(listed)
            .collect()
    }

    /// When the next [`Input::Tick`] is needed.
    #[must_use]
    pub fn next_wake(&self, now: Duration) -> Duration {
        let dialing = self.dialing();
        self.members
            .iter()
            .filter_map(|(endpoint, member)| {
                let at = self.at(now, endpoint, member);
                let may_dial = dialing < dials_max(member.shows_life(at));
                member.next_wake(at, may_dial)
            })
            .fold(self.next_report, Duration::min)
    }

    fn dial_who_is_due(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let mut due: Vec<(bool, String)> = Vec::new();
        for (endpoint, member) in &self.members {
            let at = self.at(now, endpoint, member);
            if member.is_due(at) {
                due.push((!member.shows_life(at), endpoint.clone()));
            }
        }
        due.sort();
        let mut dialing = self.dialing();
        for (is_remnant, endpoint) in due {
            if dialing >= dials_max(!is_remnant) {
                break;
            }
            if let Some(member) = self.members.get_mut(&endpoint) {
                member.dial(now);
                dialing += 1;
                effects.push(Effect::Dial { endpoint });
            }
        }
    }

    fn dialing(&self) -> usize {
        let links = self.members.values().map(|member| &member.link);
        links.filter(|link| **link == Link::Dialing).count()
    }

    fn update_state(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let to = State::of(&self.counts(now));
        if to != self.state {
            let from = std::mem::replace(&mut self.state, to);
            self.was_stable |= to == State::Stable;
            effects.push(Effect::StateChanged { from, to });
        }
    }

    fn report_if_due(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        if now < self.next_report {
            return;
        }
        self.next_report = now + self.config.timing.health_report;
        let report = self.health(now);
        let news = (report.unhealthy_members.clone(), report.status);
        let changed = self.last_report.as_ref() != Some(&news);
        self.last_report = Some(news);
        effects.push(Effect::Report { report, changed });
    }

    fn health(&self, now: Duration) -> HealthReport {
        HealthReport::new(
            &self.config,
            self.state,
            &self.members(now),
            &self.counts(now),
        )
    }

    fn view(&self, now: Duration, endpoint: &str, member: &Member) -> member::View {
        member.view(self.at(now, endpoint, member))
    }

    fn at(&self, now: Duration, endpoint: &str, member: &Member) -> Now {
        let presence = self.inbound.presence(endpoint, member.name());
        Now { now, presence }
    }
}

fn dials_max(shows_life: bool) -> usize {
    match shows_life {
        true => DIALS_MAX,
        false => REMNANT_DIALS_MAX,
    }
}
