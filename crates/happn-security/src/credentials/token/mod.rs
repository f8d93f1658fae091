//! Session tokens: HS256 JWTs whose payload is the packed session, interchangeable with those of
//! JavaScript nodes.

mod content;

use std::fmt;
use std::sync::Arc;

use ring::hmac;
use serde_json::Value;

pub use content::SessionToken;

use super::base64;
use super::jsonpack::{self, PackError};

/// `{"typ":"JWT","alg":"HS256"}`, encoded.
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";
/// Longest token, bytes.
const TOKEN_BYTES_MAX: usize = 256 * 1024;

/// What all nodes of a cluster sign their tokens with. It never prints.
#[derive(Clone)]
pub struct TokenSecret {
    text: Arc<str>,
    key: hmac::Key,
}

impl TokenSecret {
    /// The secret whose UTF-8 bytes are `text`; `None` when it is empty.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()),
            text: text.into(),
        })
    }

    /// The text, for whoever has to store it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    fn sign(&self, payload: &Value) -> Result<String, TokenError> {
        let packed = Value::String(jsonpack::pack(payload)).to_string();
        let signed = format!("{HEADER}.{}", base64::encode_url(packed.as_bytes()));
        let signature = hmac::sign(&self.key, signed.as_bytes());
        let token = format!("{signed}.{}", base64::encode_url(signature.as_ref()));
        match token.len() <= TOKEN_BYTES_MAX {
            true => Ok(token),
            false => Err(TokenError::TooLarge),
        }
    }

    /// The payload of a token that this secret signed.
    fn verify(&self, token: &str) -> Result<Value, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLarge);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Form)?;
        if payload.contains('.') {
            return Err(TokenError::Form);
        }
        let signature = base64::decode_url(signature).ok_or(TokenError::Signature)?;
        let verified = hmac::verify(&self.key, signed.as_bytes(), &signature);
        verified.map_err(|_| TokenError::Signature)?;
        let header: Value = json_of(header)?;
        if header["alg"] != "HS256" {
            return Err(TokenError::Algorithm);
        }
        let Value::String(packed) = json_of(payload)? else {
            return Err(TokenError::Form);
        };
        Ok(jsonpack::unpack(&packed)?)
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret(…)")
    }
}

impl PartialEq for TokenSecret {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for TokenSecret {}

/// Why a token is not accepted, or not made. Clients are told that it is invalid, not why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not three parts of base64 with JSON inside.
    #[error("not a token")]
    Form,
    /// It is longer than allowed.
    #[error("a token must not be longer than {TOKEN_BYTES_MAX} bytes")]
    TooLarge,
    /// It was not signed with this secret, or not with HS256.
    #[error("the signature is wrong")]
    Signature,
    /// Its header names another algorithm.
    #[error("the algorithm is not HS256")]
    Algorithm,
    /// Its payload is not packed JSON.
    #[error("the payload cannot be unpacked: {0}")]
    Packed(#[from] PackError),
    /// A member of the session is missing, or not what it should be.
    #[error("the session's `{0}` is missing or wrong")]
    Member(&'static str),
}

fn json_of(part: &str) -> Result<Value, TokenError> {
    let text = base64::decode(part).ok_or(TokenError::Form)?;
    serde_json::from_slice(&text).map_err(|_| TokenError::Form)
}

#[cfg(test)]
mod tests;
