//! Signatures of nonces, for logins without a password.

use k256::ecdsa::signature::Verifier as _;
use k256::ecdsa::{Signature, VerifyingKey};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};

use super::{base64, der};

/// Longest signature as text, bytes.
const DIGEST_BYTES_MAX: usize = 4096;

/// The public key of a user: RSA of 2048 to 8192 bits, or an elliptic curve (secp256k1, P-256,
/// P-384).
#[derive(Clone, Debug)]
pub struct PublicKey(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// The key as ring takes it.
    Ring {
        algorithm: &'static dyn VerificationAlgorithm,
        key: Vec<u8>,
    },
    Secp256k1(Box<VerifyingKey>),
}

impl PublicKey {
    /// Reads PEM: `RSA PUBLIC KEY` (PKCS#1) or `PUBLIC KEY` (SPKI).
    ///
    /// # Errors
    /// When it is neither, or a key of another kind.
    pub fn parse(pem: &str) -> Result<Self, UnusableKey> {
        let (label, der) = der::block(pem).ok_or(UnusableKey)?;
        let ring = |algorithm, key: &[u8]| {
            Ok(Self(Kind::Ring {
                algorithm,
                key: key.to_vec(),
            }))
        };
        if label == "RSA PUBLIC KEY" {
            return ring(&RSA_PKCS1_2048_8192_SHA256, &der);
        }
        let info = (label == "PUBLIC KEY").then(|| der::public_key_info(&der));
        let (algorithm, key) = info.flatten().ok_or(UnusableKey)?;
        match algorithm {
            RSA => ring(&RSA_PKCS1_2048_8192_SHA256, key),
            P256 => ring(&ECDSA_P256_SHA256_ASN1, key),
            P384 => ring(&ECDSA_P384_SHA256_ASN1, key),
            SECP256K1 => {
                let key = VerifyingKey::from_sec1_bytes(key).map_err(|_| UnusableKey)?;
                Ok(Self(Kind::Secp256k1(Box::new(key))))
            }
            _ => Err(UnusableKey),
        }
    }

    /// Whether `digest`, base64 of either alphabet, is this key's signature of the bytes that the
    /// base64 text `nonce` stands for: RSA as PKCS#1 v1.5, elliptic curves as ECDSA in DER, both
    /// with SHA-256.
    #[must_use]
    pub fn verify(&self, nonce: &str, digest: &str) -> bool {
        if digest.len() > DIGEST_BYTES_MAX {
            return false;
        }
        let (Some(message), Some(signature)) = (base64::decode(nonce), base64::decode(digest))
        else {
            return false;
        };
        match &self.0 {
            Kind::Ring { algorithm, key } => {
                let key = UnparsedPublicKey::new(*algorithm, key);
                key.verify(&message, &signature).is_ok()
            }
            // OpenSSL makes and takes either of the two signatures that a message has.
            Kind::Secp256k1(key) => Signature::from_der(&signature)
                .is_ok_and(|signature| key.verify(&message, &signature.normalize_s()).is_ok()),
        }
    }
}

/// A text that is no public key we can verify with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a PEM `PUBLIC KEY` or `RSA PUBLIC KEY` of RSA (2048 to 8192 bits), secp256k1, P-256 or P-384"
)]
pub struct UnusableKey;

// Algorithms as SPKI names them.
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
const SECP256K1: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x0a";
const P256: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const P384: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22";

#[cfg(test)]
pub(crate) mod tests;
