//! Binary values as JSON text.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends `bytes` as base64 text, in quotes.
pub(crate) fn write(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            out.push(match place <= group.len() {
                true => ALPHABET[(bits >> (18 - 6 * place) & 63) as usize],
                false => b'=',
            });
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_padded_to_groups_of_four_letters() {
        for (bytes, text) in [
            (&b""[..], "\"\""),
            (b"a", "\"YQ==\""),
            (b"ab", "\"YWI=\""),
            (b"abc", "\"YWJj\""),
            (b"\xff\xfe\xfd\xfc", "\"//79/A==\""),
        ] {
            let mut out = Vec::new();
            write(&mut out, bytes);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
