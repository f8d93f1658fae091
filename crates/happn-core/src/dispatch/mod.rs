//! From a frame to what is done about it.

mod account;
mod decision;
mod get;
mod initial_events;
mod interest;
mod publish_options;
mod remove;
mod search;
mod session_requests;
mod set;
mod subscribe;
mod unsubscribe;
mod visible;
mod written;

use std::borrow::Cow;
use std::sync::Arc;

use happn_protocol::link::{INTEREST_ACTION, LINK_ACTION};
use happn_protocol::response::{Echo, ObjectResponse};
use happn_protocol::{Dialect, Incoming, Json, Members, Options, Request, WireError};

use crate::layers::Passed;
use crate::{BoxFuture, Node, Session, StoreError};

pub(crate) use decision::{Decision, Granted};

/// How much of an action that is none is shown, in characters.
const ACTION_SHOWN: usize = 64;

/// What the caller of [`Node::receive`] has to do.
#[must_use]
pub enum Received {
    /// Nothing: the request was handled, or answers by itself later.
    Done,
    /// Poll this beside further requests; it pushes the answer. May be dropped with the session.
    Answer(BoxFuture<'static, ()>),
    /// Await this before handing in further requests of the session: the node is busy.
    Blocked(BoxFuture<'static, ()>),
    /// A control string, without its quotes; it is the socket's business.
    Control(String),
}

/// A request in the hands of an action.
struct Call<'a> {
    node: &'a Arc<Node>,
    session: &'a Arc<Session>,
    request: Request<'a>,
    frame: &'a bytes::Bytes,
    echo: Echo,
}

impl Node {
    /// Handles one text frame of `session`.
    ///
    /// Never fails and never blocks: whatever cannot be understood is ignored or answered with an
    /// error, as the protocol says.
    pub fn receive(self: &Arc<Self>, session: &Arc<Session>, frame: &bytes::Bytes) -> Received {
        match std::str::from_utf8(frame) {
            Ok(text) => self.receive_text(session, text, frame),
            Err(_) => Received::Done,
        }
    }

    /// The same for a frame that is known to be the bytes of `text`.
    pub fn receive_text(
        self: &Arc<Self>,
        session: &Arc<Session>,
        text: &str,
        frame: &bytes::Bytes,
    ) -> Received {
        match self.layers.inbound(session, text) {
            Passed::Unchanged => self.handle(session, text, frame),
            Passed::Changed(text) => {
                let frame = bytes::Bytes::from(text);
                let text = std::str::from_utf8(&frame);
                text.map_or(Received::Done, |text| self.handle(session, text, &frame))
            }
            Passed::Refused => Received::Done,
        }
    }

    fn handle(
        self: &Arc<Self>,
        session: &Arc<Session>,
        text: &str,
        frame: &bytes::Bytes,
    ) -> Received {
        match Incoming::decode(text) {
            Incoming::Control(text) => Received::Control(text.into_owned()),
            Incoming::Ignored => {
                tracing::debug!(session = %session.id(), "ignored a frame that is no request");
                Received::Done
            }
            Incoming::Request(request) => {
                session.count_message();
                let echo = Echo {
                    event_id: request.event_id.map(|raw| Json::share(frame, raw)),
                    session_id: request.session_id.map(|raw| Json::share(frame, raw)),
                    action: known(request.action_name().unwrap_or_default()),
                };
                Call {
                    node: self,
                    session,
                    request,
                    frame,
                    echo,
                }
                .run()
            }
        }
    }
}

impl<'a> Call<'a> {
    fn run(self) -> Received {
        let configuring = self.echo.action == "configure-session";
        if self.session.dialect() == Dialect::Unknown && !configuring {
            return Received::Done;
        }
        if self.is_encrypted() {
            return self.fail(WireError::plain(
                "Encrypted payloads are no longer supported",
            ));
        }
        match &*self.echo.action {
            "set" => self.set(),
            "get" => self.get(),
            "count" => self.count(),
            "remove" => self.remove(),
            "on" => self.on(),
            "off" => self.off(),
            "ack" => self.ack(),
            LINK_ACTION | INTEREST_ACTION if self.session.link().is_none() => self.no_link(),
            LINK_ACTION => self.link(),
            INTEREST_ACTION => self.interest(),
            "configure-session" => self.configure_session(),
            "describe" => self.describe(),
            "login" => self.login(),
            "request-nonce" => self.request_nonce(),
            "revoke-token" => self.revoke_token(),
            "change-password" => self.change_password(),
            "disconnect-child-sessions" => self.disconnect_children(),
            "disconnect" if self.session.dialect() == Dialect::Happn2 => {
                self.answer(&ObjectResponse::ok(Json::NULL))
            }
            // Only that dialect knows an answer to a good-bye.
            "disconnect" => Received::Done,
            // Nobody could tell what an answer belongs to.
            _ if self.request.event_id.is_none() => Received::Done,
            unknown => {
                let shown: String = unknown.chars().take(ACTION_SHOWN).collect();
                self.fail(WireError::plain(format!("unknown action: {shown:?}")))
            }
        }
    }

    /// Nobody but a node on a numbered link has a use for what keeps one.
    fn no_link(&self) -> Received {
        match self.request.event_id {
            Some(_) => self.fail(WireError::plain(format!(
                "{} is for nodes on a numbered link, which this session is not: \
                 a node offers one in the info of its login",
                self.echo.action
            ))),
            None => Received::Done,
        }
    }

    fn is_encrypted(&self) -> bool {
        Options::is_set(self.request.encrypted)
            || self.request.data.is_some_and(|data| {
                data.get().contains("\"encrypted\"")
                    && Members::parse(data.get())
                        .is_some_and(|members| Options::is_set(members.get("encrypted")))
            })
    }

    /// The payload, sharing the frame's bytes where that is worth it.
    fn data(&self) -> Option<Json> {
        self.request.data.map(|raw| Json::share(self.frame, raw))
    }

    fn answer(&self, response: &ObjectResponse) -> Received {
        reply(self.session, &self.echo, response);
        Received::Done
    }

    fn fail(&self, error: WireError) -> Received {
        self.answer(&ObjectResponse::error(error))
    }
}

/// Frequent actions are not copied.
fn known(action: Cow<'_, str>) -> Cow<'static, str> {
    match &*action {
        "set" => Cow::Borrowed("set"),
        "get" => Cow::Borrowed("get"),
        "ack" => Cow::Borrowed("ack"),
        _ => Cow::Owned(action.into_owned()),
    }
}

async fn finish(received: Received) {
    match received {
        Received::Done | Received::Control(_) => {}
        Received::Answer(rest) | Received::Blocked(rest) => rest.await,
    }
}

fn reply(session: &Session, echo: &Echo, response: &ObjectResponse) {
    session.send(response.encode(echo, session.dialect()));
}

/// How a failing store looks to clients.
fn store_failed(error: &StoreError) -> WireError {
    WireError::system(error.to_string(), "DataService")
}
