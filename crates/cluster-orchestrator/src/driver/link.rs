//! One task per link: connect, subscribe, pass events on.

use std::sync::Arc;
use std::time::Duration;

use happn_core::{
    BoxFuture, Clock, ConnectError, Gap, LinkError, LinkLogin, PeerConnector, PeerEvents, PeerLink,
    PeerLogin,
};
use happn_protocol::Json;
use serde::Serialize;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bounded::within;
use super::interest::{Asking, Interest};
use super::run::Message;
use crate::config::OrchestratorConfig;

/// The longest a dial with its login may take, whatever the connector's own bound is.
const CONNECT_MAX: Duration = Duration::from_secs(20);

/// The longest a peer may take to confirm all subscriptions.
const SUBSCRIBE_MAX: Duration = Duration::from_secs(10);

/// The longest a good-bye may take.
const CLOSE_MAX: Duration = Duration::from_secs(1);

/// Starts links.
pub(super) struct Dialer {
    pub(super) config: Arc<OrchestratorConfig>,
    pub(super) connector: Arc<dyn PeerConnector>,
    pub(super) events: Arc<dyn PeerEvents>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) messages: mpsc::Sender<Message>,
    pub(super) interest: Option<Arc<Interest>>,
    pub(super) cancel: CancellationToken,
    pub(super) tasks: TaskTracker,
}

/// A link that was started.
pub(super) struct LinkHandle {
    /// Tells its messages from those of an earlier link to the same endpoint.
    pub(super) id: u64,
    pub(super) subscribe: Arc<Notify>,
    pub(super) cancel: CancellationToken,
}

/// What happened on a link.
pub(super) enum LinkNews {
    /// Name and instance of the peer.
    Connected(String, Option<String>),
    ConnectFailed(ConnectError),
    Subscribed,
    Lost(LinkError),
    /// The task itself failed, in whatever phase.
    Died(String),
}

/// The `info` block by which nodes recognise each other, with the members of the reference.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoginInfo<'a> {
    name: &'a str,
    cluster_name: &'a str,
    service_name: &'a str,
    endpoint: &'a str,
    #[serde(rename = "_browser")]
    browser: bool,
    #[serde(rename = "_local")]
    local: bool,
}

impl Dialer {
    /// The node at `endpoint` is gone: what it published after its link broke will never come.
    pub(super) fn forget(&self, endpoint: &str, name: Option<&str>) {
        if let Some(interest) = &self.interest {
            interest.forget(endpoint);
        }
        if let Some(gap) = self.connector.forget(endpoint) {
            let name = name.unwrap_or(endpoint);
            self.events.missed(name, gap);
        }
    }

    /// Dials `endpoint` in a task of its own, which answers with [`LinkNews`] under `id`.
    pub(super) fn dial(&self, endpoint: String, id: u64) -> LinkHandle {
        let cancel = self.cancel.child_token();
        let subscribe = Arc::new(Notify::new());
        let task = LinkTask {
            id,
            endpoint,
            config: Arc::clone(&self.config),
            connector: Arc::clone(&self.connector),
            events: Arc::clone(&self.events),
            clock: Arc::clone(&self.clock),
            messages: self.messages.clone(),
            interest: self.interest.clone(),
            subscribe: Arc::clone(&subscribe),
            cancel: cancel.clone(),
            all: self.cancel.clone(),
        };
        let messages = self.messages.clone();
        let (its_endpoint, running) = (task.endpoint.clone(), tokio::spawn(task.run()));
        self.tasks.spawn(async move {
            // A panic in a connector must not leave the member waiting for its answer for ever.
            if let Err(error) = running.await {
                let news = LinkNews::Died(error.to_string());
                let endpoint = its_endpoint;
                let _ = messages.send(Message::Link { endpoint, id, news }).await;
            }
        });
        LinkHandle {
            id,
            subscribe,
            cancel,
        }
    }
}

struct LinkTask {
    id: u64,
    endpoint: String,
    config: Arc<OrchestratorConfig>,
    connector: Arc<dyn PeerConnector>,
    events: Arc<dyn PeerEvents>,
    clock: Arc<dyn Clock>,
    messages: mpsc::Sender<Message>,
    interest: Option<Arc<Interest>>,
    subscribe: Arc<Notify>,
    cancel: CancellationToken,
    /// Cancelled when the node stops, and not just this link.
    all: CancellationToken,
}

impl LinkTask {
    async fn run(self) {
        let cancel = self.cancel.clone();
        let Some(connected) = cancel.run_until_cancelled(self.connect()).await else {
            return;
        };
        let mut link = match connected {
            Ok(link) => link,
            Err(error) => return self.tell(LinkNews::ConnectFailed(error)).await,
        };
        let served = cancel.run_until_cancelled(self.serve(&mut *link)).await;
        // Closed first: when the loss is known, the endpoint may be dialed again.
        let for_good = self.all.is_cancelled();
        within(&*self.clock, CLOSE_MAX, link.close(for_good)).await;
        if let Some(error) = served {
            self.tell(LinkNews::Lost(error)).await;
        }
    }

    async fn connect(&self) -> Result<Box<dyn PeerLink>, ConnectError> {
        let login = self.login();
        let connecting = self.connector.connect(self.endpoint.clone(), login);
        let connected = within(&*self.clock, CONNECT_MAX, connecting).await;
        connected.unwrap_or_else(|| {
            Err(ConnectError::Unreachable {
                endpoint: self.endpoint.clone(),
                reason: format!("no answer within {} s", CONNECT_MAX.as_secs()),
            })
        })
    }

    /// Subscribes and passes events on until the link ends.
    async fn serve(&self, link: &mut dyn PeerLink) -> LinkError {
        let name = link.peer_name().to_owned();
        let instance = link.peer_instance().map(str::to_owned);
        self.tell(LinkNews::Connected(name.clone(), instance)).await;
        self.note_gap(&name, link);
        self.subscribe.notified().await;
        let mut asking = self.interest_of(link);
        if let Err(error) = self.subscribe_at(link, asking.as_mut()).await {
            return error;
        }
        self.tell(LinkNews::Subscribed).await;
        let mut events = Vec::new();
        loop {
            let received = tokio::select! {
                received = link.receive(&mut events) => received,
                () = changed(asking.as_mut()) => self.subscribe_at(link, asking.as_mut()).await,
            };
            self.note_gap(&name, link);
            if !events.is_empty() {
                self.events.deliver(&name, &events);
                events.clear();
            }
            if let Err(error) = received {
                return error;
            }
        }
    }

    /// What the peer is asked for, if it sends no more than that.
    fn interest_of(&self, link: &dyn PeerLink) -> Option<Asking> {
        let interest = self.interest.as_ref().filter(|_| link.takes_interest())?;
        Some(interest.begin(self.id, &self.endpoint, link.peer_instance()))
    }

    /// Tells the peer what is wanted now.
    async fn subscribe_at(
        &self,
        link: &mut dyn PeerLink,
        asking: Option<&mut Asking>,
    ) -> Result<(), LinkError> {
        let Some(asking) = asking else {
            return self
                .confirmed(link.subscribe(self.config.replicate.clone()))
                .await;
        };
        let (wanted, change) = asking.next();
        if let Some(change) = change {
            self.confirmed(link.change_interest(change)).await?;
        }
        if asking.confirmed(&wanted) {
            self.events.missed(link.peer_name(), Gap { lost: None });
        }
        Ok(())
    }

    async fn confirmed(
        &self,
        confirmation: BoxFuture<'_, Result<(), LinkError>>,
    ) -> Result<(), LinkError> {
        let confirmed = within(&*self.clock, SUBSCRIBE_MAX, confirmation).await;
        let unconfirmed = || LinkError::Lost("the peer did not confirm a subscription".to_owned());
        confirmed.unwrap_or_else(|| Err(unconfirmed()))
    }

    fn note_gap(&self, name: &str, link: &mut dyn PeerLink) {
        if let Some(gap) = link.take_gap() {
            self.events.missed(name, gap);
        }
    }

    async fn tell(&self, news: LinkNews) {
        let endpoint = self.endpoint.clone();
        let id = self.id;
        // The other side is gone only when everything ends.
        let _ = self
            .messages
            .send(Message::Link { endpoint, id, news })
            .await;
    }

    fn login(&self) -> PeerLogin {
        login(&self.config)
    }
}

/// Completes when there is something new to ask for.
async fn changed(asking: Option<&mut Asking>) {
    match asking {
        Some(asking) => asking.changed().await,
        None => std::future::pending().await,
    }
}

/// What this node says of itself where it logs in.
pub(super) fn login(config: &OrchestratorConfig) -> PeerLogin {
    let info = LoginInfo {
        name: &config.name,
        cluster_name: &config.cluster_name,
        service_name: &config.service_name,
        endpoint: &config.endpoint,
        browser: false,
        local: false,
    };
    PeerLogin {
        // Texts and booleans only: there is nothing in it that could fail.
        info: Json::encode(&info).unwrap_or(Json::EMPTY_OBJECT),
        link: LinkLogin {
            instance: config.instance.clone(),
            masks: u32::try_from(config.replicate.len()).unwrap_or(u32::MAX),
        },
    }
}
