//! Tokens: made, looked at, taken away and given back.

use happn_security::directory::RevokedToken;
use happn_security::policy::{SessionType, parse_duration};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::problem::Problem;
use super::route::{Outcome, Reply};
use super::users;

/// The longest reason for a revocation.
const REASON_BYTES_MAX: usize = 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    username: String,
    ttl: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneToken {
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    token: String,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Restoration {
    token: Option<String>,
    id: Option<String>,
}

/// For a client, which may use it for a connection and over HTTP.
pub(super) async fn issue(call: Call) -> Outcome {
    let body: NewToken = call.body()?;
    let ttl = parse_duration(&body.ttl.unwrap_or_default());
    let ttl = ttl.map_err(|error| Problem::invalid(format!("ttl: {error}")))?;
    let authority = &call.desk.authority;
    let issued = authority.issue_token(&body.username, SessionType::Stateful, ttl);
    let Some((token, facts)) = issued.await? else {
        return Err(users::missing(&body.username));
    };
    call.record("issue-token", format!("token of {}", facts.username));
    let reply = json!({
        "token": *token,
        "username": facts.username,
        "expires": facts.expires,
    });
    Ok(Reply::stored(false, reply))
}

pub(super) async fn inspect(call: Call) -> Outcome {
    let OneToken { token } = call.body()?;
    let facts = call
        .desk
        .authority
        .token_facts(&token)
        .ok_or_else(foreign)?;
    // A token of a user that no name of ours can be is that of nobody.
    let user = call.directory().user(&facts.username).await;
    Ok(Reply::ok(json!({
        "id": facts.id,
        "username": facts.username,
        "origin": facts.origin,
        "issued": facts.issued,
        "expires": facts.expires,
        "revoked": facts.is_revoked,
        "userExists": user.is_ok_and(|user| user.is_some()),
    })))
}

pub(super) async fn revoked(call: Call) -> Outcome {
    let page = call.query.page()?;
    let revoked = call.directory().list_revoked_tokens().await?;
    let shown = revoked.iter().skip(page.skip).take(page.limit);
    let items = shown.map(|token| shown_of(&call, token));
    Ok(Reply::list(items.collect(), revoked.len()))
}

pub(super) async fn revoke(call: Call) -> Outcome {
    let Revocation { token, reason } = call.body()?;
    let authority = &call.desk.authority;
    authority.token_facts(&token).ok_or_else(foreign)?;
    let reason = reason.unwrap_or_else(|| format!("revoked by {}", call.actor.name));
    if reason.len() > REASON_BYTES_MAX {
        let text = format!("reason must not be longer than {REASON_BYTES_MAX} bytes");
        return Err(Problem::invalid(text));
    }
    let revoked = authority.revoke_token_as(&token, &reason, call.actor.clone());
    revoked.await?;
    Ok(Reply::done())
}

/// By the token, or by the id that the list shows.
pub(super) async fn restore(call: Call) -> Outcome {
    let directory = call.directory();
    let revoked = directory.list_revoked_tokens().await?;
    let mut tokens = revoked.into_iter().map(|revoked| revoked.token);
    let found = match call.body()? {
        Restoration {
            token: Some(token),
            id: None,
        } => tokens.find(|revoked| *revoked == token),
        Restoration {
            token: None,
            id: Some(id),
        } => tokens.find(|revoked| {
            let facts = call.desk.authority.token_facts(revoked);
            facts.is_some_and(|facts| facts.id == id)
        }),
        _ => return Err(Problem::invalid("give either token or id")),
    };
    let token = found.ok_or_else(|| Problem::not_found("no such token is revoked"))?;
    directory.restore_token(&token).await?;
    Ok(Reply::done())
}

fn foreign() -> Problem {
    Problem::invalid("this is no token of this cluster")
}

/// A revoked token works again once it is restored, so it is not shown either.
fn shown_of(call: &Call, revoked: &RevokedToken) -> Value {
    let facts = call.desk.authority.token_facts(&revoked.token);
    let ttl = i64::try_from(revoked.ttl).unwrap_or(i64::MAX);
    let until = (ttl > 0).then(|| revoked.timestamp.saturating_add(ttl));
    json!({
        "id": facts.as_ref().map(|facts| &facts.id),
        "username": facts.as_ref().map(|facts| &facts.username),
        "reason": revoked.reason,
        "revoked": revoked.timestamp,
        "until": until,
    })
}
