//! A logged-in link: subscriptions, events in order, beats, and how it ends.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use happn_core::{BoxFuture, Gap, InterestChange, LinkError, PeerLink, ReplicatedEvent};
use happn_paths::{Depth, Mask};
use happn_protocol::link::{INTEREST_ACTION, LINK_ACTION, LinkBeat, LinkInterest, LinkMessage};
use happn_protocol::{EventMessage, Json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::position::{Position, Positions};
use super::{LiveCounts, PeerDialerConfig};
use crate::ClientError;
use crate::connection::{Call, Connection, ConnectionEnd, Inbox};
use crate::login::millis;
use crate::replicated::{numbered, replicated};

/// How many events may wait while the masks are being confirmed and nobody receives yet.
const BACKLOG_MAX: usize = 65_536;

/// So soon after the last beat, what was received since is confirmed.
const CONFIRM_AFTER: Duration = Duration::from_millis(250);

/// So many events are confirmed at once.
const CONFIRM_EVENTS: u64 = 1024;

/// The most arrivals that are handed over at a time.
const BATCH_MAX: usize = 256;

/// Something that came in on a link.
#[allow(
    clippy::large_enum_variant,
    reason = "nearly everything is an event, and gaps are rare"
)]
pub(super) enum Arrival {
    Event(ReplicatedEvent),
    Gap(u64),
}

/// Turns frames into events and hands over what arrived together, waiting when the receiver is
/// slow.
pub(super) struct PeerInbox {
    sender: mpsc::Sender<Vec<Arrival>>,
    batch: Vec<Arrival>,
    batch_max: usize,
}

impl PeerInbox {
    /// Lets about `events_max` events wait for the receiver.
    pub(super) fn new(events_max: usize) -> (Self, mpsc::Receiver<Vec<Arrival>>) {
        let batch_max = events_max.clamp(1, BATCH_MAX);
        let (sender, arrivals) = mpsc::channel((events_max / batch_max).max(1));
        let inbox = Self {
            sender,
            batch: Vec::new(),
            batch_max,
        };
        (inbox, arrivals)
    }

    async fn put(&mut self, arrival: Arrival) {
        self.batch.push(arrival);
        if self.batch.len() >= self.batch_max {
            self.hand_over().await;
        }
    }

    async fn hand_over(&mut self) {
        let room = Vec::with_capacity(self.batch.len());
        let batch = std::mem::replace(&mut self.batch, room);
        // Fails only when the link is being dropped.
        let _ = self.sender.send(batch).await;
    }
}

impl Inbox for PeerInbox {
    async fn accept(&mut self, frame: &Bytes, event: &EventMessage<'_>) {
        match replicated(frame, event) {
            Some(event) => self.put(Arrival::Event(event)).await,
            None => tracing::warn!(
                channel = %event.channel,
                meta = event.meta_text.get(),
                "an event of a peer cannot be read and is lost"
            ),
        }
    }

    async fn accept_numbered(&mut self, frame: &Bytes, message: &LinkMessage<'_>) {
        let arrival = match message {
            LinkMessage::Gap(lost) => Some(Arrival::Gap(*lost)),
            LinkMessage::Event(sequence, event) => {
                numbered(frame, *sequence, event).map(Arrival::Event)
            }
        };
        match arrival {
            Some(arrival) => self.put(arrival).await,
            None => tracing::warn!("a numbered event of a peer cannot be read and is lost"),
        }
    }

    async fn settle(&mut self) {
        if !self.batch.is_empty() {
            self.hand_over().await;
        }
    }
}

/// A link over a websocket.
pub(super) struct WebsocketLink {
    pub(super) name: String,
    pub(super) endpoint: String,
    pub(super) instance: Option<String>,
    pub(super) takes_interest: bool,
    pub(super) connection: Connection,
    pub(super) arrivals: mpsc::Receiver<Vec<Arrival>>,
    /// What came in and was not handed over yet.
    pub(super) backlog: VecDeque<Arrival>,
    pub(super) position: Position,
    pub(super) positions: Arc<Mutex<Positions>>,
    pub(super) counts: Arc<LiveCounts>,
    /// What is missing before what is handed over next.
    pub(super) gap: Option<Gap>,
    /// Publications whose publisher waits until they are delivered here.
    pub(super) owed: Vec<Arc<str>>,
    /// Numbered events since the last beat.
    pub(super) unconfirmed: u64,
    pub(super) last_beat: Instant,
    pub(super) next_beat: Instant,
    pub(super) config: PeerDialerConfig,
}

impl WebsocketLink {
    /// Waits for `answers` and keeps receiving meanwhile: a busy peer fills the buffer between the
    /// first and the last confirmation, and the answers sit behind the events.
    async fn settle<T>(&mut self, answers: impl Future<Output = T>) -> T {
        tokio::pin!(answers);
        loop {
            let room = self.backlog.len() < BACKLOG_MAX;
            tokio::select! {
                answers = &mut answers => return answers,
                Some(arrived) = self.arrivals.recv(), if room => self.backlog.extend(arrived),
                () = sleep_until(self.next_beat) => self.beat(false),
            }
        }
    }

    /// Takes what came in, and what has come in since.
    fn take_in(&mut self, arrived: Vec<Arrival>) {
        self.backlog.extend(arrived);
        while self.backlog.len() < BACKLOG_MAX
            && let Ok(more) = self.arrivals.try_recv()
        {
            self.backlog.extend(more);
        }
    }

    /// Moves what came in into `events`, up to the next gap; true if there is something to tell.
    fn hand_over(&mut self, events: &mut Vec<ReplicatedEvent>) -> bool {
        let before = events.len();
        while let Some(arrival) = self.backlog.pop_front() {
            match arrival {
                Arrival::Event(event) => self.take(event, events),
                Arrival::Gap(_) if events.len() > before => {
                    self.backlog.push_front(arrival);
                    break;
                }
                Arrival::Gap(lost) => {
                    self.position.miss(lost);
                    self.note_gap(Gap { lost: Some(lost) });
                }
            }
        }
        events.len() > before || self.gap.is_some()
    }

    fn take(&mut self, event: ReplicatedEvent, events: &mut Vec<ReplicatedEvent>) {
        if event.sequence.is_some_and(|it| !self.position.accept(it)) {
            self.counts.repeated.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(peer = self.name, "an event that was here before is dropped");
            return;
        }
        self.unconfirmed += u64::from(event.sequence.is_some());
        // Without a number it was acknowledged as it came in.
        let asked = event.consistency.as_ref().map(Json::as_str);
        if asked == Some("3") {
            self.owed.push(Arc::clone(&event.publication_id));
        }
        events.push(event);
    }

    fn note_gap(&mut self, gap: Gap) {
        let sum = |one: Gap| Some(one.lost?.saturating_add(gap.lost?));
        let lost = self.gap.map_or(gap.lost, sum);
        self.gap = Some(Gap { lost });
    }

    /// Tells publishers that what was handed over before is delivered.
    fn acknowledge(&mut self) {
        for publication_id in self.owed.drain(..) {
            if let Ok(id) = Json::encode(&*publication_id) {
                self.connection.post("ack", &id);
            }
        }
    }

    /// When the next beat is due: soon after events, so that the peer need not keep them.
    fn beat_due(&self) -> Instant {
        match self.unconfirmed {
            0 => self.next_beat,
            1..CONFIRM_EVENTS => self.next_beat.min(self.last_beat + CONFIRM_AFTER),
            _ => self.last_beat,
        }
    }

    fn beat_if_due(&mut self) {
        if Instant::now() >= self.beat_due() {
            self.beat(false);
        }
    }

    /// Makes the peer answer, so that its silence means something, and confirms what was received.
    fn beat(&mut self, leave: bool) {
        self.last_beat = Instant::now();
        self.next_beat = self.last_beat + self.config.beat_interval;
        self.unconfirmed = 0;
        if !self.position.is_numbered() {
            // Every node answers this, and nothing else happens.
            self.connection.post("describe", &Json::NULL);
            return;
        }
        let beat = LinkBeat {
            sequence: self.position.sequence(),
            leave,
        };
        if let Ok(beat) = Json::encode(&beat) {
            self.connection.post(LINK_ACTION, &beat);
        }
    }

    async fn lost(&mut self) -> LinkError {
        match self.connection.ended().await {
            ConnectionEnd::Ended(reason) => LinkError::Ended(reason),
            ConnectionEnd::TooLarge(reason) => {
                // It would be sent again and again.
                self.position.give_up();
                LinkError::Lost(reason)
            }
            ConnectionEnd::Parted(reason) => {
                // Everything before the good-bye has been handed over.
                self.position.parted();
                LinkError::Lost(reason)
            }
            end => LinkError::Lost(end.reason().to_owned()),
        }
    }

    async fn link_error(&mut self, error: ClientError) -> LinkError {
        match error {
            ClientError::Server(error) => LinkError::Refused(error.message),
            ClientError::Disconnected { .. } => self.lost().await,
            other => LinkError::Lost(other.to_string()),
        }
    }
}

impl PeerLink for WebsocketLink {
    fn peer_name(&self) -> &str {
        &self.name
    }

    fn peer_instance(&self) -> Option<&str> {
        self.instance.as_deref()
    }

    fn take_gap(&mut self) -> Option<Gap> {
        self.gap.take()
    }

    fn subscribe(&mut self, masks: Vec<Mask>) -> BoxFuture<'_, Result<(), LinkError>> {
        Box::pin(async move {
            let connection = self.connection.clone();
            let timeout = self.config.call_timeout;
            let depth = match self.position.is_numbered() {
                true => Depth::MAX,
                false => Depth::DEFAULT,
            };
            let subscribing = async move {
                for mask in &masks {
                    subscribe(&connection, mask, depth, timeout).await?;
                }
                Ok(())
            };
            match self.settle(subscribing).await {
                Ok(()) => Ok(()),
                Err(error) => Err(self.link_error(error).await),
            }
        })
    }

    fn takes_interest(&self) -> bool {
        self.takes_interest
    }

    fn change_interest(&mut self, change: InterestChange) -> BoxFuture<'_, Result<(), LinkError>> {
        Box::pin(async move {
            let connection = self.connection.clone();
            let timeout = self.config.call_timeout;
            let telling = async move { tell_interest(&connection, &change, timeout).await };
            match self.settle(telling).await {
                Ok(()) => Ok(()),
                Err(error) => Err(self.link_error(error).await),
            }
        })
    }

    fn receive<'a>(
        &'a mut self,
        events: &'a mut Vec<ReplicatedEvent>,
    ) -> BoxFuture<'a, Result<(), LinkError>> {
        Box::pin(async move {
            self.acknowledge();
            self.beat_if_due();
            while !self.hand_over(events) {
                let beat_due = self.beat_due();
                tokio::select! {
                    // Cancel-safe: either nothing was taken, or it goes to the backlog at once.
                    arrived = self.arrivals.recv() => match arrived {
                        None => return Err(self.lost().await),
                        Some(arrived) => self.take_in(arrived),
                    },
                    () = sleep_until(beat_due) => self.beat(false),
                }
            }
            Ok(())
        })
    }

    fn close(mut self: Box<Self>, for_good: bool) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            self.acknowledge();
            if for_good && self.position.is_numbered() {
                self.beat(true);
            }
            // A reader that waits for room in the buffer would never see the wish to stop.
            self.arrivals.close();
            self.connection.close().await;
        })
    }
}

impl Drop for WebsocketLink {
    fn drop(&mut self) {
        let positions = self.positions.lock();
        let mut positions = positions.unwrap_or_else(PoisonError::into_inner);
        positions.keep(&self.endpoint, self.position.clone());
    }
}

async fn subscribe(
    connection: &Connection,
    mask: &Mask,
    depth: Depth,
    timeout: Duration,
) -> Result<(), ClientError> {
    let options = subscription_options(mask, depth, timeout);
    let path = format!("/ALL@{mask}");
    let call = Call {
        action: "on",
        path: Some(&path),
        data: Some(&Json::NULL),
        options: Some(&options),
        timeout: Some(timeout),
    };
    connection.call(call).await.map(drop)
}

async fn tell_interest(
    connection: &Connection,
    change: &InterestChange,
    timeout: Duration,
) -> Result<(), ClientError> {
    let texts = |masks: &[Mask]| masks.iter().map(ToString::to_string).collect();
    let interest = LinkInterest {
        add: texts(&change.add),
        remove: texts(&change.remove),
    };
    let data = Json::encode(&interest).map_err(ClientError::encode)?;
    let call = Call {
        action: INTEREST_ACTION,
        path: None,
        data: Some(&data),
        options: None,
        timeout: Some(timeout),
    };
    connection.call(call).await.map(drop)
}

fn subscription_options(mask: &Mask, depth: Depth, timeout: Duration) -> Json {
    let depth = match mask.is_deep() {
        true => format!(r#""depth":{},"#, depth.levels()),
        false => String::new(),
    };
    let timeout = millis(timeout);
    let text = format!(r#"{{"event_type":"all","count":0,{depth}"timeout":{timeout}}}"#);
    Json::from_trusted(text.into_bytes())
}
