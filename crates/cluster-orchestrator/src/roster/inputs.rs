//! What each input changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use happn_core::{Beat, ClusterInfo, ConnectError, PeerSession};

use super::Roster;
use super::backoff;
use super::interface::{DropReason, Effect, Refusal};
use super::member::{Link, Member, Presence};

/// Remnants removed after one read; the others follow after the next.
const SWEPT_MAX: usize = 16;

impl Roster {
    pub(super) fn see_beats(&mut self, now: Duration, beats: Vec<Beat>, effects: &mut Vec<Effect>) {
        let mut seen = self.relevant(beats);
        if let Some(own) = seen.remove(&self.config.endpoint) {
            self.see_own_beat(&own, effects);
        }
        for (endpoint, member) in &mut self.members {
            if !seen.contains_key(endpoint) {
                member.record_vanished();
            }
        }
        let threshold = self.config.timing.keep_alive_threshold;
        let beats = seen.clone();
        for (endpoint, beat) in seen {
            match self.members.get_mut(&endpoint) {
                Some(member) => member.record_seen(now, beat, threshold),
                None => {
                    let member = Member::first_seen(now, beat, threshold);
                    self.members.insert(endpoint, member);
                }
            }
        }
        self.drop_superseded(now, effects);
        self.sweep(now, &beats, effects);
        self.forget_the_gone(effects);
        self.find_strangers(now, effects);
    }

    /// Sessions that say they are nodes of this cluster and have not been in its table for a
    /// threshold.
    fn find_strangers(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let earlier = now.checked_sub(self.config.timing.keep_alive_threshold);
        let (Some(earlier), members) = (earlier, &self.members) else {
            return;
        };
        let is_known = |endpoint: Option<&str>, name: Option<&str>| match endpoint {
            Some(endpoint) => members.contains_key(endpoint),
            None => name.is_some() && members.values().any(|member| member.name() == name),
        };
        let strangers = self.inbound.strangers(earlier, is_known).into_iter();
        effects.extend(strangers.map(|session_id| Effect::Stranger { session_id }));
    }

    /// One beat per endpoint of a node that we want to be connected to, and our own.
    fn relevant(&self, beats: Vec<Beat>) -> BTreeMap<String, Beat> {
        let mut relevant: BTreeMap<String, Beat> = BTreeMap::new();
        for beat in beats {
            let ours = beat.cluster.as_ref();
            let same_cluster = ours.is_none_or(|name| *name == self.config.cluster_name);
            if !same_cluster || !self.config.cluster.contains_key(&beat.service) {
                continue;
            }
            // A node that changed its service leaves its old record behind. Both marks come from
            // that node's clock, so that they may be compared.
            let newest = relevant.get(&beat.endpoint);
            if newest.is_none_or(|known| known.mark < beat.mark) {
                relevant.insert(beat.endpoint.clone(), beat);
            }
        }
        relevant
    }

    /// A node that restarted under another address may be reachable under the old one too; with
    /// two links to it every event would arrive twice.
    fn drop_superseded(&mut self, now: Duration, effects: &mut Vec<Effect>) {
        let alive: BTreeSet<String> = self
            .members
            .values()
            .filter(|member| member.has_fresh_record())
            .filter_map(|member| member.peer_name().map(str::to_owned))
            .collect();
        let superseded: Vec<String> = self
            .members
            .iter()
            .filter(|(_, member)| !member.has_fresh_record())
            .filter(|(_, member)| member.peer_name().is_some_and(|name| alive.contains(name)))
            .map(|(endpoint, _)| endpoint.clone())
            .collect();
        for endpoint in superseded {
            self.link_down(now, &endpoint, effects);
            let reason = DropReason::Superseded;
            effects.push(Effect::Drop { endpoint, reason });
        }
    }

    pub(super) fn connected(
        &mut self,
        now: Duration,
        endpoint: String,
        name: String,
        instance: Option<&str>,
        effects: &mut Vec<Effect>,
    ) {
        let is_duplicate =
            name == self.config.name && instance != Some(self.config.instance.as_str());
        let gives_way = is_duplicate && self.gives_way(instance);
        let threshold = self.config.timing.keep_alive_threshold;
        let Some(member) = self.members.get_mut(&endpoint) else {
            return;
        };
        if member.link != Link::Dialing {
            return;
        }
        if name == self.config.name {
            // Ourselves under another address, or a second node with our name: peers could not
            // tell the two apart, and our own events would come back.
            if gives_way {
                effects.push(Effect::Refuse(Refusal::DuplicateName {
                    name,
                    endpoint: endpoint.clone(),
                }));
            }
            member.refuse(now + backoff::UNWANTED, now);
            let reason = DropReason::OwnName;
            if member.failures == 1 {
                effects.push(Effect::Unreachable {
                    endpoint: endpoint.clone(),
                    reason: reason.to_string(),
                });
            }
            effects.push(Effect::Drop { endpoint, reason });
            return;
        }
        member.connected(now, name, threshold);
        effects.push(Effect::Subscribe { endpoint });
    }

    pub(super) fn subscribed(
        &mut self,
        now: Duration,
        endpoint: String,
        effects: &mut Vec<Effect>,
    ) {
        let answer_by = now + self.answer_grace();
        let Some(member) = self.members.get_mut(&endpoint) else {
            return;
        };
        if let Some(name) = member.subscribed(now, answer_by) {
            effects.push(Effect::PeerAdded { endpoint, name });
        }
    }

    pub(super) fn connect_failed(
        &mut self,
        now: Duration,
        endpoint: String,
        error: &ConnectError,
        effects: &mut Vec<Effect>,
    ) {
        let Some(member) = self.members.get_mut(&endpoint) else {
            return;
        };
        if member.link != Link::Dialing {
            return;
        }
        let pause = match error {
            ConnectError::Unreachable { .. } => self.backoff.pause(member.failures),
            ConnectError::NotHappn { .. } | ConnectError::Refused { .. } => backoff::UNWANTED,
        };
        member.refuse(now + pause, now);
        if member.failures == 1 {
            let reason = error.to_string();
            effects.push(Effect::Unreachable { endpoint, reason });
        }
        self.forget_the_gone(effects);
    }

    pub(super) fn link_lost(&mut self, now: Duration, endpoint: &str, effects: &mut Vec<Effect>) {
        self.link_down(now, endpoint, effects);
        if self.members.contains_key(endpoint) {
            // A node that stopped has taken its record along; then there is nobody to wait for.
            effects.push(Effect::RefreshMembers);
        }
        self.forget_the_gone(effects);
    }

    fn link_down(&mut self, now: Duration, endpoint: &str, effects: &mut Vec<Effect>) {
        let Some(member) = self.members.get_mut(endpoint) else {
            return;
        };
        if !member.is_linked() {
            return;
        }
        let failures = member.failures_after_loss(now);
        let redial_at = now + self.backoff.pause(failures.saturating_sub(1));
        let threshold = self.config.timing.keep_alive_threshold;
        if let Some(name) = member.lost(redial_at, failures, now + threshold) {
            let endpoint = endpoint.to_owned();
            effects.push(Effect::PeerRemoved { endpoint, name });
        }
    }

    pub(super) fn peer_arrived(
        &mut self,
        now: Duration,
        session_id: Arc<str>,
        info: ClusterInfo,
        effects: &mut Vec<Effect>,
    ) {
        let service = info.service_name.as_ref();
        let relevant = service.is_some_and(|service| self.config.cluster.contains_key(service))
            && info.endpoint.as_ref() != Some(&self.config.endpoint);
        let ours = info.cluster_name == self.config.cluster_name;
        let endpoint = info.endpoint.clone();
        if !relevant
            || !self
                .inbound
                .insert(session_id, info.endpoint, info.name, ours, now)
        {
            return;
        }
        if !ours {
            return self.drop_if_foreign(now, endpoint.as_deref(), effects);
        }
        let member = endpoint.and_then(|endpoint| self.members.get_mut(&endpoint));
        match member {
            Some(member) if member.has_fresh_record() => member.dial_soon(now),
            // Not in the table as we know it, and a login proves nothing: look again.
            _ if !effects.contains(&Effect::RefreshMembers) => effects.push(Effect::RefreshMembers),
            _ => {}
        }
    }

    pub(super) fn replace_sessions(
        &mut self,
        now: Duration,
        sessions: Vec<PeerSession>,
        effects: &mut Vec<Effect>,
    ) {
        self.inbound.clear();
        for session in sessions {
            let session_id = Arc::clone(&session.session_id);
            self.peer_arrived(now, session.session_id, session.info, effects);
            if session.is_subscribed {
                self.inbound.subscribed(&session_id);
            }
        }
    }

    /// Does `change` to the sessions here. Peers that heard us before it and do not after it are
    /// waited for again.
    pub(super) fn with_ears_on(&mut self, now: Duration, change: impl FnOnce(&mut Self)) {
        let heard = self.hearing();
        change(self);
        let answer_by = now + self.answer_grace();
        let hearing = self.hearing();
        for endpoint in heard.difference(&hearing) {
            if let Some(member) = self.members.get_mut(endpoint) {
                member.went_deaf(answer_by);
            }
        }
    }

    fn hearing(&self) -> BTreeSet<String> {
        let hears = |(endpoint, member): &(&String, &Member)| {
            self.inbound.presence(endpoint, member.name()) == Presence::Subscribed
        };
        let members = self.members.iter().filter(hears);
        members.map(|(endpoint, _)| endpoint.clone()).collect()
    }

    /// How long a peer may take to subscribe here. Nodes of the reference do it in their next
    /// pass over the table.
    fn answer_grace(&self) -> Duration {
        self.config.timing.keep_alive_threshold + self.config.timing.member_refresh
    }

    fn forget_the_gone(&mut self, effects: &mut Vec<Effect>) {
        self.members.retain(|endpoint, member| {
            let is_gone = member.is_gone();
            if is_gone {
                effects.push(Effect::Forgotten {
                    endpoint: endpoint.clone(),
                    name: member.last_name.take(),
                });
            }
            !is_gone
        });
    }

    /// A node that turns out to belong to another cluster is no peer.
    fn drop_if_foreign(
        &mut self,
        now: Duration,
        endpoint: Option<&str>,
        effects: &mut Vec<Effect>,
    ) {
        let Some((endpoint, member)) =
            endpoint.and_then(|endpoint| self.members.get_key_value(endpoint))
        else {
            return;
        };
        if !member.is_linked() || !member.is_foreign(self.at(now, endpoint, member)) {
            return;
        }
        let endpoint = endpoint.clone();
        self.link_down(now, &endpoint, effects);
        let reason = DropReason::ForeignCluster;
        effects.push(Effect::Drop { endpoint, reason });
    }

    /// Has records removed that nobody has moved for a long while.
    fn sweep(&mut self, now: Duration, beats: &BTreeMap<String, Beat>, effects: &mut Vec<Effect>) {
        let remnants = self.members.iter().filter(|(_, it)| it.is_remnant(now));
        let swept = remnants.filter_map(|(endpoint, _)| beats.get(endpoint));
        effects.extend(swept.take(SWEPT_MAX).cloned().map(Effect::Sweep));
    }

    /// Another process beats in our own record, or answers at another address with our name. True
    /// when this one is to give way: it is still starting, and the other one started earlier.
    fn gives_way(&self, instance: Option<&str>) -> bool {
        !self.was_stable && instance.is_none_or(|other| other < self.config.instance.as_str())
    }

    fn see_own_beat(&mut self, beat: &Beat, effects: &mut Vec<Effect>) {
        if beat.instance.as_ref() == Some(&self.config.instance) {
            self.announced = true;
        }
        // Before our own first beat it is what an earlier process left behind.
        if !self.announced || beat.instance.as_ref() == Some(&self.config.instance) {
            return;
        }
        if self.gives_way(beat.instance.as_deref()) {
            effects.push(Effect::Refuse(Refusal::DuplicateEndpoint {
                endpoint: self.config.endpoint.clone(),
                holder: beat.name.clone().unwrap_or_else(|| "unknown".to_owned()),
            }));
        } else {
            let other = beat.name.as_deref().unwrap_or("another node");
            effects.push(Effect::Unreachable {
                endpoint: self.config.endpoint.clone(),
                reason: format!("{other} announces the endpoint of this node, too"),
            });
        }
    }
}
