//! Nonces for logins that are signed.

use uuid::Uuid;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// 32 fresh bytes as base64 text of 44 characters.
pub(crate) fn fresh() -> String {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    bytes[16..].copy_from_slice(Uuid::new_v4().as_bytes());
    base64(&bytes)
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut block = [0; 4];
        block[1..=group.len()].copy_from_slice(group);
        let block = u32::from_be_bytes(block);
        for place in 0..4 {
            let six = (block >> (18 - 6 * place)) & 63;
            match place <= group.len() {
                true => text.push(char::from(ALPHABET[six as usize])),
                false => text.push('='),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_padded_base64() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_nonce_is_44_characters_and_never_the_same() {
        let (one, other) = (fresh(), fresh());
        assert_eq!((one.len(), one.ends_with('=')), (44, true));
        assert_ne!(one, other);
    }
}
