//! Tokens of both references, and tokens that are none.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::policy::{Policies, SessionType};
use crate::vectors;

fn secret() -> TokenSecret {
    TokenSecret::new("throw-away-secret-1").unwrap()
}

fn token() -> SessionToken {
    SessionToken {
        id: "one".to_owned(),
        https_cookie: None,
        info: Some(json!({"x": "ann bee"})),
        session_type: SessionType::Stateful,
        timestamp_ms: 1_795_445_884_673,
        parent_id: "one".to_owned(),
        origin: "node".to_owned(),
        policies: Policies::parse(&json!({"0": {"ttl": 0}, "1": {"ttl": 7}})).ok(),
        username: "ann+bee".to_owned(),
        userid: Some("u-1".to_owned()),
    }
}

/// Signs anything, as somebody could who knows the secret.
fn forge(payload: &Value) -> Result<SessionToken, TokenError> {
    SessionToken::decode(&secret().sign(payload).unwrap(), &secret())
}

#[test]
fn tokens_of_both_references_are_read_and_made_again() {
    let cases = vectors::list("tokens", "minted");
    let foreign = vectors::list("tokens", "accepted_from_another_implementation");
    for case in cases.iter().chain(&foreign) {
        let secret = TokenSecret::new(case["secret"].as_str().unwrap()).unwrap();
        let recorded = case["token"].as_str().unwrap();
        let session = SessionToken::decode(recorded, &secret).unwrap();
        assert_eq!(session.json(), case["decoded"], "{}", case["note"]);
        let again = session.encode(&secret).unwrap();
        assert_eq!(SessionToken::decode(&again, &secret).unwrap(), session);
        if case["reference"] == "happn-3 13.1.3-prerelease-1" {
            assert_eq!(again, recorded, "{}", case["note"]);
        }
    }
}

#[test]
fn odd_tokens_are_judged_as_the_reference_judges_them_but_for_hs256_only() {
    for case in vectors::list("tokens", "verify") {
        let Some(secret) = TokenSecret::new(case["secret"].as_str().unwrap()) else {
            assert_eq!(case["accepted"], false, "{case}");
            continue;
        };
        let verdict = SessionToken::decode(case["token"].as_str().unwrap(), &secret);
        let expected = case["accepted"] == true;
        match case["note"].as_str().unwrap() {
            "HS384" | "HS512" => assert_eq!(verdict, Err(TokenError::Signature)),
            "packed array" => assert_eq!(verdict, Err(TokenError::Member("id"))),
            note => assert_eq!(verdict.is_ok(), expected, "{note}: {verdict:?}"),
        }
    }
}

#[test]
fn a_token_comes_back_as_it_was_made() {
    let made = token().encode(&secret()).unwrap();
    assert_eq!(SessionToken::decode(&made, &secret()), Ok(token()));
    let other = TokenSecret::new("other").unwrap();
    assert_eq!(
        SessionToken::decode(&made, &other),
        Err(TokenError::Signature)
    );
}

#[test]
fn another_algorithm_is_refused_even_when_the_signature_fits() {
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "HS512"}),
        json!({"alg": "RS256"}),
        json!({"alg": "hs256"}),
        json!({"alg": "HS256 "}),
        json!({"alg": ["HS256"]}),
        json!({"alg": null}),
        json!({"typ": "JWT"}),
        json!({}),
        json!([]),
    ] {
        let made = token().encode(&secret()).unwrap();
        let payload = made.split('.').nth(1).unwrap();
        let header = base64::encode_url(header.to_string().as_bytes());
        let signed = format!("{header}.{payload}");
        let signature = hmac::sign(&secret().key, signed.as_bytes());
        let forged = format!("{signed}.{}", base64::encode_url(signature.as_ref()));
        let verdict = SessionToken::decode(&forged, &secret());
        assert_eq!(verdict, Err(TokenError::Algorithm), "{header}");
    }
}

#[test]
fn a_signed_payload_that_is_no_session_is_refused_by_member() {
    let check = |name: &'static str, value: Value| {
        let mut session = token().json();
        session[name] = value;
        assert_eq!(forge(&session), Err(TokenError::Member(name)));
    };
    check("isToken", json!("true"));
    check("isToken", Value::Null);
    check("id", json!(1));
    check("id", json!(""));
    check("type", json!(2));
    check("type", json!("1"));
    check("timestamp", json!("now"));
    check("parentId", json!({}));
    check("origin", json!([]));
    check("policy", json!(1));
    check("policy", json!({"1": {"ttl": "soon"}}));
    check("username", Value::Null);
    check("userid", json!(7));
}

#[test]
fn a_token_without_optional_members_is_read() {
    let session = forge(&json!({
        "id": "i", "type": 0, "timestamp": 1.0, "isToken": true, "username": "u",
    }));
    let session = session.unwrap();
    assert_eq!(
        (session.parent_id.as_str(), session.origin.as_str()),
        ("i", "")
    );
    assert_eq!(session.session_type, SessionType::Stateless);
    assert_eq!(session.policies, None);
}

#[test]
fn no_endless_token_is_made_or_read() {
    let mut endless = token();
    endless.info = Some(json!("x".repeat(TOKEN_BYTES_MAX)));
    assert_eq!(endless.encode(&secret()), Err(TokenError::TooLarge));
    let verdict = SessionToken::decode(&"x".repeat(TOKEN_BYTES_MAX + 1), &secret());
    assert_eq!(verdict, Err(TokenError::TooLarge));
}

#[test]
fn the_secret_does_not_print() {
    assert_eq!(format!("{:?}", secret()), "TokenSecret(…)");
    assert!(TokenSecret::new("").is_none());
}

proptest! {
    #[test]
    fn no_text_panics(text in r"([A-Za-z0-9_=-]{0,20}\.){0,4}\PC{0,20}") {
        prop_assert!(SessionToken::decode(&text, &secret()).is_err());
    }

    #[test]
    fn a_changed_letter_is_noticed(place: prop::sample::Index, letter in "[A-Za-z0-9_.=-]") {
        let made = token().encode(&secret()).unwrap();
        let place = place.index(made.len());
        let mut changed = made.clone();
        changed.replace_range(place..=place, &letter);
        let verdict = SessionToken::decode(&changed, &secret());
        prop_assert_eq!(verdict.is_ok(), changed == made);
    }

    #[test]
    fn no_signed_text_panics(packed in r"[a-zA-Z0|]{0,30}\^[0-9A-Z|]{0,5}\^\^[$@\]|0-9A-F-]{0,40}") {
        let text = Value::String(packed).to_string();
        let signed = format!("{HEADER}.{}", base64::encode_url(text.as_bytes()));
        let signature = hmac::sign(&secret().key, signed.as_bytes());
        let forged = format!("{signed}.{}", base64::encode_url(signature.as_ref()));
        prop_assert!(SessionToken::decode(&forged, &secret()).is_err());
    }
}
