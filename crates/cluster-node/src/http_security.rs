//! How HTTP requests of a secure node are checked, from its configuration.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use happn_server::HttpSecurity;

use crate::config::HttpSecuritySettings;
use crate::start_error::StartError;

/// Largest page, bytes: it is answered to every stranger.
const PAGE_BYTES_MAX: u64 = 1024 * 1024;

/// Reads the pages once; they stay as they are until the node starts again.
pub(crate) fn settings(section: &HttpSecuritySettings) -> Result<HttpSecurity, StartError> {
    let unauthorized = section.unauthorized_response_path.as_ref();
    let forbidden = section.forbidden_response_path.as_ref();
    let page = |member, file: Option<&PathBuf>| {
        let read = file.map(|file| {
            read(file).map_err(|source| StartError::Page {
                member,
                file: file.clone(),
                source,
            })
        });
        read.transpose()
    };
    Ok(HttpSecurity {
        exclusions: section.exclusions.clone(),
        unauthorized_page: page("unauthorizedResponsePath", unauthorized)?.map(Into::into),
        forbidden_page: page("forbiddenResponsePath", forbidden)?.map(Into::into),
        allow_logout: section.allow_logout_over_http,
        set_cookie: section.set_cookie,
        origins: section.origins.clone(),
        trusts_forwarded: section.trust_forwarded,
    })
}

fn read(file: &PathBuf) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    File::open(file)?
        .take(PAGE_BYTES_MAX + 1)
        .read_to_end(&mut page)?;
    match page.len() as u64 > PAGE_BYTES_MAX {
        true => Err(io::Error::other("the page is larger than 1 MiB")),
        false => Ok(page),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    fn section(forbidden: Option<PathBuf>) -> HttpSecuritySettings {
        HttpSecuritySettings {
            exclusions: vec!["/open/*".to_owned()],
            unauthorized_response_path: None,
            forbidden_response_path: forbidden,
            allow_logout_over_http: true,
            set_cookie: false,
            origins: Vec::new(),
            trust_forwarded: false,
        }
    }

    #[test]
    fn pages_are_read_when_the_node_starts() {
        let manifest = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        let security = settings(&section(Some(manifest))).unwrap();
        assert!(security.forbidden_page.unwrap().starts_with(b"[package]"));
        assert_eq!(security.unauthorized_page, None);
        assert_eq!(security.exclusions, ["/open/*"]);
        assert!(security.allow_logout);
    }

    #[test]
    fn a_page_that_cannot_be_read_is_named_with_its_key() {
        let Err(problem) = settings(&section(Some("no/such/page.html".into()))) else {
            panic!("there is no such page");
        };
        let expected =
            "services.connect.config.middleware.security.forbiddenResponsePath: no/such/page.html";
        assert_eq!(problem.to_string(), expected);
        assert!(problem.source().is_some());
    }
}
