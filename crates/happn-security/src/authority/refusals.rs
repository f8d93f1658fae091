//! Refusals in the words that clients know.

use std::fmt::Display;

use happn_core::Refusal;
use happn_protocol::{Json, WireError, write_string};

use crate::policy::PolicyRefusal;

pub(super) fn invalid_credentials() -> Refusal {
    Refusal::denied(401, "Invalid credentials")
}

pub(super) fn unauthorized() -> Refusal {
    Refusal::denied(403, "unauthorized")
}

pub(super) fn revoked() -> Refusal {
    Refusal::denied(403, "token has been revoked")
}

pub(super) fn admin_over_network() -> Refusal {
    Refusal::denied(
        403,
        "use of _ADMIN credentials over the network is disabled",
    )
}

/// A request that the session's policy refuses ends the session; so does such a token's login.
pub(super) fn by_policy(code: u16, refusal: PolicyRefusal) -> Refusal {
    Refusal::denied(code, refusal.to_string()).ending(refusal.disconnect_reason())
}

/// Nobody is at fault; clients may try again.
pub(super) fn failed(error: &impl Display) -> Refusal {
    WireError::system(error.to_string(), "SecurityService").into()
}

/// Not for the account of somebody who asks like this.
pub(super) fn unusable(message: impl Into<String>) -> Refusal {
    let severity = ("severity", Json::from_static("0"));
    WireError {
        name: "SystemError",
        code: Some(500),
        message: message.into(),
        members: vec![severity],
    }
    .into()
}

/// A refused request on behalf of `user`.
pub(super) fn on_behalf_of(user: &str, cause: &str) -> Refusal {
    let mut reason = Vec::new();
    write_string(
        &mut reason,
        &format!("{cause} request on behalf of: {user}"),
    );
    let mut error = WireError::access_denied(403, "unauthorized");
    error.members.push(("reason", Json::from_trusted(reason)));
    error.into()
}
