//! One line per change, in the words of the reference where it has some.

use happn_core::{Clock, LinkError};
use tracing::{debug, error, info, warn};

use crate::config::OrchestratorConfig;
use crate::roster::{Effect, Roster, State};

/// Logs what is about to be done.
pub(super) fn effect(config: &OrchestratorConfig, roster: &Roster, clock: &dyn Clock, it: &Effect) {
    match it {
        Effect::Dial { endpoint } => debug!(%endpoint, "dialing"),
        Effect::Subscribe { endpoint } => debug!(%endpoint, "subscribing"),
        Effect::Drop { endpoint, reason } => debug!(%endpoint, %reason, "closing a link"),
        Effect::Sweep(beat) => {
            info!(endpoint = %beat.endpoint, "removing the record of a node that is long gone");
        }
        Effect::Refuse(refusal) => error!(%refusal, "this node must not start"),
        Effect::Stranger { session_id } => {
            warn!(session = %session_id, "whoever logged in as a node of this cluster is not in the table of nodes");
        }
        Effect::Forgotten { endpoint, .. } => debug!(%endpoint, "forgetting a node"),
        Effect::RefreshMembers => debug!("reading the table of nodes early"),
        Effect::Unreachable { endpoint, reason } => {
            warn!(%endpoint, reason, "a member cannot be a peer; trying on");
        }
        Effect::StateChanged { from, to } => {
            info!(%from, %to, "state changed");
            if *to == State::Stable {
                let (name, service) = (&config.name, &config.service_name);
                info!("Node {name} in service {service} stabilized");
            }
        }
        Effect::PeerAdded { endpoint, name } => {
            let size = size(roster, clock);
            info!(%endpoint, "cluster size {size} ({name} arrived)");
        }
        Effect::PeerRemoved { endpoint, name } => {
            let size = size(roster, clock);
            info!(%endpoint, "cluster size {size} ({name} left)");
        }
        // Whoever watches the reports decides what becomes of them.
        Effect::Report { .. } => {}
    }
}

/// Logs why a link ended.
pub(super) fn lost(endpoint: &str, error: &LinkError) {
    info!(%endpoint, %error, "a link ended");
}

/// Logs that the task of a link failed: a bug, but not a reason to stop.
pub(super) fn died(endpoint: &str, reason: &str) {
    error!(%endpoint, reason, "the task of a link failed");
}

fn size(roster: &Roster, clock: &dyn Clock) -> usize {
    let members = roster.members(clock.monotonic());
    members.iter().filter(|member| member.is_peer).count()
}
