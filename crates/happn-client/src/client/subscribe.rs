//! Subscribing and unsubscribing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use happn_paths::loose::{LooseGlob, Tail};
use happn_paths::{Action, Depth, Mask, validate};
use happn_protocol::Json;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};

use super::Client;
use super::core::{Core, object};
use crate::connection::{Call, Connection, Reply};
use crate::login::millis;
use crate::meta::split;
use crate::registry::{Listener, WireKey, WireState};
use crate::subscription::{Initial, SubscribeOptions, Subscription};
use crate::{ClientError, Event, Item, Meta};

impl Client {
    /// Subscribes to events on `mask`. Listeners with the same mask and options share one
    /// subscription on the wire. Dropping the future takes the subscription back.
    ///
    /// # Errors
    /// As [`Client::set_with`].
    pub async fn on(
        &self,
        mask: &str,
        options: SubscribeOptions,
    ) -> Result<Subscription, ClientError> {
        validate(mask, Action::On)?;
        let connection = self.core.connection()?;
        let depth = depth_of(mask, &options);
        let timeout = millis(self.core.config.call_timeout);
        let id = self.core.registry.next_id();
        let has_initial = options.initial != Initial::None;
        let key = WireKey {
            channel: format!("/{}@{mask}", options.action().0).into(),
            options: options.encode(depth, timeout, false).into(),
            alone: has_initial.then_some(id),
        };
        let (mut subscription, listener) = self.listener(id, &key, mask, depth, &options);
        let (attempt, state) = self.core.registry.add(listener);
        if let Some(attempt) = attempt {
            let wire_options = options.encode(depth, timeout, true);
            let core = Arc::clone(&self.core);
            // A task of its own, so that a caller who stops waiting leaves no half subscription.
            tokio::spawn(async move {
                let asked = ask(&core, &connection, &key, attempt, wire_options).await;
                if let Err(error) = asked {
                    core.registry.refuse(&key, attempt, error);
                }
            });
        }
        let items = confirmed(state).await?;
        let items = items.iter().map(split);
        subscription.take_initial(items.collect::<Result<_, _>>()?, options.initial)?;
        Ok(subscription)
    }

    /// Subscribes to the next event on `mask` alone.
    ///
    /// # Errors
    /// As [`Client::on`].
    pub async fn once(&self, mask: &str) -> Result<Subscription, ClientError> {
        let options = SubscribeOptions {
            count: 1,
            ..SubscribeOptions::default()
        };
        self.on(mask, options).await
    }

    /// Subscribes to everything.
    ///
    /// # Errors
    /// As [`Client::on`].
    pub async fn on_all(&self) -> Result<Subscription, ClientError> {
        self.on("*", SubscribeOptions::default()).await
    }

    /// Ends every subscription whose mask matches `mask`, with the loose matching of the
    /// JavaScript client's `offPath`.
    ///
    /// # Errors
    /// The first failure; the subscriptions have ended on this side all the same.
    pub async fn off_path(&self, mask: &str) -> Result<(), ClientError> {
        let glob = LooseGlob::new(mask, Tail::Checked);
        let listeners = self.core.registry.listeners(|path| glob.matches(path));
        let mut outcome = Ok(());
        for (channel, id) in listeners {
            if let Some(off) = self.core.registry.release(&channel, id) {
                let taken_back = self.core.take_back(&off).await;
                outcome = outcome.and(taken_back);
            }
        }
        outcome
    }

    /// Ends every subscription of this client.
    ///
    /// # Errors
    /// As [`Client::set_with`]; the subscriptions stay then.
    pub async fn off_all(&self) -> Result<(), ClientError> {
        let timeout = millis(self.core.config.call_timeout);
        let options = format!(r#"{{"referenceId":0,"timeout":{timeout}}}"#);
        let options = Json::from_trusted(options.into_bytes());
        self.core.off("*", &options).await?;
        self.core.registry.clear();
        Ok(())
    }

    fn listener(
        &self,
        id: u64,
        key: &WireKey,
        mask: &str,
        depth: Option<u32>,
        options: &SubscribeOptions,
    ) -> (Subscription, Listener) {
        let (sender, receiver) = mpsc::channel(options.buffer.max(1));
        let lost = Arc::new(AtomicU64::new(0));
        let deep = Mask::parse(mask).is_deep();
        let listener = Listener {
            id,
            key: key.clone(),
            sender,
            lost: Arc::clone(&lost),
            missed: 0,
            remaining: (options.count > 0).then_some(options.count),
            levels: depth.filter(|_| deep).map(u64::from),
        };
        let subscription = Subscription {
            core: Arc::clone(&self.core),
            channel: Arc::clone(&key.channel),
            id,
            receiver,
            lost,
            initial: Vec::new(),
            emitted: VecDeque::new(),
        };
        (subscription, listener)
    }
}

impl Subscription {
    fn take_initial(
        &mut self,
        items: Vec<(Json, Meta)>,
        initial: Initial,
    ) -> Result<(), ClientError> {
        for (data, meta) in items {
            if initial == Initial::Emit {
                let path = meta.path.clone().unwrap_or_default();
                let wire_meta = serde_json::json!({
                    "path": meta.path, "created": meta.created, "modified": meta.modified,
                });
                let wire_meta = Json::encode(&wire_meta).map_err(ClientError::encode)?;
                self.emitted
                    .push_back(Event::initial(&path, data, wire_meta));
            } else {
                self.initial.push(Item { data, meta });
            }
        }
        Ok(())
    }
}

/// Sends one `on` and notes its answer in the registry.
pub(super) async fn ask(
    core: &Arc<Core>,
    connection: &Connection,
    key: &WireKey,
    attempt: u64,
    options: String,
) -> Result<(), ClientError> {
    let options = Json::from_trusted(options.into_bytes());
    let call = Call {
        action: "on",
        path: Some(&key.channel),
        data: Some(&Json::NULL),
        options: Some(&options),
        timeout: None,
    };
    let (reference, items) = reference_of(connection.call(call).await?)?;
    if let Some(off) = core.registry.confirm(key, attempt, reference, items) {
        core.take_back_later(off);
    }
    Ok(())
}

/// With initial values `data` is their list and the reference is in the meta; otherwise `data`
/// holds the reference.
fn reference_of(reply: Reply) -> Result<(Option<Arc<str>>, Vec<Json>), ClientError> {
    #[derive(Deserialize)]
    struct Confirmation {
        id: Option<String>,
    }
    let (data, meta) = object(reply)?;
    let data = data.unwrap_or(Json::NULL);
    if data.as_str().trim_start().starts_with('[') {
        let items: Vec<&RawValue> = data.decode().map_err(ClientError::decode)?;
        let items = items.into_iter().map(Json::from_raw).collect();
        let meta = Meta::read(&meta)?;
        return Ok((meta.reference_id.map(Arc::from), items));
    }
    let confirmation: Confirmation = data.decode().map_err(ClientError::decode)?;
    Ok((confirmation.id.map(Arc::from), Vec::new()))
}

async fn confirmed(mut state: watch::Receiver<WireState>) -> Result<Arc<Vec<Json>>, ClientError> {
    let settled = state.wait_for(|state| !matches!(state, WireState::Pending));
    match settled.await.as_deref() {
        Ok(WireState::Confirmed(items)) => Ok(Arc::clone(items)),
        Ok(WireState::Refused(error)) => Err(error.clone()),
        Ok(WireState::Pending) | Err(_) => Err(ClientError::Disconnected {
            reason: "the client was closed or all its subscriptions were ended".to_owned(),
        }),
    }
}

/// Deep masks always have a depth; zero means the default, as with the JavaScript client.
fn depth_of(mask: &str, options: &SubscribeOptions) -> Option<u32> {
    let depth = options.depth.filter(|depth| *depth > 0);
    match Mask::parse(mask).is_deep() {
        true => Some(depth.unwrap_or(Depth::DEFAULT.levels())),
        false => depth,
    }
}
