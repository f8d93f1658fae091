//! Which paths need no token.

/// Whether one of `patterns` lets everybody ask for `path`, which has no query. A path that stands
/// for another one is never let through.
pub(super) fn is_excluded(patterns: &[String], path: &str) -> bool {
    is_plain(path)
        && patterns.iter().any(|pattern| match pattern.as_str() {
            "/" => path == "/",
            pattern => covers(&pattern.to_lowercase(), &path.to_lowercase()),
        })
}

/// Whether a path means what it says: no `.` or `..`, nothing empty between two slashes, and no
/// such thing in escapes or backslashes.
pub(super) fn is_plain(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let hidden = ["%2e", "%2f", "%5c", "\\"];
    if hidden.iter().any(|hidden| lower.contains(hidden)) {
        return false;
    }
    let odd = |segment: &str| matches!(segment, "." | "..");
    !path.contains("//") && !path.split('/').any(odd)
}

/// Whether the whole of `path` fits `pattern`, in which `*` is any text. Linear in both for all
/// practical purposes: each piece is looked for once.
fn covers(pattern: &str, path: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == path;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(inner) = path
        .strip_prefix(first)
        .and_then(|path| path.strip_suffix(last))
    else {
        return false;
    };
    let mut left = inner;
    middle.split('*').all(|piece| match left.find(piece) {
        Some(at) => {
            left = &left[at + piece.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excluded(pattern: &str, path: &str) -> bool {
        is_excluded(&[pattern.to_owned()], path)
    }

    #[test]
    fn a_star_is_any_text_and_case_does_not_matter() {
        for (pattern, path) in [
            ("/open/*", "/open/x"),
            ("/open/*", "/OPEN/x/y"),
            ("/open/*", "/open/"),
            ("*.css", "/a/b.css"),
            ("/a/*/c*e", "/a/b/cde"),
            ("*", "/anything"),
            ("/exact", "/Exact"),
            ("/a*a", "/aba"),
            ("/", "/"),
            ("/a**b", "/axb"),
        ] {
            assert!(excluded(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/open/*", "/open"),
            ("/open/*", "/x/open/y"),
            ("/exact", "/exactly"),
            ("/", "/a"),
            ("/a*a", "/a"),
            ("/ab*bc", "/abc"),
            ("/a/*/c*e", "/a/b/ed"),
            ("", "/"),
        ] {
            assert!(!excluded(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn a_path_that_stands_for_another_one_is_never_let_through() {
        for path in [
            "/open/../secure",
            "/open/..",
            "/open/./x",
            "/open//x",
            "//open/x",
            "//",
            "/open/%2e%2e/secure",
            "/open/%2E./secure",
            "/open/..%2fsecure",
            "/open/..\\secure",
            "/open/%5c..",
        ] {
            assert!(!excluded("*", path) && !is_plain(path), "{path}");
        }
        for path in ["/", "/open/", "/open/..x", "/open/x.y", "/a%20b", "*", ""] {
            assert!(is_plain(path), "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn stars_cover_what_an_obvious_matcher_covers(pattern in "[ab*]{1,7}", path in "[ab]{0,9}") {
            fn obvious(pattern: &[u8], path: &[u8]) -> bool {
                match (pattern, path) {
                    ([], path) => path.is_empty(),
                    ([b'*', pattern @ ..], path) => {
                        (0..=path.len()).any(|at| obvious(pattern, &path[at..]))
                    }
                    ([one, pattern @ ..], [other, path @ ..]) => {
                        one == other && obvious(pattern, path)
                    }
                    _ => false,
                }
            }
            let expected = obvious(pattern.as_bytes(), path.as_bytes());
            proptest::prop_assert_eq!(covers(&pattern, &path), expected);
        }
    }
}
