//! Who is logged in on this node.

use happn_security::authority::ActiveSession;
use serde_json::{Value, json};

use super::call::Call;
use super::problem::Problem;
use super::route::{Outcome, Reply};

pub(super) async fn list(call: Call) -> Outcome {
    let page = call.query.page()?;
    let user = call.query.text("user");
    let mut sessions = call.desk.authority.sessions();
    sessions.retain(|session| user.is_none_or(|user| *session.username == *user));
    let shown = sessions.iter().skip(page.skip).take(page.limit);
    let items = shown.map(|session| shown_of(&call, session));
    Ok(Reply::list(items.collect(), sessions.len()))
}

/// Ends the session and all others of its token, on every node.
pub(super) async fn end(call: Call) -> Outcome {
    let (authority, id) = (&call.desk.authority, call.name(0));
    let reason = format!("ended by {}", call.actor.name);
    let ended = authority.revoke_session(id, &reason, call.actor.clone());
    match ended.await? {
        true => Ok(Reply::done()),
        false => {
            let text = format!("there is no session {id} on this node");
            Err(Problem::not_found(text))
        }
    }
}

fn shown_of(call: &Call, active: &ActiveSession) -> Value {
    let age = i64::try_from(active.age.as_millis()).unwrap_or(i64::MAX);
    let since = call.desk.node.clock().wall_ms().saturating_sub(age);
    // It may have gone meanwhile.
    let session = call.desk.node.session(&active.session_id);
    let address = session.as_ref().map(|it| it.connection().ip.clone());
    let mut shown = json!({
        "id": *active.session_id,
        "username": *active.username,
        "authType": *active.auth_type,
        "address": address,
        "since": since,
        "protocol": session.as_ref().map(|it| it.protocol_name()),
    });
    let info = session.and_then(|it| it.info());
    if let Some(info) = info.and_then(|info| info.decode::<Value>().ok()) {
        shown["info"] = info;
    }
    shown
}
