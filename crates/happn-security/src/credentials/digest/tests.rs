//! Recorded signatures, and keys that are none.

use proptest::prelude::*;

use super::*;
use crate::vectors;

/// The PEM of a recorded public key, or the text itself if it is none of their names.
pub(crate) fn recorded_key(name: &str) -> String {
    let keys = &vectors::file("digests")["keys"];
    let pem = keys[name]["publicKey"].as_str().or(keys[name].as_str());
    pem.unwrap_or(name).to_owned()
}

#[test]
fn recorded_signatures_verify() {
    for case in vectors::list("digests", "sign") {
        // A private key's PEM stands for the same key as k1.
        let name = case["key"].as_str().unwrap().replace("_pkcs8", "");
        let key = PublicKey::parse(&recorded_key(&name)).unwrap();
        let (nonce, digest) = (&case["nonce"], &case["digest"]);
        assert!(
            key.verify(nonce.as_str().unwrap(), digest.as_str().unwrap()),
            "{case}"
        );
    }
}

#[test]
fn signatures_are_judged_as_the_reference_judges_them() {
    for case in vectors::list("digests", "verify") {
        let text = |member: &str| case[member].as_str().unwrap().to_owned();
        let verified = PublicKey::parse(&recorded_key(&text("public_key")))
            .is_ok_and(|key| key.verify(&text("nonce"), &text("digest")));
        assert_eq!(verified, case["result"] == true, "{}", case["note"]);
    }
}

#[test]
fn keys_of_the_usual_curves_verify() {
    let nonce = "XMRqwjEc6f99l6MWdCDpHOsoNUCJHhxH6VCWG9t6xm8=";
    for (algorithm, signing) in [
        (P256, &ring::signature::ECDSA_P256_SHA256_ASN1_SIGNING),
        (P384, &ring::signature::ECDSA_P384_SHA384_ASN1_SIGNING),
    ] {
        use ring::signature::{EcdsaKeyPair, KeyPair as _};
        let random = ring::rand::SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(signing, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(signing, pkcs8.as_ref(), &random).unwrap();
        let key = PublicKey::parse(&spki(algorithm, pair.public_key().as_ref())).unwrap();
        let signature = pair.sign(&random, &base64::decode(nonce).unwrap()).unwrap();
        let digest = base64::encode_url(signature.as_ref());
        // ring signs with SHA-384 on P-384, and happn digests are SHA-256.
        assert_eq!(key.verify(nonce, &digest), algorithm == P256);
        assert!(!key.verify(nonce, &base64::encode_url(&signature.as_ref()[1..])));
    }
}

fn spki(algorithm: &[u8], key: &[u8]) -> String {
    let element = |tag: u8, content: &[u8]| {
        let mut out = vec![tag, u8::try_from(content.len()).unwrap()];
        if content.len() >= 0x80 {
            out.insert(1, 0x81);
        }
        out.extend_from_slice(content);
        out
    };
    let bits = element(0x03, &[&[0], key].concat());
    let info = element(0x30, &[element(0x30, algorithm), bits].concat());
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        base64::encode_url(&info)
    )
}

#[test]
fn what_is_no_public_key_is_refused_with_what_is_allowed() {
    let key = recorded_key("k1");
    let spki_key = recorded_key("k1_spki");
    for pem in [
        String::new(),
        "not a key".to_owned(),
        key.replace("BEGIN RSA PUBLIC", "BEGIN RSA PRIVATE"),
        key.replace("RSA PUBLIC KEY", "CERTIFICATE"),
        key.replace("-----END RSA PUBLIC KEY-----", ""),
        key.replace('M', "*"),
        format!("{key}{key}"),
        spki_key.replace("MIIBIjANBg", "MIIBIjANBh"),
        spki_key.replace("MIIBIjANBg", "MIIBIzANBg"),
        spki(SECP256K1, &[4; 65]),
        spki(b"\x06\x03\x2b\x65\x70", &[1; 32]),
        format!("{key}{}", " ".repeat(20_000)),
    ] {
        let problem = PublicKey::parse(&pem).unwrap_err().to_string();
        assert!(problem.contains("2048 to 8192 bits"), "{pem}");
    }
}

#[test]
fn an_rsa_key_that_is_too_short_or_rubbish_verifies_nothing() {
    let rubbish = "-----BEGIN RSA PUBLIC KEY-----\nMAAA\n-----END RSA PUBLIC KEY-----";
    let key = PublicKey::parse(rubbish).unwrap();
    assert!(!key.verify("AAAA", "AAAA"));
    assert!(!key.verify("AAAA", &"A".repeat(DIGEST_BYTES_MAX + 4)));
}

proptest! {
    #[test]
    fn no_pem_panics(label in "(RSA )?PUBLIC KEY", content in "[A-Za-z0-9+/=\n]{0,200}", nonce in r"\PC{0,9}") {
        let pem = format!("-----BEGIN {label}-----\n{content}\n-----END {label}-----\n");
        let verified = PublicKey::parse(&pem).is_ok_and(|key| key.verify(&nonce, &content));
        prop_assert!(!verified);
    }

    #[test]
    fn no_der_panics(der: Vec<u8>) {
        let _ = der::public_key_info(&der);
        let wrapped = [&[0x30, u8::try_from(der.len() % 128).unwrap()], &der[..]].concat();
        let _ = der::public_key_info(&wrapped);
    }
}
