//! Who listens to which topic.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use happn_protocol::Json;
use tokio::sync::broadcast;

/// Messages that may wait for a slow listener; beyond, it misses the oldest and is told how many.
const WAITING_MAX: usize = 1024;

/// A message of some node, this one included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicMessage {
    /// What it is about.
    pub topic: String,
    /// What it says; absent when the topic alone says it.
    pub payload: Option<Json>,
    /// This node sent it.
    pub is_local: bool,
    /// The name of the node that sent it.
    pub origin: String,
}

/// Listeners by topic. A topic nobody listens to takes no room.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    listeners: Mutex<HashMap<String, broadcast::Sender<TopicMessage>>>,
}

impl Topics {
    pub(crate) fn subscribe(&self, topic: &str) -> broadcast::Receiver<TopicMessage> {
        let mut listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|_, sender| sender.receiver_count() > 0);
        let sender = listeners
            .entry(topic.to_owned())
            .or_insert_with(|| broadcast::channel(WAITING_MAX).0);
        sender.subscribe()
    }

    pub(crate) fn hand_out(&self, message: TopicMessage) {
        let listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = listeners.get(&message.topic) {
            // The last listener may have gone meanwhile.
            let _ = sender.send(message);
        }
    }
}
