//! Base64 as JavaScript peers read and write it.

use ::base64::Engine as _;
use ::base64::alphabet;
use ::base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD, URL_SAFE_NO_PAD};

/// Takes any last character: some writers leave bits in it that belong to no byte.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    NO_PAD.with_decode_allow_trailing_bits(true),
);

/// Reads either alphabet, padded or not, with blanks and line ends anywhere.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let letters = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let mut standard: Vec<u8> = letters
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect();
    while standard.last() == Some(&b'=') {
        standard.pop();
    }
    LENIENT.decode(standard).ok()
}

/// Reads only what [`encode_url`] writes.
pub(super) fn decode_url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The standard alphabet with padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The URL alphabet without padding.
pub(super) fn encode_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_are_read_with_and_without_padding() {
        for text in ["-_8", "+/8=", "+/8", " +/\n8 "] {
            assert_eq!(decode(text), Some(vec![0xfb, 0xff]), "{text:?}");
        }
        assert_eq!(decode(&encode_url(&[0xfb, 0xff])), Some(vec![0xfb, 0xff]));
        assert_eq!(decode(""), Some(Vec::new()));
    }

    #[test]
    fn anything_else_is_not_base64() {
        for text in ["a", "ab*d", "é", "=a="] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
