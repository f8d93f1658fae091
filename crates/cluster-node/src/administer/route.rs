//! Paths of the API.

use std::fmt::Write;

/// `/api/v1/` and the segments, each of them encoded.
pub(super) fn route(segments: &[&str]) -> String {
    let mut path = String::from("/api/v1");
    for segment in segments {
        path.push('/');
        encode(&mut path, segment);
    }
    path
}

/// `path` with those of the parameters that have a value.
pub(super) fn with_query(mut path: String, parameters: &[(&str, Option<&str>)]) -> String {
    let mut separator = if path.contains('?') { '&' } else { '?' };
    for (name, value) in parameters {
        let Some(value) = value else { continue };
        path.push(separator);
        path.push_str(name);
        path.push('=');
        encode(&mut path, value);
        separator = '&';
    }
    path
}

fn encode(path: &mut String, text: &str) {
    // Some programs take these two for directions.
    let is_direction = matches!(text, "." | "..");
    for byte in text.bytes() {
        let stays = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'~')
            || (byte == b'.' && !is_direction);
        match stays {
            true => path.push(char::from(byte)),
            // Writing to a string cannot fail.
            false => drop(write!(path, "%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_segment() {
        assert_eq!(route(&["users", "ann"]), "/api/v1/users/ann");
        assert_eq!(
            route(&["groups", "A/B ü?", "x.y"]),
            "/api/v1/groups/A%2FB%20%C3%BC%3F/x.y"
        );
        assert_eq!(route(&["users", ".."]), "/api/v1/users/%2E%2E");
        assert_eq!(route(&["users", "%41"]), "/api/v1/users/%2541");
    }

    #[test]
    fn parameters_without_value_are_left_out() {
        let parameters = [("a", None), ("path", Some("/x/*&")), ("b", Some("1"))];
        assert_eq!(
            with_query("/p".to_owned(), &parameters),
            "/p?path=%2Fx%2F%2A%26&b=1"
        );
        assert_eq!(with_query("/p".to_owned(), &[("a", None)]), "/p");
        assert_eq!(
            with_query("/p?a=1".to_owned(), &[("b", Some("2"))]),
            "/p?a=1&b=2"
        );
    }
}
