//! Session tokens.

use happn_security::credentials::{SessionToken, TokenSecret, jsonpack};
use happn_security::policy::SessionType;

use crate::text;

/// `data` as a token, as what a token packs, and inside a token that is ours.
///
/// # Panics
/// When a token that nobody signed is taken, or one of ours does not come back as it was.
pub fn tokens(data: &[u8]) {
    let text = text(data);
    let secret = TokenSecret::new("known to nobody else");
    assert!(secret.is_some(), "a secret that is not empty will do");
    let Some(secret) = secret else { return };
    assert!(
        SessionToken::decode(&text, &secret).is_err(),
        "a token that nobody signed is taken"
    );
    if let Ok(value) = jsonpack::unpack(&text) {
        let packed = jsonpack::pack(&value);
        assert!(
            jsonpack::unpack(&packed).is_ok(),
            "{value} cannot be unpacked again"
        );
    }
    let token = SessionToken {
        id: "s".to_owned(),
        https_cookie: None,
        info: None,
        session_type: SessionType::Stateful,
        timestamp_ms: 1,
        parent_id: text.clone().into_owned(),
        origin: text.clone().into_owned(),
        policies: None,
        username: format!("user {text}"),
        userid: None,
    };
    if let Ok(signed) = token.encode(&secret) {
        assert_eq!(SessionToken::decode(&signed, &secret), Ok(token));
    }
}
