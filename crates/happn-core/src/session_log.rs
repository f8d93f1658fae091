//! One log line per session that came or went, as JSON that log collectors can read.

use happn_protocol::Json;
use serde::Serialize;

use crate::Session;

/// The log target of these lines, so that they can be filtered by themselves.
const TARGET: &str = "happn-session";

/// Who a session is when nobody has to log in.
const ANONYMOUS: &str = "anonymous (unsecure connection)";

/// A session has logged in.
pub(crate) fn attached(session: &Session) {
    log("session attached", session);
}

/// A session is gone.
pub(crate) fn detached(session: &Session) {
    log("session detached", session);
}

fn log(event: &'static str, session: &Session) {
    if tracing::enabled!(target: TARGET, tracing::Level::DEBUG) {
        tracing::debug!(target: TARGET, "{}", line(event, session));
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    event: &'static str,
    username: &'a str,
    source_address: &'a str,
    source_port: u16,
    upgrade_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    happn_version: Option<String>,
    happn_protocol_version: String,
}

fn line(event: &'static str, session: &Session) -> Json {
    let connection = session.connection();
    let username = session.username();
    let line = Line {
        event,
        username: username.as_deref().unwrap_or(ANONYMOUS),
        source_address: &connection.ip,
        source_port: connection.port,
        upgrade_url: &connection.url,
        happn_version: session.client_version(),
        happn_protocol_version: session.protocol_name(),
    };
    Json::encode(&line).unwrap_or(Json::NULL)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::session::Origin;
    use crate::{Admission, Connection, SessionLimits};

    fn session() -> Session {
        let connection = Connection {
            url: "/primus?_primuscb=x".to_owned(),
            headers: Vec::new(),
            encrypted: false,
            ip: "10.0.0.7".to_owned(),
            port: 4711,
            secure: false,
        };
        let limits = SessionLimits::default();
        let layers = crate::layers::Layers::default();
        Session::new(
            Arc::from("id"),
            connection,
            &limits,
            Duration::ZERO,
            layers,
            Origin::Network,
        )
    }

    #[test]
    fn a_line_says_who_came_from_where_and_what_it_speaks() {
        let session = session();
        session.configure(Some("happn_4"), Some("13.12.1".to_owned()), false);
        assert_eq!(
            line("session attached", &session).as_str(),
            r#"{"event":"session attached","username":"anonymous (unsecure connection)","sourceAddress":"10.0.0.7","sourcePort":4711,"upgradeUrl":"/primus?_primuscb=x","happnVersion":"13.12.1","happnProtocolVersion":"happn_4"}"#
        );
    }

    #[test]
    fn a_user_is_named_and_what_a_client_did_not_say_is_left_out() {
        let session = session();
        let members = Json::parse(r#"{"user":{"username":"bob"}}"#).unwrap();
        let admission = Admission {
            members,
            ..Admission::open()
        };
        session.log_in(None, None, admission);
        assert_eq!(
            line("session detached", &session).as_str(),
            r#"{"event":"session detached","username":"bob","sourceAddress":"10.0.0.7","sourcePort":4711,"upgradeUrl":"/primus?_primuscb=x","happnProtocolVersion":"happn"}"#
        );
    }
}
