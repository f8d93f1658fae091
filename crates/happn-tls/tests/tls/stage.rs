//! Certificates in folders, and both ends of a connection.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use happn_tls::{Identity, TlsClient, TlsServer, Trust};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, CertifiedKey, DnType, IsCa,
    KeyPair, generate_simple_self_signed,
};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A folder of PEM files, gone with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let folder = format!("happn-tls-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn identity(&self, made: &CertifiedKey<KeyPair>) -> Identity {
        Identity::files(
            self.write("node.key", &made.signing_key.serialize_pem()),
            self.write("node.crt", &made.cert.pem()),
        )
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn certificate(host: &str) -> CertifiedKey<KeyPair> {
    generate_simple_self_signed([host.to_owned()]).unwrap()
}

/// Signs certificates of others.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = format!("authority {}", NEXT.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A key and a certificate for `localhost`, as `change` has it.
    pub(crate) fn certificate(
        &self,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (KeyPair, Certificate) {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (key, certificate)
    }

    pub(crate) fn certify(&self, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let (key, certificate) = self.certificate(change);
        Identity::inline(key.serialize_pem(), certificate.pem())
    }
}

/// Says hello through the client and answers what the server read, or why there was no hello.
pub(crate) async fn hello(
    server: &TlsServer,
    client: &TlsClient,
    host: &str,
) -> Result<String, String> {
    let (near, far) = tokio::io::duplex(4096);
    let serving = async {
        let mut stream = server.accept(far).await.map_err(|it| it.to_string())?;
        let mut text = String::new();
        let read = stream.read_to_string(&mut text).await;
        read.map(|_| text).map_err(|it| it.to_string())
    };
    // The stream lives until both are done, or the server could not send its tickets.
    let dialling = async {
        let stream = client.connect(host, near).await;
        let mut stream = stream.map_err(|it| it.to_string())?;
        let sent = stream.write_all(b"hello").await;
        let ended = sent.and(stream.shutdown().await);
        ended.map(|()| stream).map_err(|it| it.to_string())
    };
    let (served, dialled) = tokio::join!(serving, dialling);
    dialled.and(served)
}

pub(crate) fn trusting(file: &Path) -> TlsClient {
    TlsClient::new(&Trust::file(file)).unwrap()
}
