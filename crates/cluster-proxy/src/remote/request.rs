//! One client's connection: its requests, one after the other.

use std::sync::{Arc, Mutex, PoisonError};

use happn_core::{Arrival, DoorRules};
use http_body_util::Either;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, UPGRADE};
use hyper::{Request, Response, Uri, Version};
use tokio::time::timeout;

use super::Shared;
use super::dial::Sender;
use super::failure::{Answer, Failure, no_such_upgrade, too_many};
use super::headers;
use super::passing::{Answering, Asking, Pulse};

/// The one path at which there are websockets.
const PRIMUS: &str = "/primus";

/// A client's connection.
pub(super) struct Visit {
    pub(super) shared: Arc<Shared>,
    arrival: Arrival,
    /// Kept for the next request. One is enough: requests come one after the other.
    kept: Mutex<Option<Sender>>,
}

impl Visit {
    pub(super) fn new(shared: Arc<Shared>, arrival: Arrival) -> Self {
        Self {
            shared,
            arrival,
            kept: Mutex::new(None),
        }
    }

    /// What the target answers, or why it does not.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Answer {
        let headers = request.headers();
        let is_upgrade = headers::lists(headers, &CONNECTION, "upgrade")
            && headers::lists(headers, &UPGRADE, "websocket");
        let answered = match is_upgrade {
            true => match self.refusal(request.uri()) {
                Some(refusal) => return refusal,
                None => self.tunnel(request).await,
            },
            false => self.pass(request).await,
        };
        self.shared.found(answered.as_ref().err());
        answered.unwrap_or_else(|failure| failure.answer())
    }

    /// The answer to an upgrade that the door does not let through; `None` if it may go on.
    fn refusal(&self, uri: &Uri) -> Option<Answer> {
        if !uri.path().starts_with(PRIMUS) {
            return Some(no_such_upgrade());
        }
        let wait = self.rules()?.upgrades.admit().err()?;
        // Whole seconds, and never so few that the next attempt comes too early.
        Some(too_many(wait.as_millis().div_ceil(1000).max(1)))
    }

    fn rules(&self) -> Option<&DoorRules> {
        self.arrival.door.as_deref()
    }

    async fn pass(&self, mut request: Request<Incoming>) -> Result<Answer, Failure> {
        headers::end_to_end(request.headers_mut());
        let (request, pulse) = self.as_sent(request);
        let (response, sender) = self.send(request, &pulse).await?;
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        Ok(self.as_answered(response))
    }

    /// The request as the target gets it, and what tells whether anything of it moves.
    pub(super) fn as_sent(&self, request: Request<Incoming>) -> (Request<Asking>, Pulse) {
        let (mut head, body) = request.into_parts();
        // A target in absolute form is for proxies; the host is in its header, too.
        let path = head.uri.path_and_query().map(|path| path.as_str());
        head.uri = path.and_then(|path| path.parse().ok()).unwrap_or_default();
        head.version = Version::HTTP_11;
        let is_trusted = self.rules().is_some_and(|rules| rules.trusts_forwarded);
        headers::tell_client(&mut head.headers, &self.arrival, is_trusted);
        let pulse = Pulse::new();
        let body = Asking {
            body,
            pulse: pulse.clone(),
        };
        (Request::from_parts(head, body), pulse)
    }

    /// The response as the client gets it.
    pub(super) fn as_answered(&self, mut response: Response<Incoming>) -> Answer {
        headers::end_to_end(response.headers_mut());
        let patience = self.shared.config.answer_max;
        response.map(|body| Either::Left(Answering::new(body, patience)))
    }

    /// Sends on the connection that was kept, and on a new one if that is no good: the target may
    /// close it whenever it likes.
    async fn send(
        &self,
        mut request: Request<Asking>,
        pulse: &Pulse,
    ) -> Result<(Response<Incoming>, Sender), Failure> {
        let kept = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut sender) = kept
            && matches!(
                timeout(self.shared.config.connect_max, sender.ready()).await,
                Ok(Ok(()))
            )
        {
            let sending = sender.try_send_request(request);
            match in_time(self, pulse, sending).await? {
                Ok(response) => return Ok((response, sender)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(Failure::Unreachable(error.into_error().to_string())),
                },
            }
        }
        let mut sender = self.shared.dial().await?;
        let response = self.send_on(&mut sender, request, pulse).await?;
        Ok((response, sender))
    }

    /// Sends on a new connection.
    pub(super) async fn send_on(
        &self,
        sender: &mut Sender,
        request: Request<Asking>,
        pulse: &Pulse,
    ) -> Result<Response<Incoming>, Failure> {
        let response = in_time(self, pulse, sender.send_request(request)).await?;
        response.map_err(|error| Failure::Unreachable(error.to_string()))
    }
}

/// Waits for the head of an answer, while something of the request moves and some time longer.
async fn in_time<T>(
    visit: &Visit,
    pulse: &Pulse,
    sending: impl Future<Output = T>,
) -> Result<T, Failure> {
    tokio::select! {
        sent = sending => Ok(sent),
        () = pulse.stopped(visit.shared.config.answer_max) => Err(Failure::Silent),
    }
}
