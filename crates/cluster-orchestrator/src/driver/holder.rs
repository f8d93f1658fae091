//! Before the first beat: does another node hold this endpoint?

use std::sync::Arc;
use std::time::Duration;

use happn_core::{Clock, Membership, PeerConnector};

use super::bounded::within;
use super::link::login;
use crate::config::OrchestratorConfig;
use crate::roster::Refusal;

/// How long the table, and then whoever holds the endpoint, may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// Looks who answers at the own endpoint if the table has a record of another process there.
/// Usually that is what an earlier process left behind, and this node answers itself.
pub(super) struct HolderCheck {
    pub(super) config: Arc<OrchestratorConfig>,
    pub(super) connector: Arc<dyn PeerConnector>,
}

impl HolderCheck {
    pub(super) async fn run(
        &self,
        membership: &dyn Membership,
        clock: &dyn Clock,
    ) -> Option<Refusal> {
        let config = &self.config;
        let beats = within(clock, ANSWER_MAX, membership.beats()).await?.ok()?;
        let own = beats.iter().find(|beat| beat.endpoint == config.endpoint)?;
        if own.instance.as_ref() == Some(&config.instance) {
            return None;
        }
        let connecting = self
            .connector
            .connect(config.endpoint.clone(), login(config));
        let link = within(clock, ANSWER_MAX, connecting).await?.ok()?;
        let is_self = link.peer_instance() == Some(config.instance.as_str());
        let holder = link.peer_name().to_owned();
        within(clock, ANSWER_MAX, link.close(true)).await;
        self.connector.forget(&config.endpoint);
        (!is_self).then(|| Refusal::DuplicateEndpoint {
            endpoint: config.endpoint.clone(),
            holder,
        })
    }
}
