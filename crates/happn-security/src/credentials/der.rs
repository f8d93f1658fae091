//! As much of PEM and DER as a public key needs.

use super::base64;

/// Longest PEM text, bytes.
const PEM_BYTES_MAX: usize = 16 * 1024;

/// The label and the content of the only block of a PEM text.
pub(super) fn block(pem: &str) -> Option<(&str, Vec<u8>)> {
    if pem.len() > PEM_BYTES_MAX {
        return None;
    }
    let (label, rest) = pem
        .trim()
        .strip_prefix("-----BEGIN ")?
        .split_once("-----")?;
    let (content, end) = rest.split_once("-----END ")?;
    let ends = end.strip_suffix("-----")? == label;
    ends.then(|| base64::decode(content))?
        .map(|der| (label, der))
}

/// The algorithm and the key of a `SubjectPublicKeyInfo`.
pub(super) fn public_key_info(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (info, []) = element(der, SEQUENCE)? else {
        return None;
    };
    let (algorithm, rest) = element(info, SEQUENCE)?;
    let (bits, []) = element(rest, BIT_STRING)? else {
        return None;
    };
    // The first byte counts the bits at the end that are not used.
    bits.strip_prefix(&[0]).map(|key| (algorithm, key))
}

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

/// The content of the element in front, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match der {
        [first, ..] if *first != tag => return None,
        [_, 0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [_, 0x81, length, rest @ ..] => (usize::from(*length), rest),
        [_, length @ 0..=0x7f, rest @ ..] => (usize::from(*length), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}
