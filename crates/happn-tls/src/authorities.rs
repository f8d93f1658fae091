//! Who vouches for others.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::UnixTime;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use crate::identity::unusable;
use crate::{Identity, PemSource, TlsError, pem, provider};

/// Which clients a server lets in, by the certificates that they show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clients {
    /// All; nobody is asked for a certificate.
    #[default]
    Anyone,
    /// Those with a certificate of one of these authorities, and those that show none.
    MayShow(Vec<PemSource>),
    /// Only those with a certificate of one of these authorities.
    MustShow(Vec<PemSource>),
}

impl Clients {
    /// What checks a client's certificate; `None` where nobody is asked.
    pub(crate) fn verifier(&self) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
        let (sources, may_show_none) = match self {
            Self::Anyone => return Ok(None),
            Self::MayShow(sources) => (sources, true),
            Self::MustShow(sources) => (sources, false),
        };
        let roots = Arc::new(roots(sources)?);
        let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
        let builder = match may_show_none {
            true => builder.allow_unauthenticated(),
            false => builder,
        };
        // Fails without authorities, which have been read, and for revocation lists.
        let built = builder.build().map_err(|error| TlsError::Unusable {
            from: names(sources),
            source: rustls::Error::General(error.to_string()),
        });
        built.map(Some)
    }

    /// Whether a server with these clients would let `identity` in, if it were to dial. Anyone is
    /// let in where nobody is asked.
    ///
    /// # Errors
    /// When it would not, or when something cannot be read.
    pub fn check(&self, identity: &Identity) -> Result<(), TlsError> {
        let Some(verifier) = self.verifier()? else {
            return Ok(());
        };
        let certified = identity.load()?;
        let from = identity.certificate_name();
        let certificate = certified.end_entity_cert();
        let certificate = certificate.map_err(|source| unusable(&from, source))?;
        let chain = certified.cert.get(1..).unwrap_or_default();
        let checked = verifier.verify_client_cert(certificate, chain, UnixTime::now());
        checked.map(drop).map_err(|source| unusable(&from, source))
    }
}

/// The authorities in all of `sources`.
pub(crate) fn roots(sources: &[PemSource]) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for source in sources {
        let from = source.name("authorities");
        for certificate in pem::certificates(&source.read(&from)?, &from)? {
            let added = store.add(certificate);
            added.map_err(|source| unusable(&from, source))?;
        }
    }
    Ok(store)
}

fn names(sources: &[PemSource]) -> String {
    let names: Vec<_> = sources.iter().map(|it| it.name("authorities")).collect();
    match names.is_empty() {
        true => "an empty list of authorities".to_owned(),
        false => names.join(", "),
    }
}
