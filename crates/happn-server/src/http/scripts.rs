//! The scripts for browsers: ours, written for this server, under the names pages know.

use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use hyper::{Method, StatusCode};

use super::pages::{Page, page};

/// The client, in the order in which its files build on each other.
const CLIENT: &str = concat!(
    include_str!("../../browser/socket.js"),
    include_str!("../../browser/paths.js"),
    include_str!("../../browser/requests.js"),
    include_str!("../../browser/subscriptions.js"),
    include_str!("../../browser/options.js"),
    include_str!("../../browser/cookies.js"),
    include_str!("../../browser/login.js"),
    include_str!("../../browser/session.js"),
    include_str!("../../browser/client.js"),
);

/// The transport alone, for the JavaScript project's own client, which looks for it here.
const TRANSPORT: &str = concat!(
    include_str!("../../browser/socket.js"),
    "\nwindow.Primus = Socket;\n"
);

const CRYPTO: &str = include_str!("../../browser/crypto.js");

/// What a browser can load, ready to be sent.
#[derive(Debug)]
pub(crate) struct Scripts {
    client: Script,
    transport: Script,
    crypto: Script,
}

#[derive(Debug)]
struct Script {
    text: Bytes,
    etag: HeaderValue,
}

impl Scripts {
    /// The scripts of a server that calls itself `version`.
    pub(crate) fn new(version: &str) -> Self {
        let literal = serde_json::Value::from(version).to_string();
        let client = CLIENT.replace("'{{version}}'", &literal);
        let shown: String = version.chars().filter(|it| !it.is_control()).collect();
        let banner = format!("//happn client v{shown}\r\n//protocol v4\r\n");
        Self {
            client: Script::new(&banner, &client),
            transport: Script::new("", TRANSPORT),
            crypto: Script::new("", CRYPTO),
        }
    }

    /// A public file, if the request asks for one: by path, whatever the query.
    pub(crate) fn file(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Page> {
        let asked = path == "/browser_primus.js" && matches!(*method, Method::GET | Method::HEAD);
        asked.then(|| {
            let content_type = "application/javascript; charset=UTF-8";
            let mut response = self.transport.answer(content_type, headers);
            let revalidate = HeaderValue::from_static("public, max-age=0");
            response.headers_mut().insert(CACHE_CONTROL, revalidate);
            response
        })
    }

    /// A script that is made, not stored: by the whole target, with any method.
    pub(crate) fn made(&self, target: &str, headers: &HeaderMap) -> Option<Page> {
        let script = match target {
            "/browser_client" => &self.client,
            _ if target.starts_with("/browser_crypto.js") => &self.crypto,
            _ => return None,
        };
        Some(script.answer("application/javascript", headers))
    }

    /// The transport, under the path where primus serves it.
    pub(crate) fn primus(&self, headers: &HeaderMap) -> Page {
        let content_type = "text/javascript; charset=utf-8";
        self.transport.answer(content_type, headers)
    }
}

impl Script {
    /// Wrapped so that nothing but what it publishes is seen from outside.
    fn new(banner: &str, source: &str) -> Self {
        let text = format!("{banner}(function () {{\n'use strict';\n\n{source}}})();\n");
        let etag = format!("\"{:x}-{:016x}\"", text.len(), fingerprint(text.as_bytes()));
        Self {
            // Only hexadecimal digits and a dash, which a header may hold.
            etag: HeaderValue::try_from(etag).unwrap_or(HeaderValue::from_static("\"0\"")),
            text: text.into(),
        }
    }

    fn answer(&self, content_type: &'static str, headers: &HeaderMap) -> Page {
        let mut response = if is_known(&self.etag, headers) {
            let mut unchanged = Page::default();
            *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
            unchanged
        } else {
            page(StatusCode::OK, content_type, self.text.clone())
        };
        response.headers_mut().insert(ETAG, self.etag.clone());
        response
    }
}

/// Whether the client says that it has what `etag` stands for.
fn is_known(etag: &HeaderValue, headers: &HeaderMap) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).iter();
    let mut known = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"));
    known.any(|tag| tag == "*" || tag.as_bytes() == etag.as_bytes())
}

/// FNV-1a: the same for the same text on every node, and nobody gains by forging it.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_with(etag: &str) -> StatusCode {
        let scripts = Scripts::new("1");
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, etag.parse().unwrap());
        let answer = scripts.made("/browser_client", &headers);
        answer.unwrap().status()
    }

    #[test]
    fn a_script_the_client_has_is_not_sent_again() {
        let scripts = Scripts::new("1");
        let etag = scripts.client.etag.to_str().unwrap();
        assert_eq!(asked_with(etag), StatusCode::NOT_MODIFIED);
        assert_eq!(
            asked_with(&format!("\"a\", W/{etag}")),
            StatusCode::NOT_MODIFIED
        );
        assert_eq!(asked_with("*"), StatusCode::NOT_MODIFIED);
        assert_eq!(asked_with("\"a\""), StatusCode::OK);
    }

    #[test]
    fn another_version_is_another_script() {
        assert_ne!(Scripts::new("1").client.etag, Scripts::new("2").client.etag);
    }

    #[test]
    fn a_version_cannot_break_out_of_its_place() {
        let scripts = Scripts::new("1'\n\";alert(1)//");
        let text = std::str::from_utf8(&scripts.client.text).unwrap();
        assert!(text.starts_with("//happn client v1'\";alert(1)//\r\n//protocol v4\r\n"));
        assert!(text.contains(r#"const VERSION = "1'\n\";alert(1)//";"#));
    }

    /// Browsers of 2018 shall understand it.
    #[test]
    fn the_scripts_use_no_younger_syntax() {
        for source in [CLIENT, TRANSPORT, CRYPTO] {
            for young in [
                "?.",
                " ?? ",
                "this.#",
                "||=",
                "&&=",
                "catch {",
                ".at(",
                "replaceAll",
            ] {
                assert!(!source.contains(young), "{young}");
            }
        }
    }
}
