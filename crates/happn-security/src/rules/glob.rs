//! Text with `*` for any run of characters, line breaks included.

/// Whether `text` is `prefix`, the `middle` pieces in order with anything between them, and
/// `suffix`. Each piece is taken where it first occurs, so that it is linear in the text.
pub(super) fn pieces_match<'a>(
    prefix: &str,
    middle: impl Iterator<Item = &'a str>,
    suffix: &str,
    text: &str,
) -> bool {
    let Some(mut left) = text.strip_prefix(prefix) else {
        return false;
    };
    // Empty pieces come from runs of `*`, which count once.
    for piece in middle.filter(|piece| !piece.is_empty()) {
        let Some((_, after)) = left.split_once(piece) else {
            return false;
        };
        left = after;
    }
    left.ends_with(suffix)
}

/// Whether the whole of `text` matches `mask`, case and all.
pub(super) fn matches(mask: &str, text: &str) -> bool {
    let Some((prefix, rest)) = mask.split_once('*') else {
        return mask == text;
    };
    let (middle, suffix) = rest.rsplit_once('*').unwrap_or(("", rest));
    pieces_match(prefix, middle.split('*'), suffix, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (mask, text) in [
            ("*", ""),
            ("*", "a/b\nc"),
            ("/a/*", "/a/"),
            ("/a/*/c", "/a/x/\r\n/c"),
            ("a*a*a", "aaa"),
            ("a**b", "ab"),
        ] {
            assert!(matches(mask, text), "{mask} should match {text:?}");
        }
        for (mask, text) in [
            ("/a/*", "/a"),
            ("a*a*a", "aa"),
            ("/A*", "/a"),
            ("aa*", "ab"),
        ] {
            assert!(!matches(mask, text), "{mask} should not match {text:?}");
        }
    }
}
