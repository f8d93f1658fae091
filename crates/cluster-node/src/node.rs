//! A whole node: the order in which its parts start and stop.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cluster_admin::AdminServer;
use cluster_orchestrator::Orchestrator;
use cluster_proxy::Proxy;
use cluster_replicator::{Replicator, SecurityReplication};
use happn_client::{Client, ClientConfig, ClientError};
use happn_core::{
    Clock, Ending, NoDirectory, NodeBuilder, NodeConfig, SecurityChanges, SystemClock,
};
use happn_security::audit::Actor;
use happn_security::authority::SecurityAuthority;
use happn_security::directory::{Directory, Password};
use happn_server::Server;
use tokio::time::Instant;
use uuid::Uuid;

use crate::address::{announced_endpoint, node_name};
use crate::admin::{self, Health};
use crate::assembly::{self, Ways};
use crate::config::Settings;
use crate::front_door::FrontDoor;
use crate::health_lines;
use crate::parts::{Identity, Parts};
use crate::security::{self, Security};
use crate::start_error::StartError;
use crate::stores;

/// How long [`Node::start`] lets the parts of a node that failed to start take to stop.
const FAILED_START_GRACE: Duration = Duration::from_secs(5);

/// What the stores get to finish writing even when everything before took the whole deadline: a
/// write that was answered must be in the file.
const STORE_GRACE: Duration = Duration::from_secs(5);

/// A running node.
///
/// It starts in two steps, because the second may take for ever: [`Node::bind`] makes a node that
/// peers can reach, [`Node::ready`] waits for the cluster and opens the proxy for clients.
/// [`Node::start`] does both. A node must be stopped with [`Node::stop`]; merely dropping it lets
/// its tasks die with the runtime, and the others notice only by the lost connection.
pub struct Node {
    parts: Arc<Parts>,
    server: Server,
    admin: Option<AdminServer>,
    /// Absent on an open node.
    security: Option<Security>,
}

impl Node {
    /// Starts a node and waits until it is stable and, unless deferred, open for clients.
    ///
    /// Dropping the future leaves the parts to die with the runtime, without leaving the cluster;
    /// who wants to interrupt a start uses [`Node::bind`] and [`Node::ready`].
    ///
    /// # Errors
    /// Whatever cannot be started; everything is stopped again then.
    pub async fn start(settings: &Settings) -> Result<Self, StartError> {
        let node = Self::bind(settings).await?;
        match node.ready().await {
            Ok(_) => Ok(node),
            Err(error) => {
                node.stop(FAILED_START_GRACE).await;
                Err(error)
            }
        }
    }

    /// Starts everything but the proxy: store, core, server, orchestrator and replicator.
    ///
    /// # Errors
    /// Whatever cannot be started; nothing is left running then.
    pub async fn bind(settings: &Settings) -> Result<Self, StartError> {
        Self::bind_with(settings, |core| core).await
    }

    /// As [`Node::bind`], with a core that `change` has changed: to put layers between clients and
    /// the node, or an authority of one's own.
    ///
    /// # Errors
    /// As [`Node::bind`].
    pub async fn bind_with(
        settings: &Settings,
        change: impl FnOnce(NodeBuilder) -> NodeBuilder,
    ) -> Result<Self, StartError> {
        let ways = Ways::prepare(settings)?;
        let clock: Arc<dyn Clock> =
            Arc::new(SystemClock::new().ahead_by(settings.debug.clock_ahead));
        let data = stores::open_all(&settings.services.data).await?;
        let name = node_name(settings, &Uuid::new_v4().simple().to_string()[..8]);
        let security = match security::start(settings, &data, &clock, &name).await {
            Ok(security) => security,
            Err(error) => {
                data.close().await;
                return Err(error);
            }
        };
        let made_up = security.as_ref().and_then(|it| it.made_up.clone());
        let config = NodeConfig {
            instance: instance(&*clock),
            ..assembly::core(settings, name)
        };
        let core = happn_core::Node::builder(config).data(data);
        let core = match &security {
            Some(security) => core.authority(security.authority.clone()),
            None => core,
        };
        let core = change(core.clock(clock.clone())).build();
        let bound = Self::bind_core(settings, core, ways, security).await;
        // Whoever starts the node next must know it.
        bound.map_err(|error| error.with_password(made_up))
    }

    /// Starts what is around the core.
    async fn bind_core(
        settings: &Settings,
        core: Arc<happn_core::Node>,
        ways: Ways,
        security: Option<Security>,
    ) -> Result<Self, StartError> {
        let clock = core.clock().clone();
        let server = match assembly::server(settings, &ways, core.clone()).await {
            Ok(server) => server,
            Err(error) => {
                core.data().close().await;
                return Err(error);
            }
        };
        let endpoint = announced_endpoint(settings, server.address().port());
        let replicator = Arc::new(Replicator::new(core.clone(), core.name().to_owned()));
        let dialer = match &security {
            Some(security) => ways.dialer.with_credentials(security.peers.clone()),
            None => ways.dialer,
        };
        let orchestrator = assembly::orchestrator(
            settings,
            &endpoint,
            &core,
            replicator.clone(),
            dialer.clone(),
            &clock,
        );
        let orchestrator = match orchestrator {
            Ok(orchestrator) => orchestrator,
            Err(error) => {
                server.stop(Ending::Reconnect, FAILED_START_GRACE).await;
                core.data().close().await;
                return Err(error);
            }
        };
        let changes: Arc<dyn SecurityChanges> = match &security {
            Some(security) => security.authority.clone(),
            None => Arc::new(NoDirectory),
        };
        let changes = assembly::security_replication(settings, &replicator, changes, &clock);
        let changes = Arc::new(changes);
        if let Some(security) = &security {
            security.begin(changes.clone(), clock);
        }
        tracing::info!(name = core.name(), %endpoint, listening = %server.address(), "node started");
        let door = (
            FrontDoor::new(ways.door, &server),
            settings.services.proxy.defer,
        );
        let identity = identity(settings, endpoint);
        let messages = (replicator, changes);
        let parts = Parts::new(core, orchestrator, messages, door, dialer, identity);
        let node = Self::show(settings, server, Arc::new(parts), security).await?;
        match node.provision(settings).await {
            Ok(()) => Ok(node),
            Err(error) => {
                node.stop(FAILED_START_GRACE).await;
                Err(error)
            }
        }
    }

    /// Makes sure of the groups, users and tables in the configured file.
    async fn provision(&self, settings: &Settings) -> Result<(), StartError> {
        let (Some(security), Some(file)) = (&self.security, &settings.provision) else {
            return Ok(());
        };
        let actor = Actor::new("(node)", &file.display().to_string());
        for change in security::provision(file, &security.directory.acting_as(actor)).await? {
            tracing::info!(%change, "provisioned");
        }
        Ok(())
    }

    /// The last step of starting: health reports, and the admin listener.
    async fn show(
        settings: &Settings,
        server: Server,
        parts: Arc<Parts>,
        security: Option<Security>,
    ) -> Result<Self, StartError> {
        tokio::spawn(health_lines::write(
            settings.services.orchestrator.health_report,
            parts.orchestrator.health(),
            parts.core.clock().clone(),
        ));
        let authority = security.as_ref().map(|it| it.authority.clone());
        let opened = admin::open(settings, &parts, authority).await;
        let (admin, error) = match opened {
            Ok(admin) => (admin, None),
            Err(error) => (None, Some(error)),
        };
        let node = Self {
            parts,
            server,
            admin,
            security,
        };
        match error {
            None => Ok(node),
            Some(error) => {
                node.stop(FAILED_START_GRACE).await;
                Err(error)
            }
        }
    }

    /// Waits until the cluster is stable, then opens the proxy unless that is deferred. Answers
    /// where clients connect; `None` when deferred. Cancel-safe.
    ///
    /// # Errors
    /// When the cluster is not stable in time or the proxy cannot listen. The node is still
    /// running then and must be stopped.
    pub async fn ready(&self) -> Result<Option<SocketAddr>, StartError> {
        self.parts.orchestrator.stabilised().await?;
        if self.parts.deferred {
            return Ok(None);
        }
        let address = self
            .parts
            .door
            .open(self.parts.orchestrator.state())
            .await?;
        tracing::info!(%address, "clients may connect");
        Ok(Some(address))
    }

    /// Reads keys, certificates and authorities again, for connections that begin from now on: of
    /// the inner server, of the proxy, of the admin listener, and of what the node dials.
    ///
    /// # Errors
    /// What is of no use stays as it was; all complaints, joined.
    pub fn reload_certificates(&self) -> Result<(), ReloadError> {
        let outcomes = [
            self.server.reload_certificate(),
            self.parts.dialer.reload_certificates(),
            self.admin
                .as_ref()
                .map_or(Ok(()), AdminServer::reload_certificate),
        ];
        let outcomes = outcomes
            .into_iter()
            .chain(self.parts.door.reload_certificates());
        let failed: Vec<_> = outcomes.filter_map(Result::err).collect();
        match failed.is_empty() {
            true => Ok(()),
            false => Err(ReloadError(failed)),
        }
    }

    /// Stops in order, so that nobody is surprised: not ready; no new clients; end the sessions of
    /// clients, in the way that makes them reconnect elsewhere; tell the others what changed in
    /// users and groups; leave the cluster; let go of the other nodes; close the stores.
    ///
    /// Takes at most `deadline` and a few seconds more for the stores. Dropping the future midway
    /// skips the steps that are left.
    pub async fn stop(self, deadline: Duration) {
        let until = Instant::now() + deadline;
        let parts = &self.parts;
        parts.begin_to_stop();
        if let Some(security) = &self.security {
            security.end();
        }
        within(until, "proxy", parts.door.close(deadline / 2)).await;
        // Clients that do not go must leave time for what follows.
        self.server.drain(&Ending::Reconnect, deadline / 2).await;
        within(until, "security changes", parts.security.stop()).await;
        within(until, "orchestrator", parts.orchestrator.stop()).await;
        parts.core.stop();
        let left = until.saturating_duration_since(Instant::now());
        self.server.stop(Ending::Reconnect, left).await;
        let until = Instant::now() + STORE_GRACE;
        if let Some(security) = &self.security {
            within(until, "session activity", security.finish()).await;
        }
        within(until, "data", parts.core.data().close()).await;
        if let Some(admin) = &self.admin {
            within(until, "admin listener", admin.stop()).await;
        }
        tracing::info!(name = self.name(), "node stopped");
    }

    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.parts.core.name()
    }

    /// `host:port` at which peers reach this node.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.parts.identity.endpoint
    }

    /// Where the inner server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where health, metrics and administration are; `None` when that is switched off.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(AdminServer::address)
    }

    /// Whether that speaks https.
    #[must_use]
    pub fn admin_is_encrypted(&self) -> bool {
        self.admin.as_ref().is_some_and(AdminServer::is_encrypted)
    }

    /// How the node and its cluster are now: what the admin listener shows as JSON.
    pub async fn health(&self) -> Health {
        Health::of(&self.parts).await
    }

    /// The inner server, to mount HTTP routes beside the node; they are reached through the proxy
    /// too.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The front door: closed until the node is ready, and with `defer` until told.
    #[must_use]
    pub fn proxy(&self) -> &Proxy {
        self.parts.door.proxy()
    }

    /// Who is in the cluster.
    #[must_use]
    pub fn orchestrator(&self) -> &Orchestrator {
        &self.parts.orchestrator
    }

    /// What crosses the cluster: events of other nodes, and messages between nodes.
    #[must_use]
    pub fn replicator(&self) -> &Arc<Replicator> {
        &self.parts.replicator
    }

    /// Takes changes of users and groups that were made here, to tell the other nodes.
    #[must_use]
    pub fn security_changes(&self) -> &Arc<SecurityReplication> {
        &self.parts.security
    }

    /// Users, groups, rules and tokens; `None` on an open node.
    #[must_use]
    pub fn directory(&self) -> Option<&Directory> {
        self.security.as_ref().map(|security| &security.directory)
    }

    /// Logins and sessions: who is there, and what each did last; `None` on an open node.
    #[must_use]
    pub fn authority(&self) -> Option<&Arc<SecurityAuthority>> {
        self.security.as_ref().map(|security| &security.authority)
    }

    /// The password with which this node has just made the admin user, when nobody had configured
    /// one: to be shown once, to whoever started the node, and never to be logged.
    #[must_use]
    pub fn made_up_password(&self) -> Option<&Password> {
        self.security.as_ref()?.made_up.as_ref()
    }

    /// A client of this node that needs no socket, with the defaults of
    /// [`ClientConfig`]; [`Client::local`] takes others. It hears the events of all nodes, and ends
    /// when the node stops.
    ///
    /// # Errors
    /// When the login fails: on a secure node, because it has no credentials.
    pub async fn local_client(&self) -> Result<Client, ClientError> {
        Client::local(self.core().clone(), ClientConfig::default()).await
    }

    /// Sessions, subscriptions and data.
    #[must_use]
    pub fn core(&self) -> &Arc<happn_core::Node> {
        &self.parts.core
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("name", &self.name())
            .field("endpoint", &self.endpoint())
            .finish_non_exhaustive()
    }
}

fn identity(settings: &Settings, endpoint: String) -> Identity {
    let section = &settings.services.orchestrator;
    Identity {
        endpoint,
        cluster_name: section.cluster_name.clone(),
        deployment: section.deployment.clone(),
        service: section.service_name.clone(),
    }
}

/// Differs with every start, and says which of two processes started earlier.
fn instance(clock: &dyn Clock) -> String {
    format!("{:013x}-{}", clock.wall_ms(), Uuid::new_v4().simple())
}

/// Keys or certificates that could not be read again; those in use stay in use.
#[derive(Debug)]
pub struct ReloadError(Vec<happn_tls::TlsError>);

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        // The node shows the same certificate on both sides.
        told.dedup();
        f.write_str(&told.join("; "))
    }
}

impl std::error::Error for ReloadError {}

/// Gives one step of stopping until `until`; the next step runs in any case.
async fn within(until: Instant, step: &str, work: impl Future<Output = ()>) {
    if tokio::time::timeout_at(until, work).await.is_err() {
        tracing::warn!(step, "not stopped within the deadline, going on");
    }
}
