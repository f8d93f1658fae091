//! From a password to a token.

use happn_core::{Authority, Connection, LoginRequest, Refusal, Via};
use happn_protocol::Json;
use happn_security::audit::{Actor, Record};
use happn_security::directory::Password;
use happn_security::policy::SessionType;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::call::Call;
use super::problem::Problem;
use super::route::{Outcome, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    username: String,
    password: Password,
}

/// The credentials are checked as those of any client, and then make a token that lives shorter.
pub(super) async fn log_in(call: Call) -> Outcome {
    let Body { username, password } = call.body()?;
    let credentials = json!({ "username": username, "password": password.reveal() });
    let request = LoginRequest {
        session_id: Uuid::new_v4().to_string().into(),
        data: Json::encode(&credentials).unwrap_or(Json::EMPTY_OBJECT),
        connection: connection(&call),
        via: Via::Http,
    };
    let admission = call.desk.authority.login(request).await.map_err(problem)?;
    let username = match &admission.rights {
        Some(rights) => rights.username().to_string(),
        None => username,
    };
    if !call.desk.is_admin(&username).await? {
        return Err(no_admin(&call, &username));
    }
    let ttl = Some(call.desk.config.token_ttl);
    let issued = call
        .desk
        .authority
        .issue_token(&username, SessionType::Stateless, ttl);
    let (token, facts) = issued
        .await?
        .ok_or_else(|| Problem::unauthorized("Invalid credentials"))?;
    Ok(Reply::ok(json!({
        "token": *token,
        "username": facts.username,
        "expires": facts.expires,
    })))
}

fn connection(call: &Call) -> Connection {
    Connection {
        url: "/api/v1/login".to_owned(),
        headers: Vec::new(),
        encrypted: call.caller.encrypted,
        ip: call.caller.text(),
        port: call.caller.address.port(),
        secure: call.caller.encrypted,
    }
}

/// The authority has recorded it already.
fn problem(refusal: Refusal) -> Problem {
    match refusal.error.code {
        Some(401) => Problem::unauthorized(refusal.error.message),
        Some(403) => Problem::forbidden(refusal.error.message),
        _ => refusal.into(),
    }
}

fn no_admin(call: &Call, username: &str) -> Problem {
    let problem = super::desk::Desk::no_admin();
    let record = Record::Refused {
        actor: &Actor::new(username, &call.caller.text()),
        action: "login",
        path: "",
        reason: &problem.message,
    };
    call.desk.authority.directory().audit().record(&record);
    problem
}
